"""2D codes: each kind is read in a picture and as text, says whose it is, and a damaged one is refused or harmless."""

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection.codes import cbor, certificate, reader
from agent.detection.codes.judge import MAX_CODES
from agent.detection.detector import detect
from agent.document import Area, Code, Document, Format, Part, Problem, Spot
from agent.findings import Findings, FindingType, Judgement, Kind
from tests import codes as make

MEDICAL, CLEAN = Judgement.MEDICAL, Judgement.NOT_MEDICAL
PAGE = Spot(Area.PICTURE, 1)
NAMELESS = {"token", "link"}


def picture(*texts: str, page: str = "", symbology: str = "datamatrix") -> Findings:
    parts = [Part(page, PAGE)] if page else []
    found = [Code(symbology, text.encode(), text, PAGE) for text in texts]
    return detect(Document(Format.PDF, parts=parts, codes=found))


def written(text: str) -> Findings:
    return detect(Document(Format.TEXT, raw=text.encode(), parts=[Part(text)]))


@pytest.mark.parametrize("name", make.EVERY)
def test_a_code_in_a_picture_is_a_patients_document(name):
    found = picture(make.EVERY[name])
    assert (found.judgement, found.patients, found.identified) == (MEDICAL, 1, name not in NAMELESS)
    assert any(item.spot == PAGE for item in found.items)


@pytest.mark.parametrize("name", make.EVERY)
def test_the_same_as_text_of_a_file(name):
    text = make.EVERY[name]
    found = written(text if text.startswith("<") else f"Bonjour,\nvoici le code : {text}\nmerci, à bientôt")
    assert (found.judgement, found.patients, found.identified) == (MEDICAL, 1, name not in NAMELESS)


@pytest.mark.parametrize("name", make.EVERY)
def test_bytes_alone_are_enough(name):
    text = make.EVERY[name]
    found = detect(Document(Format.IMAGE, codes=[Code("qr", text.encode("latin-1"))]))
    assert found.judgement is MEDICAL


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ins", Kind.OTHER), ("test", Kind.LAB_REPORT), ("vaccination", Kind.CERTIFICATE), ("death", Kind.CERTIFICATE),
     ("certificate", Kind.CERTIFICATE), ("card", Kind.FHIR), ("plan", Kind.PRESCRIPTION), ("token", Kind.PRESCRIPTION)],
)  # fmt: skip
def test_kinds(name, kind):
    assert picture(make.EVERY[name]).kind is kind


# --- the INS datamatrix


def test_ins_alone_is_likely_not_certain():
    found = picture(make.ins())
    assert found.kind is Kind.OTHER and 0.85 <= found.confidence <= 0.95
    assert FindingType.INS in {item.type for item in found.items}
    assert not any("KERVELLA" in item.sample or make.nir() in item.sample for item in found.items)


LETTER = """COMPTE RENDU DE CONSULTATION
Mme KERVELLA Odette, née le 12/03/1961
Antécédents : hypertension artérielle. Examen clinique : TA 14/8, dyspnée d'effort.
Traitement : ramipril 5 mg 1 comprimé le matin."""


def test_ins_and_its_page_are_one_person():
    found = picture(make.ins(), make.ins(), page=LETTER)
    assert (found.judgement, found.kind, found.patients) == (MEDICAL, Kind.CLINICAL_NOTE, 1)
    assert found.identified and found.confidence > 0.95


def test_two_patients_are_two():
    other = make.ins(make.nir("1580729019042"), family="LE GOFF", given="YVES", birth="01-07-1958")
    assert picture(make.ins(), other).patients == 2


@pytest.mark.parametrize("text", [
    make.ins(gs=" "),
    make.ins(gs=""),
    make.ins(gs="<GS>"),
    make.ins(birth="2-3-1961"),
    make.ins(oid="1.2.250.1.213.1.4.9"),
    f"IS01{'0' * 22}S4KERVELLA\x1dS3ODETTE\x1dS5FS612-03-1961S2{'1.2.250.1.213.1.4.8'}\x1dS1{make.nir()}",
    f"]d1{make.ins()}"[3:],
])  # fmt: skip
def test_ins_as_software_writes_it(text):
    assert picture(text).identified


def test_a_page_that_names_the_patient_without_a_birth_date_is_about_the_same():
    page = LETTER.replace(", née le 12/03/1961", "")
    assert picture(page=page).patients == picture(make.ins(), page=page).patients == 1


def test_a_code_and_a_page_about_another_person_are_two():
    assert picture(make.ins(birth="01-07-1958"), page=LETTER).patients == 2


def test_ins_of_a_test_patient_is_test_data():
    assert picture(make.ins(oid="1.2.250.1.213.1.4.10")).test_data
    assert not picture(make.ins()).test_data


def test_ins_with_a_wrong_key_needs_the_traits():
    wrong = make.nir()[:-1] + str((int(make.nir()[-1]) + 1) % 10)
    assert picture(make.ins(wrong)).confidence < picture(make.ins()).confidence
    assert picture(f"IS01{'0' * 22}S1{wrong}S21.2.250.1.213.1.4.8").judgement is CLEAN


