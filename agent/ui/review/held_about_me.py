"""« What the agent holds about me » in sentences: what, how much, for how long, who can see it. Pure.

The counts come from the agent (``agent.daemon.reviewing.mine``); what is said about who sees a store is what the
code of that store does, and docs/audit-log-and-the-law.md says it at length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import N_
from agent.i18n import Count
from agent.ui.printable import printable
from agent.ui.review.sentences import day_title, moment
from agent.ui.wording import Translate, word

TITLE = N_("What the agent holds about me")
_METHODS = {
    "tpm": N_("protected by this machine's security chip"),
    "credential": N_("protected by this machine"),
    "host": N_("protected by a secret of this machine"),
    "phrase": N_("under your phrase"),
    "clear": N_("not protected yet"),
    "missing": N_("missing"),
}
_NOBODY_COMPARES = N_(
    "Nothing here measures your work: there is no ranking, no score and no comparison of persons, and the officer sees"
    " no name."
)


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of thing that is kept."""

    name: str
    what: str
    kept: str
    who: str


def stores(held: Mapping[str, Any], translate: Translate) -> list[Store]:
    """A value for each store that the agent told of; of one that a newer agent knows, its word and count."""
    return [_STORES.get(str(each.get("store")), _unknown)(each, translate) for each in held["stores"]]


def notes(held: Mapping[str, Any], translate: Translate) -> list[str]:
    """What is to be said besides."""
    said = [translate(_NOBODY_COMPARES)]
    holds = held.get("holds")
    if holds is None:
        said.append(translate(N_("The list of legal holds cannot be read: nothing is removed until it is mended.")))
    for hold in holds or ():
        since, until = moment({"t": hold["since"]}, "%d/%m/%Y"), moment({"t": hold["until"]}, "%d/%m/%Y")
        words = N_("A legal hold keeps what happened from {since} to {until} beyond these times.")
        if until == "?":
            words = N_("A legal hold keeps what happened from {since} on beyond these times.")
        said.append(translate(words).format(since=since, until=until))
    return said


def _days(each: Mapping[str, Any], t: Translate) -> str:
    text = t(N_("{days} {days:day|days}, then removed for good")).format(days=Count(each.get("kept_days") or 0))
    if each.get("oldest"):
        return t(N_("{kept}; the oldest is of {day}")).format(kept=text, day=day_title(str(each["oldest"])))
    return text


def _events(each: Mapping[str, Any], t: Translate) -> Store:
    count, acted = Count(each["count"]), Count(each["acted"])
    return Store(
        t(N_("Audit log: your documents")),
        t(N_("{count} {count:record|records}, in {acted} something was done; kinds and numbers, no text, no patient"))
        .format(count=count, acted=acted),
        _days(each, t),
        t(N_("you; this laptop's administrator and, under a pseudonym, the officer's collector")),
    )  # fmt: skip


def _names(each: Mapping[str, Any], t: Translate) -> Store:
    who = (
        N_("you; this laptop's administrator, each name shown to him is recorded")
        if each.get("names_for") == "administrator"
        else N_("you alone in the review; the practice's recovery key opens them too")
    )
    return Store(
        t(N_("Audit log: names of your documents")),
        t(N_("on {count} {count:day|days}, encrypted; never sent")).format(count=Count(each["count"])),
        _days(each, t), t(who),
    )  # fmt: skip


def _quarantine(each: Mapping[str, Any], t: Translate) -> Store:
    kept = t(N_("until you take it back; a copy stays {days} {days:day|days} after that")).format(
        days=Count(each["kept_days"])
    )
    said = t(N_("{count} {count:document|documents} held, {copies} {copies:copy|copies} of what you took back"))
    return Store(
        t(N_("Quarantine: your documents")), said.format(count=Count(each["count"]), copies=Count(each["copies"])),
        kept, t(N_("you; whoever is root on this laptop")),
    )  # fmt: skip


def _notices(each: Mapping[str, Any], t: Translate) -> Store:
    return Store(
        t(N_("Notices to you")), t(N_("{count}, with names of documents, in memory")).format(count=each["count"]),
        t(N_("until the agent stops, the last {most} at most")).format(most=each["most"]),
        t(N_("you; this laptop's administrator")),
    )  # fmt: skip


def _keys(each: Mapping[str, Any], t: Translate) -> Store:
    method = word(_METHODS, each["method"], t) if each["count"] else t(N_("none yet"))
    return Store(
        t(N_("Your key")), printable(method, 80), t(N_("for as long as there are documents sealed to it")),
        t(N_("nobody reads it; the agent opens your sealed files for you")),
    )  # fmt: skip


def _ledger(each: Mapping[str, Any], t: Translate) -> Store:
    if each["count"] is None:
        what = t(N_("keyed digests of all persons here together; no name, nobody's in particular"))
    else:
        text = N_(
            "{count} {count:keyed digest|keyed digests} of all persons here together; no name, nobody's in particular"
        )
        what = t(text).format(count=Count(each["count"]))
    return Store(
        t(N_("Which files were judged")), what,
        t(N_("until the file changes or the policy does")), t(N_("the agent alone")),
    )  # fmt: skip


def _patients(each: Mapping[str, Any], t: Translate) -> Store:
    return Store(
        t(N_("The practice's patient list")),
        t(N_("{count} {count:patient as a keyed digest|patients as keyed digests}; nothing about you"))
        .format(count=Count(each["count"])),
        t(N_("until it is replaced or forgotten")), t(N_("the readers of documents alone, as digests")),
    )  # fmt: skip


def _collector(each: Mapping[str, Any], t: Translate) -> Store:
    where = str(each.get("where"))
    if where == "off":
        what = t(N_("nothing is sent: there is no collector"))
    elif where == "embedded":
        what = t(N_("{count} {count:record|records} in the collector on this laptop; nothing leaves it")).format(
            count=Count(each["count"])
        )
    else:
        what = t(N_("{count} {count:record|records} sent, under pseudonyms, without names")).format(
            count=Count(each["count"])
        )
    return Store(
        t(N_("The officer's collector")), what, t(N_("as long as the officer's rules say")),
        t(N_("the security officer and the data-protection officer")),
    )  # fmt: skip


def _unknown(each: Mapping[str, Any], _translate: Translate) -> Store:
    return Store(printable(str(each.get("store")), 40), str(each.get("count")), "?", "?")


_STORES = {
    "events": _events, "names": _names, "quarantine": _quarantine, "notices": _notices, "keys": _keys,
    "ledger": _ledger, "patients": _patients, "collector": _collector,
}  # fmt: skip
