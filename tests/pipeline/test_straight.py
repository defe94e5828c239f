"""Files and connections whose events are made of bytes: nobody can tell that they did not go the long way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assemble.stage import CHILD, SECOND, SHELL, Key, create, delete, execute, flow, head
from tests.pipeline.machinery import Keeping
from tests.sensor.own_dns import question
from tests.tapes.play import configured

from pysmon.assemble.content import Contents
from pysmon.host.hashes import Hashes
from pysmon.host.runtime_files import Containers
from pysmon.layout.record import Record
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.filewatch.held import HeldFiles
from pysmon.sensor.records import (
    ASKS,
    LINKED,
    OPENED,
    RENAMED,
    DnsMessageRecord,
    FileCreateRecord,
    FileDeleteRecord,
    components_of,
)

STRANGER: Key = (12, 6 * SECOND, 2)
POD = components_of("/kubepods/pod11111111-2222-3333-4444-555555555555/" + "a" * 64)


def rules(create: str = "exclude:", delete: str = "exclude:", connect: str = "exclude:", more: str = "") -> Ruleset:
    """`onmatch:rules` of the three; `more` are further elements."""
    tags = {"FileCreate": create, "FileDeleteDetected": delete, "NetworkConnect": connect}
    inside = "".join('<{0} onmatch="{1}">{2}</{0}>'.format(tag, *what.split(":", 1)) for tag, what in tags.items())
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{inside}{more}</EventFiltering></Sysmon>'
    return Ruleset.compile(configured(text))


class Machinery(Keeping):
    """It knows two processes."""

    def __init__(self, ruleset: Ruleset, **more: Any) -> None:
        super().__init__(ruleset, **more)
        self.builder.take(execute(SHELL, "/bin/sh", time=1))
        self.builder.take(execute(CHILD, "/bin/touch", time=1, uid=1000, cgroup_path=b"x.service\0system.slice\0"))


NAMES = [
    b"a.txt",
    b"crontab",
    b"at",
    b"x.timer",
    b".bashrc",
    b"..",
    b"a/../b",
    b"",
    b"\xff\xfe",
    "ä€".encode(),
    b"/abs",
]
FOLDERS = ["/", "/tmp", "/tmp/.hidden", "/etc", "/etc/systemd/system", "/var/spool", "/tmp/\udcff"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from("ccccddddnnnnx"),
        st.sampled_from([SHELL, SHELL, CHILD, CHILD, STRANGER]),
        st.sampled_from([0, 0, 1000, 77]),
        st.sampled_from(FOLDERS),
        st.sampled_from(NAMES),
        st.sampled_from(["whole", "whole", "named", "absolute"]),
        st.integers(0, 3),
        st.sampled_from([1, 1000, 1_000_000, SECOND]),
    ),
    max_size=40,
)
WMI = "".join(f'<{tag} onmatch="exclude"></{tag}>' for tag in ("WmiEvent",))
RULES = (
    rules(),
    rules(more=WMI),
    rules("include:", "include:", "include:"),
    rules(delete='exclude:<Image condition="is">/bin/sh</Image>', create='include:<User condition="is">joe</User>'),
    rules(
        'include:<TargetFilename name="T" condition="begin with">/tmp</TargetFilename>',
        'exclude:<TargetFilename condition="contains">tmp</TargetFilename>',
        'exclude:<DestinationPort condition="is">2</DestinationPort>',
    ),
    rules(connect='include:<Image name="N" condition="is">/bin/touch</Image>', more='<FileDelete onmatch="exclude"/>'),
)


def record_of(step: tuple[str, Key, int, str, bytes, str, int, int], time: int) -> Record:
    what, key, uid, folder, name, way, number, _ = step
    if what == "x":
        return execute((key[0], key[1], 3 + number), "/bin/other", time=time, uid=uid)
    if what == "n":
        return flow(
            key,
            time=time,
            uid=uid,
            source=bytes([10, 0, 0, number, *bytes(12)]),
            destination=bytes(10) + b"\xff\xff\x01\x02\x03\x04" if number else b"\xfe" * 16,
            family=(2, 10, 10, 2)[number],
            protocol=(6, 17, 1, 6)[number],
            source_port=1,
            destination_port=number,
            initiated=number & 1,
        )
    texts: dict[str, bytes] = {"name": name + b"\0"}
    if way == "whole":
        leaf = name.rpartition(b"/")[2]
        texts = {"path": (leaf + b"\0" if leaf else b"") + components_of(folder)}
    elif way == "named":
        texts |= {"directory": components_of(folder)}
    if what == "d":
        return FileDeleteRecord.make(**head(key, time), uid=uid, links=number, **texts)
    how = (OPENED, OPENED, RENAMED, LINKED)[number]
    return FileCreateRecord.make(**head(key, time), uid=uid, how=how, mode=0o100600 | number, **texts)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.sampled_from(RULES), st.booleans())
def test_it_comes_to_the_same_as_the_long_way(steps: Sequence[Any], ruleset: Ruleset, extras: bool) -> None:
    more = {"extras": extras, "birth": lambda _path, _inode: 5}
    quick, plain, time = Machinery(ruleset, **more), Machinery(ruleset, **more), 10 * SECOND
    for step in steps:
        time += step[-1]
        record = record_of(step, time)
        quick.quick(record)
        plain.slowly(record)
    assert quick.events == plain.events
    assert quick.times == plain.times
    assert quick.flow.accounting == plain.flow.accounting


FILES = [
    create(CHILD, "/tmp/abc", time=2, uid=1000, how=OPENED, mode=0o100644),
    delete(CHILD, "/tmp/a", time=2, uid=1000, links=1),
]
ALL = [*FILES, flow(CHILD, time=2, uid=1000, family=2, protocol=6, source_port=1, destination_port=2, initiated=1)]


def ready(**more: Any) -> Machinery:
    """A machinery that has looked at the users a moment ago."""
    made = Machinery(more.pop("ruleset", rules()), **more)
    assert not made.quick(delete(STRANGER, "/tmp/b", time=2))
    made.events.clear()
    return made


@pytest.mark.parametrize("record", ALL, ids=lambda r: type(r).__name__)
def test_what_is_plain_goes_straight(record: Record) -> None:
    made = ready()
    assert made.quick(record)
    assert [event.text("Image") for event in made.events] == ["/bin/touch"]
    assert made.flow.accounting.records_kept[record.kind]


@pytest.mark.parametrize("record", ALL, ids=lambda r: type(r).__name__)
def test_what_is_dropped_is_counted(record: Record) -> None:
    by_image = 'exclude:<Image condition="is">/bin/touch</Image>'
    by_time = 'exclude:<UtcTime condition="begin with">2</UtcTime>'
    for ruleset in (rules(*[by_image] * 3), rules(*[by_time] * 3)):
        made = ready(ruleset=ruleset)
        before = sum(made.flow.accounting.records_filtered)
        assert made.quick(record)
        assert not made.events
        assert sum(made.flow.accounting.records_filtered) == before + 1


@pytest.mark.parametrize("record", ALL, ids=lambda r: type(r).__name__)
def test_whom_others_want_to_hear_of_is_left_to_them(record: Record) -> None:
    made = ready()
    assert not made.quick(record, apart={CHILD[0]})
    assert not made.quick(record.make(**dict(zip(record.layout.names, record, strict=True)) | {"cpu": ASKS}))
    made.builder.questions.due = 1
    assert not made.quick(record)


@pytest.mark.parametrize("record", ALL, ids=lambda r: type(r).__name__)
def test_a_record_that_breaks_off_is_left_alone(record: Record) -> None:
    made, data = ready(), record.encode()
    way = made.flow.ways(made.times, made.events)[data[0]]
    assert not any(way(data[:size]) for size in range(len(data)))
    assert not made.events


@pytest.mark.parametrize("record", FILES, ids=lambda r: type(r).__name__)
def test_a_file_about_persistence_goes_the_long_way(record: Record) -> None:
    made = ready(ruleset=rules(more=WMI))
    assert made.quick(record)
    assert not made.quick(type(record).make(**_values(record) | {"path": components_of("/etc/crontab")}))
    assert not made.quick(type(record).make(**_values(record) | {"path": components_of("/etc/systemd/system/a.timer")}))


def test_the_birth_of_a_file_that_was_moved_is_looked_up() -> None:
    made = ready(birth=lambda _path, _inode: 5)
    assert not made.quick(create(CHILD, "/tmp/a", time=2, uid=1000, how=RENAMED))
    assert made.events[0].text("CreationUtcTime") == "1970-01-01 00:00:00.000"


def test_long_texts_are_cut_on_the_long_way() -> None:
    made = ready(field_sizes={"TargetFilename": 5})
    assert not made.quick(FILES[0])
    assert made.events[0].text("TargetFilename") == "/t..."


def test_processes_of_containers_go_the_long_way() -> None:
    made = ready(containers=Containers())
    made.builder.take(execute(CHILD, "/bin/touch", time=2, uid=1000, cgroup_path=POD))
    assert not any(made.quick(record) for record in ALL)
    assert len(made.events) == len(ALL)


def test_a_removed_file_that_is_held_goes_the_long_way(tmp_path: Path) -> None:
    held, asked, found = HeldFiles(), list[int](), (tmp_path / "held").open("w+")

    def catch_up() -> None:  # it was on its way
        asked.append(0)
        held.hold(os.dup(found.fileno()), os.fstat(found.fileno()), "/tmp/held", 1)

    contents = Contents(held, Hashes(("MD5",)), catch_up=catch_up, reads=lambda _: frozenset())
    made = ready(contents=contents)
    asked.clear()
    assert made.quick(delete(CHILD, "/tmp/a", time=2, uid=1000, inode=1))
    assert asked
    assert not made.quick(delete(CHILD, "/tmp/held", time=2, uid=1000))
    assert [event.text("Hashes") for event in made.events] == ["-", "MD5=d41d8cd98f00b204e9800998ecf8427e"]
    found.close()
    held.close()


def test_nobody_is_asked_for_files_while_none_is_watched() -> None:
    asked = list[int]()
    contents = Contents(
        HeldFiles(), Hashes(()), catch_up=lambda: asked.append(0), reads=lambda _: frozenset(), idle=lambda: True
    )
    made = ready(contents=contents)
    asked.clear()
    assert [made.quick(record) for record in FILES] == [True, True]
    assert not asked


def test_removed_files_go_the_long_way_where_rules_read_what_was_in_them() -> None:
    contents = Contents(HeldFiles(), Hashes(()), catch_up=lambda: None, reads=lambda _: frozenset({"Hashes"}))
    made = ready(contents=contents)
    assert [made.quick(record) for record in FILES] == [True, False]


def test_names_of_users_hold_for_a_second() -> None:
    made = ready()
    assert made.quick(FILES[0])
    made.names[1000] = "ann"
    made.users._names.clear()
    later = delete(CHILD, "/tmp/a", time=2 * SECOND, uid=1000)
    assert not made.quick(later)
    assert made.quick(create(CHILD, "/tmp/a", time=2 * SECOND + 1, uid=1000, how=OPENED))
    assert [event.text("User") for event in made.events] == ["joe", "ann", "ann"]


def test_what_waits_too_long_within_a_batch_is_told_before_the_next_record() -> None:
    made = ready(ruleset=rules(more='<DnsQuery onmatch="exclude"/>'))
    made.builder.questions._limit = 0
    way = made.flow.ways(made.times, made.events)[FILES[0].kind]
    assert way(FILES[0].encode())
    asked: dict[str, int | bytes] = {"family": 2, "protocol": 17, "sent": 1, "payload": question("www.example")}
    made.slowly(DnsMessageRecord.make(**head(CHILD, 2), **asked))
    assert not way(FILES[0].encode())
    made.slowly(FILES[0])
    assert [event.type.id for event in made.events] == [11, 22, 11]
    assert way(FILES[0].encode())


def test_a_user_who_may_become_known_goes_the_long_way() -> None:
    made = ready()
    assert not made.quick(create(CHILD, "/tmp/a", time=2, uid=77, how=OPENED))


def test_other_rules_hold_from_the_next_record_on() -> None:
    made = ready()
    assert made.quick(FILES[0])
    made.use(rules('exclude:<Image condition="is">/bin/touch</Image>'))
    assert made.quick(FILES[0])
    assert len(made.events) == 1


def test_what_is_known_of_another_program_of_the_process_is_not_said_of_this_one() -> None:
    made = ready()
    other = (*CHILD[:2], CHILD[2] + 1)
    made.builder.take(execute(other, "/bin/rm", time=2, uid=1000))
    assert made.quick(delete(other, "/tmp/a", time=2, uid=1000))
    assert made.quick(FILES[1])
    assert [event.text("Image") for event in made.events] == ["/bin/rm", "/bin/touch"]


def test_extra_facts_follow_the_record() -> None:
    made = ready()
    for mode in (0o100644, 0o100600, 0o100644):
        assert made.quick(create(CHILD, "/tmp/a", time=2, uid=1000, how=OPENED, mode=mode))
    assert [event.extra and event.extra["Mode"] for event in made.events] == ["0644", "0600", "0644"]


def _values(record: Record) -> dict[str, Any]:
    return dict(zip(record.layout.names, record, strict=True))
