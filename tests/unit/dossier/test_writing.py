"""What people read: complete in both languages, honest about numbers, and a PDF that no name can break."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest

from agent.dossier import composing, drafts, making, sayings
from agent.dossier.blocks import Heading, Paragraph, Points, Table, plain
from agent.dossier.estimate import estimate
from agent.dossier.judgement import judge
from agent.dossier.pdf import pdf
from tests.unit.dossier.invented_log import STICK, log
from tests.unit.dossier.reading import dossier, facts, words

HOSTILE = (
    "line\nbreak\rand\ttab", "\x1b[31mred\x07", "droite\u202exslx", "zéro\u200djoint", ") Tj ET /Catalog << (", "\\)\\(",
    "endstream endobj", "漢字 Ω", "œuf « né » €", "a" * 4000, "<script>alert(1)</script>", "%s {name} {0}", "",
)  # fmt: skip


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def tags(content: bytes) -> list[str]:
    """The structure in reading order; each piece of marked content must belong to it."""
    document = pikepdf.open(io.BytesIO(content))
    assert document.check_pdf_syntax() == []
    assert document.Root.MarkInfo.Marked is True or bool(document.Root.MarkInfo.Marked)
    found, pieces = [], 0

    def walk(node: Any) -> None:
        nonlocal pieces
        if "/S" in node:
            found.append(str(node.S)[1:])
        for kid in node.get("/K", []):
            if str(kid.get("/Type", "")) == "/MCR":
                pieces += 1
            else:
                walk(kid)

    walk(document.Root.StructTreeRoot)
    marked = sum(len(re.findall(rb"/MCID", page.Contents.read_bytes())) for page in document.pages)
    assert pieces == marked
    return found


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: repr(text[:16]))
def test_no_text_breaks_the_pdf(hostile: str) -> None:
    blocks = [
        Heading(1, hostile), Paragraph(hostile), Points((hostile, hostile)), Table(("a", hostile), ((hostile, "b"),) * 3, (0.2, 0.8)),
    ]  # fmt: skip
    content = pdf(blocks, title=hostile, language="fr", footer=hostile)
    found = tags(content)
    assert found[:2] == ["Document", "H1"] and found.count("TR") == 4 and found.count("TH") == 2
    shown = text_of(content)
    assert not set(shown) & set("\x1b\x07\u202e\u200d")
    if "\u202e" in hostile:
        assert "\\u202e" in shown
    document = pikepdf.open(io.BytesIO(content))
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & set(document.Root.keys())


def test_the_pdf_is_read_aloud_in_its_order_and_language() -> None:
    blocks = [
        Heading(1, "Titre"),
        Paragraph("un texte " * 60),
        Points(("un", "deux")),
        Table(("a",), (("b",),) * 200, (1.0,)),
    ]
    content = pdf(blocks, title="Dossier d'été", language="fr", footer="pied")
    found = tags(content)
    assert found[:6] == ["Document", "H1", "P", "L", "LI", "Lbl"] and found.count("TD") == 200
    document = pikepdf.open(io.BytesIO(content))
    assert str(document.Root.Lang) == "fr" and document.docinfo["/Title"] == "Dossier d'été" and len(document.pages) > 2
    assert pdf(blocks, title="Dossier d'été", language="fr", footer="pied") == content


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    with log(tmp_path) as made:
        made.document(patients=3)
        made.document("inform", patients=12, kind="patient-table")
        made.document("inform", patients=0)
        made.document("inform", judgement="undecidable", problem="encrypted", patients=0)
        made.document("block", held="N75NM", patients=40)
        made.document("inform", test=True, patients=500)
        made.document("observe", judgement="not_medical")
    return dossier(tmp_path, found_us=1_795_300_000_000_000)


def test_the_numbers_are_ranges_and_test_data_stand_apart(told: dict[str, Any]) -> None:
    groups = told["facts"]["estimate"]
    assert {key: groups["clear"][key] for key in ("documents", "least", "most", "uncounted", "unread")} == {
        "documents": 2, "least": 12, "most": 13, "uncounted": 1, "unread": 1,
    }  # fmt: skip
    assert (groups["sealed"]["most"], groups["refused"]["most"], groups["test"]["most"]) == (3, 40, 500)
    assert told["facts"]["not_medical"] == 1
    lines = "\n".join(composing.summary(told, words()))
    assert "between 12 and 13 persons" in lines and "1 document that could not be judged" in lines


def test_nothing_is_nobody() -> None:
    empty = estimate([])
    assert (empty.documents, empty.least, empty.most) == (0, 0, 0)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_both_languages_are_whole(told: dict[str, Any], language: str) -> None:
    written = making.write(told, words(language), {"fr": words("fr"), "en": words()})
    shown = re.sub(r"\s+", " ", text_of(written.files["dossier.pdf"]))
    for document in told["facts"]["documents"]:
        assert f"{document['number']} " in shown
    assert "Kingston DataTraveler" in shown and STICK["serial"] in shown and written.digests["json"] in shown
    assert re.sub(r"\s+", " ", words(language).say(sayings.ANSWERS["likely"])) in shown
    assert "UTC+01:00" in shown and "%" not in shown
    assert "{" not in shown and "}" not in shown
    todo = {"fr": "[à compléter]", "en": "[to be completed]"}
    for each, mark in todo.items():
        for name in ("notification-article-33", "message-article-34"):
            assert mark in written.files[f"{name}.{each}.txt"].decode()


def test_every_code_has_its_words() -> None:
    codes = {"sealed", "refused", "none-in-clear", "nothing-medical", "recipients-known", "intact"}
    assert set(sayings.FAVOURABLE) == codes
    assert set(sayings.ANSWERS) == set(sayings.REASONING) == set(drafts._MEANS) == set(drafts._TOLD_TEXT)
    assert set(sayings.FATES) == {"clear", "unknown", "sealed", "sealed-after", "refused", "removed-after"}


def test_the_deadline_is_72_hours_after_the_practice_knew(told: dict[str, Any]) -> None:
    assert (told["aware"]["since"]["utc"], told["aware"]["notify_by"]["utc"]) == (
        "2026-11-21T22:26:40+00:00", "2026-11-24T22:26:40+00:00",
    )  # fmt: skip


def test_sealed_and_refused_alone_look_unlikely_to_be_a_risk(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.document("block", held="N75NM")
        made.document("observe", judgement="not_medical")
    found = judge(facts(tmp_path), intact=True, whole_view=True)
    assert (found.answer, found.adverse) == ("unlikely", ())
    assert {"keys", "elsewhere"} <= set(found.conditions)
    assert judge(facts(tmp_path), intact=False, whole_view=True).answer == "open"
    assert judge(facts(tmp_path), intact=True, whole_view=False).answer == "open"
    assert "34.3.a" in plain(drafts.message(dossier(tmp_path), words()))


@pytest.mark.parametrize(
    ("change", "code", "answer"),
    [
        ({"decision": "inform"}, "clear", "likely"),
        ({"hold": ""}, "traces", "open"),
        ({"to": []}, "recipients-unknown", "open"),
        ({"result": "interrupted"}, "unknown", "open"),
        ({"arrival": "existing", "decision": "observe"}, "existing", "likely"),
        ({"judgement": "undecidable", "decision": "observe"}, "clear-unread", "open"),
    ],
)
def test_each_fact_against_is_named(tmp_path: Path, change: dict[str, Any], code: str, answer: str) -> None:
    with log(tmp_path) as made:
        made.document()
        made.document(**change)
    found = judge(facts(tmp_path), intact=True, whole_view=True)
    assert code in found.adverse and found.answer == answer


def test_a_stick_guarded_after_the_write_and_a_gap_speak_against(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.end()
        made.begin()
        made.place("armed", strength="after-write")
        made.document()
    found = judge(facts(tmp_path), intact=True, whole_view=True)
    assert {"not-held", "gaps"} <= set(found.adverse) and found.answer == "open"


def test_a_stick_that_was_never_used_is_no_comfort(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.place("gone")
    found = judge(facts(tmp_path), intact=True, whole_view=True)
    assert found.answer == "open" and "no-record" in found.adverse
