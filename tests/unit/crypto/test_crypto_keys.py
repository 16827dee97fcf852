"""The practice's and the clinicians' identities: made once, never overwritten, never turned."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from agent.crypto.keys import KeyStore
from agent.crypto.recipients import KeyKind, Named, NamedRecipient, kind_of, new_identity, recipient_of
from agent.errors import HostError, SealError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_made_on_first_need_with_the_right_rights(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    assert not (tmp_path / "keys").exists()
    practice = keys.prepare()
    assert practice.startswith("age1")
    own, second = keys.recipients(os.getuid())
    assert second == practice != own
    folder = tmp_path / "keys"
    assert (mode(folder), mode(folder / "clinicians")) == (0o711, 0o711)
    assert mode(folder / "practice.sealed") == 0o600
    assert mode(folder / "practice.pub") == 0o644
    assert mode(folder / "clinicians" / f"{os.getuid()}.sealed") == 0o600
    assert (folder / "practice.pub").read_text().strip() == practice
    assert keys.identity_for(os.getuid()).startswith("AGE-SECRET-KEY-1")
    assert keys.practice_identity() != keys.identity_for(os.getuid())


def test_never_overwritten(tmp_path: Path) -> None:
    first = KeyStore(tmp_path / "keys").recipients(1000)
    secrets = {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*.*")}
    assert KeyStore(tmp_path / "keys").recipients(1000) == first
    assert {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*.*")} == secrets


def test_two_threads_make_one_key(tmp_path: Path) -> None:
    keys, found = KeyStore(tmp_path / "keys"), []
    threads = [threading.Thread(target=lambda: found.append(keys.recipients(1000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


def test_killed_after_the_key_before_its_recipient(tmp_path: Path) -> None:
    first = KeyStore(tmp_path / "keys").prepare()
    (tmp_path / "keys" / "practice.pub").unlink()
    assert KeyStore(tmp_path / "keys").prepare() == first


def test_a_lost_private_key_is_said_and_not_replaced(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys").prepare()
    (tmp_path / "keys" / "practice.sealed").unlink()
    with pytest.raises(HostError) as caught:
        KeyStore(tmp_path / "keys").prepare()
    assert caught.value.hint
    assert not (tmp_path / "keys" / "practice.sealed").exists()


def test_no_private_key_is_on_the_disk_in_clear(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.recipients(1000)
    keys.renew("clinicians/1000")
    secrets = [*keys.identities(1000), keys.practice_identity()]
    assert len(secrets) == 3
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"AGE-SECRET-KEY" not in everything.upper()
    assert {each.method for each in keys.states()} <= {"tpm", "credential", "host"}


def old_store(folder: Path) -> dict[str, str]:
    """A key folder as versions before this one left it: private keys in clear."""
    (folder / "clinicians").mkdir(parents=True)
    made = {name: new_identity(KeyKind.X25519) for name in ("practice", "clinicians/1000", "clinicians/1001")}
    for name, identity in made.items():
        (folder / f"{name}.key").write_text(f"# public key: {recipient_of(identity)}\n{identity}\n")
        (folder / f"{name}.pub").write_text(recipient_of(identity) + "\n")
    return made


def test_keys_of_an_earlier_version_are_protected_and_stay_the_same(tmp_path: Path) -> None:
    made = old_store(tmp_path / "keys")
    keys = KeyStore(tmp_path / "keys")
    assert keys.prepare() == recipient_of(made["practice"])
    assert keys.practice_identity() == made["practice"]
    assert keys.identity_for(1000) == made["clinicians/1000"]
    assert keys.recipients(1001)[0] == recipient_of(made["clinicians/1001"])
    assert not list((tmp_path / "keys").rglob("*.key"))
    assert KeyStore(tmp_path / "keys").practice_identity() == made["practice"]


def test_killed_while_an_old_key_was_protected(tmp_path: Path) -> None:
    """Both files are there: the one in clear goes, and the key is the same."""
    made = old_store(tmp_path / "keys")
    clear = (tmp_path / "keys/practice.key").read_bytes()
    KeyStore(tmp_path / "keys").prepare()
    (tmp_path / "keys/practice.key").write_bytes(clear)
    keys = KeyStore(tmp_path / "keys")
    keys.prepare()
    assert keys.practice_identity() == made["practice"]
    assert not (tmp_path / "keys/practice.key").exists()


def test_a_clinician_who_changed_the_own_old_key_file_changes_no_recipient(tmp_path: Path) -> None:
    made = old_store(tmp_path / "keys")
    (tmp_path / "keys/clinicians/1000.key").write_text(made["clinicians/1001"])
    assert KeyStore(tmp_path / "keys").recipients(1000)[0] == recipient_of(made["clinicians/1000"])


def test_the_policys_recovery_key_stands_for_the_practices_and_decides_the_kind(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    first = keys.recipients(1000)
    recovery = recipient_of(new_identity(KeyKind.HYBRID))
    always, asked = (recipient_of(new_identity(KeyKind.HYBRID)) for _ in range(2))
    others = (NamedRecipient("cardio", always, always=True), NamedRecipient("radio", asked))
    keys.follow(lambda: Named(recovery, others))
    own, *rest = keys.recipients(1000)
    assert rest == [recovery, always]
    assert kind_of(own) is KeyKind.HYBRID
    assert keys.named("radio") == asked
    assert keys.named("nobody") is None
    assert {recipient_of(each) for each in keys.identities(1000)} == {own, first[0]}  # old files still open
    assert KeyStore(tmp_path / "keys").practice_identity()  # and with the practice's key of before


def test_under_a_phrase_this_machine_alone_opens_nothing(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.recipients(1000)
    before = (keys.renew("clinicians/1000"), keys.identities(1000))
    keys.protect_with_phrase(1000, "abricot évasif zèbre pomme")
    fresh = KeyStore(tmp_path / "keys")
    with pytest.raises(SealError, match="locked"):
        fresh.identities(1000)
    assert fresh.recipients(1000)[0] == before[0]
    assert tuple(fresh.unlocked_with(1000, "Abricot-evasif-zebre-pomme")) == before[1]
    with pytest.raises(SealError, match="not the phrase"):
        fresh.unlocked_with(1000, "abricot evasif zebre poire")
    with pytest.raises(SealError, match="not the phrase"):
        fresh.protect_with_phrase(1000, "another phrase that is long enough", "abricot evasif zebre poire")
    fresh.protect_with_phrase(1000, "another phrase that is long enough", "abricot evasif zebre pomme")
    assert tuple(fresh.unlocked_with(1000, "another phrase that is long enough")) == before[1]
    assert not list((tmp_path / "keys/clinicians").glob("*.sealed"))
    if fresh.unlock(1000, "another phrase that is long enough"):
        try:
            assert KeyStore(tmp_path / "keys").identities(1000) == before[1]
        finally:
            assert fresh.lock(1000)
    with pytest.raises(SealError, match="locked"):
        KeyStore(tmp_path / "keys").identities(1000)


def test_a_key_from_a_backup_opens_and_nothing_is_sealed_to_it(tmp_path: Path) -> None:
    keys, lost = KeyStore(tmp_path / "keys"), new_identity(KeyKind.X25519)
    own = keys.recipients(1000)[0]
    keys.restore("clinicians/1000", lost)
    keys.restore("clinicians/1000", lost)
    assert [recipient_of(each) for each in keys.identities(1000)] == [own, recipient_of(lost)]
    assert keys.recipients(1000)[0] == own
    with pytest.raises(SealError):
        keys.restore("clinicians/1000", "AGE-SECRET-KEY-1QQ")


def test_the_practices_key_goes_only_when_the_policy_names_it_for_recovery(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    practice = keys.prepare()
    with pytest.raises(SealError, match="stays"):
        keys.close_practice()
    keys.follow(lambda: Named(practice))
    keys.close_practice()
    assert not list((tmp_path / "keys").glob("practice*"))
    assert keys.recipients(1000)[1] == practice
    with pytest.raises(SealError):
        keys.practice_identity()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100, b"A" * 100_000])
def test_damaged_key(tmp_path: Path, content: bytes) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.recipients(1000)
    (tmp_path / "keys/clinicians/1000.sealed").write_bytes(content)
    with pytest.raises(SealError):
        keys.identity_for(1000)


def test_no_key_for_a_stranger_and_no_link_followed(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    with pytest.raises(SealError):
        keys.identity_for(1000)
    keys.prepare()
    (tmp_path / "keys/clinicians/1001.sealed").symlink_to(tmp_path / "keys/practice.sealed")
    with pytest.raises(SealError):
        keys.identity_for(1001)
