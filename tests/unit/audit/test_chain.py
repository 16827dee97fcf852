from hashlib import sha256
from pathlib import Path

from agent.audit import chain, record
from agent.audit.names import NAMES

PAGE = Path(__file__).parents[3] / "docs/formats/audit-log.md"


def test_hashes_are_those_of_the_format():
    public, private = b'{"a":1}', b"sealed"
    leaf = sha256(b"\x00" + sha256(public).digest() + sha256(private).digest()).digest()
    assert chain.leaf(public, chain.private_hash(private)) == leaf
    assert chain.advance(bytes(32), leaf) == sha256(b"\x02" + bytes(32) + leaf).digest()
    assert chain.head_after(bytes(32), public, leaf) == chain.advance(bytes(32), leaf)
    assert chain.head_after(bytes(32), b"\x99", leaf) == leaf
    assert chain.leaf(public) == chain.leaf(public, chain.private_hash(b""))
    assert chain.link(bytes(range(32))) == "0001020304050607"


def test_the_example_and_the_names_of_the_specification():
    text = PAGE.read_text("utf-8")
    begin = text.index("Example, a log of one record")
    lines = text[begin:].split("\n\n")[1].split()
    public = bytes.fromhex("".join(lines))
    found = record.decode(public)
    assert (found["k"], found["why"]) == ("stop", "é")
    assert f"({len(public)} bytes" in text
    assert f"`{chain.leaf(public).hex()}`" in text
    listed = text[text.index("The list grows at its\nend.") :].split("\n\n")[1].split()
    assert tuple(listed) == tuple(NAMES)
