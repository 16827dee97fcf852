"""``python -m agent.gates.airlock``: one airlock, started by the agent with descriptors. Not for people."""

from __future__ import annotations

import sys

from agent.errors import SermentError
from agent.gates.airlock.options import parse
from agent.gates.airlock.process import serve


def main() -> int:
    try:
        return serve(parse(sys.argv[1:]))
    except SermentError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
