"""ODT, ODS, ODP (OASIS OpenDocument 1.3): the text of every XML part, sheets as rows of cells, children."""

from __future__ import annotations

from xml.parsers import expat

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.flow import CELL, LINE, ROW, SPACE, TAB, flow, has_text
from agent.extraction.formats.markup import EntityDeclared, parser_for
from agent.extraction.formats.package import embed, note_pictures, part, picture
from agent.extraction.formats.zipdir import Directory, Member
from agent.extraction.limits import Stop

ACTIONS = {
    "p": LINE,
    "h": LINE,
    "tab": TAB,
    "s": SPACE,
    "line-break": LINE,
    "table-cell": CELL,
    "covered-table-cell": CELL,
    "table-row": ROW,
    "date": LINE,
    "creator": LINE,
    "title": LINE,
    "desc": LINE,
    "binary-data": 0,
}
_SKIPPED = (
    "meta-inf/",
    "thumbnails/",
    "configurations2/",
    "objectreplacements/",
    "basic/",
    "settings.xml",
    "manifest.rdf",
)
_CHUNK = 128 * 1024
_LONGEST_DATE = 40  # characters, as it is shown
_MAX_REPEAT = 64  # of one cell's value; more is decoration


def read(job: Job, directory: Directory) -> None:
    """Format.ODT, ODS, ODP."""
    by_name = {member.name: member for member in directory.members}
    manifest = part(job, by_name["meta-inf/manifest.xml"]) if "meta-inf/manifest.xml" in by_name else b""
    if b"encryption-data" in manifest:
        job.fail(Problem.ENCRYPTED)
        return
    members = [
        m for m in directory.members if not m.directory and m.name != "mimetype" and not m.name.startswith(_SKIPPED)
    ]
    for member in members:
        if member.name.endswith(".xml"):
            _read_part(job, member)
        elif not picture(member):
            embed(job, member)
    note_pictures(job, [member for member in members if picture(member)])


def _read_part(job: Job, member: Member) -> None:
    data = part(job, member)
    if not data or member.name.endswith("/settings.xml"):
        return
    if member.name == "content.xml" and job.document.format is Format.ODS:
        read_sheets(job, data)
        return
    if has_text(data):
        plain = member.name == "meta.xml"
        job.text(flow(job, data, {} if plain else ACTIONS, LINE if plain else 0), _spot(member.name))


def _spot(name: str) -> Spot:
    if name == "content.xml":
        return Spot(Area.BODY)
    return Spot(Area.HEADER) if name == "styles.xml" else PROPERTIES


def read_sheets(job: Job, data: bytes) -> None:
    """The sheets of a spreadsheet's content as tables and as text."""
    _Sheets(job).read(data)


class _Sheets:
    """The expat callbacks for a spreadsheet's content: values of cells, and the text of everything else."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._tables: list[list[tuple[str, ...]]] = []
        self._names: list[str] = []
        self._loose: list[str] = []
        self._row: list[str] = []
        self._cell: list[str] | None = None
        self._said: dict[str, str] = {}  # attributes of the cell, by their local names
        self._asides = 0  # comments that are open

    def read(self, data: bytes) -> None:
        """Hand over each sheet as a table and as text."""
        parser = parser_for(data)
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        parser.CharacterDataHandler = self.characters
        try:
            for at in range(0, len(data), _CHUNK):
                self._job.budget.tick()
                parser.Parse(data[at : at + _CHUNK], at + _CHUNK >= len(data))
        except (expat.ExpatError, EntityDeclared, ValueError, LookupError):
            self._job.fail(Problem.CORRUPT)
        except Stop as stop:
            self._job.fail(stop.problem)
        for number, rows in enumerate(self._tables, 1):
            if rows:
                self._job.document.tables.append(rows)
                self._job.text("\n".join("\t".join(row) for row in rows), Spot(Area.SHEET, number))
        self._job.text("\n".join([*self._names, "".join(self._loose)]), PROPERTIES)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]  # whatever prefix the writer chose
        if local == "table-cell":
            self._cell = []
            if attributes:
                self._said = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        elif local == "table":
            self._tables.append([])
            self._names.append(next((value for key, value in attributes.items() if key.endswith(":name")), ""))
        elif local == "annotation":
            self._asides += 1

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in {"table-cell", "covered-table-cell"}:
            self._end_cell()
        elif local == "table-row":
            self._end_row()
        elif local == "annotation":
            self._asides -= 1
            self._loose.append("\n")
        elif self._asides or local in {"p", "h", "line-break", "s", "tab"}:
            self._room().append(" " if local in {"s", "tab"} else "\n")

    def characters(self, data: str) -> None:
        self._room().append(data)

    def _room(self) -> list[str]:
        """Where text goes: into the cell, or, as a comment on it does, beside the table."""
        return self._loose if self._cell is None or self._asides else self._cell

    def _end_cell(self) -> None:
        shown = " ".join("".join(self._cell or ()).split())
        said, self._cell, self._said, self._asides = self._said, None, {}, 0
        date = said.get("date-value", "").removesuffix("T00:00:00")
        if date and len(shown) > _LONGEST_DATE:
            self._loose.append(shown + "\n")
        value = date or shown or said.get("string-value", "") or said.get("value", "")
        count = said.get("number-columns-repeated", "1")
        repeat = int(count) if count.isdecimal() and len(count) < 8 else 1
        room = self._job.budget.limits.columns - len(self._row)
        if room > 0:
            self._row += [value] * min(repeat, room, _MAX_REPEAT if value else room)
        elif value:
            self._loose.append(value + "\n")

    def _end_row(self) -> None:
        row = self._row
        self._job.budget.element(1 + len(row))
        while row and not row[-1]:
            row.pop()
        if row and self._tables:
            if len(self._tables[-1]) < self._job.budget.limits.rows:
                self._tables[-1].append(tuple(row))
            else:
                self._job.document.truncated = True
        self._row = []
