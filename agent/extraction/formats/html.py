"""HTML → text: what is shown, and what is not (comments, title, meta data, alternative texts, data: addresses)."""

from __future__ import annotations

import binascii
import html
import re
import urllib.parse
from itertools import islice
from typing import TYPE_CHECKING

from agent.document import Area, Problem, Spot
from agent.extraction.formats import text
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.charset import decode

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_DATA = re.compile(r"data:([\w.+/-]{0,100})((?:;[\w=.+-]{1,60}){0,5}),([A-Za-z0-9+/=%_.~\s-]{64,})")
_SHOWN_ATTRIBUTES = ("content", "alt", "title", "value", "placeholder", "summary", "aria-label", "srcdoc")
_SELECTOR = ", ".join(f"[{name}]" for name in _SHOWN_ATTRIBUTES)
_BLOCKS = re.compile(
    r"<(/?(?:p|div|br|tr|li|h[1-6]|table|ul|ol|dl|dt|dd|section|article|header|footer|blockquote|pre|option|hr)\b)",
    re.IGNORECASE,
)
_CELLS = re.compile(r"<(/(?:td|th)\b)", re.IGNORECASE)
_CLOSED_AT_ONCE = re.compile(
    r"<(script|style|title|iframe|textarea|noscript|noframes|noembed|xmp|plaintext)\b([^<>]*)/>", re.IGNORECASE
)
_BACKWARDS = re.compile(r"<bdo\b[^<>]{0,300}?\bdir\s{0,9}=\s{0,9}[\"']?rtl\b[^<>]*>", re.IGNORECASE)
_BACKWARDS_END = re.compile(r"</bdo\s{0,9}>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
_MANY_TAGS, _MAX_DEPTH = 4000, 1000
_LEFT_OPEN = "p|li|td|th|tr|dt|dd|option|thead|tbody|tfoot|br|img|input|meta|link|hr|col|area|base|wbr|source|embed"
_NESTING = re.compile(rf"<(/?)(?!(?:{_LEFT_OPEN})\b)[a-z][a-z0-9]*\b", re.IGNORECASE)
_PAGE = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_PAGE_END = re.compile(r"</(?:html|body)\b", re.IGNORECASE)
_ELEMENT = re.compile(r"<(/?)(p|div|table|ul|ol|td|th|li|h[1-6]|span|font|b|script|style|head)\b", re.IGNORECASE)
_MAY_STAY_OPEN = frozenset({"p", "td", "th", "li", "head"})
_MOST_SCRIPTS = 500
_MOST_VALUES = 5_000  # of one script, or of the attributes of a page
_PROSE = 4  # spaces in a value that is text
_DATA_ATTRIBUTE = re.compile(r"\bdata-[\w-]{1,40}\s{0,3}=\s{0,3}(?:\"([^\"<>]{40,200000})\"|'([^'<>]{40,200000})')")
_STRING = (
    re.compile(  # a sign that is escaped begins none: otherwise the time would grow with the square of their number
        r"(?<!\\)(?:\"((?:[^\"\\\n]|\\.){40,200000}+)\"|'((?:[^'\\\n]|\\.){40,200000}+)')"
    )
)
_LINE_END = re.compile(r"\\[nrt]")
_CELL_END = "\ue000"  # stands for a tab while white space is folded


def read(job: Job) -> None:
    """Format.HTML."""
    data = text.take(job)
    match = _CHARSET.search(data[:4096])
    source = decode(data, match.group(1).decode("ascii") if match else "")
    job.document.raw = data
    job.doubt(data)
    if not job.document.truncated and _is_cut(source):
        job.fail(Problem.CORRUPT)
    job.budget.tick()
    job.budget.element(source.count("<"))
    _visible(job, source)
    _hidden(job, source)
    if "data:" in source:
        _addresses(job, source)
        source = _DATA.sub(" ", source)
    text.children(job, source.encode("utf-8", "replace"))  # in a script or a page's own data


def _is_cut(source: str) -> bool:
    """Whether a page ends within an element that its author closes elsewhere, or within a tag, and has no end."""
    if _PAGE_END.search(source) or not _PAGE.search(source[:8_000]):
        return False
    last = {(match[2].lower(), bool(match[1])): match.start() for match in _ELEMENT.finditer(source)}
    never = {name: at for (name, ends), at in last.items() if not ends and name in _MAY_STAY_OPEN}
    left = any(at > last.get((name, True), never.get(name, -1)) for (name, ends), at in last.items() if not ends)
    return left or source.rfind("<") > source.rfind(">")


def _visible(job: Job, source: str) -> None:
    from selectolax.lexbor import LexborHTMLParser

    if _is_deep(source):
        job.text(html.unescape(_TAGS.sub(" ", source)))  # the parser's time grows with the square of the depth
        return
    if "<template" in source:
        source = source.replace("<template", "<div").replace("</template", "</div")
    if "<?xml" in source[:400] or "xmlns" in source[:4000]:
        source = _CLOSED_AT_ONCE.sub(r"<\1\2></\1>", source)  # an HTML parser would take the page for their content
    if "bdo" in source.lower():
        source = _BACKWARDS_END.sub("\u202c</bdo>", _BACKWARDS.sub("\\g<0>\u202e", source))
    shaped = _CELLS.sub("\t<\\1", _BLOCKS.sub("\n<\\1", source))
    tree = LexborHTMLParser(shaped)
    attributes: list[str] = []
    title = tree.css_first("title")
    if title is not None:
        attributes.append(title.text(deep=True))
    for node in tree.css(_SELECTOR)[:5000]:
        values = node.attributes
        attributes += [value for name in _SHOWN_ATTRIBUTES if (value := values.get(name)) and len(value) > 2]
    attributes += _kept_for_scripts(job, source)
    attributes += _scripts(job, tree)
    tree.strip_tags(["script", "style", "head"])
    body = tree.body
    if body is not None:
        job.text(_marked(_tidy(body.text(deep=True))))
    job.text("\n".join(attributes), PROPERTIES)


def _scripts(job: Job, tree: LexborHTMLParser) -> list[str]:
    """What a page shows only once its programs have run: their data, and what is text among their constants."""
    scripts = tree.css("script")
    job.document.truncated |= len(scripts) > _MOST_SCRIPTS
    texts: list[str] = []
    for node in scripts[:_MOST_SCRIPTS]:
        code = node.text(deep=True)
        if "json" in (node.attributes.get("type") or ""):
            texts.append(code)
        else:
            texts += [_LINE_END.sub("\n", value) for value in _prose(job, _STRING, code)]
    return texts


def _kept_for_scripts(job: Job, source: str) -> list[str]:
    """Values of ``data-`` attributes that are text rather than settings."""
    return [html.unescape(value) for value in _prose(job, _DATA_ATTRIBUTE, source)] if "data-" in source else []


def _prose(job: Job, values: re.Pattern[str], source: str) -> list[str]:
    """What the pattern finds, as far as it is text."""
    job.budget.tick()
    found = (match[1] or match[2] for match in values.finditer(source))
    texts = list(islice((value for value in found if value.count(" ") >= _PROSE), _MOST_VALUES + 1))
    job.document.truncated |= len(texts) > _MOST_VALUES
    return texts[:_MOST_VALUES]


def _is_deep(source: str) -> bool:
    """Whether elements that must be closed are nested beyond measure."""
    if source.count("<") < _MANY_TAGS:
        return False
    depth = 0
    for match in _NESTING.finditer(source):
        depth += -1 if match.group(1) else 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _tidy(shown: str) -> str:
    lines = (
        " ".join(line.replace("\t", _CELL_END).split()).replace(_CELL_END, "\t").strip() for line in shown.split("\n")
    )
    return "\n".join(line for line in lines if line)


def _marked(shown: str) -> str:
    """The direction mark of an element that goes on over several lines on each of them."""
    if "\u202e" not in shown:
        return shown
    lines: list[str] = []
    backwards = False
    for line in shown.split("\n"):
        lines.append("\u202e" + line if backwards else line)
        backwards = line.rfind("\u202e") > line.rfind("\u202c") or (backwards and "\u202c" not in line)
    return "\n".join(lines)


def _hidden(job: Job, source: str) -> None:
    comments: list[str] = []
    at = source.find("<!--")
    while at >= 0:
        end = source.find("-->", at)
        end = len(source) if end < 0 else end
        comments.append(source[at + 4 : end].strip())
        at = source.find("<!--", end)
    job.text("\n".join(comment for comment in comments if len(comment) > 3), PROPERTIES)


def _addresses(job: Job, source: str) -> None:
    for match in _DATA.finditer(source):
        _type, parameters, payload = match.groups()
        payload = payload[: job.budget.limits.member_bytes]
        try:
            encoded = payload.encode("ascii")
            data = binascii.a2b_base64(encoded) if "base64" in parameters else urllib.parse.unquote_to_bytes(encoded)
        except binascii.Error:
            continue
        job.budget.inflate(len(data))
        job.child(data, spot=Spot(Area.ATTACHMENT))
