"""Processes that were there before: the kernel's numbers joined with what /proc tells, if it is the same process."""

from __future__ import annotations

import os
import pty
import signal
from pathlib import Path

from pysmon.host.proc import read_process
from pysmon.pipeline.snapshot import with_images, with_texts
from pysmon.sensor.records import TaskRecord, components_of

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def own_task() -> TaskRecord:
    return task_of(os.getpid())


def task_of(pid: int) -> TaskRecord:
    """A process as the kernel's iterator tells of it."""
    facts = read_process(pid)
    assert facts
    start = facts.start_ticks * TICK + TICK // 2
    return TaskRecord.make(tgid=pid, tid=pid, start=start, exec_id=3, uid=os.getuid(), session=9)


def test_a_process_gets_its_texts_and_keeps_its_numbers() -> None:
    (told,) = with_texts([own_task()])
    assert told.image == components_of(os.path.realpath("/proc/self/exe"))
    assert told.directory == components_of(os.getcwd())
    assert told.args == Path("/proc/self/cmdline").read_bytes()
    assert numbers(told) == numbers(own_task())


def test_a_process_is_told_with_its_terminal_and_cgroup() -> None:
    (without,) = with_texts([own_task()])
    pid, terminal = pty.fork()
    if pid == 0:
        os.write(1, b"x")
        signal.pause()
    os.read(terminal, 1)
    try:
        (told,) = with_texts([task_of(pid)])
        assert told.tty == os.readlink(f"/proc/{pid}/fd/0").removeprefix("/dev/").replace("/", "").encode() + b"\0"
        cgroups = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        cgroup = next((line[3:] for line in cgroups if line.startswith("0::/")), "")
        assert told.cgroup_path == without.cgroup_path == components_of(cgroup)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_a_process_with_the_same_number_and_another_start_is_another_one() -> None:
    known = dict(zip(TaskRecord.layout.names, own_task(), strict=True))
    for start in (own_task().start - TICK, own_task().start + TICK):
        other = TaskRecord.make(**(known | {"start": start}))
        assert list(with_texts([other])) == [other]


def test_a_process_that_has_gone_stays_without_texts() -> None:
    pid = os.posix_spawnp("true", ["true"], os.environ)
    os.waitpid(pid, 0)
    gone = TaskRecord.make(tgid=pid, start=5)
    assert list(with_texts([gone])) == [gone]


def test_what_is_told_is_a_record_that_can_go_to_a_tape() -> None:
    (told,) = with_texts([own_task()])
    assert TaskRecord.decode(told.encode()) == told


def numbers(record: TaskRecord) -> list[int]:
    """The members that are no texts, but for the size."""
    layout = record.layout
    return [getattr(record, n) for i, n in enumerate(layout.names) if i not in layout.tails and n != "size"]


def test_a_process_of_which_nothing_can_be_read_keeps_its_numbers() -> None:
    assert list(with_texts([own_task()], lambda _: None)) == [own_task()]


def test_a_process_gets_its_image_alone_where_nobody_may_be_held_up() -> None:
    (told,) = with_images([own_task()], lambda number: number)
    assert told.image == components_of(os.path.realpath("/proc/self/exe"))
    assert (told.args, told.directory) == (b"", b"")
    assert numbers(told) == numbers(own_task())


def test_of_another_process_with_the_same_number_there_is_no_image_either() -> None:
    known = dict(zip(TaskRecord.layout.names, own_task(), strict=True))
    other = TaskRecord.make(**(known | {"start": own_task().start + TICK}))
    assert list(with_images([other], lambda number: number)) == [other]


def test_a_process_is_looked_for_under_the_number_that_it_has_here() -> None:
    known = dict(zip(TaskRecord.layout.names, own_task(), strict=True))
    outside = TaskRecord.make(**(known | {"tgid": 1 << 22}))
    (told,) = with_images([outside], lambda number: os.getpid() if number == 1 << 22 else number)
    assert told.image == components_of(os.path.realpath("/proc/self/exe"))
    assert told.tgid == 1 << 22
