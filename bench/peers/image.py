"""The guest's disk: a bare Debian 12, the other sensors, what the workloads need; made once, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tools.programs import ToolError, run
from tools.vm_image import SUITE, cache, pack

SENSORS = ("auditd", "laurel", "bpftrace")
_PACKAGES = (
    *("python3", "libbpf1", "procps", "iproute2", "findutils", "mount", *SENSORS),
    *("gcc", "libc6-dev", "make", "nginx-light", "apache2-utils"),
)
_PROJECT = (  # a real C project, from Debian's own source package
    'chroot "$1" sh -c "mkdir -p /usr/src/project && cd /usr/src/project && apt-get source --download-only bzip2'
    ' && tar xzf bzip2_*.orig.tar.gz --strip-components=1 && rm -f bzip2_*"'
)
_SIZE = "3G"  # of the disk; what is not written takes no room
_PUBLIC = "Types: deb deb-src\nURIs: http://deb.debian.org/debian\nSuites: {}\nComponents: main\n"


def peers_image() -> Path:
    """The disk's image, made if it is not there. ToolError."""
    recipe = hashlib.sha256(repr((SUITE, _PACKAGES, _PROJECT, _SIZE)).encode()).hexdigest()[:12]
    ready = cache() / f"peers-{recipe}.img"
    if not ready.exists():
        if os.geteuid() != 0:
            raise ToolError(f"there is no {ready} yet, and making a disk needs root: sudo make bench-peers")
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache()) as name:
            tree, made = Path(name) / "tree", Path(name) / "root.img"
            _make(tree, Path(name))
            pack(tree, made, "root", _SIZE)
            shutil.rmtree(tree)
            made.rename(ready)
    return ready


def _make(tree: Path, work: Path) -> None:
    """By the machine's own sources of packages, with those of sources added."""
    ours = sorted(Path("/etc/apt/sources.list.d").glob("debian*.sources"))
    texts = [path.read_text().replace("Types: deb\n", "Types: deb deb-src\n") for path in ours]
    lists = [work / f"{number}.sources" for number in range(max(len(texts), 1))]
    for path, text in zip(lists, texts or [_PUBLIC.format(SUITE)], strict=True):
        path.write_text(text)
    old = ("--aptopt=Acquire::Check-Valid-Until false", "--aptopt=Acquire::Check-Date false")
    hook = f"--customize-hook={_PROJECT}"
    run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(_PACKAGES)}", *old, hook, SUITE, tree, *lists])
