"""The session helper in another month: ``SERMENT_TEST_MONTH`` (YYYY-MM) is this month. Everything else is real."""

from __future__ import annotations

import os
import sys
import types

from agent.helper import months
from agent.helper.main import main

if __name__ == "__main__":
    months.time = types.SimpleNamespace(strftime=lambda _form: os.environ["SERMENT_TEST_MONTH"])  # type: ignore[assignment]
    sys.exit(main(sys.argv[1:]))
