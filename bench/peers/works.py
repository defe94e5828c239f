"""The workloads in the guest, and the events that a sensor must log of each."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = Path("/in/programs")
PLACE = Path("/tmp/work")
PROJECT = Path("/usr/src/project")  # bzip2's source, peers' image
_PORT = 8080
_LITTLE = {"exec": 10, "file": 10, "connect": 10, "web": 10, "idle": 0}
_SERVER = f"""
worker_processes 1; pid {PLACE}/nginx.pid; error_log {PLACE}/nginx.log;
events {{ worker_connections 512; }}
http {{ access_log off; server {{ listen 127.0.0.1:{_PORT}; root /usr/share/nginx/html; }} }}
"""
_BUILD = "cd project && rm -f *.o *.a bzip2 && make -s bzip2 CC=gcc CFLAGS=-O0 >/dev/null"


@dataclass(frozen=True, slots=True)
class Work:
    """A command, and how many deeds of each kind it does: exec, exit, create, delete, connect."""

    name: str
    command: tuple[str, ...]
    deeds: Mapping[str, int] = field(default_factory=dict)

    def run(self) -> float:
        """Do it; s on the clock."""
        begun = time.monotonic()
        subprocess.run(self.command, input=b"xx", check=True, cwd=PLACE, stdout=subprocess.DEVNULL)
        return time.monotonic() - begun


def works(sizes: Mapping[str, int]) -> list[Work]:
    """All whose size is not 0."""
    execs, files, conns = sizes["exec"], sizes["file"], sizes["connect"]
    patient = ("-s", "86400")  # while the host reads from its disk, the guest's clock leaps
    requests = ("ab", "-q", *patient, "-n", str(sizes["web"]), "-c", "4", f"http://127.0.0.1:{_PORT}/")
    made = {
        "exec": Work(f"{execs:,} execs", (_program("execs"), str(execs)), {"exec": execs, "exit": execs}),
        "file": Work(
            f"{files:,} files created and deleted",
            (_program("files"), str(files), str(PLACE)),
            {"create": files, "delete": files},
        ),
        "connect": Work(f"{conns:,} connections", (_program("conns"), str(conns)), {"connect": 2 * conns}),
        "compile": Work("compile of bzip2", ("sh", "-c", _BUILD)),
        "find": Work("find / -xdev", ("find", "/", "-xdev")),
        "web": Work(f"{sizes['web']:,} requests to nginx", requests),
        "idle": Work(f"idle for {sizes['idle']:,} s", ("sleep", str(sizes["idle"]))),
    }
    return [work for name, work in made.items() if sizes[name]]


def prepare(sizes: Mapping[str, int]) -> None:
    """Lay out what the workloads use, begin the web server, and do a little of each: the kernel has then read
    everything from the disk, and the first sensor, which is none, is not charged for that.
    """
    PLACE.mkdir()
    (PLACE / "nginx.conf").write_text(_SERVER)
    subprocess.run(["cp", "-r", str(PROJECT), str(PLACE / "project")], check=True)
    subprocess.run(["nginx", "-c", str(PLACE / "nginx.conf")], check=True)
    for work in works({name: min(size, _LITTLE.get(name, size)) for name, size in sizes.items()}):
        work.run()


def _program(name: str) -> str:
    return os.fspath(PROGRAMS / name)
