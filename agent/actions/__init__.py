"""5. Actions: a verdict becomes an effect on the open file. The daemon takes them from ``build_actions``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agent.model import Decision

if TYPE_CHECKING:
    from agent.actions.base import Action
    from agent.actions.quarantine import QuarantineStore
    from agent.crypto.keys import KeyStore


def build_actions(store: QuarantineStore, keys: KeyStore, languages: Sequence[str] = ()) -> Mapping[Decision, Action]:
    """One action a decision. ``languages`` are those of the notes left in folders (``fr``, ``en``; none: both)."""
    from agent.actions.block import HoldBack
    from agent.actions.encrypt import Encrypt
    from agent.actions.inform import Inform
    from agent.actions.observe import Observe
    from agent.actions.placeholder import Placeholders

    placeholders = Placeholders(store, languages)
    return {
        Decision.OBSERVE: Observe(),
        Decision.INFORM: Inform(),
        Decision.JUSTIFY: HoldBack(store, placeholders, Decision.JUSTIFY),
        Decision.ENCRYPT: Encrypt(keys, store.journal),
        Decision.BLOCK: HoldBack(store, placeholders, Decision.BLOCK),
    }
