from hashlib import sha256

from agent.audit import chain


def test_hashes_are_those_of_the_format():
    public, private = b'{"a":1}', b"sealed"
    leaf = sha256(b"\x00" + sha256(public).digest() + sha256(private).digest()).digest()
    assert chain.leaf(public, chain.private_hash(private)) == leaf
    assert chain.advance(bytes(32), leaf) == sha256(b"\x02" + bytes(32) + leaf).digest()
    assert chain.leaf(public) == chain.leaf(public, chain.private_hash(b""))
    assert chain.link(bytes(range(32))) == "0001020304050607"
