"""The service under mixed load for as long as is asked: memory, losses and sizes every half minute, as a table.

Emulation has its own speed, so the load follows the service: a burst, then a pause until all of it has been written.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.vm import load
from tests.vm.guest import BROUGHT, note, run, sh, unit, until

EVERY = 30.0  # s between two lines of the table
WARM = 600.0  # s until memory has to be flat, and records: what is remembered fills up by these, and is bounded
FILLED = 60_000
GROWTH = 5 << 20  # bytes that it may grow by after that
_STORE = 24 << 20  # bytes for the event log: it has to make room all the time
_PATIENCE = 120.0  # s for what one burst made to be written
_SETTINGS = f"""
[[output]]
type = "store"
total = {_STORE}
[[output]]
type = "syslog"
[[output]]
type = "file"
path = "/var/log/pysmon/events.json"
rotate = "8M"
keep = 2
"""
_RULES = """<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms><EventFiltering>
<ProcessCreate onmatch="exclude"/><ProcessTerminate onmatch="exclude"/><NetworkConnect onmatch="exclude"/>
<FileCreate onmatch="exclude"/><FileDelete onmatch="exclude"><TargetFilename condition="begin with">/number/{number}/
</TargetFilename></FileDelete></EventFiltering></Sysmon>
"""
_BURSTS: tuple[tuple[Callable[[int], None], int], ...] = ((load.programs, 40), (load.files, 80), (load.connections, 40))
_KEPT_OF_SYSLOG = 64 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the table."""

    at: float  # s since the load began
    memory: int  # bytes that are resident
    status: dict[str, Any]

    def sum(self, key: str) -> int:
        """Over all families."""
        return sum(family[key] for family in self.status["families"])

    def outputs(self, key: str) -> int:
        """Over all outputs."""
        return sum(output[key] for output in self.status["outputs"])

    def line(self, before: Sample | None) -> str:
        """For people; the rate is that since the line before."""
        past = before or Sample(0.0, 0, self.status)
        rate = (self.sum("seen") - past.sum("seen")) / max(self.at - past.at, 1.0) if before else 0.0
        log = self.status["log"]["bytes"]
        return (
            f"{self.at / 60:6.1f}  {self.memory / 1e6:7.2f}  {self.sum('seen'):8d}  {rate:6.0f}  {self.sum('kept'):8d}"
            f"  {self.sum('lost'):4d}  {self.outputs('queued'):6d}  {self.outputs('spilled'):7d}  {log / 1e6:7.1f}"
            f"  {self.status['configuration']['generation']:7d}"
        )


_HEAD = "minute   memory      seen   per s      kept  lost  queued  on disk  log, MB  configurations"
_minutes: list[float] = []
_samples: list[Sample] = []


def asked() -> dict[str, Any]:
    """The status, straight from the control socket: a program for it would be load as well."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(60)
        control.connect("/run/pysmon/control.sock")
        control.sendall(b"GET /status HTTP/1.1\r\nHost: pysmon\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: control.recv(1 << 16), b""))
    told: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return told


def the_service_is_installed() -> None:
    """From the package, with three outputs."""
    sh("dpkg", "-i", *map(str, BROUGHT.glob("*.deb")))
    Path("/etc/pysmon/pysmon.toml").write_text(_SETTINGS)
    _configuration(0, "-accepteula", "-i")
    assert unit("ActiveState") == "active"


def it_bears_the_load() -> None:
    """Until the time is over."""
    began, number = time.monotonic(), 0
    note(_HEAD)
    while (at := time.monotonic() - began) < _minutes[0] * 60:
        if at >= len(_samples) * EVERY:
            _take_sample(at)
        storm, count = _BURSTS[number % len(_BURSTS)]
        storm(count)
        _wait_until_written()
        number += 1
        if number % 60 == 0:
            _configuration(number, "-c")
    _take_sample(time.monotonic() - began)


def nothing_was_lost() -> None:
    """Neither by the sensor nor by an output, and the books add up."""
    last = _samples[-1].status
    wrong = [f["name"] for f in last["families"] if f["seen"] != f["kept"] + f["filtered"] + f["lost"] + f["in_flight"]]
    assert not wrong, f"the books of {wrong} do not add up"
    assert _samples[-1].sum("lost") == 0, last["families"]
    assert _samples[-1].outputs("lost") == 0, last["outputs"]


def it_is_still_the_same_process() -> None:
    """Nothing restarted it."""
    assert (unit("NRestarts"), unit("MainPID")) == ("0", str(_samples[0].status["pid"]))


def memory_is_flat() -> None:
    """Once it is warm, and for as many records again as that took."""
    warm = [sample for sample in _samples if sample.at >= WARM and sample.sum("seen") >= FILLED]
    if not warm or _samples[-1].sum("seen") < 2 * warm[0].sum("seen"):
        note(f"not {WARM / 60:.0f} minutes and {FILLED} records, and as many again: nothing can be said of memory")
        return
    first, grown = warm[0], max(sample.memory for sample in warm) - warm[0].memory
    told = f"minute {first.at / 60:.1f} and {first.sum('seen')} records"
    note(f"memory grew by {grown / 1e6:.2f} MB after {told}, of {first.memory / 1e6:.2f} MB")
    assert grown < GROWTH, f"{grown} bytes"


def the_log_keeps_to_its_size() -> None:
    """With a little for what is being written."""
    sizes = [sample.status["log"]["bytes"] for sample in _samples]
    assert max(sizes) < _STORE * 1.5, f"{max(sizes)} bytes of {_STORE}"


def _configuration(number: int, *switches: str) -> None:
    path = Path("/root/rules.xml")
    path.write_text(_RULES.format(number=number))
    sh("pysmon", *switches, str(path))


def _take_sample(at: float) -> None:
    told = asked()
    statm = Path(f"/proc/{told['pid']}/statm").read_text().split()
    _samples.append(Sample(at, int(statm[1]) * 4096, told))
    note(_samples[-1].line(_samples[-2] if len(_samples) > 1 else None))
    for path in (Path("/var/log/syslog"), Path("/var/log/user.log")):
        if path.exists() and path.stat().st_size > _KEPT_OF_SYSLOG:
            with path.open("r+b") as file:
                file.truncate(0)


def _wait_until_written() -> None:
    left: list[Any] = []

    def written() -> bool:
        told = asked()
        left[:] = [f for f in told["families"] if f["in_flight"]] + [o for o in told["outputs"] if o["queued"]]
        return not left

    try:
        until("everything is written", written, _PATIENCE)
    except AssertionError:
        for each in (*left, sh("journalctl", "-u", "pysmon", "-n", "20", "--no-pager", code=None).out):
            note(str(each))
        raise


def main(arguments: list[str]) -> None:
    """The argument is the minutes."""
    _minutes.append(float(arguments[0]) if arguments else 60.0)
    steps = (it_bears_the_load, nothing_was_lost, it_is_still_the_same_process, memory_is_flat)
    run([[the_service_is_installed, *steps, the_log_keeps_to_its_size]])
