"""The parent survives any bytes, and what is written is what is read."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.document import Area, Format, Problem, Spot
from agent.errors import UntrustedInputError
from agent.extraction import wire
from agent.findings import Finding, Findings, FindingType, Judgement, Kind, Scale, Side

NUMBERS = st.integers(0, wire.U32)
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)  # at most 48 bytes
FINDING = st.builds(
    Finding,
    type=st.sampled_from(FindingType),
    count=NUMBERS,
    spot=st.builds(Spot, st.sampled_from(Area), NUMBERS),
    weight=st.integers(-100_000, 100_000).map(lambda cents: cents / 100),
    sample=PRINTABLE,
    side=st.none() | st.sampled_from(Side),
)
SUM = st.integers(-100_000, 100_000).map(lambda cents: cents / 100)
FINDINGS = st.builds(
    Findings,
    judgement=st.sampled_from(Judgement),
    kind=st.sampled_from(Kind),
    confidence=st.integers(0, 1000).map(lambda mille: mille / 1000),
    identified=st.booleans(),
    patients=NUMBERS,
    test_data=st.booleans(),
    format=st.sampled_from(Format),
    problem=st.none() | st.sampled_from(Problem),
    scale=st.none() | st.builds(Scale, SUM, SUM),
    items=st.lists(FINDING, max_size=wire.MAX_FINDINGS).map(tuple),
)
WILD = st.builds(
    Findings,
    judgement=st.sampled_from(Judgement),
    confidence=st.floats(),
    patients=st.integers(),
    scale=st.none() | st.builds(Scale, st.floats(), st.floats()),
    items=st.lists(
        st.builds(
            Finding,
            type=st.sampled_from(FindingType),
            count=st.integers(),
            spot=st.builds(Spot, number=st.integers()),
            weight=st.floats(),
            sample=st.text(st.characters()),
        ),
        max_size=100,
    ).map(tuple),
)
REPORT = st.builds(
    wire.Report, NUMBERS, NUMBERS, st.integers(0, 2), st.integers(0, 255), st.booleans(), st.booleans(), st.booleans(),
    st.integers(0, wire.U64), st.integers(0, wire.U64), NUMBERS,
)  # fmt: skip


@settings(deadline=None)
@given(NUMBERS, FINDINGS)
def test_an_answer_comes_back_as_it_was(number: int, findings: Findings) -> None:
    assert wire.decode_answer(number, wire.encode_answer(number, findings)) == findings


@settings(deadline=None)
@given(NUMBERS, WILD)
def test_whatever_a_detector_finds_travels(number: int, findings: Findings) -> None:
    message = wire.encode_answer(number, findings)
    assert len(message) <= wire.MAX_ANSWER <= 16 * 1024
    decoded = wire.decode_answer(number, message)
    assert decoded.judgement == findings.judgement
    assert 0 <= decoded.confidence <= 1
    assert wire.encode_answer(number, decoded) == message


ONE = wire.encode_answer(1, Findings(Judgement.MEDICAL, items=(Finding(FindingType.NIR),)))
LEAST = ONE[:-52] + b"\x80\0\0\0" + bytes(48)  # the least weight that four bytes can hold


@settings(deadline=None)
@given(NUMBERS, st.binary(max_size=wire.MAX_ANSWER + 10))
@example(1, LEAST)
def test_any_bytes_are_an_answer_or_refused(number: int, message: bytes) -> None:
    try:
        findings = wire.decode_answer(number, message)
    except UntrustedInputError:
        return
    assert wire.encode_answer(number, findings) == message  # one form only: every byte was understood


@settings(deadline=None)
@given(NUMBERS, FINDINGS, st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_understood_or_refused(number: int, findings: Findings, place: int, change: int) -> None:
    message = bytearray(wire.encode_answer(number, findings))
    message[place % len(message)] ^= change
    test_any_bytes_are_an_answer_or_refused.hypothesis.inner_test(number, bytes(message))  # type: ignore[attr-defined]


@settings(deadline=None)
@given(FINDINGS, st.integers(1, 70))
def test_a_cut_or_longer_answer_is_refused(findings: Findings, count: int) -> None:
    message = wire.encode_answer(1, findings)
    for wrong in (message[:-1], message[:5], b"", message + b"\0" * count):
        with pytest.raises(UntrustedInputError):
            wire.decode_answer(1, wrong)


def test_the_answer_to_another_request_is_refused() -> None:
    message = wire.encode_answer(1, Findings(Judgement.MEDICAL))
    with pytest.raises(UntrustedInputError):
        wire.decode_answer(2, message)


@pytest.mark.parametrize("sample", [b"\x1b[31m", b"a\nb", b"a\0b", b"\xff", "\u202ex".encode()])
def test_a_sample_that_could_play_with_a_terminal_is_refused(sample: bytes) -> None:
    good = wire.encode_answer(1, Findings(Judgement.MEDICAL, items=(Finding(FindingType.NIR, sample="s" * 48),)))
    assert wire.decode_answer(1, good).items[0].sample == "s" * 48
    with pytest.raises(UntrustedInputError):
        wire.decode_answer(1, good[:-48] + sample.ljust(48, b"\0"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (5, len(Judgement)),
        (6, len(Kind)),
        (7, len(Format)),
        (8, len(Problem) + 1),
        (9, 0x80),  # confidence above 1000
        (11, 16),  # a flag that nobody knows
        (19, 1),  # a sum that is said not to be there
        (25, len(FindingType)),
        (26, len(Area)),
        (27, len(Side) + 1),
    ],
)
def test_a_code_out_of_range_is_refused(place: int, value: int) -> None:
    message = bytearray(wire.encode_answer(1, Findings(Judgement.MEDICAL, items=(Finding(FindingType.NIR),))))
    message[place] = value
    with pytest.raises(UntrustedInputError):
        wire.decode_answer(1, bytes(message))


def test_of_too_many_findings_the_weightiest_travel_in_their_order() -> None:
    items = tuple(Finding(FindingType.TERM, count=index, weight=float(index % 100)) for index in range(200))
    kept = wire.decode_answer(1, wire.encode_answer(1, Findings(Judgement.MEDICAL, items=items))).items
    assert len(kept) == wire.MAX_FINDINGS
    assert min(item.weight for item in kept) == 68
    assert [item.count for item in kept] == sorted(item.count for item in kept)


def test_a_long_sample_is_cut_between_characters() -> None:
    item = Finding(FindingType.PERSON, sample="é" * 48, weight=math.nan)
    (back,) = wire.decode_answer(1, wire.encode_answer(1, Findings(Judgement.MEDICAL, items=(item,)))).items
    assert back.sample == "é" * 24
    assert back.weight == 0


@settings(deadline=None)
@given(NUMBERS, st.text(max_size=20), st.integers())
def test_a_request_carries_clean_hints(number: int, extension: str, size: int) -> None:
    request = wire.decode_request(wire.encode_request(wire.Request(number, extension, size)))
    assert request.id == number
    assert request.extension == wire.clean_extension(extension)
    assert request.extension in {extension.lower(), ""}
    assert request.size == min(max(size, 0), wire.U64)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [("PDF", "pdf"), ("tar.gz", ""), ("x" * 17, ""), ("é", ""), ("../../a", ""), ("", ""), ("7z", "7z")],
)
def test_an_extension_is_letters_and_digits(given_: str, kept: str) -> None:
    assert wire.clean_extension(given_) == kept


@settings(deadline=None)
@given(st.binary(max_size=wire.REQUEST_BYTES + 2))
def test_any_bytes_are_a_request_or_refused(message: bytes) -> None:
    try:
        request = wire.decode_request(message)
    except UntrustedInputError:
        return
    assert wire.encode_request(request) == message


@settings(deadline=None)
@given(REPORT)
def test_a_report_comes_back_as_it_was(report: wire.Report) -> None:
    assert wire.decode_ready(wire.encode_ready(report)) == report


@settings(deadline=None)
@given(st.binary(max_size=wire.READY_BYTES + 2), REPORT)
def test_a_worker_of_another_release_is_refused(message: bytes, report: wire.Report) -> None:
    good = wire.encode_ready(report)
    for wrong in (message, good[:5] + bytes([good[5] ^ 1]) + good[6:], good[:-1], good + b"\0"):
        with pytest.raises(UntrustedInputError):
            wire.decode_ready(wrong)


def test_more_findings_than_allowed_are_refused() -> None:
    most = Findings(Judgement.MEDICAL, items=(Finding(FindingType.TERM),) * wire.MAX_FINDINGS)
    message = bytearray(wire.encode_answer(1, most))
    assert len(wire.decode_answer(1, bytes(message)).items) == wire.MAX_FINDINGS
    message[16] += 1  # the count, and one more finding that is well formed
    with pytest.raises(UntrustedInputError):
        wire.decode_answer(1, bytes(message + message[-62:]))
