"""Sysmon for Linux in the guest, from a build that was given: what it tells the system log is counted, and not kept."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections import Counter
from pathlib import Path

from bench.peers.processes import end

BUILD = Path("/in/sysmon")  # the program `sysmon`, the libraries it needs, and what belongs into /opt/sysinternalsEBPF
_KINDS = {b"1": "exec", b"5": "exit", b"11": "create", b"23": "delete", b"3": "connect"}
_ID = re.compile(rb"<EventID>(\d+)</EventID>")
_LOST = re.compile(rb"Lost (\d+) events")
_SUPERVISORS = (Path("/lib/systemd/system"), Path("/etc/init.d"))
_LONGEST = 1 << 16  # bytes of a message that are looked at; the id is in the first hundreds


class Heard:
    """A socket that is written to like the system log's; lines are counted by the kind of deed that they tell of."""

    def __init__(self, place: Path) -> None:
        """Listen there from now on."""
        self._place, self._found = place, Counter[str]()
        place.unlink(missing_ok=True)
        self._ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ears.bind(str(place))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        while line := self._ears.recv(_LONGEST):
            if match := _ID.search(line):
                self._found[_KINDS.get(match[1], "other")] += 1

    def counts(self) -> dict[str, int]:
        """Of all that has come."""
        return dict(self._found)

    def close(self) -> None:
        """Listen no more; what was sent before is counted."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(b"", str(self._place))
        self._listener.join()
        self._ears.close()
        self._place.unlink()


class Sysmon:
    """The build, started as `sysmon -i` does on a machine whose services nobody manages."""

    def __init__(self, name: str, rules: str, log: Path = Path("/dev/log")) -> None:
        """`rules`: the configuration, a file of the guest. Nothing begins yet."""
        self.name = name
        self._rules, self._log = rules, log
        self._told = Path("/tmp/sysmon.told")
        self._heard: Heard | None = None

    def start(self) -> None:
        """Until it says by its exit that its daemon observes."""
        for folder in _SUPERVISORS:  # it leaves its start to systemd or to init where it finds their folders
            if folder.exists():
                folder.rename(folder.with_name(f"{folder.name}.away"))
        shared = Path("/opt/sysinternalsEBPF")
        if not shared.exists():
            shared.symlink_to(BUILD / "sysinternalsEBPF")
        self._heard = Heard(self._log)
        command = [str(BUILD / "sysmon"), "-accepteula", "-i", self._rules]
        with self._told.open("wb") as told:
            environment = os.environ | {"LD_LIBRARY_PATH": str(BUILD)}
            done = subprocess.run(command, check=False, env=environment, stdout=told, stderr=told, cwd="/opt")
        if done.returncode or not self.pids():
            words = self._told.read_text(errors="replace").split("\n")
            raise RuntimeError(f"sysmon does not begin: {' '.join(words[-5:]).strip()}")

    def pids(self) -> list[int]:
        """The processes that run its program."""
        program = os.fspath((BUILD / "sysmon").resolve())
        found = []
        for entry in Path("/proc").glob("[0-9]*/exe"):
            try:
                if os.readlink(entry) == program:
                    found.append(int(entry.parent.name))
            except OSError:  # ended meanwhile, or a thread of the kernel
                continue
        return found

    def logged(self) -> dict[str, int]:
        """Lines that came."""
        return self._heard.counts() if self._heard else {}

    def lost(self) -> int:
        """What it printed of that."""
        return sum(map(int, _LOST.findall(self._told.read_bytes())))

    def stop(self) -> None:
        """Its daemon first, then the log that it writes to."""
        for pid in self.pids():
            end(pid)
        if self._heard:
            self._heard.close()
