"""The tree against the definition of RFC 6962, written down as it stands there."""

from hashlib import sha256

import pytest

from agent.audit import tree

LEAVES = [sha256(bytes((number,))).digest() for number in range(70)]


def defined(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + defined(leaves[:half]) + defined(leaves[half:])).digest()


@pytest.mark.parametrize("size", range(70))
def test_roots_frontiers_and_paths(size):
    leaves, root = LEAVES[:size], defined(LEAVES[:size])
    frontier = []
    tree.extend(frontier, leaves[: size // 3])
    tree.extend(frontier, leaves[size // 3 :])
    assert (tree.root(frontier), tree.size(frontier)) == (root, size)
    assert tree.root(tree.unpacked(size, tree.packed(frontier))) == root
    for index in range(size):
        path = tree.inclusion(leaves, index)
        assert tree.root_from(leaves[index], index, size, path) == root
        if path:
            assert tree.root_from(leaves[index], index, size, [path[0][::-1], *path[1:]]) != root
        with pytest.raises(ValueError, match="long|short"):
            tree.root_from(leaves[index], index, size, [*path, root])


@pytest.mark.parametrize(("before", "count"), [(0, 0), (0, 7), (1, 1), (5, 3), (5, 60), (63, 1), (40, 29)])
def test_lost_leaves(before, count):
    one, other = [], []
    tree.extend(one, LEAVES[:before])
    tree.extend(other, [*LEAVES[:before], *[tree.LOST] * count])
    tree.extend_lost(one, count)
    assert (tree.root(one), tree.size(one)) == (tree.root(other), before + count)


def test_very_many_lost_leaves_are_quick():
    frontier = []
    tree.extend_lost(frontier, (1 << 53) + 5)
    assert tree.size(frontier) == (1 << 53) + 5


def test_subtrees_that_do_not_fit_are_refused():
    for size, subtrees in ((3, [b"x" * 32]), (1, [b"x"]), (1 << 63, [b"x" * 32])):
        with pytest.raises(ValueError, match="size"):
            tree.unpacked(size, subtrees)
