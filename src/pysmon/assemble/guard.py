"""Guard records: who reached for pysmon itself, as an error report that no rule can drop."""

from __future__ import annotations

from signal import Signals

from pysmon.assemble.paths import known_path
from pysmon.assemble.processes import Key
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import ErrorReport
from pysmon.schema.event import Event
from pysmon.sensor.records import (
    ACCESS,
    BPF,
    LINK,
    MAP,
    OPEN_MEMORY,
    PROGRAM,
    READ,
    SIGNAL,
    TAKE_DESCRIPTOR,
    TRACE,
    WRITE,
    GuardRecord,
)

TAMPER = "TAMPER"  # ID of a report: somebody reached for pysmon
SERVICE = "SERVICE"  # ID of a report: the service manager asked something of pysmon

_EVER = 1 << 62  # ns
_MANAGER = 1  # its process id, as the kernel counts
_ASKED = {
    int(Signals.SIGTERM): "pysmon was asked to stop (signal {})",
    int(Signals.SIGHUP): "pysmon was asked to read its configuration again (signal {})",
    int(Signals.SIGABRT): "pysmon was aborted (signal {}), for it had not answered in time,",
    int(Signals.SIGKILL): "pysmon was killed (signal {})",
    int(Signals.SIGCONT): "pysmon was told to go on (signal {}), as is everything that is to end,",
}
_OBJECTS = {PROGRAM: "program", MAP: "map", LINK: "link"}
_DEEDS = {
    SIGNAL: ("signal", "signal {} was sent to pysmon by"),
    BPF: ("bpf", "a handle on pysmon's {} was asked for by"),
    TRACE: ("ptrace", "pysmon was attached to, as debuggers do, by"),
    READ: ("process_vm_readv", "pysmon's memory was read by"),
    WRITE: ("process_vm_writev", "pysmon's memory was written to by"),
    TAKE_DESCRIPTOR: ("pidfd_getfd", "a descriptor of pysmon was copied by"),
    OPEN_MEMORY: ("open", "pysmon's memory was opened (/proc/PID/mem) by"),
    ACCESS: ("access", "access to pysmon as debuggers have it was asked for by"),
}


def take_guard(record: GuardRecord, scene: Scene) -> tuple[Event, ...]:
    """An ErrorReport, with the one who did it in JSON; nothing if the same was told within the last minute."""
    told = overdue(scene, record.time)
    key = (record.tgid, record.start, record.exec_id, record.deed, record.number if record.deed == SIGNAL else 0)
    report = scene.deeds.tell(key, record.time, lambda: _report(record, scene))
    return (*told, report) if report else told


def overdue(scene: Scene, now: int, *, last: bool = False) -> tuple[Event, ...]:
    """What was done more often than it was told, once its time is over, or all at `last`; `now` in ns since boot."""
    repeated, rest = scene.deeds.overdue(_EVER if last else now)
    utc = scene.utc(now) if repeated or rest else ""
    told = [_again(report, times, utc) for report, times in repeated]
    if rest:
        words = f"{rest} more deeds against pysmon were not told one by one: there were too many in a minute"
        told.append(ErrorReport(UtcTime=utc, ID=TAMPER, Description=words, extra={"Times": rest}))
    return tuple(told)


def _again(first: ErrorReport, times: int, utc: str) -> ErrorReport:
    words = f"{first.Description}: {times} more {'times' if times > 1 else 'time'}"
    return ErrorReport(UtcTime=utc, ID=first.ID, Description=words, extra={**(first.extra or {}), "Times": times})


def _report(record: GuardRecord, scene: Scene) -> ErrorReport:
    name, words = TAMPER, _words(record)
    if record.deed == SIGNAL and _from_kernel(record):
        words += " the kernel, in the time of"
    elif record.deed == SIGNAL and record.number in _ASKED and _is_managers(record, scene):
        name, words = SERVICE, f"{_ASKED[record.number].format(_signal(record.number))} by the service manager"
        words += "" if record.tgid == _MANAGER else ", through"
    who, facts = _culprit(record, scene)
    return ErrorReport(
        UtcTime=scene.utc(record.time), ID=name, Description=f"{words} {who}", extra={**_what(record), **facts}
    )


def _is_managers(record: GuardRecord, scene: Scene) -> bool:
    """Is it the service manager, or, for a reload, a child of it (`ExecReload=/bin/kill -HUP`)?

    A child may as well have been adopted; so it is believed only in what does no harm.
    """
    if record.tgid == _MANAGER:
        return True
    known = scene.processes.get(record.tgid, record.start, record.exec_id)
    made_by = known.parent.key[0] if known and known.parent else 0
    return made_by == _MANAGER and record.number == Signals.SIGHUP


def _words(record: GuardRecord) -> str:
    words = _DEEDS.get(record.deed, _DEEDS[ACCESS])[1]
    return words.format(_signal(record.number) if record.deed == SIGNAL else _object(record))


def _what(record: GuardRecord) -> dict[str, object]:
    facts: dict[str, object] = {"Deed": _DEEDS.get(record.deed, _DEEDS[ACCESS])[0]}
    if record.deed == SIGNAL:
        facts |= {"Signal": record.number, "FromKernel": _from_kernel(record)}
    elif record.deed == BPF:
        facts |= {"BpfCommand": record.number, "BpfObject": _object(record)}
    else:
        facts |= {"SystemCall": record.number}
    return facts


def _culprit(record: GuardRecord, scene: Scene) -> tuple[str, dict[str, object]]:
    """Who did it, in words and as facts. The record names him and his parent; the process table may know more."""
    processes, user, image = scene.processes, scene.users.name(record.uid), known_path(record.image)
    key = Key(record.tgid, record.start, record.exec_id)
    known = processes.get(*key)
    maker = known.parent if known else None
    if maker:
        relation, parent, parent_image = "started by", Key(*maker.key), maker.image
    else:  # the parent now: somebody else, if he was adopted
        parent = Key(record.parent_tgid, record.parent_start, record.parent_exec_id)
        relation, parent_image = "child of", known_path(record.parent_image)
    words = f"{_named(image, record.tgid)} of {user}"
    if parent.tgid:
        words += f", {relation} {_named(parent_image, parent.tgid)}"
    return words, {
        "ProcessGuid": processes.guid(key),
        "ProcessId": record.tgid,
        "Image": image,
        "CommandLine": known.command_line if known else "-",
        "User": user,
        "ParentProcessGuid": processes.guid(parent),
        "ParentProcessId": parent.tgid,
        "ParentImage": parent_image,
    }


def _named(image: str, tgid: int) -> str:
    return f"{'a thread of the kernel' if image == '-' else image} [{tgid}]"


def _object(record: GuardRecord) -> str:
    return f"{_OBJECTS.get(record.code, 'object')} {record.object}"


def _signal(number: int) -> str:
    try:
        return f"{Signals(number).name} ({number})"
    except ValueError:
        return str(number)  # of the real-time ones only the first and the last have names


def _from_kernel(record: GuardRecord) -> bool:
    return 0 < record.code < 1 << 31
