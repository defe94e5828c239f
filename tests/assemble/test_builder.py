"""The builder: what it lets through, what it keeps, and that it agrees with Sysmon for Linux."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree
from tests.assemble.stage import (
    BOOT,
    CHILD,
    NAMES,
    SECOND,
    SHELL,
    Key,
    builder,
    create,
    delete,
    execute,
    flow,
    fork,
    leave,
    task,
)

from pysmon.assemble.builder import Builder
from pysmon.host.guid import Machine
from pysmon.host.users import Users
from pysmon.layout.record import Record, record
from pysmon.schema.catalogue import ProcessCreate


def ids(made: Builder, record: Record) -> list[int]:
    return [e.type.id for e in made.take(record)]


def test_only_wanted_events_are_built_but_the_table_is_kept() -> None:
    made = builder()
    made.want({5, 26, 255})
    run: Key = (11, 6 * SECOND, 3)
    records = [fork(CHILD, SHELL), execute(run, "/bin/x"), flow(run), create(run, "/a"), delete(run, "/a")]
    assert [ids(made, r) for r in records] == [[], [], [], [], [26]]
    made.want({1, 23})
    child: Key = (12, 7 * SECOND, 1)
    (event,) = made.take(execute(child, "/bin/y", by=run))
    assert isinstance(event, ProcessCreate)
    assert event.ParentImage == "/bin/x"
    assert [ids(made, r) for r in (delete(run, "/a"), leave(run))] == [[23], []]
    made.want(())
    assert ids(made, delete(run, "/a")) == []


def test_records_that_inform_make_no_event() -> None:
    made = builder()
    assert made.take(task(SHELL, "/bin/sh")) == ()
    assert made.take(fork(CHILD, SHELL)) == ()


def test_a_record_of_another_kind_is_nobodys() -> None:
    @record(99, "process", {})
    class Other(Record):
        """A record that no event is made of."""

    assert builder().take(Other.make()) == ()


def test_a_clock_that_was_set_shows_in_the_times_and_not_in_the_guids() -> None:
    made = builder()
    (before,) = made.take(create(CHILD, "/a"))
    made.clock_offset = BOOT + 3600 * SECOND
    (after,) = made.take(create(CHILD, "/a"))
    assert (before.text("UtcTime"), after.text("UtcTime")) == ("2026-11-21 05:46:50.000", "2026-11-21 06:46:50.000")
    assert before.text("ProcessGuid") == after.text("ProcessGuid")


def test_the_user_database_is_looked_at_once_in_a_second_of_records(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    names = {7: "old"}
    made = Builder(Machine(0, 0, 0), Users(ask=names.__getitem__, database=str(file)), clock_offset=0)
    made.take(flow(CHILD, uid=7, time=1))
    names[7] = "new"
    file.write_text("changed")
    (soon,) = made.take(flow(CHILD, uid=7, time=SECOND))
    (later,) = made.take(flow(CHILD, uid=7, time=SECOND + 1))
    assert (soon.text("User"), later.text("User")) == ("old", "new")


# ---- lines of Sysmon for Linux: the same facts in records must make the same texts

KEYS = {"ProcessGuid", "ParentProcessGuid", "UtcTime", "CreationUtcTime", "RuleName", "Hashes"}


def lines(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_bytes().splitlines():
        found = etree.fromstring(line)
        yield {d.get("Name", ""): d.text or "" for d in found.iter("Data")}


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed.ljust(16, b"\0")


def flow_of(line: dict[str, str], key: Key) -> Record:
    return flow(
        key,
        uid=uid_of(line["User"]),
        family=10 if line["SourceIsIpv6"] == "true" else 2,
        protocol={"tcp": 6, "udp": 17}[line["Protocol"]],
        source=packed(line["SourceIp"]),
        destination=packed(line["DestinationIp"]),
        source_port=int(line["SourcePort"]),
        destination_port=int(line["DestinationPort"]),
        initiated=int(line["Initiated"] == "true"),
    )


def exec_of(line: dict[str, str], key: Key) -> Record:
    return execute(
        key,
        line["Image"],
        line["CommandLine"].encode().replace(b" ", b"\0") + b"\0",
        by=(int(line["ParentProcessId"]), SECOND, 1),
        directory=b"".join(p.encode() + b"\0" for p in reversed(line["CurrentDirectory"].split("/")) if p),
        uid=uid_of(line["User"]),
        session=int(line["TerminalSessionId"]),
    )


def uid_of(name: str) -> int:
    return next((u for u, n in NAMES.items() if n == name), 0)


MAKERS: dict[str, Callable[[dict[str, str], Key], Record]] = {
    "event-001.xml": exec_of,
    "event-003.xml": flow_of,
    "event-005.xml": lambda line, key: leave(key, uid=uid_of(line["User"])),
    "event-011.xml": lambda line, key: create(key, line["TargetFilename"], uid=uid_of(line["User"])),
    "event-023.xml": lambda line, key: delete(key, line["TargetFilename"], uid=uid_of(line["User"])),
}


@pytest.mark.parametrize("name", MAKERS)
def test_real_lines_come_out_of_records_with_their_facts(name: str, shared: Callable[[str], Path]) -> None:
    for line in lines(shared(f"data/linux/{name}")):
        made = builder()
        if "ParentProcessId" in line:
            parent = (int(line["ParentProcessId"]), SECOND, 1)
            made.take(task(parent, line["ParentImage"], line["ParentCommandLine"].encode() + b"\0"))
        key = (int(line["ProcessId"]), 2 * SECOND, 1)
        made.take(task(key, line["Image"]))
        event = made.take(MAKERS[name](line, key))[0]
        texts = dict(zip((f.name for f in event.type.fields), event.texts(), strict=True))
        if line["User"] == "-":  # Sysmon for Linux leaves root out of some events; we do not
            line["User"] = "root"
        assert list(texts) == list(line)
        assert {n: v for n, v in texts.items() if n not in KEYS} == {
            n: v for n, v in line.items() if n not in KEYS
        } | logon(texts, line)


def logon(texts: dict[str, str], line: dict[str, str]) -> dict[str, str]:
    """A logon guid differs from a real one in the machine only."""
    if "LogonGuid" not in line:
        return {}
    assert texts["LogonGuid"][9:] == line["LogonGuid"][9:]
    return {"LogonGuid": texts["LogonGuid"]}
