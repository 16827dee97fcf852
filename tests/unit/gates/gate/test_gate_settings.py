"""What the agent and the gate share: settings as bytes, the journal, the counts."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UntrustedInputError
from agent.gates.gate.board import BATCH_BYTES, SLOTS, Board
from agent.gates.gate.fanotify import EVENT, EVENT_VERSION
from agent.gates.gate.settings import Folder, FolderKind, Settings, Standing, decode, encode

_NAMES = st.binary(min_size=1, max_size=300).map(lambda raw: raw.replace(b"\0", b"/"))
_NUMBERS = st.integers(0, 2**63)
_FOLDERS = st.builds(Folder, _NAMES, st.sampled_from(FolderKind), st.booleans())
_PROGRAMS = st.tuples(_NUMBERS, _NUMBERS, _NUMBERS, st.sampled_from(Standing), _NAMES)
_SETTINGS = st.builds(
    Settings, st.lists(_FOLDERS, max_size=5).map(tuple), st.lists(_PROGRAMS, max_size=5).map(tuple), _NUMBERS, _NUMBERS,
    _NUMBERS, _NUMBERS, st.booleans(), st.booleans(), _NUMBERS, st.just(b"") | _NAMES,
)  # fmt: skip


@given(_SETTINGS)
def test_settings_come_out_as_they_went_in(settings: Settings) -> None:
    assert decode(encode(settings)) == settings


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(raw: bytes) -> None:
    try:
        found = decode(raw)
    except UntrustedInputError:
        return
    assert isinstance(found, Settings)


def test_a_name_with_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        encode(Settings((Folder(b"/a\0b", FolderKind.SYNC),)))


@pytest.fixture
def board() -> Board:
    fd = Board.create()
    made = Board(fd)
    os.close(fd)
    return made


def _event(board: Board, at: int, number: int) -> None:
    EVENT.pack_into(board.batch, at, EVENT.size, EVENT_VERSION, 0, EVENT.size, 0, number, 7)


def test_a_new_board_holds_nobody(board: Board) -> None:
    assert list(board.unanswered()) == []
    assert not board.in_hand()
    assert board.settings() == (0, b"")


def test_what_was_read_and_not_answered_is_in_the_journal(board: Board) -> None:
    for position, number in enumerate((11, 12, 13)):
        _event(board, position * EVENT.size, number)
    board.done(EVENT.size)
    board.hold(5, 12, 7)
    assert {(item.number, item.slot) for item in board.unanswered()} == {(11, -1), (13, -1), (12, 5)}
    assert board.in_hand()
    board.free(5)
    board.clear_batch()
    assert list(board.unanswered()) == []


def test_a_full_batch_and_a_full_house_are_read_to_the_end(board: Board) -> None:
    for at in range(0, BATCH_BYTES, EVENT.size):
        _event(board, at, 1000 + at)
    for slot in range(SLOTS):
        board.hold(slot, slot + 10**6, 1)
    assert len(list(board.unanswered())) == BATCH_BYTES // EVENT.size + SLOTS


def test_another_process_sees_the_same(board: Board) -> None:
    fd = Board.create()
    one, other = Board(fd), Board(fd)
    os.close(fd)
    one.turn, one.keeper, one.answerer = 41, 7, 8
    one.publish(b"first")
    epoch = other.epoch
    one.publish(b"second, longer")
    assert (other.turn, other.keeper, other.answerer) == (41, 7, 8)
    assert other.settings() == (epoch + 2, b"second, longer")


def test_a_memory_that_is_not_ours_is_refused() -> None:
    fd = Board.create()
    os.pwrite(fd, b"nonsense", 0)
    with pytest.raises(UntrustedInputError):
        Board(fd)
    os.close(fd)


def test_holds_are_counted_in_powers_of_two(board: Board) -> None:
    for _ in range(98):
        board.held(1_000)
    board.held(5_000_000)
    board.held(1_000_000_000)
    assert board.quantile_ns(0.5) == 1024
    assert 5_000_000 <= board.quantile_ns(0.99) <= 2 * 5_000_000
    assert board.counts()["longest_ns"] == 1_000_000_000
