"""Laptops that make honest logs in memory."""

from agent.audit import chain, record
from agent.transport import wire

DAY_US = 86_400_000_000
START_US = 1_795_289_704_000_000


class Laptop:
    """The log of a laptop: ``add`` records, ``batch`` some of them."""

    def __init__(self, device="dev_one", seed=""):
        self.device, self.seed = device, seed
        self.head, self.publics, self.heads = chain.EMPTY_HEAD, [], [chain.EMPTY_HEAD]

    def add(self, kind="transfer", /, *, time_us=START_US, private=b"", **fields):
        if kind in {"start", "trouble"}:
            fields["head"] = self.head.hex()
        if self.seed:
            fields["seed"] = self.seed
        public = record.encode(len(self.publics), time_us, 1, "0badcafe", kind, chain.link(self.head), fields)
        self.publics.append((public, private))
        self.head = chain.head_after(self.head, public, chain.leaf(public, chain.private_hash(private)))
        self.heads.append(self.head)
        return len(self.publics) - 1

    def fill(self, count):
        for number in range(count):
            self.add(n=number)
        return self

    def batch(self, first=0, end=None, size=None, missing=None, sent_us=START_US):
        letterhead = wire.Letterhead(self.device, first, len(self.publics) if size is None else size, missing, sent_us)
        return wire.build(letterhead, self.publics[first:end])
