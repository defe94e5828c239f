"""The processes that were there before: the kernel's identities joined with the texts of /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from pysmon.host.proc import ProcessFacts, read_process, read_program
from pysmon.sensor.records import TaskRecord, components_of

_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # ns


def with_texts(
    tasks: Iterable[TaskRecord], read: Callable[[int], ProcessFacts | None] = read_process
) -> Iterator[TaskRecord]:
    """The same records with image, directory, terminal and arguments; without, if the process has gone meanwhile.

    `read` gives the facts of a process by its id.
    """
    for task in tasks:
        facts = read(task.tgid)
        if facts is None or facts.start_ticks != task.start // _TICK:
            yield task
            continue
        known = dict(zip(task.layout.names, task, strict=True))
        texts = {
            "image": components_of(facts.exe),
            "cgroup_path": components_of(facts.cgroup),
            "directory": components_of(facts.directory),
            "tty": facts.tty.encode() + b"\0" if facts.tty else b"",
            "args": facts.args[:65535],
        }
        yield TaskRecord.make(**(known | texts))


def with_images(tasks: Iterable[TaskRecord], named: Callable[[int], int]) -> Iterator[TaskRecord]:
    """The same records with image alone, for which nobody can be held up. `named`: what /proc calls a process."""
    for task in tasks:
        start_ticks, program = read_program(named(task.tgid))
        if not program or start_ticks != task.start // _TICK:
            yield task
            continue
        known = dict(zip(task.layout.names, task, strict=True))
        yield TaskRecord.make(**(known | {"image": components_of(program)}))
