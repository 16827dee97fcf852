from hashlib import sha256

from agent.audit import chain, record


def test_hashes_are_those_of_the_format():
    public, private = b'{"a":1}', b"sealed"
    leaf = sha256(b"\x00" + sha256(public).digest() + sha256(private).digest()).digest()
    assert chain.leaf(public, chain.private_hash(private)) == leaf
    assert chain.advance(bytes(32), leaf) == sha256(b"\x02" + bytes(32) + leaf).digest()
    assert chain.leaf(public) == chain.leaf(public, chain.private_hash(b""))
    assert chain.link(bytes(range(32))) == "0001020304050607"


def test_the_example_of_the_specification():
    from pathlib import Path

    text = (Path(__file__).parents[3] / "docs/formats/audit-log.md").read_text("utf-8")
    public = next(line.strip() for line in text.splitlines() if line.startswith('    {"b"')).encode()
    leaf = chain.leaf(public)
    assert record.decode(public)["k"] == "stop"
    assert f"({len(public)} bytes" in text
    assert f"leaf `{leaf.hex()}`" in text
    assert f"head `{chain.advance(chain.EMPTY_HEAD, leaf).hex()}`" in text
