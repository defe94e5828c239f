"""Processes that nothing is kept of: taken from the bytes, and nobody can tell that they did not go the long way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assemble.stage import (
    CHILD,
    SECOND,
    SHELL,
    Key,
    create,
    execute,
    fork,
    leave,
    task,
)
from tests.pipeline.machinery import Machinery
from tests.tapes.play import configured

from pysmon.layout.record import Record
from pysmon.pipeline.accounting import by_family
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.records import (
    ASKS,
    CREATOR_OTHER,
    CREATOR_PARENT,
    CREATOR_UNKNOWN,
    BriefExecRecord,
    ExecRecord,
)

EVERY = '<Image condition="begin with">/</Image>'
RUN: Key = (11, 6 * SECOND, 3)


def rules(create: str = f"exclude:{EVERY}", end: str = f"exclude:{EVERY}") -> Ruleset:
    """For begin and end of processes `onmatch:rules`; of files everything is kept."""
    tags = {"ProcessCreate": create, "ProcessTerminate": end, "FileCreate": "exclude:", "ProcessTampering": "exclude:"}
    inside = "".join('<{0} onmatch="{1}">{2}</{0}>'.format(tag, *what.split(":", 1)) for tag, what in tags.items())
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{inside}</EventFiltering></Sysmon>'
    return Ruleset.compile(configured(text))


class Lives(Machinery):
    """What it knows of processes can be looked at."""

    def __init__(self, ruleset: Ruleset) -> None:
        super().__init__(ruleset)
        self.builder.take(leave((4_000_000, 1, 1), time=1))  # users are looked at, for a second

    def table(self) -> set[tuple[object, ...]]:
        """All that is known of every process."""
        processes = self.builder.processes
        known = {image.key for image in processes.live()} | {
            (t, s, e) for t in range(8) for s in range(4) for e in range(4)
        }
        found = [image for key in known if (image := processes.get(*key))]
        return {
            (i.key, i.guid, i.image, i.command_line, i.uid, i.cgroup_path, i.parent and i.parent.key) for i in found
        }


KEYS = st.tuples(st.integers(1, 6), st.integers(1, 2), st.integers(1, 3))
STEPS = st.lists(
    st.tuples(
        st.sampled_from("fffxxxxlllct"),
        KEYS,
        KEYS,
        st.sampled_from(["/bin/a", "/bin/b", "/tmp/c"]),
        st.sampled_from([0, 1000, 77]),
        st.sampled_from([1, 1, 1000, SECOND, 5 * SECOND]),
    ),
    max_size=50,
)
RULES = (
    rules(),
    rules("include:", "include:"),
    rules("exclude:", f"exclude:{EVERY}"),
    rules('exclude:<Image condition="is">/bin/a</Image>', 'include:<User condition="is">joe</User>'),
    rules('include:<User condition="is">77</User>', 'include:<Image condition="end with">b</Image>'),
    rules('include:<ParentImage condition="is">/bin/a</ParentImage>', "include:"),
)


def record_of(step: tuple[str, Key, Key, str, int, int], time: int) -> Record:
    what, key, other, image, uid, _ = step
    match what:
        case "f":
            return fork(key, other, time=time, uid=uid)
        case "x":
            links = uid != 77 or key[0] != 3
            maker = None if uid == 1000 else (other[0] + (uid == 77), other[1], 1)
            args = f"{image}\0{time}\0".encode()
            where = {"cgroup_path": b"x.service\0system.slice\0"} if uid else {}
            return execute(key, image, args, by=other, made_by=maker, time=time, uid=uid, links=int(links), **where)
        case "l":
            return leave(key, time=time, uid=uid)
        case "t":
            return task(key, image, b"old\0", by=other, time=time, uid=uid)
        case _:
            return create(key, f"/tmp/{time}", time=time, uid=uid)


def brief(record: ExecRecord) -> BriefExecRecord:
    """What the kernel sends instead, once it has been told that nothing is kept of it."""
    told = {name: getattr(record, name) for name in BriefExecRecord.layout.names if name != "creator"}
    same = (record.creator_tgid, record.creator_start) == (record.parent_tgid, record.parent_start)
    creator = CREATOR_UNKNOWN if not record.creator_start else CREATOR_PARENT if same else CREATOR_OTHER
    return BriefExecRecord.make(**told | {"cpu": 0, "creator": creator})


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from(RULES))
def test_it_comes_to_the_same_as_the_long_way(steps: Sequence[Any], ruleset: Ruleset) -> None:
    quick, plain, told, time = Lives(ruleset), Lives(ruleset), Lives(ruleset), 10 * SECOND
    for step in steps:
        time += step[-1]
        record = record_of(step, time)
        if step[0] == "t":
            quick.flow.learn(record)
            plain.flow.learn(record)
            told.flow.learn(record)
            continue
        quick.quick(record)
        plain.slowly(record)
        if isinstance(record, ExecRecord) and record.links and told.flow.lives.drops_begin(step[3], record.uid):
            assert told.quick(brief(record))
        else:
            told.quick(record)
    assert quick.events == told.events == plain.events
    assert quick.table() == told.table() == plain.table()
    books, others = told.flow.accounting, plain.flow.accounting
    assert quick.flow.accounting == others
    assert (books.events_kept, books.events_filtered) == (others.events_kept, others.events_filtered)
    assert by_family(books.records_filtered) == by_family(others.records_filtered)


def test_a_brief_record_leaves_in_the_table_what_a_whole_one_does() -> None:
    made, whole = Lives(rules()), Lives(rules())
    for machinery in (made, whole):
        machinery.quick(execute(SHELL, "/bin/sh", b"sh\0-c\0", time=4))
        machinery.quick(fork(CHILD, SHELL, time=5))
    record = execute(RUN, "/bin/ls", b"ls\0-l\0", by=SHELL, made_by=SHELL, time=6, cgroup_path=b"a.slice\0")
    assert made.quick(brief(record))
    assert whole.quick(record)
    assert made.table() == whole.table()
    assert made.flow.accounting.filtered == {1: 2}
    longer = Lives(rules())
    longer.flow.take(brief(record))
    assert not longer.events
    assert {row[3] for row in longer.table()} == {"ls -l"}


def test_a_life_of_which_nothing_is_kept_is_taken_whole() -> None:
    made = Lives(rules())
    lived = fork(CHILD, SHELL, time=5), execute(RUN, "/bin/ls", time=6), leave(RUN, time=7), leave(RUN, time=8)
    assert [made.quick(record) for record in lived] == [True] * 4
    books = made.flow.accounting
    assert by_family(books.records_filtered) == {"fork": 1, "process": 3}
    assert books.filtered == {1: 1, 5: 1}


def test_what_is_wanted_by_nobody_is_no_event_that_was_dropped() -> None:
    made = Lives(rules("include:", "include:"))
    assert all(made.quick(record) for record in (execute(RUN, "/bin/ls", time=6), leave(RUN, time=7)))
    assert by_family(made.flow.accounting.records_filtered) == {"process": 2}
    assert not made.flow.accounting.filtered


def test_a_program_that_may_be_kept_goes_the_long_way() -> None:
    made = Lives(rules('exclude:<Image condition="is">/bin/ls</Image>'))
    assert made.quick(execute(RUN, "/bin/ls", time=6))
    assert not made.quick(execute(CHILD, "/bin/sh", time=6))
    assert [event.type.id for event in made.events] == [1]


def test_a_program_without_a_name_goes_the_long_way() -> None:
    made = Lives(rules())
    assert not made.quick(execute(RUN, "/memfd:x", time=6, links=0))
    assert [event.type.id for event in made.events] == [25]


@pytest.mark.parametrize(
    "record",
    [fork(RUN, SHELL, time=5), execute(RUN, "/bin/ls", time=5), leave(RUN, time=5)],
    ids=lambda r: type(r).__name__,
)
def test_whom_others_want_to_hear_of_or_wait_for_is_left_to_them(record: Record) -> None:
    made = Lives(rules("include:", "include:"))
    made.builder.take(execute(RUN, "/bin/ls", time=4))
    assert made.quick(record)
    assert not made.quick(record, apart={RUN[0]})
    assert not made.quick(record.make(**dict(zip(record.layout.names, record, strict=True)) | {"cpu": ASKS}))
    assert made.quick(record, notice=print) is not isinstance(record, ExecRecord)


def test_whom_others_want_to_hear_of_is_left_to_them_in_brief_as_well() -> None:
    made, record = Lives(rules()), brief(execute(RUN, "/bin/ls", time=5))
    assert not made.quick(record, apart={RUN[0]})
    assert made.quick(record, apart={RUN[0] + 1})


def test_who_wants_to_hear_of_programs_is_told_of_those_with_brief_records() -> None:
    made, record, heard = Lives(rules()), brief(execute(RUN, "/bin/ls", time=5, mount_namespace=7)), list[Record]()
    assert made.quick(record, notice=heard.append)
    assert made.quick(record)
    assert heard == [record]


@pytest.mark.parametrize(
    "record",
    [fork(RUN, SHELL), execute(RUN, "/bin/ls", b"ls\0"), brief(execute(RUN, "/bin/ls", b"ls\0")), leave(RUN)],
    ids=lambda r: type(r).__name__,
)
def test_a_record_that_breaks_off_is_left_alone(record: Record) -> None:
    made, data = Lives(rules("include:", "include:")), record.encode()
    way = made.flow.ways()[data[0]]
    assert not any(way(data[:size]) for size in range(len(data)))
    assert not len(made.builder.processes) - 1


def test_once_a_second_a_record_goes_the_long_way_so_that_users_are_looked_at() -> None:
    made = Lives(rules("include:", "include:"))
    assert [made.quick(fork(RUN, SHELL, time=t * SECOND // 2)) for t in range(3, 8)] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_the_end_of_a_process_that_nobody_knows_goes_the_long_way() -> None:
    made = Lives(rules(end='exclude:<Image condition="begin with">/</Image>'))
    assert not made.quick(leave(RUN, time=5))
    assert [event.type.id for event in made.events] == [5]


def test_what_was_learned_of_a_user_is_forgotten_when_there_are_others() -> None:
    made = Lives(rules('include:<User condition="is">ann</User>'))
    assert made.quick(execute(RUN, "/bin/ls", time=5, uid=1000))
    made.names[1000] = "ann"
    made.users.edition += 1
    made.users._names.clear()
    made.flow.take(leave(SHELL, time=2 * SECOND))
    assert not made.quick(execute(CHILD, "/bin/ls", time=2 * SECOND + 1, uid=1000))
    assert [event.type.id for event in made.events] == [1]


def test_other_rules_hold_from_the_next_record_on() -> None:
    made = Lives(rules())
    assert made.quick(execute(CHILD, "/bin/ls", time=5))
    made.use(rules("exclude:"))
    assert not made.quick(execute(RUN, "/bin/ls", time=6))
    assert made.quick(leave(RUN, time=7))
    assert (made.flow.accounting.filtered, made.flow.accounting.kept) == ({1: 1, 5: 1}, {1: 1})
