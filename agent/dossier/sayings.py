"""The sentences of a dossier, as catalogue keys. Nothing but text: ``composing`` chooses."""

from __future__ import annotations

from agent.errors import N_

TITLES = {
    "device": N_("Dossier of an incident: a lost or stolen medium"),
    "document": N_("Dossier of an incident: one document"),
    "time": N_("Dossier of an incident: what left in a time"),
}
MADE = N_("Made on {when} {who}, by Serment {version}, from the audit log of the laptop.")
MAKERS = {
    "administrator": N_("by the administrator of the laptop"),
    "owner": N_("by the clinician, from the own records"),
    "offline": N_("from a copy of the log, on another computer"),
}
FROM_LOG = N_("Fingerprint of the log: {name}")
NOT_KNOWN = N_("not known")
NOT_RECORDED = N_("not recorded")
OWN_ONLY = N_(
    "This dossier holds the records of one person alone. Other people of this laptop may have used the same medium: "
    "the administrator makes the whole dossier."
)
IN_SHORT = N_("In short")
LAST_SEEN = N_("{stick}: last seen on this laptop on {when}")
GROUPS = {
    "clear": N_("{count} {count:document|documents} about patients in clear, or of unknown end"),
    "traces": N_("{count} {count:document|documents} about patients in clear for a moment, traces possible"),
    "sealed": N_("{count} {count:document|documents} about patients sealed (encrypted)"),
    "refused": N_("{count} {count:document|documents} about patients refused, nothing left"),
}
PERSONS_ABOUT = N_("about {count} {count:person|persons}")
NOBODY = N_("none")
PERSONS_BETWEEN = N_("between {least} and {most} persons")
AND_UNREAD = N_("(and {count} {count:document|documents} that could not be judged)")
OTHERS = N_("{count} other {count:document|documents} in which nothing about a patient was found")
SEALED_FILES = N_(
    "{count} sealed {count:file|files} already encrypted when seen: the same as above, or sealed by hand before"
)
ANSWERS = {
    "unlikely": N_("Help for judging: a risk for the persons looks unlikely, under the conditions below."),
    "likely": N_("Help for judging: documents about patients are readable by whoever has the medium or the account."),
    "open": N_("Help for judging: the log alone cannot exclude a risk for the persons."),
}
INTACT = {
    "yes": N_("The audit log was verified: nobody changed it."),
    "no": N_(
        "The audit log does not verify: record {index} ({kind}). What is said here is to be taken with that doubt."
    ),
    "part": N_("The audit log was not verified as a whole; the records of this dossier are proved one by one."),
}
DUE = N_("Known since {since}. Notification to the authority (article 33) before {by}, unless a risk is unlikely.")
DUE_UNKNOWN = N_("Notification to the authority (article 33): within 72 hours after the practice became aware of it.")

WHICH_STICK = N_("Which medium")
STICK_NUMBER = N_("Medium {number}")
NAMELESS_STICK = N_("medium {number} (it gave no name)")
WHAT = N_("What")
RECORDED = N_("As recorded")
MAKE = N_("Vendor and product")
IDS = N_("USB numbers (vendor:product)")
BUS = N_("Connection and file system")
SERIAL = N_("Serial number, as you gave it")
SERIAL_DIGEST = N_("Serial number, keyed digest")
VOLUMES = N_("Volumes, keyed digest of their identifier")
FIRST = N_("First seen here")
LAST = N_("Last seen here")
STATE = N_("Then")
TAKEN_OUT = N_("taken out")
NOT_TAKEN_OUT = N_("still plugged in when the log ends, or the laptop was stopped first")
GUARDED = N_("How it was guarded")
LABEL_NOTE = N_(
    "The log holds no serial number and no name of a volume in clear: a digest with a key that stays on the laptop. "
    "Two media with the same name are two media here."
)
STILL_ON_IT = N_(
    "What is on it now is not known: documents may have been deleted or overwritten since. That would not prove that "
    "nobody read them, and deleted files can often be brought back."
)

