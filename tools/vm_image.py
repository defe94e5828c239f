"""A disk with a bare Debian 12 for a virtual machine: made once by mmdebstrap, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tools.programs import run

SUITE = "bookworm"
# What a stock installation has, what pysmon's package depends on, and no compiler. apt stays, to install with.
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "iproute2", "procps", "rsyslog"),
    *("linux-image-cloud-amd64", "initramfs-tools", "python3", "libbpf1"),
)
_SIZE = "3G"  # of the disk; what is not written takes no room
_UNIT = """\
[Unit]
Description=Runs what the second disk brings
After=multi-user.target
[Service]
Type=exec
ExecStart=/bin/sh -c 'mount -o ro LABEL=proof /mnt && exec python3 -B /mnt/main.py'
StandardOutput=journal
[Install]
WantedBy=multi-user.target
"""
_FSTAB = "/dev/vda / ext4 noatime 0 1\n"


def cache() -> Path:
    """Where disks are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pysmon-vm"


def debian() -> Path:
    """The folder with `root.img`, `vmlinuz` and `initrd.img`, made if they are not there. ToolError."""
    recipe = hashlib.sha256(repr((SUITE, PACKAGES, _SIZE, _UNIT, _FSTAB)).encode()).hexdigest()[:12]
    ready = cache() / f"{SUITE}-{recipe}"
    if ready.is_dir():
        return ready
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as name:
        work = Path(name)
        _make(work / "tree", work / "made")
        (work / "made").rename(ready)
    return ready


def pack(folder: Path, image: Path, label: str, size: str) -> None:
    """A file system with the content of a folder."""
    run(["mke2fs", "-q", "-t", "ext4", "-L", label, "-d", folder, image, size])


def _make(tree: Path, made: Path) -> None:
    made.mkdir()
    # The machine's own sources of packages: mmdebstrap knows the public ones where there are none.
    sources = [str(p) for p in sorted(Path("/etc/apt/sources.list.d").glob("debian*.sources"))]
    old = ("--aptopt=Acquire::Check-Valid-Until false", "--aptopt=Acquire::Check-Date false")
    run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}", *old, SUITE, tree, *sources])
    (tree / "etc/fstab").write_text(_FSTAB)
    (tree / "etc/hostname").write_text("stock\n")
    unit = tree / "etc/systemd/system/proof.service"
    unit.write_text(_UNIT)
    wanted = unit.with_name("multi-user.target.wants") / unit.name
    wanted.parent.mkdir(exist_ok=True)
    wanted.symlink_to(Path("..") / unit.name)
    (kernel,) = (tree / "boot").glob("vmlinuz-*")
    shutil.copyfile(kernel, made / "vmlinuz")
    shutil.copyfile(kernel.with_name(kernel.name.replace("vmlinuz", "initrd.img")), made / "initrd.img")
    pack(tree, made / "root.img", "root", _SIZE)
