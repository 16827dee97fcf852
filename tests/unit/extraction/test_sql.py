"""SQL dumps as tables: the dialects, what is no statement, and hostile text."""

import time

import pytest

from agent.extraction.formats.sql import has_rows, read_tables
from tests.unit.detection.structured.reading import told, verdict

ROWS = [("1", "CHEVALLIER", "1979-03-12"), ("2", "L'HERMITE", "")]
HEADER = ("id", "nom", "date naissance")


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO `p` (`id`,`nom`,`date_naissance`) VALUES (1,'CHEVALLIER','1979-03-12'),(2,'L\\'HERMITE',NULL);",
        "insert into p (id, nom, dateNaissance) values (1, 'CHEVALLIER', '1979-03-12');\ninsert into p (id, nom, dateNaissance) values (2, 'L''HERMITE', null);",
        "CREATE TABLE p (\n `id` int(11) NOT NULL,\n `nom` varchar(50),\n `date_naissance` date,\n PRIMARY KEY (`id`)\n);\nINSERT INTO p VALUES (1,'CHEVALLIER','1979-03-12'),\n(2,'L''HERMITE',NULL);",
        "INSERT [dbo].[p] ([id], [nom], [dateNaissance]) VALUES (1, N'CHEVALLIER', CAST(N'1979-03-12' AS Date))\nINSERT [dbo].[p] ([id], [nom], [dateNaissance]) VALUES (2, N'L''HERMITE', NULL)",
        "COPY public.p (id, nom, date_naissance) FROM stdin;\n1\tCHEVALLIER\t1979-03-12\n2\tL'HERMITE\t\\N\n\\.\n",
    ],
)  # fmt: skip
def test_the_rows_of_each_dialect(text):
    assert has_rows(text)
    [[header, *rows]] = read_tables(text, 100)
    assert (tuple(cell.lower() for cell in header), rows) == (HEADER, ROWS)


def test_the_lines_of_a_text_in_a_row_are_lines():
    dump = "INSERT INTO n (id, texte) VALUES (1,'Adresse\\nM\\'en parler\\tdemain : C:\\\\temp');"
    assert read_tables(dump, 100)[0][1] == ("1", "Adresse\nM'en parler\tdemain : C:\\temp")
    copied = "COPY n (id, texte) FROM stdin;\n1\tAdresse\\nsuite\n\\.\n"
    assert read_tables(copied, 100)[0][1] == ("1", "Adresse\nsuite")


def test_no_rows():
    for text in (
        "INSERT INTO p (a) SELECT b FROM c;",
        "INSERT your key. VALUES (",
        "CREATE TABLE p (a int);",
        "COPY that",
    ):
        assert read_tables(text, 100) == []
    assert not has_rows("les values de la république")


def test_rows_are_bounded():
    text = "INSERT INTO p (a) VALUES " + ",".join(f"({n})" for n in range(50)) + ";"
    assert len(read_tables(text, 10)[0]) == 10


@pytest.mark.parametrize(
    "text",
    ["INSERT a(" * 100_000, "INSERT INTO a VALUES (" + "'a'," * 100_000, "INSERT INTO a VALUES ('" + "''" * 200_000, "COPY a (" * 50_000],
)  # fmt: skip
def test_hostile_text_costs_linear_time(text):
    started = time.process_time()
    read_tables(text, 100)
    assert time.process_time() - started < 5  # seconds; a quadratic reading takes minutes


def test_a_dump_with_patients_and_a_shop():
    care = "INSERT INTO patient (id, nom, prenom, date_naissance, antecedents) VALUES "
    people = "(1,'LEROUX','Anne','1950-01-02','HTA'),(2,'MOREL','Luc','1960-02-03','diabète'),(3,'GIRARD','Eve','1970-03-04','asthme');"
    assert told(care + people, "sql") == ("medical", "patient-table", True, 3)
    shop = care.replace("patient", "client").replace("antecedents", "ville")
    assert (
        verdict(shop + people.replace("HTA", "Lyon").replace("diabète", "Angers").replace("asthme", "Brest"), "sql")
        == "not_medical"
    )


def test_even_statements_are_no_delimited_table_and_many_rows_are_counted():
    rows = "".join(
        f"INSERT INTO patient (id, nom, prenom, date_naissance, antecedents) VALUES ({n}, 'LEROUX{n}', 'Anne', '1950-01-02', 'HTA');\n"
        for n in range(6_000)
    )
    assert told(rows, "sql") == ("medical", "patient-table", True, 6_000)


def test_a_long_delimited_table_is_read_to_its_end():
    goods = "ref;libelle;prix\n" + "".join(f"{n};vis de {n} mm;{n},50\n" for n in range(9_000))
    assert verdict(goods, "csv") == "not_medical"
    people = "nom;prenom;date de naissance;diagnostic\n" + "".join(
        f"LEROUX{n};Anne;12/03/1950;asthme\n" for n in range(9_000)
    )
    assert told(people, "csv") == ("medical", "patient-table", True, 9_000)


def test_columns_of_a_definition_with_lengths_and_defaults_on_one_line():
    text = (
        "CREATE TABLE `pt` (`id` int NOT NULL,`lname` varchar(40),`kind` enum('a','b, c') DEFAULT 'a',`ss4` char(4),"
        "`price` decimal(8,2),`medalert` text,PRIMARY KEY (`id`));\n"
        "INSERT INTO `pt` VALUES (1,'O\\'Hara','a','4410',1.5,'asthma'),(2,'Reyes','b, c',NULL,2.5,'none');"
    )
    assert read_tables(text, 100)[0] == [
        ("id", "lname", "kind", "ss4", "price", "medalert"),
        ("1", "O'Hara", "a", "4410", "1.5", "asthma"),
        ("2", "Reyes", "b, c", "", "2.5", "none"),
    ]
