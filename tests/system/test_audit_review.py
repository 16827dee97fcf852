"""Who sees what of the audit log, and what is said about it: a real agent, real peer credentials, a real log."""

from __future__ import annotations

import json
import os
import time

import pytest

from agent.audit.segments import read, verify_folder
from agent.crypto.keys import KeyStore
from agent.errors import SermentError
from agent.policy.profiles import profile_bytes
from agent.ui.review.client import Filter
from tests.invented import LETTER
from tests.review_bed import ANNE, BORIS, STRANGER, review_bed
from tests.running import wait_for

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="acts as other persons")]
EVERYTHING = Filter("everything")


@pytest.fixture(scope="module")
def bed():
    with review_bed() as made:
        made.agent.start()
        made.fill()
        yield made


def today(client):
    return client.days()["days"][0]["day"]


def transfers(client, wanted=Filter("documents")):
    """The documents of a day but the menu and the agent's own note, which is sometimes seen in time, sometimes not."""
    found = [each for each in client.events(today(client), wanted) if each["fields"]["k"] == "transfer"]
    return [each for each in found if each["fields"]["judgement"] == "medical"]


def first_open(client):
    return next(each["fields"]["i"] for each in transfers(client) if each["needs_review"])


def test_a_clinician_sees_the_own_documents_with_their_names_and_nobody_elses(bed):
    names = [event["name"] for event in transfers(bed.client(ANNE))]
    assert names == [b"courrier VERNICOURT.txt", b"b\x1b[31m<b>[red]\xe2\x80\xae\xff.txt"]
    assert [event["name"] for event in transfers(bed.client(BORIS))] == [b"lettre de Boris.txt"]
    assert transfers(bed.client(STRANGER)) == []


def test_nobody_gets_at_a_record_of_somebody_else_by_its_number(bed):
    number = transfers(bed.client(BORIS))[0]["fields"]["i"]
    for act in (
        lambda client: client.event(number), lambda client: client.mark([number]),
        lambda client: client.contest(number, "teaching", ""),
    ):  # fmt: skip
        with pytest.raises(SermentError, match=f"no record {number}"):
            act(bed.client(ANNE))


def test_the_administrator_sees_everybodys_records_and_no_name(bed):
    found = transfers(bed.client(0))
    assert len(found) == 3
    assert not any("name" in event or "sealed" in event for event in found)
    assert not any("name" in bed.client(0).event(event["fields"]["i"]) for event in found)


def test_every_look_is_a_record_but_not_each_key_press(bed):
    for _ in range(3):
        bed.client(ANNE).days()
    views = [record for record in bed.agent.records("view") if record["scope"] == "own"]
    users = [record["user"] for record in views]
    assert len(users) == len(set(users)) >= 1
    own = transfers(bed.client(ANNE))[0]["fields"]["user"]
    assert own in users
    admin = [r for r in bed.agent.records("view") if r["scope"] == "all"]
    if admin:  # seen by those who were looked at
        seen = bed.client(ANNE).events(today(bed.client(ANNE)), EVERYTHING)
        assert admin[0]["i"] in [event["fields"]["i"] for event in seen]


def test_the_answer_to_why_names_what_was_found_and_the_rule(bed):
    from agent.i18n import catalogue
    from agent.ui.review.sentences import why

    client = bed.client(ANNE)
    event = client.event(first_open(client))
    said = " ".join(why(event, catalogue("en").gettext, "en"))
    assert "clinical letter or report" in said
    assert "clinical term ×" in said
    assert "sync-patient" in said
    assert "block it" in said
    assert "VERNICOURT" not in said
    assert f"restore {event['outcome']['held']}" in said


def test_a_mark_is_a_record_of_who_looked(bed):
    client = bed.client(ANNE)
    number = first_open(client)
    before = client.days()["days"][0]["open"]
    index = client.mark([number])
    record = next(each for each in bed.agent.records("review") if each["i"] == index)
    assert (record["records"], record["by"]) == ([number], "owner")
    assert client.event(number)["reviews"][0]["mine"] is True
    assert client.days()["days"][0]["open"] == before - 1
    bed.client(0).mark([number])
    assert [each["by"] for each in client.event(number)["reviews"]] == ["owner", "administrator"]


