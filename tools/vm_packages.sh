#!/bin/sh
# Build two packages of what is here, one to install and a later one to upgrade to, and get what a virtual machine needs.
set -eu
cd "$(dirname "$0")/.."
missing=
command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
command -v qemu-system-x86_64 >/dev/null || missing="$missing qemu-system-x86"
if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || { echo "vm_packages: install$missing" >&2; exit 2; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 - several words
    apt-get install -qq -y --no-install-recommends $missing
fi
rm -rf build/vm
.venv/bin/python tools/package.py --revision 1 --to build/vm
.venv/bin/python tools/package.py --revision 2 --to build/vm
