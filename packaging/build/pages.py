"""Manual pages and completion, from the commands' own parsers. Run by the build tools with the product on the path.

python pages.py TARGET serment VERSION        TARGET is the root of the package's file tree
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

LANGUAGES = {"en": "", "fr": "fr/"}
EXITS = {
    "en": "0 well; 64 usage; 65 bad input; 69 the machine lacks something; 70 an error of ours; 75 try again later; "
    "78 configuration. Some commands have answers of their own: see their --help.",
    "fr": "0 tout va bien ; 64 usage ; 65 entrée refusée ; 69 il manque quelque chose à la machine ; 70 une erreur de "
    "Serment ; 75 à réessayer plus tard ; 78 configuration. Certaines commandes ont leurs propres réponses : voir leur "
    "--help.",
}  # fmt: skip
TITLES = {"en": ("EXIT STATUS", "FILES"), "fr": ("CODE DE RETOUR", "FICHIERS")}
FILES = {
    "serment": [
        "/etc/serment/agent.toml", "/var/lib/serment (keys, audit log, held documents)", "/run/serment/agent.sock",
        "/usr/share/doc/serment",
    ],
    "serment-collector": ["/var/lib/serment-collector", "/usr/share/doc/serment-collector"],
}  # fmt: skip


def parser_of(program: str, language: str) -> argparse.ArgumentParser:
    """The whole parser, every command's options in it."""
    if program == "serment-collector":
        import gettext

        from agent.i18n import catalogue
        from collector.options import parser as collector_parser

        words: gettext.NullTranslations = catalogue(language)
        return collector_parser(words.gettext)
    from agent.ui.cli import commands as main
    from agent.ui.terminal import Terminal

    terminal = Terminal(language)
    main.speak(terminal.language)
    whole = main._parser(terminal, None)
    (commands,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    for name in main.COMMANDS:  # it fills in one command at a time
        filled = main._parser(terminal, name)
        (action,) = (each for each in filled._actions if isinstance(each, argparse._SubParsersAction))
        commands.choices[name] = action.choices[name]
    return whole


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def page(parser: argparse.ArgumentParser, program: str, version: str, language: str, short: str) -> bytes:
    day = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    data = {"description": short, "project_name": program, "version": version, "manual_title": "Serment", "date": day}
    title, files = TITLES[language]
    codes = EXITS[language]
    manual_page = Manpage(parser, format="pretty", _data=data)
    manual_page.prog = parser.prog.replace(" ", "-")  # as the page is called: man(1) and whatis(1) go by it
    text = str(manual_page)
    text += f"\n.SH {title}\n{codes}\n.SH {files}\n" + "\n.br\n".join(FILES[program]) + "\n"
    return gzip.compress(text.replace("\u2011", "-").encode(), 9, mtime=0)


def short_of(parser: argparse.ArgumentParser) -> str:
    return " ".join((parser.description or parser.prog).split()).rstrip(".")


def manual(root: Path, program: str, version: str) -> None:
    """One page for the program and one a command, in each language."""
    for language, folder in LANGUAGES.items():
        target = root / "usr/share/man" / folder / "man1"
        target.mkdir(parents=True, exist_ok=True)
        top = parser_of(program, language)
        chosen = [top]
        for action in top._actions:
            if isinstance(action, argparse._SubParsersAction):
                helps = {each.dest: each.help for each in action._choices_actions}
                for name, each in action.choices.items():
                    each.description = each.description or helps.get(name)
                    chosen.append(each)
        for each in chosen:
            name = each.prog.replace(" ", "-")
            (target / f"{name}.1.gz").write_bytes(page(each, program, version, language, short_of(each)))


def completion(root: Path, program: str) -> None:
    """For bash and zsh: options and commands, files where a file is wanted."""
    parser = parser_of(program, "en")
    for each in parsers(parser):
        for action in each._actions:
            wanted = str(action.metavar or action.dest).upper()
            if action.choices is None and any(word in wanted for word in ("FILE", "PATH", "DIR", "FOLDER", "CONFIG")):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    for shell, place in {
        "bash": f"usr/share/bash-completion/completions/{program}",
        "zsh": f"usr/share/zsh/vendor-completions/_{program}",
    }.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shtab.complete(parser, shell=shell), "utf-8")


def main(words: list[str]) -> None:
    root, program, version = Path(words[0]), words[1], words[2]
    with contextlib.chdir(root):
        manual(root, program, version)
        completion(root, program)


if __name__ == "__main__":
    main(sys.argv[1:])
