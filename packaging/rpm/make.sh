#!/bin/bash
# dist/*.rpm from the files of the Debian packages. Built on Debian 12: the interpreter is Debian's, and wants the same
# libraries (OpenSSL 3, libffi 8, SQLite 3, expat, liblzma, libbz2) of the distribution it is installed on.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
command -v rpmbuild >/dev/null || { echo "rpmbuild is missing: apt-get install rpm" >&2; exit 69; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$checkout/packaging/build/make.sh" --tree "$work/tree" "$@"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$checkout/pyproject.toml" | head -n 1)
for name in serment serment-collector; do
    [ -d "$work/tree/$name" ] || continue
    rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $checkout/dist" --define "tree $work/tree/$name" \
        --define "serment_version $version" --define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
        "$here/$name.spec"
done
