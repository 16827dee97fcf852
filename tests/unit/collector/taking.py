"""Requests taken in as the collector does it, without HTTP."""

import asyncio

from agent.crypto.signing import FileKey
from agent.transport import wire
from collector.ingest.intake import Intake
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer

NEXT_S = 300


class Taking:
    def __init__(self, store, witness=None, verifiers=0):
        self.store, self.witness = store, witness or Witness(FileKey())
        self.writer, self.verifiers = Writer(store), Verifiers(verifiers)
        self.intake = Intake(store, self.writer, self.verifiers, self.witness, lambda _laptop, _now: NEXT_S)

    def send(self, batch, *, make=True, reported_us=0):
        """The reply, as it goes over the wire and back; what the clocks say of one another is left out."""
        letterhead = wire.parse_headers(wire.headers(batch.letterhead))
        reply, self.laptop = asyncio.run(self.intake.take(letterhead, batch.body, make=make, reported_us=reported_us))
        parsed = wire.parse_reply(wire.reply_bytes(reply), refused=bool(reply.why))
        return wire.Reply(parsed.size, parsed.next_s, parsed.why, parsed.cosigned)

    def close(self):
        self.verifiers.close()
        self.writer.close()
