"""Serment's agent: what runs on the laptop. The design is in docs/architecture.md."""

__version__ = "0.1.0"
"""The same as in pyproject.toml (a test compares them): reading metadata costs a resident process 1 MB."""
