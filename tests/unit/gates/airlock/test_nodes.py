"""The table of what the kernel holds."""

from __future__ import annotations

import os
import random
import stat

import pytest

from agent.gates.airlock.nodes import Node, Tree

FOLDER, FILE = stat.S_IFDIR, stat.S_IFREG


def _made(tree: Tree, parent: Node, name: bytes, kind: int = FILE) -> Node:
    node = tree.bind(parent, name, kind, 9, on_medium=True)
    node.lookups += 1
    return node


def test_moving_a_folder_moves_what_is_below() -> None:
    tree = Tree(2)
    folder = _made(tree, tree.root, b"a", FOLDER)
    file = _made(tree, folder, b"f")
    other = _made(tree, tree.root, b"b", FOLDER)
    tree.move(folder, other, b"c")
    assert tree.path(file) == b"b/c/f"
    assert tree.path(folder, b"new") == b"b/c/new"
    assert tree.child(tree.root, b"a") is None


def test_a_replaced_node_keeps_its_number_and_loses_its_name() -> None:
    tree = Tree(2)
    old, new = _made(tree, tree.root, b"old"), _made(tree, tree.root, b"new")
    tree.move(new, tree.root, b"old")
    assert tree.child(tree.root, b"old") is new
    assert old.parent is None
    assert tree.get(old.number) is old
    with pytest.raises(FileNotFoundError):
        tree.path(old)


def test_forgotten_nodes_go_and_their_folders_with_them() -> None:
    tree = Tree(2)
    folder = _made(tree, tree.root, b"a", FOLDER)
    file = _made(tree, folder, b"f")
    tree.forget(folder.number, 1)
    assert tree.get(folder.number) is folder  # a child needs it
    tree.forget(file.number, 1)
    for node in (file, folder):
        with pytest.raises(OSError, match=os.strerror(116)):
            tree.get(node.number)
    assert tree.child(tree.root, b"a") is None
    tree.forget(1, 1000)
    tree.forget(12345, 1)
    assert tree.get(1) is tree.root


def test_a_node_in_use_is_not_forgotten() -> None:
    tree = Tree(2)
    node = _made(tree, tree.root, b"f")
    node.writers = 1
    tree.forget(node.number, 1)
    assert tree.child(tree.root, b"f") is node
    node.writers = 0
    tree.settle(node)
    assert tree.child(tree.root, b"f") is None


def test_numbers_are_never_used_twice() -> None:
    tree = Tree(2)
    seen = set()
    for _ in range(50):
        node = _made(tree, tree.root, b"f")
        assert node.number not in seen
        seen.add(node.number)
        tree.forget(node.number, 1)


def test_folded_names_are_one_file() -> None:
    tree = Tree(2, bytes.lower)
    node = _made(tree, tree.root, b"Letter")
    assert tree.child(tree.root, b"LETTER") is node
    tree.move(node, tree.root, b"letter")
    assert tree.path(node) == b"letter"
    assert tree.child(tree.root, b"Letter") is node


def test_a_ghost_fades_but_is_remembered() -> None:
    tree = Tree(2)
    tree.remember_ghost(tree.root, b"letter", b"letter.age", 0.0)
    assert tree.ghost(tree.root, b"letter") is None
    found = tree.ghost(tree.root, b"letter", fresh=False)
    assert found is not None
    assert found.sealed_as == b"letter.age"
    for number in range(2000):
        tree.remember_ghost(tree.root, b"%d" % number, b"x", 9)
    assert tree.ghost(tree.root, b"letter", fresh=False) is None  # bounded
    tree.lay_ghost(tree.root, b"1999")
    assert tree.ghost(tree.root, b"1999") is None


def test_random_moves_keep_the_table_whole() -> None:
    rng = random.Random(5)  # noqa: S311
    tree = Tree(2)
    nodes = [_made(tree, tree.root, b"%d" % number, FOLDER) for number in range(8)]
    for _ in range(2000):
        node, to = rng.choice(nodes), rng.choice([tree.root, *nodes])
        above: Node | None = to
        while above is not None and above is not node:
            above = above.parent
        if above is node or (to is not tree.root and to.parent is None):
            continue  # not below itself, not into what has no name
        tree.move(node, to, b"%d" % rng.randrange(4))
        for each in nodes:
            if each.parent is not None:
                assert each.parent.children[each.name] is each
        named = sum(len(each.children) for each in [tree.root, *nodes])
        assert named == sum(each.parent is not None for each in nodes)
