"""The kernel's settings: what is written below /proc/sys, and tables of them that come, go or are renamed.

Only settings of namespaces that the test makes for itself are touched.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.own_network import own_network
from tests.sensor.provoke import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    Stage,
    apart,
    call,
    error_of,
    extra,
    forked,
    host_pid,
    one,
    run,
)

from pysmon.schema.catalogue import ProcessTerminate, RegistryKey, RegistryRename, RegistryValueSet
from pysmon.sensor.records import FAMILIES
from pysmon.sensor.setting_records import SettingRecord

pytestmark = pytest.mark.vm

CLONE_NEWUTS, CLONE_NEWIPC = 0x4000000, 0x8000000
_SET_FLAGS, _SET_NAME = 0x8914, 0x8923  # linux/sockios.h
TTL = Path("/proc/sys/net/ipv4/ip_default_ttl")
TTL_OBJECT = r"SYSCTL\net\ipv4\ip_default_ttl"
HOST_NAME = Path("/proc/sys/kernel/hostname")
NOT_TTL = """<Sysmon schemaversion="4.90"><EventFiltering><RegistryEvent onmatch="exclude">
<TargetObject condition="end with">ttl</TargetObject></RegistryEvent></EventFiltering></Sysmon>"""


def opened(act: Callable[[int], object]) -> None:
    file = os.open(TTL, os.O_WRONLY)
    try:
        act(file)
    finally:
        os.close(file)


def spliced(file: int) -> None:
    output, end = os.pipe()
    os.write(end, b"77\n")
    os.splice(output, file, 3)


def sent(file: int) -> None:
    memory = os.memfd_create("value")
    os.write(memory, b"77\n")
    os.sendfile(file, memory, 0, 3)


WAYS: dict[str, Callable[[int], object]] = {
    "write": lambda f: os.write(f, b"77\n"),
    "pwrite": lambda f: os.pwrite(f, b"77\n", 0),
    "writev": lambda f: os.writev(f, [b"7", b"7", b"\n"]),
    "pwritev": lambda f: os.pwritev(f, [b"77\n"], 0),
    "splice": spliced,
    "sendfile": sent,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_setting_is_told_with_the_value_before(provoke: Stage, way: str) -> None:
    def act() -> str:
        opened(WAYS[way])
        return TTL.read_text()

    seen = provoke(act, before=own_network)
    assert seen.truth == "77\n"
    event, end = one(seen.of(RegistryValueSet)), one(seen.of(ProcessTerminate))
    assert (event.EventType, event.TargetObject, event.Details) == ("SetValue", TTL_OBJECT, "77")
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert event.UtcTime <= end.UtcTime
    facts = extra(event)
    assert facts["PreviousDetails"] == "64"
    assert not facts.keys() & {"Position", "DetailsCut"}


def test_settings_of_other_kinds_are_told(provoke: Stage) -> None:
    def before() -> None:
        call("unshare", CLONE_NEWUTS | CLONE_NEWIPC)
        HOST_NAME.write_text("old")

    def act() -> str:
        HOST_NAME.write_text("new")
        Path("/proc/sys/kernel/msgmax").write_text("4096\n")
        Path("/proc/sys/kernel/sem").write_text("100 200\t30 40\n")
        return HOST_NAME.read_text()

    seen = provoke(act, before=before)
    assert seen.truth == "new\n"
    told = [(e.TargetObject, e.Details, extra(e)["PreviousDetails"]) for e in seen.of(RegistryValueSet)]
    assert told[:2] == [(r"SYSCTL\kernel\hostname", "new", "old"), (r"SYSCTL\kernel\msgmax", "4096", "8192")]
    assert told[2][:2] == (r"SYSCTL\kernel\sem", "100 200\t30 40")


def test_a_program_of_a_short_life_is_told(provoke: Stage) -> None:
    def act() -> int:
        TTL.write_text("50")
        return host_pid()

    seen = provoke(lambda: apart(act), before=own_network, read=False)
    assert one(seen.of(RegistryValueSet)).ProcessId == seen.truth
    shell = provoke(lambda: run("/bin/sh", "-c", f"echo 51 > {TTL}"), before=own_network, read=False)
    event = one(shell.of(RegistryValueSet))
    assert (event.Image, event.Details) == (os.path.realpath("/bin/sh"), "51")


def test_a_long_value_is_cut_and_one_in_pieces_is_told_piece_by_piece(provoke: Stage) -> None:
    def act() -> None:
        HOST_NAME.write_bytes(b"x" * 600)
        file = os.open(HOST_NAME, os.O_WRONLY)
        os.write(file, b"ab")
        os.write(file, b"cd")

    long, first, second = provoke(act, before=lambda: call("unshare", CLONE_NEWUTS)).of(RegistryValueSet)
    assert (long.Details, extra(long)["DetailsCut"]) == ("x" * 511, True)
    assert (first.Details, extra(second)["PreviousDetails"]) == ("ab", "ab")
    assert (second.Details, extra(second)["Position"]) == ("cd", 2)


def test_what_sets_nothing_is_not_told(provoke: Stage) -> None:
    def act() -> list[int | None]:
        TTL.read_text()
        failures = [error_of(TTL.write_text, text) for text in ("no number", "100000")]
        Path("/proc/self/comm").write_text("x")
        Path("/proc/self/oom_score_adj").write_text("1")
        opened(lambda f: os.write(f, b""))
        Path("/dev/null").write_text("77\n")
        return failures

    seen = provoke(act, before=own_network)
    assert seen.truth == [errno.EINVAL, errno.EINVAL]
    assert (seen.of(RegistryValueSet), seen.families["sysctl"].seen) == ([], 0)


def test_what_is_refused_is_not_told(provoke: Stage) -> None:
    def act() -> int | None:
        become_nobody()
        return error_of(TTL.write_text, "77")

    seen = provoke(lambda: apart(act), before=own_network)
    assert (seen.truth, seen.of(RegistryValueSet)) == (errno.EACCES, [])


def test_what_others_write_is_not_told(provoke: Stage) -> None:
    def outside() -> None:
        def act() -> None:
            call("unshare", CLONE_NEWNET)
            TTL.write_text("77")

        forked(act)

    assert provoke(os.getpid, beside=outside).records_of(SettingRecord) == []


def test_many_are_told_each_with_its_own_value(provoke: Stage) -> None:
    values = [str(1 + i % 255) for i in range(1000)]

    def act() -> None:
        for value in values:
            TTL.write_text(value)

    seen = provoke(act, before=own_network)
    events = seen.of(RegistryValueSet)
    assert [e.Details for e in events] == values
    assert [extra(e)["PreviousDetails"] for e in events] == ["64", *values[:-1]]


def test_rules_filter_it(provoke: Stage) -> None:
    def act() -> None:
        TTL.write_text("77")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    seen = provoke(act, NOT_TTL, before=own_network)
    assert one(seen.of(RegistryValueSet)).TargetObject == r"SYSCTL\net\ipv4\ip_forward"
    count = seen.families["sysctl"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: TTL.write_text("77"), before=own_network)
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["sysctl"].seen == 0


# ---- tables: only where the kernel allows programs on its functions


@pytest.fixture
def tables(provoke: Stage) -> Stage:
    refusals = {s.ability.name: s.refusals for s in provoke.sensor.services if s.provider is None}
    if "tables of settings" in refusals:
        pytest.skip(f"tables of settings are not seen here: {'; '.join(refusals['tables of settings'])}")
    return provoke


def rename_loopback(name: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", 0))
        fcntl.ioctl(any_socket, _SET_NAME, struct.pack("16s16s", b"lo", name))


def test_a_network_of_one_s_own_brings_its_tables(tables: Stage) -> None:
    seen = tables(lambda: call("unshare", CLONE_NEWNET))
    keys = seen.of(RegistryKey)
    made = {key.TargetObject for key in keys}
    assert {r"SYSCTL\net\ipv4", r"SYSCTL\net\ipv4\conf\all", r"SYSCTL\net\ipv4\conf\lo"} <= made
    assert {(e.EventType, e.ProcessId, e.User) for e in keys} == {("CreateKey", seen.pid, "root")}
    assert {e.Image for e in keys} == {os.path.realpath(sys.executable)}
    assert {e.ProcessGuid for e in keys} == {one(seen.of(ProcessTerminate)).ProcessGuid}


def test_an_interface_that_is_renamed_takes_its_tables_along(tables: Stage) -> None:
    seen = tables(lambda: rename_loopback(b"renamed0"), before=own_network)
    assert seen.of(RegistryKey) == []
    told = {(e.EventType, e.TargetObject, e.NewName, e.ProcessId) for e in seen.of(RegistryRename)}
    for folder in (r"SYSCTL\net\ipv4\conf", r"SYSCTL\net\ipv4\neigh"):
        assert ("RenameKey", rf"{folder}\lo", rf"{folder}\renamed0", seen.pid) in told


def test_a_rename_that_fails_is_not_told(tables: Stage) -> None:
    seen = tables(lambda: error_of(rename_loopback, b"a/b"), before=own_network)
    assert seen.truth == errno.EINVAL
    assert (seen.of(RegistryRename), seen.of(RegistryKey)) == ([], [])


def test_tables_of_a_process_that_ends_at_once_are_told(tables: Stage) -> None:
    def act() -> None:
        forked(lambda: call("unshare", CLONE_NEWNET))

    made = [key for key in tables(act, read=False).of(RegistryKey) if key.EventType == "CreateKey"]
    assert {key.Image for key in made} == {os.path.realpath(sys.executable)}
    assert r"SYSCTL\net\ipv4" in {key.TargetObject for key in made}


def test_a_rename_by_a_process_that_ends_at_once_is_told(tables: Stage) -> None:
    seen = tables(lambda: forked(lambda: rename_loopback(b"renamed0")), before=own_network, read=False)
    renamed = seen.of(RegistryRename)
    assert {event.ProcessId for event in renamed} & {seen.pid} == set()
    assert {event.Image for event in renamed} == {os.path.realpath(sys.executable)}


def test_namespaces_without_tables_bring_none(tables: Stage) -> None:
    seen = tables(lambda: [call("unshare", kind) for kind in (CLONE_NEWNS, CLONE_NEWUTS)])
    assert (seen.of(RegistryKey), seen.of(RegistryRename)) == ([], [])
