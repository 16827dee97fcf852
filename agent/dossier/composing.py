"""A dossier (as it stands in dossier.json) → what people read, in the reader's language. Pure.

Calm and complete: what is known, what is not, and how each number was reckoned. The documents in clear come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.dossier import sayings
from agent.dossier.blocks import Block, Heading, Paragraph, Points, Table
from agent.dossier.words import Words, zone

LISTED = 300
"""Documents that are listed one by one; the JSON lists all."""

Dossier = Mapping[str, Any]
_ORDER = ("clear", "unknown", "sealed-after", "removed-after", "sealed", "refused")


def compose(dossier: Dossier, words: Words, digest: str, *, files: Mapping[str, str]) -> list[Block]:
    """The whole text. ``digest``: SHA-256 of dossier.json, hexadecimal; ``files``: the names of the other files."""
    parts: tuple[Callable[[Dossier, Words], list[Block]], ...] = (
        _head, _short, _sticks, _documents, _persons, _rules, _unwatched, _clock, _risk,
    )  # fmt: skip
    blocks = [block for part in parts for block in part(dossier, words)]
    return [*blocks, *_proof(dossier, words, digest, files), *_limits(words)]


def title(dossier: Dossier, words: Words) -> str:
    """What the dossier is about, in one line."""
    scope = dossier["facts"]["scope"]
    return words.say(sayings.TITLES.get(scope["kind"], sayings.TITLES["time"]))


def _head(dossier: Dossier, words: Words) -> list[Block]:
    made, log = dossier["made"], dossier["log"]
    return [
        Heading(1, title(dossier, words)),
        Paragraph(words.say(sayings.MADE, when=words.when(made["time"]), version=made["version"],
                            who=words.say(sayings.MAKERS.get(made["by"], sayings.MAKERS["offline"])))),
        Paragraph(words.say(sayings.FROM_LOG, name=log["name"] or words.say(sayings.NOT_KNOWN))),
        *([] if log["whole"] else [Paragraph(words.say(sayings.OWN_ONLY), strong=True)]),
    ]  # fmt: skip


def _short(dossier: Dossier, words: Words) -> list[Block]:
    return [Heading(2, words.say(sayings.IN_SHORT)), Points(summary(dossier, words))]


def summary(dossier: Dossier, words: Words) -> tuple[str, ...]:
    """What it comes to, in a few lines."""
    facts = dossier["facts"]
    points = [words.say(sayings.LAST_SEEN, stick=stick_name(each, words), when=words.when(each["last"]))
              for each in facts["sticks"]]  # fmt: skip
    points += [_counted(facts["estimate"], group, words) for group in ("clear", "traces", "sealed", "refused")]
    if facts["sealed_files"]:
        points.append(words.say(sayings.SEALED_FILES, count=facts["sealed_files"]))
    points.append(words.say(sayings.OTHERS, count=facts["not_medical"]))
    points.append(words.say(sayings.ANSWERS[dossier["judgement"]["answer"]]))
    points.append(words.say(_integrity(dossier["log"]), **_named(dossier["log"]["problem"], words)))
    aware = dossier["aware"]
    due = words.say(sayings.DUE, since=words.when(aware["since"]), by=words.when(aware["notify_by"])) if aware else ""
    points.append(due or words.say(sayings.DUE_UNKNOWN))
    return tuple(points)


def _counted(groups: Mapping[str, Any], group: str, words: Words) -> str:
    found = groups[group]
    text = words.say(sayings.GROUPS[group], count=found["documents"])
    if found["documents"]:
        text = words.labelled(text, _range(found, words))
    return text + _and_unread(found, words)


def persons(found: Mapping[str, int], words: Words) -> str:
    """« between 3 and 17 persons (and 1 document that could not be judged) »."""
    text = _range(found, words) if found["documents"] else words.say(sayings.NOBODY)
    return text + _and_unread(found, words)


def _range(found: Mapping[str, int], words: Words) -> str:
    if found["least"] == found["most"]:
        return words.say(sayings.PERSONS_ABOUT, count=found["most"])
    return words.say(sayings.PERSONS_BETWEEN, least=found["least"], most=found["most"])


def _and_unread(found: Mapping[str, int], words: Words) -> str:
    return " " + words.say(sayings.AND_UNREAD, count=found["unread"]) if found["unread"] else ""


def _integrity(log: Mapping[str, Any]) -> str:
    return sayings.INTACT[{True: "yes", False: "no", None: "part"}[log["intact"]]]


def _named(problem: Mapping[str, Any], words: Words) -> dict[str, object]:
    return {"index": str(problem.get("index", "")), "kind": words.word("tampering", problem.get("kind", ""))}


# ---- the stick


def stick_name(stick: Mapping[str, Any], words: Words) -> str:
    named = " ".join(word for word in (stick["vendor"], stick["product"]) if word)
    return named or words.say(sayings.NAMELESS_STICK, number=stick["id"])


def _sticks(dossier: Dossier, words: Words) -> list[Block]:
    blocks: list[Block] = []
    for stick in dossier["facts"]["sticks"]:
        rows = [
            (sayings.MAKE, stick_name(stick, words)),
            (sayings.IDS, ":".join(word for word in (stick["vendor_id"], stick["product_id"]) if word)),
            (sayings.BUS, " ".join(word for word in (stick["bus"], stick["filesystem"]) if word)),
            (sayings.SERIAL, stick["serial"]),
            (sayings.SERIAL_DIGEST, stick["serial_digest"]),
            (sayings.VOLUMES, ", ".join(stick["volumes"])),
            (sayings.FIRST, words.when(stick["first"])),
            (sayings.LAST, words.when(stick["last"])),
            (sayings.STATE, words.say(sayings.TAKEN_OUT if stick["taken_out"] else sayings.NOT_TAKEN_OUT)),
            (sayings.GUARDED, ", ".join(words.word("strength", each) for each in stick["strengths"])),
        ]
        shown = tuple((words.say(label), value or words.say(sayings.NOT_RECORDED)) for label, value in rows)
        blocks.append(Heading(3, words.say(sayings.STICK_NUMBER, number=stick["id"])))
        blocks.append(Table((words.say(sayings.WHAT), words.say(sayings.RECORDED)), shown, (0.32, 0.68)))
    if not blocks:
        return []
    note = Paragraph(words.say(sayings.LABEL_NOTE))
    return [Heading(2, words.say(sayings.WHICH_STICK)), *blocks, note, Paragraph(words.say(sayings.STILL_ON_IT))]


# ---- the documents


def _documents(dossier: Dossier, words: Words) -> list[Block]:
    documents = dossier["facts"]["documents"]
    blocks: list[Block] = [Heading(2, words.say(sayings.WHICH_DOCUMENTS))]
    if not documents:
        return [*blocks, Paragraph(words.say(sayings.NO_DOCUMENTS))]
    blocks.append(Paragraph(words.say(sayings.TABLE_NOTE, zone=zone(dossier["made"]["time"]))))
    left = LISTED
    for wanted, test in [(fate, False) for fate in _ORDER] + [("", True)]:
        chosen = [each for each in documents if each["test"] is test and (test or each["fate"] == wanted)]
        if chosen:
            blocks.append(Heading(3, words.say(sayings.TEST if test else sayings.FATES[wanted])))
            blocks += _table(chosen[:left], words)
            left -= len(chosen[:left])
    if len(documents) > LISTED:
        blocks.append(Paragraph(words.say(sayings.MORE, count=len(documents) - LISTED), strong=True))
    return blocks


def _table(documents: Sequence[Mapping[str, Any]], words: Words) -> list[Block]:
    if not documents:
        return []
    head = tuple(words.say(each) for each in sayings.COLUMNS)
    rows = tuple(_row(each, words) for each in documents)
    return [Table(head, rows, (0.08, 0.17, 0.27, 0.1, 0.1, 0.28))]


def _row(document: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    when = words.short(document["time"])
    if document["likely_time"]:
        when += " " + words.say(sayings.LIKELY_TIME, when=words.short(document["likely_time"]))
    medical = document["judgement"] == "medical"
    kind = words.word("kind", document["kind"]) if medical else words.word("judgement", document["judgement"])
    if document["problem"]:
        kind += f" ({words.word('problem', document['problem'])})"
    if document["arrival"] == "existing":
        kind += ", " + words.say(sayings.WAS_THERE)
    number = str(document["patients"]) if document["patients"] else words.say(sayings.UNCOUNTED)
    return (str(document["number"]), when, kind, words.size(document["size"]), number, _where(document, words))


def _where(document: Mapping[str, Any], words: Words) -> str:
    parts = [document["name"]] if document.get("name") else []
    parts.append(document["service"] or words.word("channel", document["channel"]))
    if document["extension"]:
        parts.append(f".{document['extension']}")
    if document["held"]:
        parts.append(f"[{document['held']}]")
    if document["fate"].startswith("sealed"):
        parts.append(words.say(sayings.SEALED_TO, who=_who(document["sealed_to"], words)))
    if document["given_back"]:
        parts.append(words.say(sayings.GIVEN_BACK))
    return ", ".join(parts)


def _who(recipients: Sequence[Mapping[str, str]], words: Words) -> str:
    if not recipients:
        return words.say(sayings.NOT_RECORDED)
    return ", ".join(
        words.say(sayings.ROLES[each["who"]]) if each["who"] in sayings.ROLES else each["who"] or each["key"]
        for each in recipients
    )


def _persons(dossier: Dossier, words: Words) -> list[Block]:
    groups = dossier["facts"]["estimate"]
    rows = tuple(
        (words.say(sayings.GROUP_NAMES[group]), str(found["documents"]), str(found["least"]), str(found["most"]),
         str(found["uncounted"]), str(found["unread"]))
        for group, found in ((name, groups[name]) for name in sayings.GROUP_NAMES)
    )  # fmt: skip
    head = tuple(words.say(each) for each in sayings.PERSON_COLUMNS)
    return [
        Heading(2, words.say(sayings.HOW_MANY)),
        Table(head, rows, (0.3, 0.14, 0.14, 0.14, 0.14, 0.14)),
        Paragraph(words.say(sayings.HOW_RECKONED)),
    ]


# ---- what was in force, and what was not watched


def _rules(dossier: Dossier, words: Words) -> list[Block]:
    blocks: list[Block] = [Heading(2, words.say(sayings.IN_FORCE))]
    for policy in dossier["facts"]["policies"]:
        said = words.say(sayings.POLICY, name=policy["name"], release=policy["release"],
                         when=words.when(policy["since"]), number=policy["number"])  # fmt: skip
        blocks.append(Paragraph(said))
        sentences: Sequence[str] = policy["sentences"].get(words.language) or next(
            iter(policy["sentences"].values()), []
        )
        blocks.append(Points(tuple(sentences)) if sentences else Paragraph(words.say(sayings.NO_SENTENCES)))
    return blocks if len(blocks) > 1 else [*blocks, Paragraph(words.say(sayings.NO_POLICY))]


def _unwatched(dossier: Dossier, words: Words) -> list[Block]:
    gaps, facts = dossier["facts"]["gaps"], dossier["facts"]
    points = [_gap(gap, words) for gap in gaps]
    if facts["counted_only"]:
        points.append(words.say(sayings.COUNTED_ONLY, count=facts["counted_only"]))
    if dossier["log"]["purged"]:
        points.append(words.say(sayings.PURGED, count=dossier["log"]["purged"]))
    blocks: list[Block] = [Heading(2, words.say(sayings.NOT_WATCHED))]
    return [*blocks, Points(tuple(points)) if points else Paragraph(words.say(sayings.NO_GAPS))]


def _gap(gap: Mapping[str, Any], words: Words) -> str:
    text = sayings.GAPS.get(gap["what"], sayings.GAPS["other"])
    until = words.when(gap["until"]) if gap["records"][1] >= 0 else words.say(sayings.STILL)
    word = words.trouble(gap["word"]) if gap["what"] == "trouble" else gap["word"]
    first, last = gap["records"]
    return words.say(text, since=words.when(gap["since"]), until=until, word=word, first=first, last=last,
                     what=gap["what"])  # fmt: skip


def _clock(dossier: Dossier, words: Words) -> list[Block]:
    made, steps = dossier["made"]["clock"], dossier["facts"]["clock"]
    blocks: list[Block] = [Heading(2, words.say(sayings.CLOCK)), Paragraph(words.say(sayings.ORDER))]
    points = [
        words.say(sayings.BACK_AT_START if step["restart"] else sayings.SET, number=step["number"],
                  seconds=f"{step['seconds']:+d}", when=words.when(step["time"]))
        for step in steps
    ]  # fmt: skip
    if steps:
        blocks += [Points(tuple(points)), Paragraph(words.say(sayings.LIKELY_NOTE))]
    else:
        blocks.append(Paragraph(words.say(sayings.NO_STEPS)))
    for start in dossier["facts"]["clock_at_start"]:
        text = sayings.START_SYNCED if start["error_ms"] >= 0 else sayings.START_UNSYNCED
        said = words.say(text, number=start["number"], when=words.when(start["time"]), milliseconds=start["error_ms"])
        blocks.append(Paragraph(said))
    if made.get("synchronised") is True:
        blocks.append(Paragraph(words.say(sayings.SYNCED, milliseconds=made["error_ms"])))
    elif made.get("synchronised") is False:
        blocks.append(Paragraph(words.say(sayings.NOT_SYNCED), strong=True))
    if since := made.get("last_sync"):
        blocks.append(Paragraph(words.say(sayings.LAST_SYNC, when=words.when(since))))
    return blocks


# ---- risk, proof, limits


def _risk(dossier: Dossier, words: Words) -> list[Block]:
    judged = dossier["judgement"]

    def listed(label: str, codes: Sequence[str], texts: Mapping[str, str]) -> list[Block]:
        said = tuple(words.say(texts[code]) for code in codes if code in texts)
        return [Heading(3, words.say(label)), Points(said or (words.say(sayings.NOTHING),))]

    return [
        Heading(2, words.say(sayings.RISK)),
        Paragraph(words.say(sayings.ANSWERS[judged["answer"]]), strong=True),
        Paragraph(words.say(sayings.REASONING[judged["answer"]])),
        *listed(sayings.FOR, judged["favourable"], sayings.FAVOURABLE),
        *listed(sayings.AGAINST, judged["adverse"], sayings.ADVERSE),
        *listed(sayings.ONLY_YOU, judged["conditions"], sayings.CONDITIONS),
        Paragraph(words.say(sayings.YOU_DECIDE)),
    ]


def _proof(dossier: Dossier, words: Words, digest: str, files: Mapping[str, str]) -> list[Block]:
    log, proof = dossier["log"], dossier["proof"]
    points = [words.say(_integrity(log), **_named(log["problem"], words))]
    if proof:
        points.append(words.say(sayings.PROVEN, count=len(proof["records"]), seals=len(proof["seals"])))
    else:
        points.append(words.say(sayings.UNPROVEN))
    if log["cosigned"]:
        points.append(words.say(sayings.COSIGNED, count=log["cosigned"]["records"],
                                when=words.when(log["cosigned"]["time"])))  # fmt: skip
    points.append(words.say(sayings.DIGEST, digest=digest, file=files["json"]))
    points += [words.say(text, **files) for text in (sayings.HOW_TO_CHECK, sayings.CHECK_ALONE)]
    points.append(words.say(sayings.COMPARE, name=log["name"] or words.say(sayings.NOT_KNOWN)))
    return [Heading(2, words.say(sayings.PROOF)), Points(tuple(points))]


def _limits(words: Words) -> list[Block]:
    return [Heading(2, words.say(sayings.LIMITS)), Points(tuple(words.say(each) for each in sayings.LIMIT_POINTS))]
