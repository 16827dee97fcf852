"""The rules that could match given facts, strictest first, without asking every rule. Pure; made with the policy.

Of each channel and judgement, the rules that speak of them; of those, by one more word of the facts (the service, the
file's extension, …: whichever parts them best), those that this word lets through. What stood in the index is true by
then, and a rule's remaining tests are run by the engine: leaving a rule out, or a test, changes no decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agent.findings import Judgement
from agent.model import ChannelKind, Facts
from agent.policy.matching import READINGS, Test
from agent.policy.schema import Operator, Rule
from agent.policy.vocabulary import ACTIONS, values

_FIRST = frozenset(("action", "judgement"))
_KEYS = tuple(key for key in READINGS if key not in _FIRST)
_MOST = 32  # entries a rule: an index costs no more memory than that


class Candidate(NamedTuple):
    """A rule (its place in the file) with the tests that are still to be run, in their order."""

    number: int
    tests: tuple[Test, ...]


class Shortlist(NamedTuple):
    """What the word that ``read`` finds in the facts lets through: ``by_word``, or ``others`` for any other word."""

    read: Callable[[Facts], str] | None
    by_word: Mapping[str, tuple[Candidate, ...]]
    others: tuple[Candidate, ...]

    def of(self, facts: Facts) -> tuple[Candidate, ...]:
        return self.others if self.read is None else self.by_word.get(self.read(facts), self.others)


Index = Mapping[tuple[ChannelKind, Judgement], Shortlist]


class _Words(NamedTuple):
    """The words of one key that a rule lets through: ``only`` these (None: any), and none of ``never``."""

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()

    def let(self, word: str | None) -> bool:
        """``None`` is a word that no rule speaks of."""
        return word not in self.never and (self.only is None or word in self.only)


_ANY = _Words()
_Speaks = Mapping[str, _Words]  # by key, for one rule


def make_index(rules: Sequence[Rule], tests: Sequence[Sequence[Test]]) -> Index:
    """The index of ``rules``; ``tests`` are their conditions compiled, one by one in the same order."""
    speaks = [_speaks(rule) for rule in rules]
    # stable: of equals, the first in the file comes first
    strictest = sorted(range(len(rules)), key=lambda number: -rules[number].then.severity)

    def could(number: int, action: str, judgement: str) -> bool:
        of = speaks[number]
        return of.get("action", _ANY).let(action) and of.get("judgement", _ANY).let(judgement)

    def candidate(number: int, key: str) -> Candidate:
        known = _FIRST | {key}
        pairs = zip(tests[number], rules[number].when, strict=True)
        return Candidate(number, tuple(test for test, asked in pairs if asked.key not in known))

    return {
        (channel, judgement): _shortlist(
            [number for number in strictest if could(number, action, judgement.value)], speaks, candidate
        )
        for action, channel in ACTIONS.items()
        for judgement in Judgement
    }


def _speaks(rule: Rule) -> _Speaks:
    """What the rule's conditions say about words, by key."""
    found: dict[str, _Words] = {}
    for condition in rule.when:
        if condition.key not in READINGS:
            continue
        words, (only, never) = values(condition.key, condition.words), found.get(condition.key, _ANY)
        if condition.operator is Operator.NOT:
            found[condition.key] = _Words(only, never | words)
        else:
            found[condition.key] = _Words(words if only is None else only & words, never)
    return found


def _shortlist(numbers: list[int], speaks: Sequence[_Speaks], candidate: Callable[[int, str], Candidate]) -> Shortlist:
    """By the key that leaves the fewest rules to the word that it leaves the most to."""
    best, least = "", len(numbers)
    for key in _KEYS:
        longest, together = _left([speaks[number].get(key, _ANY) for number in numbers])
        if longest < least and together <= _MOST * len(numbers):
            best, least = key, longest
    said = {number: speaks[number].get(best, _ANY) for number in numbers}

    def left(word: str | None) -> tuple[Candidate, ...]:
        return tuple(candidate(number, best) for number in numbers if said[number].let(word))

    words = set().union(*((of.only or frozenset()) | of.never for of in said.values())) if best else set()
    return Shortlist(READINGS.get(best), {word: left(word) for word in words}, left(None))


def _left(said: Sequence[_Words]) -> tuple[int, int]:
    """(the longest list of rules that a word leaves, the lengths of all of them together)."""
    free = sum(of.only is None for of in said)
    lengths: Counter[str] = Counter()
    for of in said:
        if of.only is None:
            lengths.subtract(of.never)
        else:
            lengths.update(of.only - of.never)
    # an absent word and one that nobody excludes leave the free ones
    return free + max((0, *lengths.values())), free * (len(lengths) + 1) + sum(lengths.values())
