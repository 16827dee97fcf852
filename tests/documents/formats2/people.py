"""Invented people and the list that the writers fill. Numbers are valid by their keys only."""

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    """Somebody who does not exist."""

    family: str
    given: str
    born: str  # YYYYMMDD
    sex: str  # M or F
    street: str
    postcode: str
    city: str

    @property
    def iso(self) -> str:
        return f"{self.born[:4]}-{self.born[4:6]}-{self.born[6:]}"

    @property
    def french(self) -> str:
        return f"{self.born[6:]}/{self.born[4:6]}/{self.born[:4]}"

    @property
    def nir(self) -> str:
        """15 digits whose key is right."""
        order = sum(map(ord, self.family)) % 900 + 10
        body = f"{'1' if self.sex == 'M' else '2'}{self.born[2:6]}{self.postcode[:2]}042{order:03}"
        return body + f"{97 - int(body) % 97:02}"


FR = [
    Person("QUERVELLEC", "Maïwenn", "19580314", "F", "14 rue du Lavoir", "29200", "BREST"),
    Person("ABADIE-ROUX", "Jérôme", "19711102", "M", "3 impasse des Genêts", "31400", "TOULOUSE"),
    Person("ZERROUKI", "Samia", "19860727", "F", "22 avenue Foch", "57000", "METZ"),
    Person("THOUVENOT", "Marcel", "19390508", "M", "1 place de l'Église", "88200", "REMIREMONT"),
    Person("DIALLO", "Aminata", "20020119", "F", "8 quai de Seine", "76000", "ROUEN"),
    Person("PRUDHOMMEAU", "Lucette", "19441230", "F", "Résidence Les Tilleuls", "86100", "CHATELLERAULT"),
    Person("VANDEWALLE", "Grégoire", "19660609", "M", "77 rue Nationale", "59800", "LILLE"),
    Person("OTTAVIANI", "Ghjulia", "19930421", "F", "5 cours Paoli", "13006", "MARSEILLE"),
    Person("MEYNADIER", "Odile", "19511017", "F", "12 chemin du Mas", "34090", "MONTPELLIER"),
    Person("LHERMITTE", "Bastien", "20150903", "M", "40 rue des Écoles", "45000", "ORLEANS"),
    Person("KERAUDREN", "Yannick", "19630225", "M", "9 route de Crozon", "29160", "CROZON"),
    Person("SAVONNIERES", "Hélène", "19790813", "F", "2 rue Basse", "72000", "LE MANS"),
]
DE = Person("Oberhuber", "Waltraud", "19470922", "F", "Lindenweg 7", "83022", "Rosenheim")
DE2 = Person("Grünwaldt", "Jens-Peter", "19690304", "M", "Hafenstraße 41", "24103", "Kiel")
IT = Person("Bertolazzi", "Ornella", "19560611", "F", "via Garibaldi 9", "37121", "Verona")
ES = Person("Echeverría Lluch", "Remedios", "19720228", "F", "calle Mayor 15", "50001", "Zaragoza")
NL = Person("van Wijngaarden", "Teunis", "19610717", "M", "Kerkstraat 88", "3581 AB", "Utrecht")
BE = Person("Vercauteren", "Liesbet", "19831205", "F", "Dorpsstraat 3", "9000", "Gent")
EN = Person("Featherstonehaugh", "Imogen", "19690130", "F", "11 Cobbler's Row", "LS1 4AP", "Leeds")
US = Person("Okonkwo-Hale", "Deshawn", "19880516", "M", "2210 Juniper Ave", "60614", "Chicago")
DK = Person("Skovgaard", "Birthe", "19530809", "F", "Nørregade 21", "5000", "Odense")
NO = Person("Haugstveit", "Torbjørn", "19770412", "M", "Fjellveien 6", "5019", "Bergen")
PT = Person("Quintanilha", "Deolinda", "19641111", "F", "Rua das Flores 30", "4050-262", "Porto")
CH = Person("Zumthor", "Reto", "19590202", "M", "Bahnhofstrasse 1", "7000", "Chur")

Row = dict[str, object]
FILES: list[tuple[Row, bytes]] = []


def add(name: str, data: bytes | str, kind: str, patients: int = 0, lang: str = "fr", *, medical: bool | None = None, hard: bool = False, note: str = "") -> None:
    """One document of the set; ``patients`` > 0 means that they can be recognised."""
    row: Row = {"path": f"files/{name}", "label": "medical" if (patients > 0 if medical is None else medical) else "not_medical", "kind": kind, "identified": patients > 0, "patients": patients, "hard": hard, "lang": lang, "note": note}
    FILES.append((row, data.encode() if isinstance(data, str) else data))


def near(name: str, data: bytes | str, kind: str, lang: str = "fr", note: str = "") -> None:
    """A harmless document of the same software: chosen to mislead."""
    add(name, data, kind, 0, lang, hard=True, note=note)


def closed(name: str, data: bytes | str, what: str, lang: str = "fr", note: str = "") -> None:
    """A patient's document that nobody can read: broken, or encrypted."""
    add(name, data, f"encrypted or broken: {what}", 1, lang, note=note)
