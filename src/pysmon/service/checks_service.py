"""The doctor on the service: its unit, its files, the room that it has, and the programs that it writes to."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from pysmon.config.read import read_configuration
from pysmon.errors import PysmonError
from pysmon.service.ask import AskError
from pysmon.service.finding import Finding
from pysmon.service.outputs import check_outputs
from pysmon.service.patient import Patient
from pysmon.service.settings import read_settings
from pysmon.service.stored import load
from pysmon.service.systemd import SystemdError
from pysmon.service.verdict import verdict
from pysmon.store.classes import Limits
from pysmon.views.words import size

_LEAST = 64 << 20  # bytes on the disk without which nothing works for long
_WRITABLE_BY_OTHERS, _FOR_OTHERS = 0o022, 0o077
_JOURNALCTL = "journalctl -u pysmon -b tells why"


def unit(patient: Patient) -> Iterator[Finding]:
    """What systemd makes of the service."""
    if not (patient.paths.root / "run/systemd/system").is_dir():
        yield Finding("ok", "systemd", "not here: `pysmon service` runs under any supervisor")
        return
    try:
        known = patient.unit()
    except SystemdError as error:
        yield Finding("warn", "systemd", str(error), "is systemd well? systemctl status")
        return
    if known.get("LoadState") == "not-found":
        yield Finding("ok", "systemd", "pysmon is not installed as a service: pysmon -accepteula -i would do it")
        return
    yield from _unit_state(known.get("ActiveState", ""), known.get("UnitFileState", ""))
    if known.get("LoadState") != "loaded":
        yield Finding("bad", "unit", f"systemd says: {known.get('LoadState', 'nothing')}", "systemctl status pysmon")
    if known.get("NeedDaemonReload") == "yes":
        text = "its unit was changed since systemd read it"
        yield Finding("warn", "unit", text, "systemctl daemon-reload, if the change is yours")
    if known.get("NRestarts", "0") not in ("0", ""):
        yield Finding("warn", "unit", f"systemd had to restart it {known['NRestarts']} times", _JOURNALCTL)
    if known.get("DropInPaths"):
        yield Finding("ok", "unit", f"with drop-ins: {known['DropInPaths']}")


def _unit_state(active: str, file: str) -> Iterator[Finding]:
    if active == "failed":
        yield Finding("bad", "systemd", "the service failed", f"{_JOURNALCTL}; then systemctl restart pysmon")
    elif active not in ("active", "reloading"):
        yield Finding("warn", "systemd", f"the service is {active or 'not running'}", "systemctl start pysmon")
    else:
        yield Finding("ok", "systemd", "the service runs")
    if file not in ("enabled", "enabled-runtime", "static"):
        text = f"the service does not start at boot ({file or 'no unit file'})"
        yield Finding("warn", "systemd", text, "systemctl enable pysmon")


def unit_file(patient: Patient) -> Iterator[Finding]:
    """Who may change what systemd runs as root."""
    for path in filter(None, (patient.paths.unit, patient.paths.packaged_unit)):
        if path.exists():
            yield _owned(path, "unit file", _WRITABLE_BY_OTHERS, "chown root: and chmod 0644, after a look at it")


def settings(patient: Patient) -> Iterator[Finding]:
    """Whether pysmon.toml can be read, and asks for outputs that there are."""
    path = patient.paths.settings
    try:
        found = read_settings(patient.paths)
        check_outputs(found)
    except PysmonError as error:
        yield Finding("bad", "settings", str(error), error.hint)
        return
    outputs = ", ".join(output.type for output in found.outputs)
    where = str(path) if path.exists() else "the defaults"
    yield Finding("ok", "settings", f"{where}: {outputs or 'no outputs'}")


def configuration(patient: Patient) -> Iterator[Finding]:
    """Whether what is stored is what was stored, and can be used."""
    try:
        stored = load(patient.paths)
    except PermissionError:
        yield Finding("warn", "configuration", "you may not read it", "run it with sudo")
        return
    except PysmonError as error:
        yield Finding("bad", "configuration", str(error), error.hint)
        return
    if stored is None:
        yield Finding("ok", "configuration", "none is stored: the one that pysmon brings holds")
        return
    reading = read_configuration(stored.data, stored.name)
    if reading.configuration is None:
        text = f"{stored.name} has {len(reading.errors().problems)} errors"
        yield Finding("bad", "configuration", text, f"pysmon check {patient.paths.configuration}")
    else:
        yield Finding("ok", "configuration", f"{stored.name}, SHA256={stored.sha256}")


def folder(patient: Patient) -> Iterator[Finding]:
    """Who may read what the service keeps."""
    state = patient.paths.state
    if state.exists():
        yield _owned(state, "files", _FOR_OTHERS, "chown root: and chmod 0700")


def disk(patient: Patient) -> Iterator[Finding]:
    """Whether there is room for the event log and for what waits, and whether it can be written."""
    here = next(path for path in (patient.paths.state, *patient.paths.state.parents) if path.exists())
    held = os.statvfs(here)
    free = held.f_bavail * held.f_frsize
    wanted = Limits().total
    text = f"{size(free)} free for {patient.paths.state}"
    if held.f_flag & os.ST_RDONLY:
        remedy = "mount it for writing; pysmon goes on by itself then"
        yield Finding("bad", "disk", f"{patient.paths.state} lies on a read-only file system", remedy)
    elif not os.access(here, os.W_OK):
        yield Finding("warn", "disk", f"{here} is not writable for you", "run it with sudo")
    elif free < _LEAST or (held.f_files and held.f_favail == 0):
        yield Finding("bad", "disk", text, "free some space; pysmon goes on by itself then")
    elif free < wanted:
        yield Finding("warn", "disk", text, f"the event log may take up to {size(wanted)}")
    else:
        yield Finding("ok", "disk", text)


def listeners(patient: Patient) -> Iterator[Finding]:
    """Whether syslog and the journal take what is written to them."""
    root = patient.paths.root
    for name, path in (("syslog", root / "dev/log"), ("journal", root / "run/systemd/journal/socket")):
        if not path.exists():
            yield Finding("ok", name, f"none here (no {path})")
            continue
        trouble = _deaf(path)
        if trouble:
            yield Finding("warn", name, f"{path}: {trouble}", "is the daemon behind it running?")
        else:
            yield Finding("ok", name, f"listens on {path}")


def answer(patient: Patient) -> Iterator[Finding]:
    """What the running service says of itself."""
    path = patient.paths.control
    if not path.exists():
        return
    try:
        status = patient.status()
    except AskError as error:
        yield Finding("warn", "service", str(error), error.hint)
        return
    wrong = [finding for finding in verdict(status) if finding.level == "bad"]
    if wrong:
        text = f"it says that {wrong[0].about}: {wrong[0].text}" + (f", and {len(wrong) - 1} more" if wrong[1:] else "")
        yield Finding("warn", "service", text, "pysmon status tells all of it")
    else:
        yield Finding("ok", "service", f"{status.version} runs as process {status.pid} and is healthy")


def _owned(path: Path, about: str, forbidden: int, remedy: str) -> Finding:
    state = path.lstat()  # a link may lead anywhere; its own mode says that all may write
    text = f"{path}: user {state.st_uid}, mode {stat.S_IMODE(state.st_mode):o}"
    fine = state.st_uid in (0, os.geteuid()) and not state.st_mode & forbidden
    return Finding("ok", about, text) if fine else Finding("bad", about, text, remedy)


def _deaf(path: Path) -> str:
    """Why nobody takes messages there; nothing is sent."""
    reasons = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except BlockingIOError:
                return ""
            except OSError as error:
                reasons.append(os.strerror(error.errno or 0))
            else:
                return ""
    return reasons[0]
