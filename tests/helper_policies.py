"""A policy for the tests of the clinician's side: one rule for sticks, with everything that can be answered."""

from __future__ import annotations

from pathlib import Path

_TEXT = """serment: 1
policy: essai/clinician
title: {fr: Essai, en: Trial}
defaults: {existing: observe, arriving: enforce, nothing_matches: observe}
answers:
  reasons:
    - {id: soins, fr: "Soins urgents", en: "Urgent care"}
    - {id: avis, fr: "Avis d'un collègue", en: "A colleague's advice"}
  emergency: {minutes: 5, a_day: 2}
  batch_minutes: BATCH
  MAIL
  lessons:
    - {rule: stick, fr: "Notre hôpital a perdu une clé en mai.", en: "Our hospital lost a stick in May."}
rules:
  - id: stick
    title: {fr: Essai, en: Trial}
    when: {action: [copy, sync], judgement: medical}
    then: THEN
    message: {fr: "Ce document concerne un patient.", en: "This document is about a patient."}
    mode: enforce
tests:
  - {given: {action: copy, document: cda}, expect: DECISION, rule: stick}
"""


def policy(base: Path, then: str = "justify", *, offer: str = "", batch_minutes: int = 0, mail: str = "") -> Path:
    """Write it below ``base``; ``mail``: what stands under ``secure_mail``."""
    decided = then + (f"\n    offer: {offer}" if offer else "")
    text = _TEXT.replace("THEN", decided).replace("DECISION", then).replace("BATCH", str(batch_minutes))
    text = text.replace("MAIL", f"secure_mail: {mail}" if mail else "release_days: 30")
    path = base / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path
