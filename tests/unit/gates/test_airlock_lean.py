"""An airlock, a copy of the holder, has what it needs to judge and no more: there is one a stick."""

from __future__ import annotations

import subprocess
import sys


def loaded_by_a_copy() -> set[str]:
    """Modules of a copy that became an airlock; its descriptors are closed, so it ends at once."""
    text = (
        "import os, sys\nfrom agent.gates import holder\n"
        "holder.clone, holder.settle = lambda _flags: 0, lambda _words, _kept: None\n"
        "def end(_code):\n    print(*sys.modules, file=sys.__stdout__, flush=True)\n    os.kill(os.getpid(), 9)\n"
        "holder.os._exit = end\nholder._airlock([], [90, 91, 92])\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", text], capture_output=True, text=True, check=False, timeout=60)
    return set(done.stdout.split())


def test_it_does_not_load_what_makes_classes_out_of_text() -> None:
    found = loaded_by_a_copy()
    assert "agent.gates.airlock.process" in found
    assert not {"ast", "inspect", "dis", "tokenize"} & found
