#!/bin/sh
# Set up the project for `make`: a Python environment in .venv, pysmon in it, the kernel program. Each step says what it
# does in a line; what is done already is not done again.
#   setup.sh run   what `make run` needs        setup.sh dev   also what tests and checks need
#   setup.sh fuzz  that, and what `make fuzz` needs
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
log=$(mktemp)
trap 'rm -f "$log" "$log.txt"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

die() { printf 'setup: %s\n' "$1" >&2; exit 1; }

# step TEXT COMMAND...: run it quietly; on a terminal the seconds count up; its output is shown only if it fails.
step() {
    text=$1; shift
    began=$(date +%s)
    [ -t 1 ] || printf '%s ... ' "$text"
    "$@" >"$log" 2>&1 </dev/null & pid=$!
    trap 'kill "$pid"; exit 130' INT TERM
    while [ -t 1 ] && kill -0 "$pid" 2>/dev/null; do
        printf '\r%s ... %s s' "$text" $(($(date +%s) - began)); sleep 0.2
    done
    if wait "$pid"; then status=0; else status=$?; fi
    trap - INT TERM
    [ ! -t 1 ] || printf '\r%s ... ' "$text"
    [ $status = 0 ] || { echo failed; cat "$log" >&2; exit 1; }
    echo "$(($(date +%s) - began)) s"
}

# group NAME: write what that group of pyproject.toml needs into a file that pip reads.
group() {
    $at -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")' "$1" >"$log.txt"
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# need PACKAGE WHAT: install a Debian package as root, or say which one is missing.
need() {
    if can_install; then
        export DEBIAN_FRONTEND=noninteractive
        step "Installing $1 ($2)" sh -c "apt-get install -y --no-install-recommends $1 || { apt-get update && apt-get install -y --no-install-recommends $1; }"
    else
        die "$2 is missing. Install it: sudo apt install $1"
    fi
}

# What only root can install. Without libbpf pysmon says itself what is missing; who is not root cannot watch anyway.
command -v "$python" >/dev/null || need python3 "Python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "pysmon needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Name another: make PYTHON=python3.12 ..."
"$python" -c 'import venv; from ensurepip import version' 2>/dev/null || need python3-venv "Python's venv module"
if can_install && ! ldconfig -p | grep -q 'libbpf\.so\.[01]'; then need libbpf1 "the library that loads kernel programs"; fi

# With sudo, what is made here must still be the user's own.
owner=$(stat -c %u .)
if [ "$(id -u)" = 0 ] && [ "$owner" != 0 ]; then
    home=$(getent passwd "$owner" | cut -d: -f6)
    exec setpriv --reuid "$owner" --regid "$(stat -c %g .)" --clear-groups env HOME="${home:-/nonexistent}" sh tools/setup.sh "$1"
fi

at=.venv/bin/python
$at -m pip --version >/dev/null 2>&1 ||
    step "Making a Python environment in .venv" "$python" -m venv --clear .venv

wanted=$($at tools/build_bpf.py --needs)
[ -z "$wanted" ] || step "Getting a compiler for the kernel program ($wanted: no clang here)" $at -m pip install "$wanted"
$at tools/build_bpf.py

if [ ! -e .venv/has-run ] || [ pyproject.toml -nt .venv/has-run ] || [ hatch_build.py -nt .venv/has-run ]; then
    step "Installing pysmon and what it needs" $at -m pip install -e .
    touch .venv/has-run
fi
if [ "$1" != run ] && { [ ! -e .venv/has-dev ] || [ pyproject.toml -nt .venv/has-dev ]; }; then
    group dev
    step "Installing the tools for tests and checks" $at -m pip install -r "$log.txt"
    touch .venv/has-dev
fi
if [ "$1" = fuzz ] && { [ ! -e .venv/has-fuzz ] || [ pyproject.toml -nt .venv/has-fuzz ]; }; then
    group fuzz
    step "Installing the fuzzer (35 MB)" $at -m pip install --only-binary :all: -r "$log.txt"
    touch .venv/has-fuzz
fi
