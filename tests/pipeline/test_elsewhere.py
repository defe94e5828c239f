"""C libraries of other views of the disk: found once, and without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pysmon.pipeline.elsewhere import LOOK_AGAIN, OURSELVES, Elsewhere
from pysmon.sensor.libraries import Library
from pysmon.sensor.records import BriefExecRecord, ExecRecord, ExitRecord

OURS, THEIRS, OTHERS = 1, 2, 3  # mount namespaces
HOST, GUEST = Library("/lib/libc.so.6", 1, 100), Library("/proc/7/root/lib/libc.so.6", 1, 200)


class Machine:
    """Processes with their namespaces and libraries, and what the sensor was told."""

    def __init__(self) -> None:
        self.namespaces: dict[int, int | None] = {OURSELVES: OURS, 7: THEIRS, 8: THEIRS, 9: OTHERS}
        self.libraries = {OURS: [HOST], THEIRS: [GUEST, HOST], OTHERS: [GUEST]}
        self.wanted = True
        self.looks: list[int] = []
        self.watched: list[str] = []
        self.looked = threading.Semaphore(0)

    def watch_library(self, path: str) -> None:
        self.watched.append(path)

    def namespace_of(self, process: int) -> int | None:
        return self.namespaces.get(process)

    def libraries_of(self, process: int) -> list[Library]:
        self.looks.append(process)
        self.looked.release()
        return self.libraries[self.namespaces[process] or 0]

    def elsewhere(self) -> Elsewhere:
        return Elsewhere(self, lambda: self.wanted, self.namespace_of, self.libraries_of)


def program(process: int, namespace: int, time: int = 1) -> ExecRecord:
    return ExecRecord.make(tgid=process, mount_namespace=namespace, time=time)


def done(machine: Machine, act: Callable[[Elsewhere], None]) -> Machine:
    """What becomes of it once the thread has ended."""
    made = machine.elsewhere()
    act(made)
    made.close()
    for thread in threading.enumerate():
        if thread.name == "pysmon libraries":
            thread.join()
    return machine


def test_a_library_that_is_seen_elsewhere_is_watched_once() -> None:
    machine = Machine()

    def act(made: Elsewhere) -> None:
        for process, namespace in ((7, THEIRS), (8, THEIRS), (9, OTHERS)):
            made.notice(program(process, namespace))

    assert done(machine, act).watched == [GUEST.path]
    assert machine.looks == [OURSELVES, 7, 9]


def test_a_program_that_is_told_of_briefly_is_noticed() -> None:
    brief = BriefExecRecord.make(tgid=7, mount_namespace=THEIRS, time=1)
    assert done(Machine(), lambda made: made.notice(brief)).watched == [GUEST.path]


def test_programs_are_heeded_as_long_as_names_are_wanted() -> None:
    machine = Machine()
    made = machine.elsewhere()
    assert made.heeds
    machine.wanted = False
    assert not made.heeds
    made.close()


def test_processes_that_were_there_before_are_looked_at() -> None:
    assert done(Machine(), lambda made: made.learn([7, 8, 9])).watched == [GUEST.path]


def test_our_own_disk_is_looked_at_again_from_time_to_time() -> None:
    machine = Machine()

    def act(made: Elsewhere) -> None:
        machine.libraries[OURS] = [Library("/lib/libc.so.6", 1, 101)]
        for time in (1, 2, LOOK_AGAIN, LOOK_AGAIN + 1):
            made.notice(program(5, OURS, time))

    assert done(machine, act).watched == ["/lib/libc.so.6"]
    assert machine.looks == [OURSELVES] * 3


def test_a_process_that_has_gone_is_looked_at_when_the_next_one_comes() -> None:
    machine = Machine()
    machine.namespaces[7] = None

    def act(made: Elsewhere) -> None:
        made.notice(program(7, THEIRS))
        made.notice(program(8, THEIRS))

    assert done(machine, act).watched == [GUEST.path]


def test_nobody_looks_unless_names_are_asked_for() -> None:
    machine = Machine()
    machine.wanted = False

    def act(made: Elsewhere) -> None:
        made.notice(program(7, THEIRS))
        made.learn([7, 8, 9])

    assert done(machine, act).watched == []


def test_records_of_other_kinds_ask_for_nothing() -> None:
    assert done(Machine(), lambda made: made.notice(ExitRecord.make(tgid=7))).looks == [OURSELVES]


def test_a_disk_that_hangs_holds_nobody_up() -> None:
    machine, gate = Machine(), threading.Event()
    look = machine.libraries_of

    def hanging(process: int) -> list[Library]:
        found = look(process)
        if process != OURSELVES:
            gate.wait()
        return found

    made = Elsewhere(machine, lambda: True, machine.namespace_of, hanging)
    machine.looked.acquire()
    for process in range(7, 2000):
        made.notice(program(process, THEIRS))
    machine.looked.acquire()
    made.close()
    assert machine.watched == []
    gate.set()
