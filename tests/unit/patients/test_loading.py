"""Loading with the real confined child: what is kept, what a failure leaves, what workers get."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from agent.detection.roster.index import decode_index
from agent.errors import HostError, UntrustedInputError
from agent.extraction.client import WorkerPool
from agent.findings import Findings, Judgement
from agent.patients.columns import read_wanted
from agent.patients.load import Loaded, load_list
from agent.patients.rows import Reason
from agent.patients.store import PatientStore

LIST = "nom;prénom;date de naissance;IPP\nVERNICOURT;Odile;12/03/1961;80012345\nALBRESPY;Jean-Luc;01/02/1950;\n;Paul;03/04/1980;\n"
LETTER = "Chère Consœur,\nMme VERNICOURT Odile née le 12/03/1961 souhaite une consultation. Merci.\n"


def load(
    store: PatientStore, content: bytes | str, extension: str = "csv", *, add: bool = False, columns: str = ""
) -> Loaded:
    data = content.encode("cp1252") if isinstance(content, str) else content
    fd = os.memfd_create("export")
    try:
        os.write(fd, data)
        run_as = (65534, 65534) if os.geteuid() == 0 else None
        steps: list[tuple[int, int]] = []
        return load_list(
            store, fd, extension, read_wanted(columns), add=add, run_as=run_as,
            progress=lambda done, total: steps.append((done, total)),
        )  # fmt: skip
    finally:
        os.close(fd)


@pytest.fixture
def store(tmp_path: Path) -> PatientStore:
    return PatientStore(tmp_path)


def ask(pool: WorkerPool, text: str = LETTER) -> Findings:
    fd = os.memfd_create("letter")
    try:
        os.write(fd, text.encode())
        return pool.judge(fd, "txt", len(text.encode()))
    finally:
        os.close(fd)


def test_a_list_is_kept_as_digests_with_its_key_apart(store: PatientStore, tmp_path: Path) -> None:
    loaded = load(store, LIST)
    assert (loaded.patients, loaded.report.used, loaded.report.reasons) == (2, 2, {Reason.NO_NAME: 1})
    assert loaded.report.bad == [(4, Reason.NO_NAME)]
    held = store.held()
    assert held is not None
    assert held.patients == 2
    for path in store.files:
        assert path.stat().st_mode & 0o777 == 0o600
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in (b"VERNICOURT", b"vernicourt", b"Odile", b"odile", b"1961", b"80012345"):
        assert word not in everything


def test_replace_and_add(store: PatientStore) -> None:
    load(store, LIST)
    key = store.read_key()
    assert load(store, LIST.replace("ALBRESPY", "MONTROUX"), add=True).patients == 3
    assert load(store, LIST).patients == 2
    assert store.read_key() == key


@pytest.mark.parametrize("content", [b"", b"un texte", b"a;b\n1;2\n", b"PK\x03\x04" + bytes(200), os.urandom(5000)])
def test_a_file_that_cannot_be_used_changes_nothing(store: PatientStore, content: bytes) -> None:
    with pytest.raises(UntrustedInputError):
        load(store, content)
    assert store.held() is None
    assert not store.key.exists()
    load(store, LIST)
    before = store.index.read_bytes()
    with pytest.raises(UntrustedInputError):
        load(store, content, add=True)
    assert store.index.read_bytes() == before


def test_two_commands_at_once_are_one_too_many(store: PatientStore) -> None:
    with store.changing(), pytest.raises(HostError):
        load(store, LIST)
    assert load(store, LIST).patients == 2


def test_forgetting_takes_the_key_with_it(store: PatientStore) -> None:
    load(store, LIST)
    data = store.index.read_bytes()
    assert store.forget()
    assert not store.key.exists()
    assert not store.forget()
    store.index.write_bytes(data)
    with pytest.raises(UntrustedInputError):
        store.held()


def test_another_key_is_made_after_forgetting(store: PatientStore) -> None:
    load(store, LIST)
    first = set(decode_index(store.index.read_bytes(), store.read_key() or b"").entries)
    store.forget()
    load(store, LIST)
    assert first.isdisjoint(decode_index(store.index.read_bytes(), store.read_key() or b"").entries)


def test_a_spreadsheet_is_a_list_too(store: PatientStore, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    rows = [line.split(";") for line in LIST.splitlines()]
    sheet = "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for number, row in enumerate(rows, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{relations}"><Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="s" sheetId="1" r:id="r"/></sheets></workbook>')  # fmt: skip
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{relations}"><Relationship Id="r" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')  # fmt: skip
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
        )
    assert load(store, book.read_bytes(), "xlsx").patients == 2


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(1)
    yield pool
    pool.close()


def test_workers_get_the_list_and_the_next_one(pool: WorkerPool, store: PatientStore) -> None:
    assert not ask(pool).listed
    load(store, LIST)
    pool.lend(store.files)
    answer = ask(pool)
    assert (answer.listed, answer.judgement, answer.identified) == (True, Judgement.MEDICAL, True)
    load(store, LIST.replace("VERNICOURT", "MONTROUX"))
    pool.lend(store.files)
    assert not ask(pool).listed
    store.forget()
    pool.lend(store.files)  # files that are not there any more
    assert not ask(pool).listed


def test_a_damaged_list_does_not_keep_documents_from_being_judged(pool: WorkerPool, store: PatientStore) -> None:
    load(store, LIST)
    store.index.write_bytes(store.index.read_bytes()[:-1] + b"x")
    pool.lend(store.files)
    answer = ask(pool)
    assert not answer.listed and answer.judgement is not Judgement.UNDECIDABLE


def test_no_document_is_dropped_while_lists_change(pool: WorkerPool, store: PatientStore) -> None:
    load(store, LIST)
    answers: list[Findings] = []
    asking = [threading.Thread(target=lambda: answers.extend(ask(pool) for _ in range(12))) for _ in range(3)]
    for thread in asking:
        thread.start()
    for _ in range(3):
        pool.lend(store.files)
    for thread in asking:
        thread.join(120)
    assert len(answers) == 36
    assert {answer.problem for answer in answers} == {None}
    statistics = pool.statistics()
    assert (statistics.died, statistics.killed, statistics.retried) == (0, 0, 0)
    assert ask(pool).listed
