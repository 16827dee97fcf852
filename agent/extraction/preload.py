"""What the worker loads before it can open nothing any more: every module that a document could make it want later.

A module that is missing here is no hole: the import fails, and the document is undecidable (crashed) though it could
have been read. ``tests/system/test_worker.py`` watches for such imports. The same is true of tables that are read from
a file when they are first wanted: ``tables`` builds them all.
"""

from __future__ import annotations

import codecs
import encodings
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import _lru_cache_wrapper
from importlib import import_module
from typing import Any

_OURS = ("agent.detection", "agent.extraction.formats")
_CHECKS = (  # python-stdnum's, which agent.detection.identifiers imports by name when a number looks like one
    "at.vnr be.ssn ca.bc_phn ch.ssn cz.rc dk.cpr es.dni es.nie fi.hetu gb.nhs ie.pps ie.vat it.codicefiscale nl.bsn "
    "no.fodselsnummer pl.pesel ro.cnp se.personnummer us.ssn verhoeff luhn fi.alv fi.ytunnus "
    "gr.amka is_.kennitala"
)


def preload() -> None:
    """Import our own detection and formats, every codec, and what libraries import late."""
    for package in _OURS:
        module = import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            import_module(found.name)
    for codec in pkgutil.iter_modules(encodings.__path__):
        with suppress(LookupError):  # the codecs of Windows
            codecs.lookup(codec.name)  # a mail, a web page or a DICOM header names whichever it likes
    for name in _CHECKS.split():
        with suppress(ImportError):
            import_module(f"stdnum.{name}")


def tables() -> None:
    """Build every table of recognition that is kept once it was wanted. After ``preload``."""
    for table in lazy_tables():
        table()


def lazy_tables() -> Iterator[Callable[[], Any]]:
    """What recognition builds once, without arguments: functions under ``lru_cache(maxsize=1)``."""
    for name, module in tuple(sys.modules.items()):
        if name.startswith("agent.detection."):
            for value in tuple(vars(module).values()):
                once = isinstance(value, _lru_cache_wrapper) and value.cache_parameters()["maxsize"] == 1
                if once and value.__module__ == name:
                    yield value