SPECIFICATION = """Spécification technique : format du datamatrix. Version 2.2. Cas d'usage et exigences.
Le présent document décrit le format. Guide d'implémentation. Cahier des charges. Table des matières.
Le marqueur est IS, suivi de la version. Exemple de code ci-dessous. """


def test_an_example_in_a_specification_is_no_patient():
    alone = written(SPECIFICATION)
    weights = [item.weight for item in alone.items if item.type is FindingType.SPECIFICATION]
    assert weights and weights[0] < -3, "the page must read as a specification for this test to mean anything"
    assert picture(make.ins(), page=SPECIFICATION).judgement is CLEAN


# --- 2D-Doc


@pytest.mark.parametrize("sort", ["04", "06", "07", "28", "A2", "A1"])
def test_official_stamps_are_personal_not_medical(sort):
    found = picture(make.stamp(sort, make.TAX))
    assert (found.judgement, found.kind) == (CLEAN, Kind.PERSONAL_IDENTIFIER)


@pytest.mark.parametrize("sort", ["01", "A0", "B0", "B3", "C9", "ZZ"])
def test_other_stamps_say_nothing(sort):
    found = picture(make.stamp(sort, "FADUPONT"))
    assert (found.judgement, found.kind) == (CLEAN, Kind.OTHER)


def test_a_type_means_nothing_outside_the_states_perimeter():
    assert picture(make.stamp("B2", make.COVID_TEST, perimeter="0A")).judgement is CLEAN


@pytest.mark.parametrize("separator", ["\x1d", "<GS>", "\\u001d", "%1D", "␝", ""])
def test_separators_however_written(separator):
    found = picture("https://example.org/app/wallet?v=" + make.stamp("L1", make.VACCINATION).replace("\x1d", separator))
    assert found.identified and found.patients == 1


@pytest.mark.parametrize("separator", ["\x1d", "<GS>", "\\u001d", "\\x1d", "%1D", "␝"])
def test_names_that_look_like_fields_stay_whole(separator):
    text = make.stamp("L1", make.VACCINATION.replace("KERVELLA", "VILLARD").replace("\x1d", separator))
    (said,) = reader.read_text(text)
    assert said.persons == {"VILLARD|ODETTE|19610312"}


def test_a_stamp_of_health_without_its_person_is_none():
    assert picture(make.stamp("B2", "F4945006\x1dF5N")).judgement is CLEAN


# --- certificates and cards


@pytest.mark.parametrize("fact", ["v", "t", "r"])
@pytest.mark.parametrize("packed", [True, False])
def test_european_certificates(fact, packed):
    found = picture(make.hc1(fact, packed=packed), symbology="qr")
    assert (found.kind, found.identified, found.patients) == (Kind.CERTIFICATE, True, 1)


def test_a_certificate_broken_over_lines():
    text = make.hc1()
    lines = "\n".join(text[place : place + 60] for place in range(0, len(text), 60))
    assert written(f"Certificat :\n{lines}\n").identified


def test_base45_of_the_standard():
    assert certificate.base45("%69 VD92EX0") == b"Hello!!"
    assert certificate.base45("QED8WEX0") == b"ietf!"
    assert certificate.base45("GGW") == b""  # the RFC's overflow


def test_a_reserved_name_is_test_data():
    assert picture(make.hc1(family="Mustermann", given="Erika")).test_data


def test_a_card_over_three_codes():
    pieces = make.spread(make.shc(), 3)
    assert picture(*reversed(pieces)).identified
    assert picture(*pieces[:2]).judgement is CLEAN


def test_a_card_file():
    signed = make.jws()
    document = Document(Format.JSON, raw=b"{}", parts=[Part(f"verifiableCredential: {signed}")])
    assert detect(document).identified


def test_a_visible_certificate_in_a_json_file():
    document = Document(Format.JSON, raw=make.VISIBLE.encode(), parts=[Part("data.hdr.t: icao.vacc")])
    assert detect(document).identified


def test_an_ordinary_signed_token_says_nothing():
    assert (
        written(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
        ).judgement
        is CLEAN
    )


def test_a_token_needs_its_check_digits():
    good = make.token()
    assert picture(good).judgement is MEDICAL
    assert picture(good.replace("160.", "161.")).judgement is CLEAN


def test_no_bomb_is_inflated():
    bomb = zlib.compress(b"\x00" * 50_000_000, 9)[:6000]
    assert certificate.inflate(bomb) is None
    assert picture("HC1:" + make.base45(bomb)).judgement is CLEAN


# --- what says nothing


