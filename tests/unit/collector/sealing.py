"""Logs in memory that are sealed as a laptop seals them: records, openings, seals, in the order of the log."""

from agent.audit import chain, checkpoint, tree
from agent.audit.checkpoint import Seal, Why
from agent.crypto.signing import FileKey, OnceKey
from agent.transport import wire
from tests.unit.collector.laptops import START_US, Laptop


class SealedLaptop(Laptop):
    """``items`` is the log. Each method writes what an honest writer would; tests change what they want to change."""

    def __init__(self, device="dev_one", seed=""):
        super().__init__(device, seed)
        self.items, self.frontier = [], []
        self.identity = self.start = FileKey()
        self.key = None

    @property
    def log(self):
        return checkpoint.origin(self.identity.public)

    def add(self, kind="transfer", /, **options):
        index = super().add(kind, **options)
        public, private = self.publics[index]
        self.items.append((public, private))
        tree.extend(self.frontier, [chain.leaf(public, chain.private_hash(private))])
        return index

    def open(self, *, by=None, identity=None):
        by, new, self.key = by or self.start, FileKey(), OnceKey()
        bare = Seal(Why.OPEN, len(self.publics), START_US, tree.root(self.frontier), self.key.public,
                    identity=identity or self.identity.public, by=by.public, next_start=new.public)  # fmt: skip
        self.start = new
        return self._put(bare, by)

    def seal(self, *, key=None, why=Why.FLUSH, **changes):
        following = OnceKey()
        bare = Seal(why, len(self.publics), START_US, tree.root(self.frontier), following.public)._replace(**changes)
        key, self.key = key or self.key, following
        return self._put(bare, key)

    def _put(self, bare, key):
        signed = bare._replace(signature=key.sign(checkpoint.text(bare, self.log)))
        self.items.append(checkpoint.pack(signed))
        return self

    def fill(self, count):
        super().fill(count)
        return self

    def session(self, *counts):
        """An opening, and so many records before each seal."""
        self.open()
        for count in counts:
            self.fill(count).seal()
        return self

    def request(self, at=0, end=None, *, first=None, size=None, missing=None, log=None, report=b""):
        """The items from ``at`` up to ``end`` as a request."""
        before = sum(not isinstance(item, bytes) for item in self.items[:at])
        letterhead = wire.Letterhead(
            self.device, before if first is None else first, len(self.publics) if size is None else size, missing,
            START_US, self.log if log is None else log,
        )  # fmt: skip
        return wire.build(letterhead, self.items[at:end], report)
