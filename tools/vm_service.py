"""Run a script as root on a stock Debian 12 in a virtual machine that can be rebooted; its lines come out here.

The guest's first disk is Debian's (vm_image.py); what it writes lasts until the machine is off, and no longer. The
second holds a folder of ours, whose main.py is run after each boot. No network, no access to this machine's files.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("src", "")]

from tools.programs import ToolError  # noqa: E402 - only now it can be found
from tools.vm_image import debian, pack  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
GUEST = (Path("tests", "vm"), Path("tests", "techniques"))  # of the project; they need nothing but Python
_KERNEL = "root=/dev/vda rw console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check panic=0"


def boot(folder: Path, *, limit: int, cpus: int, memory: int, console: Path) -> str:
    """Boot with the folder as the second disk, print what the guest says, and give its last line. `limit` is in s."""
    disk = debian()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pack(folder, work / "proof.img", "proof", "64M")
        said = work / "out"
        command = _qemu(disk, work / "proof.img", said, console, cpus, memory)
        return attend(command, said, limit=limit, console=console)


def attend(command: Sequence[str | Path], said: Path, *, limit: int, console: Path) -> str:
    """Run a machine until it is off, or for `limit` seconds; print what it writes to `said`, and give the last line."""
    said.touch()
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the words are ours
    over = threading.Event()
    reader = threading.Thread(target=_follow, args=(said, over))
    reader.start()
    try:
        machine.wait(limit)
    except subprocess.TimeoutExpired:
        print(f"{Path(sys.argv[0]).stem}: past the limit of {limit} s; the end of its console:", file=sys.stderr)
        print("\n".join(console.read_text(errors="replace").splitlines()[-20:]), file=sys.stderr)
    finally:
        machine.kill()
        machine.wait()
        over.set()
        reader.join()
    lines = said.read_text(errors="replace").splitlines()
    return lines[-1] if lines else ""


def _qemu(disk: Path, proof: Path, said: Path, console: Path, cpus: int, memory: int) -> list[str]:
    """Emulation: slow, and the same everywhere. `snapshot`: one run's changes are in a file that nobody else sees."""
    drives = [f"file={disk / 'root.img'},format=raw,if=virtio,cache=unsafe,snapshot=on"]
    drives.append(f"file={proof},format=raw,if=virtio,readonly=on")
    options = {
        "-accel": "tcg,thread=multi,tb-size=512",
        "-cpu": "max,la57=off",
        "-machine": "q35,hpet=off,vmport=off",
        "-smp": str(cpus),
        "-m": str(memory),
        "-kernel": str(disk / "vmlinuz"),
        "-initrd": str(disk / "initrd.img"),
        "-append": f"{_KERNEL} {_speed()}",
        "-display": "none",
        "-monitor": "none",
        "-serial": f"file:{console}",
    }
    words = [word for option in options.items() for word in option]
    words += [word for drive in drives for word in ("-drive", drive)]
    port = ("virtio-serial-pci", "virtserialport,chardev=out,name=out", "virtio-rng-pci")
    words += [word for device in port for word in ("-device", device)]
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", *words, "-chardev", f"file,id=out,path={said}"]


def _speed() -> str:
    """Tells the guest how fast its counter of time runs, which is ours: on a busy machine it measures that wrongly."""
    if Path("/sys/devices/system/cpu/cpu0/cpufreq").exists():
        return ""  # what /proc/cpuinfo says changes there
    found = re.search(r"^cpu MHz\s*: (\d+)\.(\d{3})", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"tsc_early_khz={found[1]}{found[2]}" if found else ""


def _follow(said: Path, over: threading.Event) -> None:
    with said.open("rb") as lines:
        while True:
            last = over.wait(0.5)
            sys.stdout.buffer.write(lines.read())
            sys.stdout.buffer.flush()
            if last:
                return


def bring(folder: Path) -> None:
    """Put into a folder what scripts in the guest consist of."""
    for part in GUEST:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))


def prove(script: str, arguments: Sequence[str], packages: Path, *, limit: int, cpus: int, console: Path) -> bool:
    """Run tests/vm/`script`.py in the guest with the packages at hand; whether its last line says that all is well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "proof"
        bring(folder)
        for package in packages.glob("*.deb"):
            shutil.copy(package, folder)
        (folder / "main.py").write_text(f"from tests.vm import {script}\n{script}.main({list(arguments)!r})\n")
        last = boot(folder, limit=limit, cpus=cpus, memory=1024, console=console)
    return last.startswith("ALL PASSED")


def main() -> int:
    """Command line: which script, and its arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("script", help="a module of tests/vm, without .py")
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--packages", type=Path, default=ROOT / "dist", help="the folder with the packages")
    parser.add_argument("--limit", type=int, default=1800, help="seconds")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--console", type=Path, default=Path("/dev/null"), help="a file for what the kernel says")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the machine ends with us
    try:
        fine = prove(
            given.script,
            given.arguments,
            given.packages,
            limit=given.limit,
            cpus=given.cpus,
            console=given.console,
        )
    except ToolError as error:
        print(f"vm_service: {error}", file=sys.stderr)
        return 2
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
