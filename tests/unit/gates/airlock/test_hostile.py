"""What a stranger's medium or a patient program could do to the airlock's own tables."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from agent.gates.airlock.descriptor import Descriptor, Number
from agent.gates.airlock.listings import MOST_NAMES, Listings, refuse_too_many
from agent.gates.airlock.medium import Medium
from agent.gates.airlock.nodes import Node, Tree
from agent.gates.airlock.session import Session
from agent.gates.airlock.staged import CHUNK, Meta, Staged
from agent.gates.airlock.staging import Store
from agent.gates.airlock.volume import Handle

_FAT, _EXFAT = 0x4D44, 0x2011BAB0


@pytest.fixture
def medium(tmp_path: Path) -> Medium:
    return Medium(os.open(tmp_path, os.O_PATH))


def _handle(number: int) -> Handle:
    return Handle(number, Node(number, None, b"", 0, 0, True), False, (0, 0))


def _names(count: int) -> list[tuple[bytes, int, int]]:
    return [(b"%d" % number, number, 0) for number in range(count)]


def test_listings_of_many_open_folders_are_bounded_and_made_again() -> None:
    listings = Listings(most=100)
    handles = [_handle(number) for number in range(9)]
    for handle in handles:
        assert len(listings.make(handle, lambda: _names(40))) == 40
    assert sum(handle.listing is not None for handle in handles) == 2
    assert [handle.number for handle in handles if handle.listing is not None] == [7, 8]  # who reads now has it
    listings.forget(handles[-1])
    assert sum(handle.listing is not None for handle in handles) == 1
    assert len(listings.make(handles[0], lambda: _names(500))) == 500  # one folder alone may be larger
    assert sum(handle.listing is not None for handle in handles) == 1


def test_a_folder_without_end_is_not_listed_rather_than_by_half() -> None:
    refuse_too_many(MOST_NAMES)
    with pytest.raises(OSError) as caught:
        refuse_too_many(MOST_NAMES + 1)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        (_FAT, "Letter.TXT", "letter.txt", True),
        (_FAT, "École", "école", False),
        (_EXFAT, "École", "école", True),
        (_EXFAT, "straße", "strasse", False),
        (_EXFAT, "ﬁn", "fin", False),
        (_EXFAT, "\u212aelvin", "kelvin", False),
        (_EXFAT, "ſein", "sein", False),
        (_EXFAT, "ıspata", "ispata", False),
    ],
)
def test_two_documents_never_share_a_key(medium: Medium, kind: int, one: str, other: str, same: bool) -> None:
    medium.kind, medium.folds = kind, True
    assert (medium.fold(one.encode()) == medium.fold(other.encode())) is same
    assert medium.fold(b"\xff\xc3") == medium.fold(b"\xff\xc3")


def test_listing_a_folder_twice_at_once(medium: Medium, tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"{number}").touch()
    first = medium.names(medium.root)
    begun = [next(first)]
    assert len(list(medium.names(medium.root))) == 500
    assert len(begun + list(first)) == 500


def test_a_number_in_use_leads_nowhere_else(tmp_path: Path) -> None:
    owner = Descriptor(os.open(tmp_path, os.O_RDONLY))
    number = Number.of(owner)
    state = os.fstat(number)
    del owner  # another thread lets the folder go
    taken = Descriptor(os.open("/", os.O_RDONLY))
    assert taken.fd != number
    assert os.path.samestat(os.fstat(number), state)


def test_a_machine_without_threads_to_give_does_not_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    session = Session(-1, {})
    monkeypatch.setattr(threading.Thread, "start", refused)
    session._more()
    assert (session._threads, session._readers) == (0, 0)  # so that it is tried again


def test_a_hole_of_terabytes_costs_nothing_to_judge() -> None:
    node = Node(2, None, b"", 0, 0, False)
    staged = Staged(node, Store(1 << 30, 1 << 30, None), Meta.new(0o600, 0, 0), (0, 0))
    staged.truncate(1 << 44)
    staged.write(memoryview(b"x"), 1 << 43)
    kept = staged.digests()
    assert set(kept) == {(1 << 43) // CHUNK}
    assert [offset for offset, _ in staged.verified(kept)] == [1 << 43]
    staged.truncate(0)
    staged.truncate(1 << 44)
    with pytest.raises(OSError) as caught:  # what was judged is gone
        list(staged.verified(kept))
    assert caught.value.errno == errno.EIO
    assert staged.digests() == {}


def test_a_name_that_was_given_to_another_file_is_sealed_beside() -> None:
    tree = Tree(2)
    meta = Meta.new(0o640, 7, 8)
    tree.remember_ghost(tree.root, b"letter", b"letter.age", 9, meta)
    found = tree.ghost(tree.root, b"letter")
    assert found is not None
    assert found.meta is meta  # its writer may write it again
    tree.unseal(tree.root, b"other.age")
    assert tree.ghost(tree.root, b"letter") is not None
    tree.unseal(tree.root, b"letter.age")
    assert tree.ghost(tree.root, b"letter", fresh=False) is None
