"""The bill of materials of a package: CycloneDX, from what was really put in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from environment import SITE
from interpreter import VERSION

PYTHON = f"python{VERSION}"
OWN = "serment"


def write(home: Path, target: Path, debian: dict[str, str], version: str, release: str) -> None:
    """``target``: JSON. ``debian``: the interpreter's packages and their versions; ``release``: of Debian."""
    tool = Path(sys.executable).parent / "cyclonedx-py"
    done = subprocess.run(
        [tool, "environment", "--output-reproducible", "--of", "JSON", "--sv", "1.6", home / "python/bin" / PYTHON],
        check=True, stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(home / SITE), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    bill = json.loads(done.stdout)
    components = [each for each in bill.get("components", []) if each["name"] != OWN]
    for name, its in sorted(debian.items()):
        components.append(
            {
                "type": "library", "bom-ref": f"deb:{name}", "name": name, "version": its,
                "licenses": [{"license": {"id": "PSF-2.0"}}],
                "purl": f"pkg:deb/debian/{name}@{its}?distro={release}",
            }
        )  # fmt: skip
    bill["components"] = components
    bill["metadata"]["component"] = {
        "type": "application", "bom-ref": OWN, "name": OWN, "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }  # fmt: skip
    known = {each["bom-ref"] for each in components} | {OWN}
    bill["dependencies"] = [each for each in bill.get("dependencies", []) if each["ref"] in known]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=1, ensure_ascii=False, sort_keys=True).replace(str(home), "") + "\n")
