#!/bin/sh
# Run the tests marked `vm` on the newest stock Debian kernel under /boot, in a throw-away virtual machine: kernels differ
# in what they accept, and a distribution's kernel has hooks (fentry, LSM) that the one at hand may lack.
# The guest sees this machine's files copy-on-write and cannot change them (but not those in /tmp). Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
vm=${PYSMON_SHARED:-../shared}/tools/vm.sh
[ -x "$vm" ] || { echo "vm_tests: no $vm: the script that boots a virtual machine is not there" >&2; exit 2; }
[ $# -gt 0 ] || set -- tests/sensor tests/pipeline
"$vm" -t "${VM_LIMIT:-600}" -m 3072 "cd '$PWD' && uname -sr && PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -m vm -p no:cacheprovider $*"
