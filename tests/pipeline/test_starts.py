"""Starts and ends of programs whose events are made of bytes: nobody can tell that they did not go the long way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assemble.stage import CHILD, MACHINE, SECOND, SHELL, Key, ended, execute, fork, leave
from tests.pipeline.machinery import Keeping
from tests.tapes.play import configured

from pysmon.host.hashes import Hashes
from pysmon.host.runtime_files import Containers
from pysmon.layout.record import Record
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.records import ASKS, ExecRecord, components_of

POD = components_of("/kubepods/pod11111111-2222-3333-4444-555555555555/" + "a" * 64)
UNIT = components_of("/system.slice/x.service")
KEYS: list[Key] = [SHELL, CHILD, (12, 6 * SECOND, 2), (12, 6 * SECOND, 3), (12, 7 * SECOND, 3)]


@pytest.fixture(scope="module", autouse=True)
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file that does not change any more, as programs mostly are."""
    FILE.path = tmp_path_factory.mktemp("programs") / "tool"
    FILE.path.write_bytes(b"tool")
    yield FILE.path
    FILE.path = Path()


class _File:
    """Of which file the records speak."""

    path = Path()

    def numbers(self) -> dict[str, Any]:
        found = self.path.stat()
        device = os.major(found.st_dev) << 20 | os.minor(found.st_dev)
        return {
            "device": device,
            "inode": found.st_ino,
            "image_size": found.st_size,
            "image_change_time": found.st_ctime_ns,
        }


FILE = _File()


def rules(create: str = "exclude:", end: str = "exclude:") -> Ruleset:
    """`onmatch:rules` of both."""
    tags = {"ProcessCreate": create, "ProcessTerminate": end, "ProcessTampering": "exclude:"}
    inside = "".join('<{0} onmatch="{1}">{2}</{0}>'.format(tag, *what.split(":", 1)) for tag, what in tags.items())
    return Ruleset.compile(
        configured(f'<Sysmon schemaversion="4.90"><EventFiltering>{inside}</EventFiltering></Sysmon>')
    )


class Machinery(Keeping):
    """It knows a process."""

    def __init__(self, ruleset: Ruleset, hashes: Hashes | None = None, **more: Any) -> None:
        super().__init__(ruleset, hashes or Hashes(("SHA256",), clock=lambda: 1 << 62), **more)
        self.builder.take(execute(SHELL, "/bin/sh", time=1, **FILE.numbers()))


STEPS = st.lists(
    st.tuples(
        st.sampled_from("eeeeexxxf"),
        st.sampled_from(KEYS),
        st.sampled_from([SHELL, SHELL, CHILD, (77, 5, 5)]),
        st.fixed_dictionaries(
            {},
            optional={
                "uid": st.sampled_from([0, 1000, 77]),
                "euid": st.sampled_from([0, 1000, 77]),
                "login_uid": st.sampled_from([0, 1000, 77]),
                "session": st.integers(1, 2),
                "namespace_pid": st.just(3),
                "links": st.just(0),
                "inode": st.just(1),
                "args_size": st.just(100),
                "tty": st.just(ended("pts3")),
                "root": st.just(components_of("/jail")),
                "filename": st.sampled_from([ended("tool"), ended("../x"), b"\xff\0"]),
                "directory": st.sampled_from([b"", components_of("/srv/a"), components_of("/srv")]),
                "cgroup_path": st.sampled_from([UNIT, POD]),
                "args": st.sampled_from([b"", b"a\0b c\0", b"\xff\0", b"\0"]),
                "made_by": st.sampled_from([SHELL, CHILD]),
                "pid_namespace": st.integers(1, 2),
            },
        ),
        st.sampled_from([0, 9, 256]),
        st.sampled_from([1, 1000, 1_000_000, SECOND]),
    ),
    max_size=40,
)
RULES = (
    rules(),
    rules("include:", "include:"),
    rules('exclude:<Image condition="end with">tool</Image>', 'include:<User name="J" condition="is">joe</User>'),
    rules('include:<Hashes name="H" condition="contains">SHA256</Hashes>', "include:"),
    rules('include:<CommandLine condition="contains">b c</CommandLine>', 'exclude:<Image condition="is">-</Image>'),
    rules('exclude:<ParentImage condition="is">/bin/sh</ParentImage>'),
)


