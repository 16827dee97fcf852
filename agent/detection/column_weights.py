"""What the columns of a table weigh: the roles a column can have, and what each says of persons and of care.

Owns the weights of tables, in nats: each role's, how much of it counts at most, and what is said beside the columns.
Takes the roles of one table's columns, returns both sides in log-odds. Looks at no cell.

| role | person | care, each | care, at most |
| --- | --- | --- | --- |
| id (number of a patient) | 2.6 | 0.9 | 0.9 |
| subject («Patient», names below) | 3.8 | 0.9 | 0.9 |
| name / full-name / person (name with birth date) | 1.4 / 2.8 / 4.4 | | |
| initials, birth, nir, age, sex | 2.2, 2.6, 2.6, 1.2, 1.0 | | |
| diagnosis | | 3.4 | 5.5 |
| exam (what is only measured or looked for in patients) | | 3.9 | 5.5 |
| clinical / vague / care | | 1.9 / 0.8 / 0.8 | 6.0 / 1.6 / 2.0 |
| codes, terms (by the cells) | | 2.2, 3.4 | 2.2, 3.8 |
| other (members, goods, money) | | −1.1 | −4.5 |
| staff / animal | | −2.0 / −3.5 | −5.0 / −10.5 |
"""

from __future__ import annotations

from dataclasses import dataclass

NAMING = frozenset({"name", "full-name", "person", "subject"})
FIGURES = frozenset({"birth", "person", "nir", "codes"})
AGAINST = frozenset({"other", "staff", "animal"})
FREE = frozenset({"", "vague", "exam", "diagnosis", "clinical", "care", "terms", "codes"})  # may hold words of care
_PERSON = {
    "id": 2.6,
    "subject": 3.8,
    "name": 1.4,
    "full-name": 2.8,
    "person": 4.4,
    "initials": 2.2,
    "birth": 2.6,
    "nir": 2.6,
    "age": 1.2,
    "sex": 1.0,
}
_CARE = {  # each, at most
    "diagnosis": (3.4, 5.5),
    "exam": (3.9, 5.5),
    "clinical": (1.9, 6.0),
    "vague": (0.8, 1.6),
    "care": (0.8, 2.0),
    "codes": (2.2, 2.2),
    "terms": (3.4, 3.8),
    "id": (0.9, 0.9),
    "subject": (0.9, 0.9),
}
_NOT_CARE = {"other": (1.1, 4.5), "staff": (2.0, 5.0), "animal": (3.5, 10.5)}
_CONFIRMED = 1.0  # the cells of a column with a clinical header are clinical words or codes
_FREE_CELLS, _RICH = 3.0, 0.6  # all cells speak of care, without and beside a column that does
_PATIENTS = 2.4  # named persons, and a heading that calls them patients
_CASES = 2.0  # a name with no more beside it than diagnoses or several clinical columns: at most one nat in all
_SECOND_NAME = 0.6  # family and first name
_PRIOR = -3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """The columns of one table, and what is said beside them."""

    roles: dict[int, str]
    patients: bool = False  # a heading or the title says that the persons are patients
    staff: bool = False  # the title says that they are staff
    confirmed: bool = False  # cells below a clinical heading are clinical
    free: float = 0.0  # 0 to 1: how much the free cells speak of care


def sides(seen: Seen) -> tuple[float, float]:
    """Log-odds that each row is a person, and that the columns speak of care."""
    found = list(seen.roles.values())
    told = seen.patients and not {*NAMING, "birth", "nir"}.isdisjoint(found)
    person = _PRIOR + sum(weight for role, weight in _PERSON.items() if role in found)
    person += _SECOND_NAME if found.count("name") > 1 else 0.0
    if (
        person < 1.0
        and not NAMING.isdisjoint(found)
        and ({"diagnosis", "exam"} & {*found} or found.count("clinical") > 1)
    ):
        person = min(1.0, person + _CASES)
    person += 1.0 if told and {"id", "subject"}.isdisjoint(found) else 0.0
    clinical = _PRIOR + _sum(found, _CARE) - _sum([*found, *["staff"] * seen.staff], _NOT_CARE)
    clinical += (_CONFIRMED if seen.confirmed else 0.0) + (_PATIENTS if told else 0.0)
    return person, clinical + (_RICH if "terms" in found else _FREE_CELLS) * seen.free


def _sum(found: list[str], weights: dict[str, tuple[float, float]]) -> float:
    return sum(min(each * found.count(role), most) for role, (each, most) in weights.items())
