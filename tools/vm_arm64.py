"""Load the kernel programs on Debian's arm64 kernel, which is emulated, and let pysmon watch a few programs there.

The guest lives in memory: Debian's packages are unpacked, not installed, since nothing for arm64 runs here but in the
emulator; then comes what is to be proven. tests/vm/arm64.py is run, and the machine is off.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("src", "")]

from tools.programs import ToolError, run  # noqa: E402 - only now it can be found
from tools.vm_image import cache  # noqa: E402
from tools.vm_service import attend, bring  # noqa: E402

SUITE = "bookworm"
_TOOLS = {"mmdebstrap": "mmdebstrap", "depmod": "kmod", "qemu-system-aarch64": "qemu-system-arm"}  # and their packages
PACKAGES = (
    *("base-files", "bash", "coreutils", "dash", "grep", "iproute2", "kmod", "mount", "sed", "util-linux"),
    *("linux-image-cloud-arm64", "libbpf1", "python3"),
)
_MODULES = ("drivers/virtio", "drivers/char", "drivers/net/dummy.ko")  # of the kernel's, all others are left out
_LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "boot", "var/cache", "var/lib/apt")
_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
_INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mount -t tmpfs none /tmp; mount -t tmpfs none /run; mount -t cgroup2 none /sys/fs/cgroup
mount -t tracefs none /sys/kernel/tracing; mount -t bpf none /sys/fs/bpf; mount -t securityfs none /sys/kernel/security
ip link set lo up
for module in virtio_pci virtio-rng virtio_console; do modprobe $module; done
mkdir /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"; done
cd /proof && python3 -B main.py
echo o >/proc/sysrq-trigger
sleep 600
"""


def debian() -> Path:
    """The folder with `vmlinuz` and `tree.cpio`, made if they are not there. ToolError."""
    if missing := [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]:
        raise ToolError(f"install {' '.join(missing)}")
    recipe = hashlib.sha256(repr((SUITE, PACKAGES, _MODULES, _LEFT_OUT, _USERS, _INIT)).encode()).hexdigest()[:12]
    ready = cache() / f"{SUITE}-arm64-{recipe}"
    if not ready.is_dir():
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache()) as name:
            tree, made = Path(name) / "tree", Path(name) / "made"
            made.mkdir()
            _make(tree, made)
            made.rename(ready)
    return ready


def _make(tree: Path, made: Path) -> None:
    sources = [str(p) for p in sorted(Path("/etc/apt/sources.list.d").glob("debian*.sources"))]
    old = ("--aptopt=Acquire::Check-Valid-Until false", "--aptopt=Acquire::Check-Date false")
    wanted = ("--architectures=arm64", "--variant=extract", f"--include={','.join(PACKAGES)}")
    run(["mmdebstrap", "--quiet", *wanted, *old, SUITE, tree, *sources])
    (kernel,) = (tree / "boot").glob("vmlinuz-*")
    shutil.copyfile(kernel, made / "vmlinuz")
    for path in _LEFT_OUT:
        shutil.rmtree(tree / path, ignore_errors=True)
    (modules,) = (tree / "lib/modules").iterdir()
    _thin_out(modules / "kernel")
    run(["depmod", "-b", tree, modules.name])
    (tree / "init").write_text(_INIT)
    (tree / "init").chmod(0o755)
    (tree / "etc/passwd").write_text(_USERS)
    (tree / "etc/machine-id").write_text("0" * 31 + "1\n")
    pack(tree, made / "tree.cpio")


def _thin_out(folder: Path) -> None:
    for path in sorted(folder.rglob("*.ko")):
        if not str(path.relative_to(folder)).startswith(_MODULES):
            path.unlink()


def pack(folder: Path, archive: Path) -> None:
    """All of a folder as the kernel unpacks it into memory (cpio, `newc`), owned by root."""
    with archive.open("wb") as out:
        for piece in _pieces(folder):
            out.write(piece + bytes(-len(piece) % 4))


def _pieces(folder: Path) -> Iterator[bytes]:
    for number, path in enumerate(sorted(folder.rglob("*")), 1):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            content = str(path.readlink()).encode()
        elif stat.S_ISREG(found.st_mode):
            content = path.read_bytes()
        elif stat.S_ISDIR(found.st_mode):
            content = b""
        else:
            continue
        yield _head(number, found.st_mode, len(content), str(path.relative_to(folder)).encode())
        yield content
    yield _head(0, 0, 0, b"TRAILER!!!")


def _head(number: int, mode: int, size: int, name: bytes) -> bytes:
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0)
    return b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name + b"\0"


def prove(package: Path, arguments: list[str], *, limit: int, memory: int, console: Path) -> bool:
    """Run tests/vm/arm64.py in the guest with that package; whether its last line says that all is well."""
    disk = debian()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        proof = work / "tree" / "proof"
        proof.mkdir(parents=True)
        bring(proof)
        run(["dpkg-deb", "-x", package, work / "tree"])
        (proof / "main.py").write_text(f"from tests.vm import arm64\narm64.main({arguments!r})\n")
        pack(work / "tree", work / "proof.cpio")
        with (work / "initrd").open("wb") as initrd:
            for part in (disk / "tree.cpio", work / "proof.cpio"):
                initrd.write(part.read_bytes())
        command = _qemu(disk / "vmlinuz", work / "initrd", work / "out", console, memory)
        began = time.monotonic()
        last = attend(command, work / "out", limit=limit, console=console)
        print(f"vm_arm64: {time.monotonic() - began:.0f} s in all")
    return last.startswith("ALL PASSED")


def _qemu(kernel: Path, initrd: Path, said: Path, console: Path, memory: int) -> list[str]:
    options = {
        "-accel": "tcg,thread=multi,tb-size=512",
        "-machine": "virt",
        "-cpu": "cortex-a72",
        "-m": str(memory),
        "-kernel": str(kernel),
        "-initrd": str(initrd),
        "-append": "console=ttyAMA0 quiet panic=0",
        "-display": "none",
        "-monitor": "none",
        "-serial": f"file:{console}",
        "-chardev": f"file,id=out,path={said}",
    }
    words = [word for option in options.items() for word in option]
    port = ("virtio-serial-pci", "virtserialport,chardev=out,name=out", "virtio-rng-pci")
    return ["qemu-system-aarch64", "-nodefaults", *words, *(word for device in port for word in ("-device", device))]


def main() -> int:
    """Command line: the package to prove, and names of techniques."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("techniques", nargs="*", help="names of tests/techniques; without: a few")
    parser.add_argument("--package", type=Path, required=True, help="pysmon_*_arm64.deb")
    parser.add_argument("--limit", type=int, default=1800, help="seconds")
    parser.add_argument("--memory", type=int, default=1536, help="MB")
    parser.add_argument("--console", type=Path, default=Path("/dev/null"), help="a file for what the kernel says")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the machine ends with us
    try:
        fine = prove(given.package, given.techniques, limit=given.limit, memory=given.memory, console=given.console)
    except ToolError as error:
        print(f"vm_arm64: {error}", file=sys.stderr)
        return 2
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
