"""Policies of one rule for the tests of a running agent."""

from __future__ import annotations


def one_rule(then: str, name: str = "test/one", rule: str = "sync-patient") -> str:
    """Medical documents that come into a sync folder: ``then``."""
    return (
        f"serment: 1\npolicy: {name}\ntitle: {{fr: Essai, en: Trial}}\n"
        "defaults: {existing: observe, arriving: enforce, nothing_matches: observe}\n"
        f"rules:\n  - id: {rule}\n    title: {{fr: Essai, en: Trial}}\n"
        f"    when: {{action: sync, judgement: medical}}\n    then: {then}\n"
        "    message: {fr: Ce document est retenu., en: This document is held.}\n    mode: enforce\n"
        f"tests:\n  - {{given: {{action: sync, document: cda}}, expect: {then}, rule: {rule}}}\n"
    )
