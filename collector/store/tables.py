"""The tables as they are now. How they came to be: ``migrations``. Nothing here knows how they are filled or read.

Times are seconds since 1970 UTC by the collector's clock where nothing else is said.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

laptops = Table(
    "laptops",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device", Text, nullable=False, unique=True),  # the pseudonym
    Column("group_name", Text, nullable=False, server_default=""),
    Column("version", Number, nullable=False, server_default="0"),  # changes with every write to this row
    Column("first_seen", Number, nullable=False),
    Column("last_seen", Number, nullable=False),
    Column("size", Number, nullable=False),  # records 0 to size-1 are known, the holes that were told excepted
    Column("head", LargeBinary),  # NULL behind a hole
    Column("frontier", LargeBinary),  # of the Merkle tree over them, smallest subtree first; NULL: not known
    Column("log", Text, nullable=False, server_default=""),  # the name of the log
    Column("seals", LargeBinary, nullable=False, server_default=""),  # ingest.seals
    Column("skew_ms", Number, nullable=False),  # the collector's clock minus the laptop's
    Column("summary", Text, nullable=False),  # what the last records say of it, as JSON: fleet.Summary
    Column("report", LargeBinary),  # the last report, as it came
    Column("reported", Number, nullable=False, server_default="0"),  # µs, its clock: its last signed request
    Column("next_at", Number, nullable=False, server_default="0"),  # when it was told to come back
    Column("visit_s", Number, nullable=False, server_default="0"),  # an officer's own rhythm; 0: the fleet's
    Column("key", LargeBinary),  # public key (DER) of the certificate last issued; NULL: not enrolled
    Column("enrolled_at", Number),
    Column("certified_until", Number),
    Column("denied_at", Number),  # NULL: welcome
    Column("denied_why", Text, nullable=False, server_default=""),
    # What ``summary`` and ``report`` say, once more, for what is counted and searched by (migration 0007_figures):
    Column("running", Number),  # 1, 0; NULL: no start or stop was told
    Column("guard", Text, nullable=False, server_default=""),  # fleet.Summary.guard
    Column("policy_name", Text, nullable=False, server_default=""),
    Column("policy_release", Text, nullable=False, server_default=""),
    Column("policy_mode", Text, nullable=False, server_default=""),
    Column("refused_why", Text, nullable=False, server_default=""),  # report.refusal
    Column("refused_number", Number, nullable=False, server_default="0"),
)

tallies = Table(  # documents judged, added up while they arrive: what today's page shows
    "tallies",
    metadata,
    Column("slot", Number, primary_key=True),  # a quarter of an hour of the laptops' clocks, since 1970
    Column("shard", Number, primary_key=True),  # a number that each collector draws: none waits for another's row
    Column("documents", Number, nullable=False),
    Column("medical", Number, nullable=False),
    Column("held", Number, nullable=False),
)

EVENT_COLUMNS = ("device", "idx", "t", "kind", "channel", "decision", "of", "public", "private_hash")

events = Table(  # for reading; a table for each month of arrival lies behind it
    "events",
    metadata,
    Column("device", Number, primary_key=True),
    Column("idx", Number, primary_key=True),
    Column("t", Number, nullable=False),  # microseconds since 1970 UTC, the laptop's clock
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("of", Number),  # an outcome's transfer
    Column("public", LargeBinary, nullable=False),
    Column("private_hash", LargeBinary),  # NULL: there is no private part
    Column("month", Number, nullable=False),  # of arrival, YYYYMM
    info={"view": True},
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("number", Number, primary_key=True),
    Column("laptop", Number, nullable=False),
    Column("first", Number, nullable=False),
    Column("brought", Number, nullable=False),  # records
    Column("at", Number, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device", Number, nullable=False),
    Column("kind", Text, nullable=False),
    Column("idx", Number, nullable=False),
    Column("first_at", Number, nullable=False),
    Column("last_at", Number, nullable=False),
    Column("times", Number, nullable=False),
    UniqueConstraint("device", "kind", "idx"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Number, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the secret
    Column("group_name", Text, nullable=False),
    Column("made_at", Number, nullable=False),
    Column("until", Number, nullable=False),
    Column("used_at", Number),
    Column("used_key", LargeBinary),  # SHA-256 of the public key that used it
    Column("device", Text, nullable=False, server_default=""),  # ... and became
    Column("revoked_at", Number),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),  # hexadecimal
    Column("device", Text, nullable=False),
    Column("issued_at", Number, nullable=False),
    Column("until", Number, nullable=False),
    Column("why", Text, nullable=False),  # enrol or renew
)

acts = Table(  # what people did, in the same transaction as what they did; the journal takes it over from here
    "acts",
    metadata,
    Column("id", Number, primary_key=True),
    Column("at", Number, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("what", Text, nullable=False),  # a stable word
    Column("fields", Text, nullable=False),  # JSON
    Column("journal_index", Number),  # of the record in the collector's own log; NULL: not there yet
)

officers = Table(  # people who decide: migration 0005_officers
    "officers",
    metadata,
    Column("id", Number, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # what they sign in with
    Column("roles", Text, nullable=False),  # words with a space between them: officers.roles
    Column("passphrase", Text, nullable=False, server_default=""),  # scrypt; "": none was chosen yet
    Column("made_at", Number, nullable=False),
    Column("closed_at", Number),
)

officer_links = Table(  # one-time links
    "officer_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the secret
    Column("officer", Number, nullable=False),
    Column("until", Number, nullable=False),
    Column("used_at", Number),
)

officer_sessions = Table(
    "officer_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("officer", Number, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("whole", Number, nullable=False),  # 0: the passkey is still to come
    Column("made_at", Number, nullable=False),
    Column("last_at", Number, nullable=False),
    Column("challenge", LargeBinary),  # that a passkey has to answer
    Column("challenge_until", Number),
)

officer_passkeys = Table(
    "officer_passkeys",
    metadata,
    Column("credential", LargeBinary, primary_key=True),
    Column("officer", Number, nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", Number, nullable=False),
    Column("label", Text, nullable=False),
    Column("made_at", Number, nullable=False),
    Column("last_at", Number),
)

officer_identities = Table(  # accounts that the hospital's directory vouches for: migration 0006_directory
    "officer_identities",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of issuer, U+000A, subject
    Column("officer", Number, nullable=False, unique=True),
)

officer_flows = Table(  # sign-ins on their way through the directory: officers.flows
    "officer_flows",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("state", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("go_on", Text, nullable=False),
    Column("until", Number, nullable=False, index=True),
)

officer_tries = Table(  # sign-ins that failed in a row
    "officer_tries",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the name that was given
    Column("times", Number, nullable=False),
    Column("last_at", Number, nullable=False),
)

story_decisions = Table(  # what officers made of the alerts of one kind of one laptop; the last one counts
    "story_decisions",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device", Number, nullable=False),
    Column("kind", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # normal, incident or exception
    Column("until", Number),  # of an exception
    Column("upto", Number, nullable=False),  # the latest alert that was on the page; what comes after is not decided
    Column("why", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("at", Number, nullable=False),
)

answers = Table(  # to what clinicians asked for in their logs; the last one counts
    "answers",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device", Number, nullable=False),
    Column("idx", Number, nullable=False),
    Column("answer", Text, nullable=False),  # granted, refused or noted
    Column("why", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("at", Number, nullable=False),
)

risks = Table(
    "risks",
    metadata,
    Column("id", Number, primary_key=True),
    Column("version", Number, nullable=False),  # two officers who change one at once: the second one is told
    Column("title", Text, nullable=False),
    Column("treatment", Text, nullable=False),  # refused, reduced, transferred or accepted
    Column("owner", Text, nullable=False),
    Column("decided_on", Text, nullable=False),  # ISO date
    Column("review_on", Text, nullable=False),
    Column("note", Text, nullable=False),
)

published = Table(  # one row: what was published last, from whichever collector's folder (migration 0008_published)
    "published",
    metadata,
    Column("id", Number, primary_key=True),
    Column("number", Number, nullable=False),  # of the timestamp
    Column("digest", Text, nullable=False),  # SHA-256 of it, hexadecimal
)

forward_targets = Table(
    "forward_targets",
    metadata,
    Column("id", Number, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("settings", Text, nullable=False),  # JSON: forward.targets.Settings; never a secret
    Column("number", Number, nullable=False, server_default="0"),  # the arrival up to which everything was sent …
    Column("skip", Number, nullable=False, server_default="0"),  # … or, above 0, how many records of it were
    Column("sent", Number, nullable=False, server_default="0"),  # events
    Column("lost", Number, nullable=False, server_default="0"),  # records that were forgotten before they were sent
    Column("failures", Number, nullable=False, server_default="0"),  # in a row
    Column("next_at", Number, nullable=False, server_default="0"),
    Column("sent_at", Number),
    Column("problem", Text, nullable=False, server_default=""),  # why the last attempt failed
)

forward_dead = Table(  # what a target would not take; it stays until it is sent again or the target is removed
    "forward_dead",
    metadata,
    Column("id", Number, primary_key=True),
    Column("target", Number, nullable=False, index=True),
    Column("laptop", Number, nullable=False),
    Column("idx", Number, nullable=False),
    Column("at", Number, nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("target", "laptop", "idx"),
)
