"""Each kind of tampering, done to the bytes of a real log by somebody who also mends checksums, sizes and numbers."""

import pytest

from agent.audit import chain, frames, record
from agent.audit.head import Head
from agent.audit.verify import verify
from agent.errors import TamperError
from tests.unit.audit.logs import opening

N = 30


def make(count=N, seed="x"):
    """(public parts, head) of an honest log."""
    head = before = chain.EMPTY_HEAD
    publics = []
    for index in range(count):
        fields = {"seed": seed, "n": index}
        if index == 0:
            publics.append(record.encode(index, 1, 2, "0badcafe", "start", chain.link(head), {"clean": True}))
        else:
            publics.append(record.encode(index, 1, 2, "0badcafe", "transfer", chain.link(head), fields))
        before, head = head, chain.head_after(head, publics[-1], chain.leaf(publics[-1]))
    return publics, Head(count, head.hex(), before.hex())


OPENING = opening()


def check(publics, head):
    """Verify the records behind an opening; no seal follows, so that what the links alone show is seen."""
    data = OPENING + b"".join(frames.pack_leaf(public) for public in publics)
    items, _ = frames.split(data)
    return verify(((0, item) for item in items), head)


def relabel(public, **changes):
    fields = record.decode(public)
    fields.update(changes)
    reserved = [fields.pop(key) for key in ("i", "t", "m", "b", "k", "p")]
    return record.encode(*reserved, fields)


def refused(publics, head):
    with pytest.raises(TamperError) as caught:
        check(publics, head)
    assert caught.value.exit_code == 1
    assert str(caught.value.fields["index"]) in str(caught.value)
    return caught.value.fields["kind"], caught.value.fields["index"]


def test_an_intact_log():
    publics, head = make()
    summary = check(publics, head)
    assert (summary.records, summary.head.hex(), summary.starts) == (N, head.head, 1)


def test_records_behind_the_head_are_fine():
    publics, _ = make()
    _, head = make(N - 5)
    assert check(publics, head).records == N


@pytest.mark.parametrize("index", range(N))
def test_edited(index):
    publics, head = make()
    publics[index] = relabel(publics[index], n=999)
    assert refused(publics, head) == ("edited", index)


@pytest.mark.parametrize("index", range(1, N - 1))
def test_deleted(index):
    publics, head = make()
    del publics[index]
    assert refused(publics, head) == ("deleted", index)


@pytest.mark.parametrize("index", range(1, N - 2))
def test_deleted_and_the_rest_numbered_anew(index):
    publics, head = make()
    del publics[index]
    publics[index:] = [relabel(public, i=at) for at, public in enumerate(publics[index:], index)]
    kind, found = refused(publics, head)
    assert kind == "edited"
    assert found in {index - 1, index}


@pytest.mark.parametrize("index", range(N - 1))
def test_inserted_a_copy(index):
    publics, head = make()
    publics.insert(index + 1, publics[index])
    assert refused(publics, head) == ("inserted", index)


@pytest.mark.parametrize("index", range(1, N - 1))
def test_inserted_a_forgery_that_fits_its_past(index):
    publics, head = make()
    publics.insert(index, relabel(publics[index], n=999))
    assert refused(publics, head) == ("inserted", index)


@pytest.mark.parametrize("index", range(1, N - 2))
def test_inserted_a_forgery_with_another_past(index):
    publics, head = make()
    publics.insert(index, relabel(publics[index], n=999, p="f" * 16))
    assert refused(publics, head) == ("inserted", index)


@pytest.mark.parametrize("index", range(1, N - 2))
def test_reordered(index):
    publics, head = make()
    publics[index], publics[index + 1] = publics[index + 1], publics[index]
    assert refused(publics, head) == ("reordered", index)


@pytest.mark.parametrize("left", range(N))
def test_truncated(left):
    publics, head = make()
    assert refused(publics[:left], head) == ("truncated", left)


def test_head_of_another_log():
    publics, _ = make()
    _, other = make(seed="y")
    assert refused(publics, other) == ("head-replaced", N - 1)
    assert refused(publics, None)[0] == "head-replaced"


def test_a_log_rewritten_as_a_whole_does_not_fit_its_head():
    _, head = make()
    publics, _ = make(seed="y")
    assert refused(publics, head)[1] == N - 1


def test_damaged_bytes_and_other_frames_are_edited():
    publics, head = make()
    data = bytearray(b"".join(frames.pack_leaf(public) for public in publics))
    at = len(b"".join(frames.pack_leaf(public) for public in publics[:7]))
    data[at + 20] ^= 4
    items, _ = frames.split(OPENING + bytes(data))
    with pytest.raises(TamperError) as caught:
        verify(((0, item) for item in items), head)
    assert (caught.value.fields["index"], caught.value.fields["kind"]) == (7, "edited")
    foreign = [frames.Frame(frames.FrameType.CHECKPOINT, b"\x00\x00", 0)]
    with pytest.raises(TamperError):
        verify(((0, item) for item in foreign), Head())
