"""What scripts in the guest share: steps that pass or fail, commands, waiting, and going on after a reboot.

Runs with the guest's own Python and nothing else. A script is one list of steps for each boot; what they say goes to
the host, line by line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

PORT = Path("/dev/virtio-ports/out")
BROUGHT = Path("/mnt")  # what the host gave along
_PROGRESS = Path("/root/progress.json")

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        """What it said, on both ways."""
        return self.out + self.err


def sh(*command: str, code: int | None = 0, patience: float = 240) -> Done:
    """Run a command; AssertionError if it does not end with that code (None: with any)."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False, errors="replace")
    told = Done(done.returncode, done.stdout, done.stderr)
    shown = f"{' '.join(command)}: exit code {told.code}, not {code}:\n{told.both[-3000:]}"
    assert code is None or told.code == code, shown
    return told


def until(what: str, found: Callable[[], Any], patience: float = 90) -> Any:
    """What `found` gives as soon as it gives something; AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.5)
    raise AssertionError(f"not within {patience:.0f} s: {what}")


def events(*options: str) -> list[dict[str, Any]]:
    """Entries of the event log, by options of `pysmon log`."""
    done = sh("pysmon", "log", "--all", "--format", "json", *options, code=None)
    assert done.code in (0, 1), done.both
    return [json.loads(line) for line in done.out.splitlines()]


def unit(name: str, unit: str = "pysmon.service") -> str:
    """A property of a unit, as systemd tells it."""
    return sh("systemctl", "show", "-P", name, unit).out.strip()


def status() -> dict[str, Any]:
    """Of the running service."""
    found = sh("pysmon", "status", "--json", code=None)
    assert found.code in (0, 1), found.both
    told: dict[str, Any] = json.loads(found.out)
    return told


def note(text: str) -> None:
    """A fact for the reader."""
    _say(*(f"NOTE {line}" for line in text.splitlines()))


def run(boots: Sequence[Sequence[Step]], off: Sequence[str] = ("systemctl", "poweroff", "--force")) -> None:
    """Run the steps of this boot, then reboot for the next, or say how it went and switch off."""
    known: dict[str, int] = {"boot": 0, "passed": 0, "failed": 0}
    if _PROGRESS.exists():
        known = json.loads(_PROGRESS.read_text())
    number = known["boot"]
    _say(f"BOOT {number + 1}: up {Path('/proc/uptime').read_text().split()[0]} s")
    for step in boots[number]:
        fine = _passed(step)
        known["passed" if fine else "failed"] += 1
        if not fine and step is boots[number][0]:
            known["boot"] = len(boots)  # without the first there is no sense in the others
            break
    known["boot"] += 1
    _PROGRESS.write_text(json.dumps(known))
    if known["boot"] < len(boots):
        subprocess.run(["systemctl", "reboot"], check=True)
        return
    verdict = "SOME FAILED" if known["failed"] else "ALL PASSED"
    _say(f"{verdict}: {known['passed']} passed, {known['failed']} failed")
    subprocess.run(["sync"], check=True)
    subprocess.run(off, check=True)


def _passed(step: Step) -> bool:
    name, began = step.__name__.replace("_", " "), time.monotonic()
    try:
        step()
    except (AssertionError, OSError, subprocess.SubprocessError, LookupError, ValueError) as error:
        where = traceback.extract_tb(sys.exc_info()[2])[1]
        _say(f"FAIL {name} (line {where.lineno})", *(f"     {line}" for line in str(error).splitlines()[:60]))
        return False
    _say(f"PASS {name} ({time.monotonic() - began:.1f} s)")
    return True


_port: list[TextIO] = []


def _say(*lines: str) -> None:
    if not _port:
        _port.append(PORT.open("w", encoding="utf-8"))
    _port[0].write("".join(f"{line}\n" for line in lines))
    _port[0].flush()