def test_what_was_only_observed_is_not_marked(bed):
    client = bed.client(ANNE)
    listed = client.events(today(client), Filter("documents"))
    menu = next(each["fields"]["i"] for each in listed if each.get("name") == b"menu.txt")
    with pytest.raises(SermentError, match="nothing to be reviewed"):
        client.mark([menu])


def test_a_contest_sends_a_word_and_keeps_the_sentence_here(bed):
    client = bed.client(BORIS)
    number = first_open(client)
    with pytest.raises(SermentError, match="one of"):
        client.contest(number, "because", "")
    with pytest.raises(SermentError, match="say why"):
        client.contest(number, "other", "  ")
    index = client.contest(number, "teaching", "cas inventé pour Mme VERNICOURT")
    entry = next(each for each in read(bed.agent.data / "audit", index) if each.number == index)
    assert entry.fields["why"] == "teaching"
    assert entry.fields["of"] == number
    assert b"VERNICOURT" not in entry.public + entry.private
    from agent.audit.private import unseal

    mine = KeyStore(bed.agent.data / "keys").identities(BORIS)
    assert unseal(bed.agent.data / "audit", entry.private, index, mine) == {"reason": "cas inventé pour Mme VERNICOURT"}
    with pytest.raises(SermentError, match="contested already"):
        client.contest(number, "teaching", "")
    assert client.event(number)["contest"]["why"] == "teaching"
    assert [each["fields"]["i"] for each in transfers(client, Filter("contested"))] == [number]


def test_filters(bed):
    client = bed.client(ANNE)
    assert len(transfers(client, Filter("documents", decision="block"))) == 2
    assert transfers(client, Filter("documents", channel="removable")) == []
    volume = transfers(client)[0]["fields"]["volume"]
    assert len(transfers(client, Filter("documents", device=volume))) == 2
    assert {event["fields"]["k"] for event in client.events(today(client), EVERYTHING)} >= {"start", "policy"}


def test_what_is_held_about_me_is_what_the_stores_hold(bed):
    held = {each["store"]: each for each in bed.client(ANNE).mine()["stores"]}
    own = [record for record in bed.agent.records("transfer") if record["user"] == bed.client(ANNE).mine()["user"]]
    assert held["events"]["count"] == len(own)
    assert held["events"]["acted"] == sum(bool(record.get("act")) for record in own)
    entries = [json.loads(path.read_text()) for path in (bed.agent.data / "quarantine").glob("*/meta.json")]
    mine = [entry for entry in entries if entry["uid"] == ANNE]
    assert (held["quarantine"]["count"], held["quarantine"]["bytes"]) == (2, sum(entry["size"] for entry in mine))
    assert held["names"]["count"] == len({p.name[:8] for p in (bed.agent.data / "audit/private").glob(f"*-{ANNE}-*")})
    assert held["keys"]["method"] in {"tpm", "credential", "host"}
    assert held["ledger"]["count"] >= 1
    none = {each["store"]: each["count"] for each in bed.client(STRANGER).mine()["stores"]}
    assert (none["events"], none["names"], none["quarantine"], none["notices"], none["keys"]) == (0, 0, 0, 0, 0)


def test_the_command_works_for_a_clinician_who_may_not_read_the_folder(bed):
    code, out, _errors = bed.command(ANNE, "audit", "list", "--names", "--lang", "en")
    assert code == 0
    assert "courrier VERNICOURT.txt" in out
    assert "Boris" not in out
    assert "\x1b" not in out
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in out
    listed = [json.loads(line) for line in bed.command(ANNE, "audit", "list", "--json")[1].splitlines()]
    numbers = [record["i"] for record in listed]
    assert numbers == sorted(numbers)
    assert {record["k"] for record in listed} >= {"transfer", "outcome", "start"}
    kinds = bed.command(ANNE, "audit", "list", "--json", "--kind", "outcome")[1].splitlines()
    assert [json.loads(line)["k"] for line in kinds] == ["outcome"] * 2
    code, out, _errors = bed.command(ANNE, "audit", "mine", "--lang", "en")
    assert code == 0
    assert "Quarantine: your documents: 2 documents held" in out
    code, _out, errors = bed.command(ANNE, "audit", "verify", "--lang", "en")
    assert code == 2 or "reviewers only" in errors


