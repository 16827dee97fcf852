"""Text that is written for a program before a person reads it: LaTeX, Markdown, cells of laboratories, uuencoded mail."""

from __future__ import annotations

import binascii
import json

import pytest

from agent.document import Document, Problem
from agent.extraction.formats import inside, latex
from agent.extraction.formats.text import plain
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes
from tests.unit.extraction import made_documents as made


def read(data: str | bytes, extension: str = "txt") -> Document:
    return read_bytes(data.encode() if isinstance(data, str) else data, extension, Budget())


def nodes(document: Document) -> list[Document]:
    return [document] + [node for child in document.children for node in nodes(child)]


def text_of(document: Document) -> str:
    return "\n".join(part.text for node in nodes(document) for part in node.parts)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"n\'ee \`a l'h\^opital, No\"el, \c{c}a, gar\c con, \'{\i}le, \oe{}uf", "née à l'hôpital, Noël, ça, garçon, íle, œuf"),
        (r"72\,\% de \textbf{VEMS}~: \emph{bas} % note", "72 % de VEMS : bas"),
        (r"\begin{tabular}{ll} TA & 12/7 \\ FC & 80 \end{tabular}", "TA & 12/7 FC & 80"),
        (r"\includegraphics[width=3cm]{logo}\vspace{1cm}Dyspn\'ee", "Dyspnée"),
    ],
)  # fmt: skip
def test_latex_reads_as_it_prints(source: str, shown: str):
    assert " ".join(latex.plain(source).split()) == shown


def test_latex_is_told_by_its_first_command_only():
    assert latex.is_source("% lettre\n\\documentclass[11pt]{letter}\n")
    assert not latex.is_source("The command \\documentclass opens a document.")
    document = read("\\documentclass{letter}\n\\begin{document}\nn\\'ee le 12/03/1961\n\\end{document}\n", "tex")
    assert "née le 12/03/1961" in text_of(document)
    assert b"\\'ee" in document.raw  # whoever asks for the bytes gets them as they are


def test_stars_around_words_are_taken_off_and_those_of_programs_are_not():
    assert plain("**Odile RAMBERT** (12/03/1961)") == "Odile RAMBERT (12/03/1961)"
    for code in ("f(*a, **kwargs)", "2**8 + 3**4", "x = a ** b ** c", "call(**a,**b)", "***", "**\n**"):
        assert plain(code) == code


def test_a_figure_and_its_unit_in_two_cells_are_read_together():
    assert plain("CRP|48,2|mg/L|<5") == "CRP|48,2 mg/L|<5"
    assert plain("Plaquettes | 92 | G/L | 150-400") == "Plaquettes | 92 G/L | 150-400"
    for other in ("a|12|b|c", "12|gants|boîte", "x|48|mg"):
        assert plain(other) == other


def _uu(data: bytes) -> bytes:
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    return b"begin 644 cr.txt\n" + lines + b"`\nend\n"


_HEAD = b"From: a@x.example\nTo: b@x.example\nSubject: CR\nDate: Mon, 4 Mar 2024 10:00:00 +0100\n\n"


def test_uuencoded_lines_are_a_file_and_no_text():
    document = read(_HEAD + b"avant\n" + _uu(b"Compte rendu : dyspnee. " * 20) + b"apres\n", "eml")
    shown = text_of(document)
    assert "dyspnee" in shown and "avant" in shown and "apres" in shown
    assert "begin 644" not in shown and binascii.b2a_uu(b"Compte rendu : dy").decode()[1:12] not in shown


def test_what_only_pretends_to_be_uuencoded_stays_text():
    shown = text_of(read(_HEAD + b"begin 644 x\nMme RAMBERT, vue pour dyspnee\nend\n", "eml"))
    assert "Mme RAMBERT, vue pour dyspnee" in shown


def test_json_within_json_and_tables_within_json_are_documents_too():
    answer = json.dumps({"patient": {"nom": "RAMBERT"}, "motif": "dyspnée d'effort"}, ensure_ascii=False)
    table = "<table><tr><th>nom</th><th>motif</th></tr><tr><td>RAMBERT</td><td>dyspnée</td></tr></table>"
    document = read(json.dumps({"log": [{"text": answer}, {"html": table}]}), "har")
    assert [child.format.value for child in document.children] == ["json", "html"]
    assert "dyspnée d'effort" in document.parts[0].text  # and it is still said beside what stands around it
    assert not inside.holds_data("<p>" + "a feed's entry " * 10) and not inside.holds_data('{"a": 1}')


def test_data_that_a_merge_left_in_a_word_file_is_read_with_its_tags():
    data = "<dossier><patient><nom>RAMBERT</nom></patient></dossier>"
    own = '<b:Sources xmlns:b="http://schemas.openxmlformats.org/officeDocument/2006/bibliography"><b:Title>HTA</b:Title></b:Sources>'
    word = made.zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": "<w:document/>",
            "customXml/item1.xml": data,
            "customXml/item2.xml": own,
        }
    )
    children = read(word, "docx").children
    assert [b"<nom>" in child.raw for child in children] == [True]


def test_armour_and_a_damaged_part_of_a_package_are_said():
    armour = "-----BEGIN PGP MESSAGE-----\n\nhQEMA" + "abcd" * 40 + "\n-----END PGP MESSAGE-----\n"
    assert read(armour, "asc").problem is Problem.ENCRYPTED
    assert (
        read(made.zipped({"Index/Document.iwa": bytes(range(1, 200)) * 4}), "pages").children[0].problem
        is Problem.CORRUPT
    )
