"""The file as an attacker or a tired administrator writes it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PolicyError
from agent.model import Decision, Mode
from agent.policy import load_policy, parse_policy
from agent.policy.parser import problems
from agent.policy.schema import Condition, Operator
from agent.policy.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_TEXT, Items, Text, read_tree
from tests.unit.policy.policies import CASES, policy_text

GOOD = (CASES / "accepted" / "hospital.yaml").read_bytes()


def message(data: bytes) -> str:
    with pytest.raises(PolicyError) as raised:
        parse_policy(data, "p.yaml")
    return str(raised.value).split("\n", maxsplit=1)[0]


def test_scalars_stay_text() -> None:
    tree = read_tree(b"a: [no, 0951, 2027-01-31, 1e3, ~, 'null', 0x10, .inf, on]", "p")
    values = tree.entries[0][1]
    assert isinstance(values, Items)
    assert [item.text for item in values.items if isinstance(item, Text)] == [
        "no", "0951", "2027-01-31", "1e3", "", "null", "0x10", ".inf", "on",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["no", "No", "false", "FALSE", "non", '"no"'])
def test_every_spelling_of_no(word: str) -> None:
    policy = parse_policy(policy_text(f"{{identified: {word}}}"), "p")
    assert policy.rules[0].when == (Condition("identified", Operator.IS, ("no",), line=5),)


@pytest.mark.parametrize(
    ("written", "size"),
    [("10 MB", 10_000_000), ("10MiB", 10 << 20), ("500 ko", 500_000), ("7", 7), ("2 Go", 2 * 10**9), ("0", 0)],
)
def test_sizes(written: str, size: int) -> None:
    assert parse_policy(policy_text(f"{{size_min: {written}}}"), "p").rules[0].when[0].number == size


def test_a_rule_is_on_trial_unless_it_says_otherwise() -> None:
    data = policy_text("{action: copy}").replace(b"    mode: enforce\n", b"")
    assert parse_policy(data, "p").rules[0].mode is Mode.OBSERVE


def test_defaults_are_three_settings() -> None:
    data = policy_text(
        "{action: copy}", top="defaults: {existing: enforce, arriving: observe, nothing_matches: inform}\n"
    )
    found = parse_policy(data, "p").defaults
    assert (found.existing, found.arriving, found.nothing_matches) == (Mode.ENFORCE, Mode.OBSERVE, Decision.INFORM)


def test_release_is_of_these_bytes() -> None:
    first, second = parse_policy(GOOD, "p"), parse_policy(GOOD + b"# x\n", "p")
    assert len(first.release) == 12
    assert first.release != second.release


def test_every_problem_is_told_by_line() -> None:
    data = GOOD.replace(b"then: block", b"then: blok").replace(b"judgement: medical", b"judgment: medical")
    lines = [error.fields["line"] for error in problems(data, "p")]
    assert len(lines) >= 4
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "p.yaml: is empty"),
        (b"# nothing\n", "p.yaml: is empty"),
        (b"\xff\xfe", "p.yaml:1: is not UTF-8 text"),
        (b"a: 1\nb: \x00", "p.yaml:2: holds the character U+0000, which cannot be read on a screen"),
        (b"a: 1\nb: \x1b[2J", "p.yaml:2: holds the character U+001B, which cannot be read on a screen"),
        ("a: 1\nb: \u2066".encode(), "p.yaml:2: holds the character U+2066, which cannot be read on a screen"),
        (b"a: &x [1]\nb: *x", "p.yaml:1: anchors and aliases are not allowed"),
        (b"b: *x", "p.yaml:1: anchors and aliases are not allowed"),
        (b"? [a, b]\n: 1\n", "p.yaml:1: a key should be a word"),
        (b"a: !!binary aGk=", "p.yaml:1: tags are not allowed"),
        (b"a: ! b", "p.yaml:1: tags are not allowed"),
        (b"[" * 100_000, "p.yaml:1: is nested too deep or too long"),
        (b"{a: " * 100_000, "p.yaml:1: is nested too deep or too long"),
        (b"- " * 100_000, "p.yaml:1: is nested too deep or too long"),
        (b"a: [" + b"1," * (MAX_NODES + 1) + b"]", "p.yaml:1: is nested too deep or too long"),
        (b"a: " + b"x" * (MAX_TEXT + 1), f"p.yaml:1: a text is longer than {MAX_TEXT} characters"),
        (b"#" * (MAX_BYTES + 1), f"p.yaml: is larger than {MAX_BYTES} bytes"),
        (b"%YAML 1.1\n%TAG ! tag:x,2000:\n---\n!y {}", "p.yaml:4: tags are not allowed"),
    ],
)  # fmt: skip
def test_hostile_yaml(data: bytes, says: str) -> None:
    assert message(data) == says


def test_a_bomb_is_refused_at_its_first_anchor() -> None:
    lines = [b"a0: &a0 [x, x]"] + [b"a%d: &a%d [*a%d, *a%d]" % (n, n, n - 1, n - 1) for n in range(1, 60)]
    assert message(b"\n".join(lines)) == "p.yaml:1: anchors and aliases are not allowed"


def test_the_deepest_policy_fits() -> None:
    """The format needs five levels: rules, rule, unless, exception, list of groups."""
    data = policy_text(
        "{action: [copy]}", rule="    unless:\n      - {group: [a, b], until: 2027-01-31, by: x, why: y}\n"
    )
    assert len(parse_policy(data, "p").rules[0].unless[0].scope[0].words) == 2
    assert MAX_DEPTH > 6


def test_a_bom_and_windows_line_ends_are_read() -> None:
    assert parse_policy(b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"), "p").name == "chu-exemple/base"


@pytest.mark.parametrize(
    "value",
    ["99999999999999999999999999", "-1", "1_0", "+5", "0x10", "1e1", "٣", "[80]", "{a: b}", "''"],
)
def test_numbers_are_plain_digits(value: str) -> None:
    assert message(policy_text(f"{{confidence_min: {value}}}")).startswith(
        "p.yaml:5 [r]: confidence_min should be a whole number from 0 to 100; found "
    )


def test_what_was_found_is_cut_and_made_printable() -> None:
    said = message(policy_text("{action: copy}", then="{then}").replace(b"{then}", b'"a\\nb' + b"x" * 500 + b'"'))
    assert '"a\\u000abxxxx' in said
    assert "\n" not in said
    assert len(said) < 200


@pytest.mark.parametrize("escape", ["\\u202e", "\\e[2J", "\\0", "\\x85", "\\L"])
def test_an_escape_does_not_bring_in_what_the_file_may_not_hold(escape: str) -> None:
    said = message(policy_text("{action: copy}", rule=f'    message: {{fr: "Non {escape}"}}\n'))
    assert "cannot be read on a screen" in said


def test_texts_are_one_line() -> None:
    data = policy_text("{action: copy}", rule='    message: {fr: "Deux\\n  lignes", en: "Two\\tlines"}\n')
    assert parse_policy(data, "p").rules[0].message == (("fr", "Deux lignes"), ("en", "Two lines"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_are_a_policy_or_a_policy_error(data) -> None:
    """A good policy with a few bytes changed, cut or doubled: nothing but PolicyError comes out."""
    mutant = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutant) - 1))
        size = data.draw(st.integers(0, 12))
        piece = data.draw(
            st.sampled_from([b"", b"-", b": ", b"{", b"]", b"*", b"&a", b"\n", b"\xff", b"'", b"!", b"0"])
        )
        mutant[at : at + size] = piece
    try:
        load_policy(bytes(mutant), "p.yaml")
    except PolicyError as error:
        assert str(error)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="ab:-[]{}&*!?|>'\"%@,# \n\t", max_size=120).map(str.encode))
def test_noise_is_refused(data) -> None:
    with pytest.raises(PolicyError):
        parse_policy(data, "p.yaml")
