"""Reading pixels: pictures → text lines and 2D codes. An optional extra (``ocr``), for the image worker alone.

Order of a page: ``decode`` (encoded bytes → gray pixels, bounded), ``codes`` (bar codes), ``straighten`` (light,
direction, skew), ``letters`` (text); ``reader`` owns that order and its time. This file is light: the agent and
``serment scan`` ask it whether the extra is there, without loading any of it.

Must not: decode a picture in any other process than the image worker, write a file, fetch a model.
"""

from __future__ import annotations

import glob
import os
from importlib.util import find_spec

from agent.errors import N_

LANGUAGES = ("fra", "eng")  # read together; French decides, English helps with the rest of the Latin alphabet
_LIBRARIES = ("PIL", "tesserocr", "zxingcpp")
_DATA = ("/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/usr/share/tesseract/tessdata")

NO_LIBRARY = N_("the readers of pictures are not installed (pip install 'serment[ocr]')")
NO_LANGUAGE = N_("the French reading data is not installed (apt install tesseract-ocr-fra)")


def missing() -> str:
    """Why pictures cannot be read here, a text of the catalogue; empty when they can. Imports nothing."""
    if not all(map(_is_there, _LIBRARIES)):
        return NO_LIBRARY
    return "" if language_folder() else NO_LANGUAGE


def available() -> bool:
    """Whether pictures can be read here; ``missing`` says why not."""
    return not missing()


def language_folder() -> str:
    """The folder that holds the reading data of the first of LANGUAGES, or nothing. Debian's places, the newest."""
    folders = [folder for place in _DATA for folder in sorted(glob.glob(place), reverse=True)]
    return next((folder for folder in folders if _holds(folder, LANGUAGES[0])), "")


def languages(folder: str) -> tuple[str, ...]:
    """Those of LANGUAGES whose data is in ``folder``."""
    return tuple(name for name in LANGUAGES if _holds(folder, name))


def _holds(folder: str, language: str) -> bool:
    return os.path.isfile(os.path.join(folder, f"{language}.traineddata"))


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
