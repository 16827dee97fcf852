#!/bin/bash
# Builds dist/serment_*.deb and dist/serment-collector_*.deb (or, with --tree, their file trees for rpmbuild).
# On Debian 12 with Python 3.11, gcc and its headers; no root. packaging/README.md says what comes from where.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
work=${SERMENT_BUILD:-$checkout/build/package}
python=${PYTHON:-$([ -x /usr/bin/python3.11 ] && echo /usr/bin/python3.11 || echo python3.11)}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || {
    echo "the package is built with Python 3.11 and its headers, as in Debian 12 (PYTHON=… names it)" >&2
    exit 69
}
stamp=$( (cat "$here/../requirements/tools.txt"; echo "$python") | sha256sum | cut -c1-16)
tools=$work/tools-$stamp
if [ ! -x "$tools/bin/cyclonedx-py" ]; then
    rm -rf "$work"/tools-*
    "$python" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/../requirements/tools.txt"
fi
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then  # of what is built: the last commit, or the change log without one
    SOURCE_DATE_EPOCH=$(git -C "$checkout" log -1 --format=%ct 2>/dev/null || stat -c %Y "$checkout/CHANGELOG.md")
fi
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
umask 022
exec "$tools/bin/python" "$here/build.py" --work "$work" "$@"
