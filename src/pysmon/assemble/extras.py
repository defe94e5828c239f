"""Facts that no field of Sysmon holds: they go to `event.extra`, and only the JSON line shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from stat import S_ISBLK, S_ISCHR
from types import MappingProxyType
from typing import Any

from pysmon.assemble.clipboard import facts_of_clipboard
from pysmon.assemble.injection import facts_of_injection
from pysmon.assemble.paths import known_path, text
from pysmon.assemble.processes import Key, Processes
from pysmon.assemble.settings import value_text
from pysmon.assemble.tampering import facts_of_tampering
from pysmon.host.containers import container_of
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.sensor.load_records import (
    EXECUTED,
    INTERPRETER,
    MAPPED,
    PROTECTED,
    ImageLoadRecord,
    ModuleRecord,
)
from pysmon.sensor.memory_records import InjectionRecord, TamperRecord
from pysmon.sensor.records import (
    LINKED,
    OPEN_MEMORY,
    OPENED,
    PIPE_DATAGRAM,
    PIPE_FIFO,
    PIPE_SEQPACKET,
    PIPE_STREAM,
    READ,
    RENAMED,
    SYMLINKED,
    TAKE_DESCRIPTOR,
    TRACE,
    WRITE,
    AccessRecord,
    AttributeRecord,
    ClipboardRecord,
    DnsMessageRecord,
    ExecRecord,
    ExitRecord,
    FileCreateRecord,
    FileDeleteRecord,
    FileTimeRecord,
    FlowRecord,
    LookUpRecord,
    PipeRecord,
    ProgramRecord,
    RawAccessRecord,
)
from pysmon.sensor.setting_records import SettingRecord, SettingTableRecord

_NONE = "-"
_UNSET = 0xFFFFFFFF
_ACCESS = {
    TRACE: "ptrace",
    READ: "process_vm_readv",
    WRITE: "process_vm_writev",
    TAKE_DESCRIPTOR: "pidfd_getfd",
    OPEN_MEMORY: "/proc/PID/mem",
}
_HOW = {OPENED: "created", RENAMED: "renamed", LINKED: "linked", SYMLINKED: "symbolic link"}
_PIPES = {
    PIPE_FIFO: "fifo",
    PIPE_STREAM: "unix stream",
    PIPE_DATAGRAM: "unix datagram",
    PIPE_SEQPACKET: "unix seqpacket",
}
_HOW_LOADED = {EXECUTED: "executed", INTERPRETER: "interpreter", MAPPED: "mmap", PROTECTED: "mprotect"}
_TAINTS = "PFSRMBUDAWCIOELKXTN"  # one letter a bit, Documentation/admin-guide/tainted-kernels.rst
Facts = Mapping[str, object]  # records that tell the same of the same place share one: nobody may change it
_Told = Callable[[Any, Processes, Users], Facts]


def _of_exec(record: ExecRecord, processes: Processes, users: Users) -> Facts:
    uid, login = record.euid, record.login_uid
    alike = (
        record.pid_namespace,
        record.mount_namespace,
        users.name(uid) if uid != record.uid else "",
        login,
        users.name(login) if login != _UNSET else "",
        record.tty,
        record.root,
        record.filename,
        record.image,
        record.cgroup_path,
    )
    own: dict[str, object] = {}
    if record.namespace_pid != record.tgid:
        own["NamespacePid"] = record.namespace_pid
    if record.args_size > len(record.args):
        own["CommandLineTruncated"] = record.args_size
    if (start := record.creator_start) and (start != record.parent_start or record.creator_tgid != record.parent_tgid):
        own |= _of_creator(record, processes)
    return _of_start(*alike, own) if own else _of_starts(*alike)


def _of_start(
    pid_namespace: int,
    mount_namespace: int,
    effective: str,
    login: int,
    login_name: str,
    tty: bytes,
    root: bytes,
    filename: bytes,
    image: bytes,
    cgroup_path: bytes,
    own: Facts = MappingProxyType({}),
) -> Facts:
    """What is told of the start of a program; `own` is what starts that are otherwise alike do not share."""
    told = {
        "PidNamespace": pid_namespace,
        "MountNamespace": mount_namespace,
        "NamespacePid": own.get("NamespacePid"),
        "EffectiveUser": effective or None,
        "LoginUid": login if login != _UNSET else None,
        "LoginUser": login_name or None,
        "Terminal": text(tty) if tty else None,
        "Root": known_path(root) if root else None,
        "Filename": _given(filename, image) or None,
    }
    return {**{name: value for name, value in told.items() if value is not None}, **own, **_place(cgroup_path)}


_of_starts = lru_cache(maxsize=1024)(_of_start)


@lru_cache(maxsize=1024)
def _given(filename: bytes, image: bytes) -> str:
    """The name by which a program was called; empty if that is its path."""
    given = text(filename)
    return given if given != known_path(image) else ""


def _of_creator(record: ExecRecord, processes: Processes) -> Facts:
    """Who made the process, if another is its parent by now."""
    creator = (record.creator_tgid, record.creator_start, record.creator_exec_id)
    known = processes.get(*creator)
    facts: dict[str, object] = {"CreatorProcessGuid": processes.guid(creator), "CreatorProcessId": creator[0]}
    return facts | {"CreatorImage": known.image} if known else facts


def _of_exit(record: ExitRecord, processes: Processes, _: Users) -> Facts:
    return _of_end(record.code, _cgroup_path(record, processes))


@lru_cache(maxsize=1024)
def _of_end(code: int, cgroup_path: bytes) -> Facts:
    signal = code & 0x7F
    return {**({"Signal": signal} if signal else {"ExitCode": code >> 8 & 0xFF}), **_place(cgroup_path)}


def _of_file_create(record: FileCreateRecord, processes: Processes, _: Users) -> Facts:
    return _of_new_file(record.how, record.mode, _cgroup_path(record, processes))


@lru_cache(maxsize=1024)
def _of_new_file(how: int, mode: int, cgroup_path: bytes) -> Facts:
    told = {"How": _HOW.get(how, str(how))} | ({"Mode": f"{mode & 0o7777:04o}"} if mode else {})
    return {**told, **_place(cgroup_path)}


def _of_file_delete(record: FileDeleteRecord, processes: Processes, _: Users) -> Facts:
    place = _place(_cgroup_path(record, processes))
    return {"LinksLeft": record.links - 1, **place} if record.links else place


def _of_access(record: AccessRecord) -> Facts:
    known = _ACCESS.get(record.deed)
    return {"Access": known} if known else {"Access": "other", "SystemCall": record.number}


def _of_raw_access(record: RawAccessRecord) -> Facts:
    number = f"{record.device >> 20}:{record.device & 0xFFFFF}"
    if S_ISBLK(record.mode):
        return {"DeviceType": "block", "DeviceNumber": number}
    return {"DeviceType": "character", "DeviceNumber": number} if S_ISCHR(record.mode) else {"DeviceType": "file"}


def _of_program(record: ProgramRecord) -> Facts:
    told = {"BpfFunction": text(record.function), "BpfTracepoint": text(record.tracepoint)}
    facts = {"BpfProgramTag": record.tag.to_bytes(8, "little").hex(), "BpfAttachType": record.attach_type}
    return facts | {name: value for name, value in told.items() if value}


def _of_setting(record: SettingRecord) -> Facts:
    facts: dict[str, object] = {"PreviousDetails": value_text(record.previous) or _NONE}
    if record.position:
        facts["Position"] = record.position
    return facts | ({"DetailsCut": True} if record.cut else {})


def _of_pipe(record: PipeRecord, processes: Processes, _: Users) -> Facts:
    facts: dict[str, object] = {"PipeType": _PIPES.get(record.sort, str(record.sort))}
    if record.peer_tgid:
        peer = Key(record.peer_tgid, record.peer_start, record.peer_exec_id)
        known = processes.get(*peer)
        facts |= {"PeerProcessGuid": processes.guid(peer), "PeerProcessId": record.peer_tgid}
        facts |= {"PeerImage": known.image} if known else {}
    return facts


def _of_image_load(record: ImageLoadRecord) -> Facts:
    return {"How": _HOW_LOADED.get(record.how, str(record.how)), "MappedAt": f"{record.address:#x}"}


def _of_module(record: ModuleRecord, processes: Processes, users: Users) -> Facts:
    """Sysmon's event has no field for who loads a module: JSON names him."""
    actor = processes.actor(record.tgid, record.start, record.exec_id)
    taints = "".join(letter for bit, letter in enumerate(_TAINTS) if record.taints >> bit & 1)
    told = {"ModuleVersion": text(record.version), "ModuleSourceVersion": text(record.source_version), "Taints": taints}
    return {
        "ProcessGuid": actor.guid,
        "ProcessId": record.tgid,
        "Image": actor.image,
        "User": users.name(record.uid),
        "ModuleName": text(record.name),
        "How": "file" if record.path else "memory",
    } | {name: value for name, value in told.items() if value}


