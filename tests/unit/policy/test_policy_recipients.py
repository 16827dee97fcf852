"""``recipients`` of a policy: who is named is sealed to, and nothing that is no key gets in."""

from __future__ import annotations

import pytest

from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.errors import PolicyError
from agent.policy import load_policy
from agent.policy.profiles import profile_bytes

A, B, C = (recipient_of(new_identity(KeyKind.X25519)) for _ in range(3))
HYBRID = recipient_of(new_identity(KeyKind.HYBRID))
MISTYPED = A[:-1] + ("p" if A[-1] == "q" else "q")


def loaded(recipients: str):
    return load_policy(profile_bytes("enforce") + recipients.encode(), "p.yaml").policy.recipients


def test_recovery_and_others() -> None:
    named = loaded(
        f"recipients:\n  recovery: {A}\n  others:\n    - {{name: cardiologie, key: {B}, always: yes}}\n"
        f"    - {{name: dr-externe, key: {C}}}\n"
    )
    assert (named.recovery, named.always) == (A, (B,))
    assert [(each.name, each.key, each.always) for each in named.others] == [
        ("cardiologie", B, True),
        ("dr-externe", C, False),
    ]


def test_a_policy_without_them_names_nobody() -> None:
    named = loaded("")
    assert (named.recovery, named.others) == ("", ())


def test_hybrid_keys_fit_into_a_policy() -> None:
    assert loaded(f"recipients:\n  recovery: {HYBRID}\n").recovery == HYBRID


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recipients: [a]\n", "should be a table"),
        (f"recipients:\n  recovery: {MISTYPED}\n", "should be an age recipient"),
        ("recipients:\n  recovery: {}\n", "should be an age recipient"),
        ("recipients:\n  recovery: " + new_identity(KeyKind.X25519) + "\n", "should be an age recipient"),
        (f"recipients:\n  other: {A}\n", "unknown key"),
        (f"recipients:\n  recovery: {A}\n  others: [{{name: x, key: {HYBRID}}}]\n", "two kinds"),
        (f"recipients:\n  others: [{{name: x, key: {A}}}, {{name: x, key: {B}}}]\n", "stands twice"),
        (f"recipients:\n  others: [{{name: X y, key: {A}}}]\n", "lower-case"),
        (f"recipients:\n  others: [{{key: {A}}}]\n", "name is missing"),
        ("recipients:\n  others: [{name: x}]\n", "key is missing"),
        ("recipients:\n  others: []\n", "1 to 50"),
        (f"recipients:\n  others: [{{name: x, key: {A}, always: perhaps}}]\n", "always"),
    ],
    ids=[str(number) for number in range(12)],  # the keys are new in every process
)
def test_what_is_no_recipient_refuses_the_policy(text: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        loaded(text)
    assert words in str(caught.value)
    assert "AGE-SECRET-KEY-1" not in str(caught.value)
