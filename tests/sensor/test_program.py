"""BPF programs that come into the kernel: loaded by anybody in scope, and attached."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import Stage, apart, call, error_of, extra, host_pid, one

from pysmon.schema.catalogue import EbpfEvent, ProcessTerminate
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
MAP_CREATE, LOAD, INFO_BY_FD, OPEN_TRACEPOINT = 0, 5, 15, 17
SOCKET_FILTER, RAW_TRACEPOINT = 1, 17
RETURN_0 = struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)
NAMED_SO = """<Sysmon schemaversion="4.90"><EventFiltering><eBPFEvent onmatch="include">
<BpfProgramName condition="begin with">se</BpfProgramName></eBPFEvent></EventFiltering></Sysmon>"""


def bpf(command: int, attributes: bytes) -> int:
    return call("syscall", BPF, command, attributes, len(attributes))


def load(name: str = "", kind: int = SOCKET_FILTER, program: bytes = RETURN_0) -> int:
    """Load a program that does nothing; its descriptor."""
    text, license_ = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    pointers = (ctypes.addressof(text), ctypes.addressof(license_))
    return bpf(
        LOAD, struct.pack("<IIQQIIQII16s", kind, len(program) // 8, *pointers, 0, 0, 0, 0, 0, name.encode()) + bytes(8)
    )


def facts_of(fd: int) -> tuple[int, str]:
    """What the kernel itself says of a program: its number and its tag."""
    info = ctypes.create_string_buffer(16)
    bpf(INFO_BY_FD, struct.pack("<IIQ", fd, len(info), ctypes.addressof(info)))
    return struct.unpack_from("<4xI", info)[0], info.raw[8:16].hex()


def test_a_program_that_is_loaded_is_told(provoke: Stage) -> None:
    seen = provoke(lambda: facts_of(load("seen_by_all")))
    event, end = one(seen.of(EbpfEvent)), one(seen.of(ProcessTerminate))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert (event.BpfCommand, event.BpfProgramType) == ("BPF_PROG_LOAD", "SOCKET_FILTER")
    assert (event.BpfProgramId, extra(event)["BpfProgramTag"]) == seen.truth
    assert event.BpfProgramName == "seen_by_all"
    assert event.UtcTime <= end.UtcTime


def test_a_program_without_a_name_has_none(provoke: Stage) -> None:
    assert one(provoke(load).of(EbpfEvent)).BpfProgramName == "-"


def test_attaching_is_told_with_the_place(provoke: Stage) -> None:
    def act() -> tuple[int, str]:
        fd, name = load("at_a_place", RAW_TRACEPOINT), ctypes.create_string_buffer(b"task_rename")
        os.close(bpf(OPEN_TRACEPOINT, struct.pack("<QI4x", ctypes.addressof(name), fd)))
        return facts_of(fd)

    seen = provoke(act)
    loaded, attached = seen.of(EbpfEvent)
    assert (loaded.BpfCommand, attached.BpfCommand) == ("BPF_PROG_LOAD", "BPF_RAW_TRACEPOINT_OPEN")
    assert loaded.BpfProgramId == attached.BpfProgramId == seen.truth[0]
    assert attached.BpfProgramType == "RAW_TRACEPOINT"
    assert (attached.BpfProgramName, attached.ProcessGuid) == ("at_a_place", loaded.ProcessGuid)
    assert extra(attached)["BpfTracepoint"] == "task_rename"
    assert "BpfTracepoint" not in extra(loaded)


def test_a_program_of_a_short_life_is_told(provoke: Stage) -> None:
    """Neither it nor who loaded it is there any more when the record is read."""

    def act() -> int:
        os.close(load("gone"))
        return host_pid()

    seen = provoke(lambda: apart(act), read=False)
    event = one(seen.of(EbpfEvent))
    assert (event.ProcessId, event.BpfProgramName) == (seen.truth, "gone")


def test_what_is_refused_is_not_told(provoke: Stage) -> None:
    def as_nobody() -> None:
        become_nobody()
        assert error_of(load, "wanted", RAW_TRACEPOINT) == errno.EPERM

    def act() -> list[int | None]:
        apart(as_nobody)
        return [error_of(load, "bad", SOCKET_FILTER, RETURN_0[:8]), error_of(load, "bad", 9999)]

    seen = provoke(act)
    assert seen.truth == [errno.EINVAL, errno.EINVAL]
    assert seen.of(EbpfEvent) == []


def test_other_calls_of_bpf_are_not_told(provoke: Stage) -> None:
    def act() -> None:
        os.close(bpf(MAP_CREATE, struct.pack("<IIII", 2, 4, 4, 1) + bytes(56)))

    assert provoke(act).of(EbpfEvent) == []
    fd = load("of_ours")
    assert provoke(lambda: facts_of(fd)).of(EbpfEvent) == []
    os.close(fd)


def test_rules_filter_it(provoke: Stage) -> None:
    def act() -> None:
        for name in ("first", "second"):
            os.close(load(name))

    seen = provoke(act, NAMED_SO)
    assert one(seen.of(EbpfEvent)).BpfProgramName == "second"
    count = seen.families["bpf"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(load)
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["bpf"].seen == 0