@pytest.mark.parametrize("text", [
    "010340093000001217280131102106AB\x1d21ABCDEF123456",
    "https://www.example.org/rendez-vous?id=123456789012345",
    "BEGIN:VCARD\nVERSION:3.0\nN:FABRE;Claire\nTITLE:Médecin généraliste\nBDAY:19610312\nEND:VCARD",
    "WIFI:S:Cabinet;T:WPA;P:secret123;;",
    "BCD\n002\n1\nSCT\n\nClinique\nFR7612345678901234567890123\nEUR12.00",
    "4006381333931", "", "A" * 3000, "HC1:", "shc:/", "IS01", "DC04", "<MP ", "{", "\x00" * 50,
])  # fmt: skip
def test_codes_that_say_nothing(text):
    found = picture(text)
    assert (found.judgement, found.kind, found.patients) == (CLEAN, Kind.OTHER, 0)
    assert reader.spoken(Code("qr", b"", text)) is None


def test_words_in_a_code_are_words_of_the_document():
    assert picture(LETTER.replace("\n", " \n"), symbology="qr").judgement is MEDICAL


def test_messages_in_a_code_go_to_their_recognisers():
    message = (
        "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5\rPID|||123^^^H^PI||KERVELLA^ODETTE||19610312|F\rOBX|1|NM|X||5|g"
    )
    assert picture(message).identified


def test_a_code_does_not_hide_what_could_not_be_read():
    document = Document(Format.IMAGE, problem=Problem.TIMED_OUT, codes=[Code("qr", b"", "https://example.org")])
    assert detect(document).judgement is Judgement.UNDECIDABLE


def test_many_codes_are_bounded():
    found = picture(*[make.ins(make.nir(f"26103290190{n % 90 + 10}")) for n in range(MAX_CODES * 2)])
    assert found.judgement is MEDICAL


# --- hostile input


@pytest.mark.parametrize("name", make.EVERY)
def test_one_wrong_sign_anywhere_never_raises_and_never_names_two(name):
    text, choose = make.EVERY[name], random.Random(name)
    places = range(len(text)) if len(text) < 400 else choose.sample(range(len(text)), 150)
    for place in places:
        wrong = text[:place] + choose.choice("0A9Z/<\x1d\x00é") + text[place + 1 :]
        assert len([said for said in reader.read_code(Code("qr", b"", wrong)) if said.patient_data]) <= 1


@pytest.mark.parametrize("name", ["certificate", "card"])
def test_a_damaged_signed_code_is_refused(name):
    """zlib's sum (certificate) and the structure (card) find nearly every change before the signature."""
    text, choose = make.EVERY[name], random.Random(7)
    kept = 0
    for _ in range(100):
        place = choose.randrange(12, len(text) * 2 // 3)
        other = choose.choice([sign for sign in "0123456789" if sign != text[place]])
        kept += picture(text[:place] + other + text[place + 1 :]).judgement is MEDICAL
    assert kept <= (0 if name == "certificate" else 60)


@pytest.mark.parametrize(
    "start", ["HC1:6BF", "DC04FR0000011E581E58B201FRF0A", "shc:/56", "IS01" + "0" * 22, "eyJ", '"icao.{']
)
def test_a_text_full_of_markers_is_given_up(start, monkeypatch):
    looked = []
    counted = [(m, b, lambda t, r=r: (looked.append(1), r(t))[1]) for m, b, r in reader._READERS]
    monkeypatch.setattr(reader, "_READERS", counted)
    parts = [Part(start * 5_000) for _ in range(20)]
    assert detect(Document(Format.TEXT, parts=parts)).judgement is CLEAN
    assert 0 < len(looked) <= reader.Patience().left


@pytest.mark.parametrize("name", make.EVERY)
def test_cut_anywhere_never_raises(name):
    text = make.EVERY[name]
    for stop in range(0, len(text), max(1, len(text) // 60)):
        picture(text[:stop])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_cbor_raises_one_exception_alone(data):
    try:
        cbor.decode(data)
    except cbor.BadCborError:
        pass


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.integers(-(2**63), 2**63) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 99), inner),
        max_leaves=20,
    )
)
def test_cbor_round_trip(value):
    try:
        assert cbor.decode(make.cbor(value)) == value
    except cbor.BadCborError:
        pytest.fail("deeper than any certificate") if _depth(value) < cbor.MAX_DEPTH else None


def _depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


@pytest.mark.parametrize(
    "data",
    [
        b"\x9f" * 5000,
        b"\x81" * 5000,
        b"\xbf" * 99,
        b"\x5f\x41a\x61a\xff",
        b"\xba\xff\xff\xff\xff",
        b"\xff",
        b"\xa1\x80\x01",
        b"\x1c",
        b"",
    ],
)
def test_cbor_refuses(data):
    with pytest.raises(cbor.BadCborError):
        cbor.decode(data)


def test_cbor_of_open_length():
    assert cbor.decode(b"\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff") == {"a": [1, 2], "b": "xy"}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            "HC1:",
            "shc:/",
            "DC04FR0000011E581E58B201FR",
            "IS01" + "0" * 22,
            "eyJ",
            "shlink:/eyJ",
            '{"data":{"icao.',
            "<MP v",
        ]
    ),
    st.text(max_size=200),
)
def test_any_text_behind_a_marker(marker, rest):
    picture(marker + rest)
    written(marker + rest)