def test_holds_are_the_administrators(bed):
    code, _out, errors = bed.command(ANNE, "audit", "hold", "add", "2026/17", "--reason", "breach", "--lang", "en")
    assert code != 0
    assert "only the administrator" in errors
    made = bed.agent.command("audit", "hold", "add", "2026/17", "--reason", "breach", "--since", "2026-11-01")
    assert made.returncode == 0, made.stderr
    assert bed.agent.command("audit", "hold", "add", "2026/17", "--reason", "breach").returncode == 64
    assert bed.agent.command("audit", "hold", "add", "Mme Martin née", "--reason", "breach").returncode == 64
    listed = json.loads(bed.agent.command("audit", "hold", "list", "--json").stdout)
    assert (listed["case"], listed["reason"]) == ("2026/17", "breach")
    shown = bed.client(ANNE).mine()["holds"]
    assert [set(each) for each in shown] == [{"since", "until"}]
    seen = [each["fields"] for each in bed.client(ANNE).events(today(bed.client(ANNE)), EVERYTHING)]
    assert all("case" not in fields for fields in seen if fields["k"] == "hold")
    assert bed.agent.command("audit", "hold", "lift", "2026/17").returncode == 0
    assert [record["state"] for record in bed.agent.records("hold")] == ["held", "lifted"]


def test_bad_requests_are_refused_and_leave_no_record(bed):
    before = len(bed.agent.records())
    calls = [
        ("review.events", {"day": "../../etc"}), ("review.events", {"day": "2026-11-22", "shown": "x"}),
        ("review.events", {"day": "2026-11-22", "channel": ["removable"]}), ("review.event", {"i": -1}),
        ("review.event", {"i": True}), ("review.event", {"i": "3"}), ("review.mark", {"records": []}),
        ("review.mark", {"records": [10**18]}), ("review.mark", {"records": list(range(201))}),
        ("review.contest", {"i": 3, "why": {}, "reason": ""}), ("review.hold", {"case": "a", "reason": []}),
    ]  # fmt: skip
    for call, arguments in calls:
        with pytest.raises(SermentError):
            bed.client(BORIS)._agent.call(call, **arguments)
    assert len([r for r in bed.agent.records()[before:] if r["k"] != "view"]) == 0


def giving_names(base):
    (base / "policy.yaml").write_bytes(profile_bytes("enforce") + b"\nnames: administrator\n")
    return {"policy": base / "policy.yaml"}


def test_the_policy_gives_the_administrator_names_and_each_is_recorded():
    with review_bed(giving_names) as bed:
        bed.agent.start()
        bed.put(ANNE, "courrier.txt", LETTER)
        client = bed.client(0)
        (event,) = transfers(client)
        assert "name" not in event
        assert client.event(event["fields"]["i"])["name"] == b"courrier.txt"
        (view,) = [record for record in bed.agent.records("view") if record["scope"] == "names"]
        assert (view["of"], view["by"]) == (event["fields"]["i"], "administrator")
        seen = bed.client(ANNE).events(today(client), EVERYTHING)
        assert view["i"] in [each["fields"]["i"] for each in seen]


def test_retention_of_the_configuration_is_what_the_agent_keeps():
    with review_bed() as bed:
        bed.agent.write_config()
        bed.agent.config.write_text(bed.agent.config.read_text() + "[audit]\nevent_days = 200\nprivate_days = 31\n")
        bed.agent.write_config = lambda: None
        bed.agent.start()
        held = {each["store"]: each["kept_days"] for each in bed.client(ANNE).mine()["stores"] if "kept_days" in each}
        assert (held["events"], held["names"]) == (200, 31)
        old = time.strftime("%Y%m%d", time.gmtime(time.time() - 33 * 86400))
        young = time.strftime("%Y%m%d", time.gmtime(time.time() - 30 * 86400))
        for day in (old, young):  # as if they had been made then; the housekeeping of a start goes by the name
            key = bed.agent.data / "audit/private" / f"{day}-{ANNE}-{'0' * 15}1.key"
            key.parent.mkdir(exist_ok=True)
            key.write_bytes(b"x" * 100)
        bed.agent.stop()
        bed.agent.start()
        wait_for(lambda: bed.agent.records("erasure"))
        wait_for(lambda: not list((bed.agent.data / "audit/private").glob(f"{old}-*")))
        assert list((bed.agent.data / "audit/private").glob(f"{young}-*"))
        assert verify_folder(bed.agent.data / "audit").records
