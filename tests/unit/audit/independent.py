"""The independent verifier (verifier/serment_verify.py), loaded as the one file that it is."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parents[3] / "verifier" / "serment_verify.py"
_SPEC = importlib.util.spec_from_file_location("serment_verify", PATH)
verifier = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(verifier)


def judged(folder, **options):
    """What it says of an intact log; None: changed or cut off."""
    try:
        return verifier.check_folder(folder, **options)
    except verifier.Tampered:
        return None
