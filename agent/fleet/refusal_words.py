"""The words by which a laptop says why it refuses what was published, as its own screen and the officers' tell them."""

from __future__ import annotations

from agent.errors import N_

REASONS = {
    "rollback": N_("an older state of the policy than before was brought"),
    "expired": N_("the policy's repository has expired: it was not renewed in time"),
    "signature": N_("the policy is not signed by enough of those who may sign it"),
    "mix": N_("files of the policy do not belong together"),
    "fork": N_("two different states of the policy carry the same number"),
    "missing": N_("a file of the policy's repository is missing"),
    "root": N_("who may sign the policy is not vouched for by the collector's authority"),
    "malformed": N_("the policy's repository is not understood"),
    "too-large": N_("a signed file of the policy is too large"),
    "too-long": N_("an emergency may loosen rules for 72 hours at most"),
    "check-failed": N_("the policy could not be checked"),
    "policy": N_("the policy does not pass this laptop's checks"),
}
"""The word → a catalogue key; a laptop of another version may say another word."""
