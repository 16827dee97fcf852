#!/bin/bash
# dist/*.rpm: the files of the Debian packages, byte for byte, below scripts of their own. Built on Debian 12.
#
#     make.sh [--from DIR] [--out DIR]
#
# --from: Debian packages that are built already; else they are built first. --out: default dist.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
from='' out=$checkout/dist
while [ $# -gt 0 ]; do
    case $1 in
    --from) from=$(cd "$2" && pwd) ;;
    --out) mkdir -p "$2" && out=$(cd "$2" && pwd) ;;
    *) sed -n '2,7s/^# \?//p' "$0" >&2; exit 64 ;;
    esac
    shift 2
done
command -v rpmbuild >/dev/null || { echo "rpmbuild is missing: apt-get install rpm" >&2; exit 69; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
[ -n "$from" ] || { from=$work/deb; "$checkout/packaging/build/make.sh" --out "$from"; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$checkout/pyproject.toml" | head -n 1)

# units FOLDER: those that a package enables, as in the Debian package
units() {
    python3 -B -c 'import sys, pathlib; sys.path.insert(0, sys.argv[1]); import layout
print(*layout.units_to_enable(pathlib.Path(sys.argv[2])))' "$checkout/packaging/build" "$1"
}

for name in serment serment-collector; do
    package=$(find "$from" -name "${name}_*.deb" | sort | tail -n 1)
    [ -n "$package" ] || continue
    tree=$work/tree/$name
    mkdir -p "$tree"
    dpkg-deb -x "$package" "$tree"
    SOURCE_DATE_EPOCH=$(stat -c %Y "$tree/opt/$name")
    export SOURCE_DATE_EPOCH
    persons=$(units "$tree/usr/lib/systemd/user")
    rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $out" --define "tree $tree" \
        --define "serment_version $version" --define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
        --define "units $(units "$tree/usr/lib/systemd/system")" --define "user_units ${persons:-none}" \
        --load "$here/as-built.macros" "$here/$name.spec"
done
