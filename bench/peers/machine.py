"""The virtual machine in which sensors are compared: what is laid into it, how it is booted, what it says."""

from __future__ import annotations

import compileall
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

from bench.parts.workload import SOURCES
from bench.peers.guest import MARK
from bench.peers.image import peers_image
from bench.peers.processes import family
from bench.peers.rulesets import TABLES, of_sysmon, rulesets
from tools.package import build_wheel, last_change, machine_here
from tools.package_tree import Target, make_tree
from tools.programs import ToolError, run

from pysmon.service.paths import Paths
from pysmon.service.stored import save

ROOT = Path(__file__).resolve().parents[2]
_MEMORY = 4096  # MB
_GUEST = "ln -s /in/pysmon/usr/lib/pysmon /usr/lib/pysmon && ln -s /in/pysmon/usr/bin/pysmon /usr/bin/"


def lay_out(folder: Path, plan: Mapping[str, Any], sysmon: Path | None = None) -> None:
    """What the guest finds as /in: pysmon as packages hold it, its configurations, the workloads, the plan; a build of
    Sysmon for Linux if there is one.
    """
    target = Target(machine_here(), 1, last_change())
    tree = folder / "pysmon"
    tree.mkdir()
    make_tree(tree, build_wheel(folder, target.epoch), ROOT / "build" / "vendored", target)
    compileall.compile_dir(tree, quiet=2, stripdir=tree, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    programs = folder / "programs"
    programs.mkdir()
    for source in SOURCES.glob("*.c"):
        run(["cc", "-O2", "-static", "-o", programs / source.stem, source])
    roots = {}
    for name, text in rulesets().items():
        root = folder / "roots" / name.replace(" ", "-")
        save(Paths.under(root), text, f"{name}.xml", when=0)
        (root / "run/pysmon").mkdir(parents=True)
        roots[name] = f"/in/roots/{root.name}"
    code = folder / "code" / "bench" / "peers"
    code.mkdir(parents=True)
    for name in ("__init__", "guest", "processes", "sensors", "sysmon", "works"):
        shutil.copy(ROOT / "bench" / "peers" / f"{name}.py", code)
    theirs = _sysmon(folder, sysmon) if sysmon else {}
    (folder / "plan.json").write_text(json.dumps({"roots": roots, "sysmon": theirs, "tables": TABLES, **plan}))


def _sysmon(folder: Path, build: Path) -> dict[str, str]:
    """The build and its configurations; by name, where the guest finds each of these."""
    if not os.access(build / "sysmon", os.X_OK):
        raise ToolError(f"{build}: no program `sysmon` there")
    shutil.copytree(build, folder / "sysmon", symlinks=True)
    places = {}
    for number, (name, text) in enumerate(of_sysmon().items()):
        (folder / f"sysmon-{number}.xml").write_bytes(text)
        places[name] = f"/in/sysmon-{number}.xml"
    return places


def boot(folder: Path, limit: int) -> Iterator[dict[str, Any]]:
    """Run the guest's program; its figures as they come. `limit` is in s on this machine's clock. ToolError."""
    script = Path(os.environ.get("PYSMON_SHARED") or ROOT.parent / "shared") / "tools" / "vm.sh"
    if not os.access(script, os.X_OK):
        raise ToolError(f"no {script}: the script that boots a virtual machine is not there")
    options = [*f"-A icount -c 1 -m {_MEMORY} -t {limit} -r".split(), str(peers_image()), "-C", str(folder)]
    inside = f"uname -sr; {_GUEST}; cd /tmp && PYTHONPATH=/in/code exec python3 -m bench.peers.guest /in/plan.json"
    command = [str(script), *options, inside]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as machine:
        try:
            for line in machine.stdout or ():
                if line.startswith(MARK):
                    yield json.loads(line.removeprefix(MARK))
                elif line.startswith("Linux "):
                    yield {"kernel": line.strip()}
                else:
                    sys.stderr.write(line)
        finally:  # the script alone would leave its emulator behind
            for process in family(machine.pid):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)


def emulated() -> str:
    """What a reader needs to judge the figures of the guest."""
    told = run(["qemu-system-x86_64", "--version"]).splitlines()[0].partition(" (")[0]
    return f"{told} (TCG, icount: one instruction takes one ns), one CPU, {_MEMORY} MB, on {platform.machine()}"


def known(names: Sequence[str], *, sysmon: bool = False) -> list[str]:
    """The sensors of these names that can be had here; all if there are none. ToolError for one that nobody knows."""
    there = ["none", *rulesets(), "auditd", "laurel", "bpftrace", *(of_sysmon() if sysmon else ())]
    if unknown := [name for name in names if name not in there]:
        raise ToolError(f"{unknown[0]}: there are: {', '.join(there)}")
    return [name for name in there if name in names or not names]