WHICH_DOCUMENTS = N_("Which documents")
NO_DOCUMENTS = N_("The log tells of no document about a patient here.")
TABLE_NOTE = N_("Times are local ({zone} when this dossier was made). Numbers are those of the records of the log.")
FATES = {
    "clear": N_("In clear"),
    "unknown": N_("Begun, and how it ended is not recorded: count them as in clear"),
    "sealed-after": N_("In clear for a moment, then sealed: traces may be left on the medium"),
    "removed-after": N_("In clear for a moment, then taken away: traces may be left on the medium"),
    "sealed": N_("Sealed: only the encrypted file went"),
    "refused": N_("Refused: nothing of it went"),
}
TEST = N_("Marked as test data")
MORE = N_("{count} more {count:document|documents}: see the JSON file, which lists all of them.")
COLUMNS = (N_("No."), N_("Time"), N_("Kind of document"), N_("Size"), N_("Persons"), N_("How, and to whom"))
LIKELY_TIME = N_("(likely {when}: the clock was set later)")
WAS_THERE = N_("was there already")
UNCOUNTED = N_("not counted")
SEALED_TO = N_("sealed to: {who}")
GIVEN_BACK = N_("later taken out of quarantine on the laptop")
ROLES = {"clinician": N_("the clinician"), "practice": N_("the practice"), "recovery": N_("the recovery key")}

HOW_MANY = N_("How many persons")
GROUP_NAMES = {
    "clear": N_("in clear or unknown"), "traces": N_("in clear for a moment"), "sealed": N_("sealed"),
    "refused": N_("refused"), "test": N_("test data, apart"),
}  # fmt: skip
PERSON_COLUMNS = (
    N_("Documents"), N_("About patients"), N_("At least"), N_("At most"), N_("Not counted"), N_("Not judged"),
)  # fmt: skip
HOW_RECKONED = N_(
    "How it was reckoned: each document was counted by a program when it was judged, and such a count can be wrong. "
    "The log keeps nothing by which the same person in two documents would be known again. So « at least » is the "
    "largest count of one document, « at most » the sum of all; a document in which nobody was counted is taken as one "
    "person. Documents that could not be judged are in neither number. The same file looked at twice is one document, "
    "unless it was changed in between; a copy under another name is two."
)

IN_FORCE = N_("The policy in force")
POLICY = N_("« {name} », release {release}, in force since {when} (record {number}):")
NO_SENTENCES = N_("Its sentences are not kept on this computer; its release is the beginning of the file's SHA-256.")
NO_POLICY = N_("No record tells which policy was in force.")

NOT_WATCHED = N_("What was not watched")
NO_GAPS = N_("In this time the agent was running without a break and recorded no trouble.")
GAPS = {
    "off": N_("The agent was stopped from {since} to {until} (records {first} to {last})."),
    "off-unclean": N_(
        "The agent ended without a stop some time after {since} and was back on {until} (records {first} to {last})."
    ),
    "trouble": N_("{word}: from {since} to {until} (record {first})."),
    "overflow": N_("Events were lost on {since}; the folder was read again (record {first})."),
    "coalesced": N_(
        "The log was nearly full; documents that were only counted, up to {until}: {word} (record {first})."
    ),
    "purge": N_("Records removed on {until}, for their time was over: {word} (record {first})."),
    "erasure": N_(
        "The names of documents of {since} and later were destroyed on {until}: their time was over (record {first})."
    ),
    "log": N_("The log itself reported on {since}: {word} (record {first})."),
    "other": N_("{what}: from {since} to {until} (record {first})."),
}  # fmt: skip
STILL = N_("the end of the log")
COUNTED_ONLY = N_("{count} {count:document|documents} were only counted, on any device: which, is not known.")
PURGED = N_("{count} {count:record|records} at the beginning of the log are gone: what happened then is not in here.")

CLOCK = N_("How far the times can be trusted")
ORDER = N_(
    "Times are those of the laptop's clock, which people and programs may set. "
    "The numbers of the records prove their order."
)  # fmt: skip
NO_STEPS = N_("From the first of these records on the log shows no step of the clock.")
SET = N_("At record {number} the clock was set by {seconds} seconds ({when} afterwards).")
BACK_AT_START = N_("At record {number}, after a restart, the clock stood {seconds} seconds before ({when}).")
START_SYNCED = N_("At the start of the agent (record {number}, {when}) the clock was right within {milliseconds} ms.")
START_UNSYNCED = N_("At the start of the agent (record {number}, {when}) the clock was not synchronised.")
LIKELY_NOTE = N_("« Likely » times take the clock as it was set last before the laptop was turned off to be right.")
SYNCED = N_("When this dossier was made, the system took its clock to be right within {milliseconds} ms.")
NOT_SYNCED = N_("When this dossier was made, the clock of this computer was not synchronised.")
LAST_SYNC = N_("Last synchronisation of this computer's clock: {when}.")