def record_of(step: tuple[str, Key, Key, dict[str, Any], int, int], time: int) -> Record:
    what, key, by, more, code, _ = step
    if what == "f":
        return fork(key, by, time=time, uid=1000)
    if what == "x":
        return leave(key, code=code, time=time, uid=more.get("uid", 0))
    return execute(key, str(FILE.path), by=by, time=time, **(FILE.numbers() | more))


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from(RULES), st.booleans())
def test_it_comes_to_the_same_as_the_long_way(steps: Sequence[Any], ruleset: Ruleset, extras: bool) -> None:
    quick, plain, time = Machinery(ruleset, extras=extras), Machinery(ruleset, extras=extras), 10 * SECOND
    for step in steps:
        time += step[-1]
        record = record_of(step, time)
        quick.quick(record)
        plain.slowly(record)
    assert quick.events == plain.events
    assert [event.extra for event in quick.events] == [event.extra for event in plain.events]
    assert quick.times == plain.times
    assert quick.flow.accounting == plain.flow.accounting
    assert [i.key for i in quick.builder.processes.live()] == [i.key for i in plain.builder.processes.live()]


def start(time: int = 2, **more: Any) -> ExecRecord:
    return execute(CHILD, str(FILE.path), time=time, **(FILE.numbers() | more))


def ready(**more: Any) -> Machinery:
    """It knows the program already."""
    made = Machinery(rules(), **more)
    assert not made.quick(start())
    return made


def test_what_is_plain_goes_straight() -> None:
    made = ready()
    assert made.quick(start(args=b"other\0"))
    assert made.quick(leave(CHILD, time=3))
    assert [event.text("ProcessGuid") for event in made.events] == [MACHINE.process_guid(*CHILD)] * 3


def test_where_no_hashes_are_wanted_the_first_start_goes_straight() -> None:
    made = Machinery(rules(), Hashes(()))
    assert made.quick(start())
    assert made.events[0].text("Hashes") == "-"


@pytest.mark.parametrize(
    "more",
    [
        {"cpu": ASKS},
        {"links": 0},
        {"args_size": 1000},
        {"namespace_pid": 1},
        {"made_by": (5, 5, 5)},
        {"uid": 77},
        {"inode": 5},
    ],
)
def test_what_is_not_plain_goes_the_long_way(more: dict[str, Any]) -> None:
    made = ready()
    record = start(**more)
    assert not made.quick(record)
    assert not made.quick(record)


def test_whom_others_want_to_hear_of_is_left_to_them() -> None:
    made = ready()
    assert not made.quick(start(), apart=[CHILD[0]])
    assert not made.quick(leave(CHILD, time=3), apart=[CHILD[0]])


def test_who_wants_to_hear_of_programs_is_told() -> None:
    made, told = ready(), list[Record]()
    assert made.quick(start(), notice=told.append)
    assert told == [start()]


@pytest.mark.parametrize("record", [start, lambda: leave(CHILD, time=2)])
def test_a_record_that_breaks_off_is_left_alone(record: Any) -> None:
    made = ready()
    data = record().encode()
    before = len(made.events)
    for end in range(4, len(data)):
        way = made.flow.ways(made.times, made.events).get(data[0])
        assert way is not None
        assert not way(data[:end])
    assert len(made.events) == before


def test_long_texts_are_cut_on_the_long_way() -> None:
    made = Machinery(rules(), field_sizes={"CommandLine": 3})
    assert not any(made.quick(record) for record in (start(), start(), leave(CHILD, time=3)))


def test_processes_of_containers_go_the_long_way_where_runtimes_are_asked() -> None:
    made = ready(containers=Containers(Path("/nonexistent")))
    assert not any(made.quick(r) for r in (start(cgroup_path=POD), start(cgroup_path=POD), leave(CHILD, time=3)))


def test_other_names_of_users_are_told_after_a_second() -> None:
    made = ready()
    assert made.quick(start())
    made.names[0] = "admin"
    made.users.edition += 1
    made.users._names.clear()
    assert not made.quick(start(time=3 * SECOND))  # users are looked at
    assert made.quick(start(time=3 * SECOND + 1))
    assert made.events[-1].text("User") == "admin"


def test_other_rules_hold_from_the_next_record_on() -> None:
    made = ready()
    made.use(rules('exclude:<Image condition="end with">tool</Image>', "include:"))
    before = len(made.events)
    made.quick(start())
    made.quick(leave(CHILD, time=3))
    assert len(made.events) == before


def test_a_second_end_is_no_event() -> None:
    made = ready()
    assert made.quick(leave(CHILD, time=3))
    before = len(made.events)
    assert made.quick(leave(CHILD, time=4))
    assert len(made.events) == before