@lru_cache(maxsize=1024)
def _place(cgroup_path: bytes) -> Facts:
    if not cgroup_path:
        return {}
    path = known_path(cgroup_path)
    container = container_of(path)
    told = {
        "ContainerId": container.id,
        "ContainerRuntime": container.runtime,
        "PodUid": container.pod,
        "Unit": container.unit,
        "CgroupPath": path,
    }
    return {name: value for name, value in told.items() if value}


def _cgroup_path(record: Record, processes: Processes) -> bytes:
    """Of who acts, as far as he is known."""
    actor = processes.get(record.tgid, record.start, record.exec_id)
    return actor.cgroup_path if actor else b""


def _place_alone(record: Record, processes: Processes, _: Users) -> Facts:
    return _place(_cgroup_path(record, processes))


def _placed(told: _Told) -> _Told:
    """What that tells, and the place of who acts."""
    return lambda record, processes, users: {
        **told(record, processes, users),
        **_place(_cgroup_path(record, processes)),
    }


def _simply(told: Callable[[Any], Facts]) -> _Told:
    """What the record alone tells."""
    return lambda record, _processes, _users: told(record)


_TOLD: dict[type[Record], _Told] = {
    AccessRecord: _placed(_simply(_of_access)),
    AttributeRecord: _placed(_simply(lambda record: {"StreamSize": record.value_size})),
    ClipboardRecord: _simply(facts_of_clipboard),
    DnsMessageRecord: _place_alone,
    ExecRecord: _of_exec,
    ExitRecord: _of_exit,
    FileCreateRecord: _of_file_create,
    FileDeleteRecord: _of_file_delete,
    FileTimeRecord: _place_alone,
    FlowRecord: _place_alone,
    ImageLoadRecord: _placed(_simply(_of_image_load)),
    InjectionRecord: _placed(_simply(facts_of_injection)),
    LookUpRecord: _place_alone,
    ModuleRecord: _placed(_of_module),
    PipeRecord: _placed(_of_pipe),
    ProgramRecord: _placed(_simply(_of_program)),
    RawAccessRecord: _placed(_simply(_of_raw_access)),
    SettingRecord: _placed(_simply(_of_setting)),
    SettingTableRecord: _place_alone,
    TamperRecord: _placed(_simply(facts_of_tampering)),
}


def facts_of(record: Record, processes: Processes, users: Users) -> Facts:
    """All that the record tells and its events have no field for, by names in Sysmon's style."""
    told = _TOLD.get(type(record))
    return told(record, processes, users) if told else {}