RISK = N_("Help for judging the risk")
REASONING = {
    "unlikely": N_(
        "Nothing in the log speaks against it: what went cannot be read without a key. Article 33.1 spares the "
        "notification when a risk is unlikely, article 34.3.a the message to the persons when the data are encrypted. "
        "The incident is documented in any case (article 33.5): keep this dossier."
    ),
    "likely": N_(
        "Health data in clear are a risk, and often a high one: notify the authority (article 33) and examine whether "
        "the persons are to be told (article 34)."
    ),
    "open": N_(
        "Something is not known or weakens the protection, see below. When a risk cannot be called unlikely, the "
        "authority is notified (article 33), if need be in phases (article 33.4)."
    ),
}
FOR = N_("For a low risk")
AGAINST = N_("Against it")
ONLY_YOU = N_("What only you can know")
NOTHING = N_("nothing")
FAVOURABLE = {
    "sealed": N_("Documents were sealed before they went: encrypted with age, unreadable without a key."),
    "refused": N_("Documents were refused: nothing of them went."),
    "none-in-clear": N_("No document about a patient went in clear."),
    "nothing-medical": N_("Nothing about a patient was found in what went."),
    "recipients-known": N_("The log tells which keys open each sealed document."),
    "intact": N_("The audit log is intact."),
}
ADVERSE = {
    "clear": N_("Documents about patients went in clear."),
    "clear-unread": N_("Documents that could not be judged went in clear."),
    "unknown": N_("For some documents the end is not recorded."),
    "traces": N_("Some documents were in clear for a moment; traces may be left on the medium."),
    "sealed-before": N_(
        "Files were put there that had been sealed before: what is in them, and for whom, is not known."
    ),
    "existing": N_("Documents were on the medium before it was guarded."),
    "recipients-unknown": N_("For some sealed documents the log does not tell which keys open them."),
    "not-held": N_("The medium was guarded after the write only, for at least some time."),
    "gaps": N_("There are times that were not watched, or troubles that weaken the guard."),
    "not-intact": N_("The audit log was not verified as a whole, or does not verify."),
    "part-view": N_("Only the records of one person were read."),
    "no-record": N_("The log tells of no document at all: was it used on this laptop?"),
}
CONDITIONS = {
    "elsewhere": N_("Was the medium used on another computer? What was written there is not in this log."),
    "keys": N_("Are the keys safe: was the laptop, a backup sheet or a phrase lost together with it?"),
    "phrase": N_("Was a document sealed with a phrase, and is the phrase strong and kept apart from the medium?"),
}
YOU_DECIDE = N_("This is help from the facts of one log. Whoever answers for the processing decides, with the DPO.")

PROOF = N_("The proof")
PROVEN = N_(
    "{count} {count:record|records} of the log stand in the JSON file with what proves that they were sealed in it "
    "({seals} {seals:seal|seals})."
)
UNPROVEN = N_("The JSON file holds no proof of its records.")
COSIGNED = N_("A collector signed on {when} that it held the first {count} {count:record|records}.")
DIGEST = N_("SHA-256 of {file}: {digest}")
HOW_TO_CHECK = N_("To check it: serment audit dossier --check {pdf} (or {json}); the signature is {signature}.")
CHECK_ALONE = N_("Without Serment: python3 serment_verify.py --dossier {json}")
COMPARE = N_("Compare the fingerprint with the one that the practice keeps: {name}")

LIMITS = N_("What this dossier cannot know")
LIMIT_POINTS = (
    N_("What was written to the medium on another computer, or before the agent was installed."),
    N_("What is still on the medium, and whether somebody read it."),
    N_("Whether a document that was judged not to be about a patient was one after all: recognition makes errors."),
    N_("What somebody with the rights of the administrator did while the agent was stopped."),
)
