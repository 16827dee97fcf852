"""Policies before they are signed: what one would change, from the facts that are stored."""
