"""What the live sensor costs: processor time for an exec and a file that are logged, losses in storms, memory.

It watches only the workloads that it starts (bench/workloads), each alone and under the sensor in turn; medians of
rounds. Needs root. How each figure is taken is told in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.programs import counted
from bench.parts.table import table
from bench.parts.watched import Alone, NotMeasuredError, Watched, alone, watched
from bench.parts.workload import Workload, Workshop

from pysmon.formats.table import FORMATS

ROUNDS = 3
EXECS, FILES, AT_ONCE = 10_000, 100_000, 4
AIM, SYSMON, AUDITD = 60, 154, 53  # us for an exec: ours, and what is published for the other two
MEMORY_AIM = 80  # MB
MEMORY = Path("/dev/shm")
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Some rounds of one workload, alone and under the sensor."""

    workload: Workload
    form: str
    end: float  # s, what the sensor's end costs after no work
    alone: list[Alone]
    watched: list[Watched]

    @property
    def name(self) -> str:
        """How the rows are called."""
        return f"{self.workload.name}, {self.form}"

    def one(self, of: Callable[[Watched], float]) -> float:
        """The median of a figure under the sensor, for one exec or file."""
        return median(map(of, self.watched)) / self.workload.pieces

    def cost(self) -> Row:
        """Processor time for one that is logged, in us."""
        expected = sum(self.workload.expected.values())
        sensor = self.one(lambda run: (run.cpu - self.end) * 1e6 * expected / sum(run.logged.values()))
        kernel = self.one(lambda run: sum(program.ns for program in run.programs.values()) / 1000)
        system = median(run.system for run in self.watched)
        both = sensor + kernel
        is_exec = 11 not in self.workload.expected
        ratios = (f"x {both / other:.2f}" if is_exec else "-" for other in (AIM, SYSMON, AUDITD))
        return (self.name, f"{sensor:.1f}", f"{system:.0%}", f"{kernel:.1f}", f"{both:.1f}", *ratios)

    def slowdown(self) -> Row:
        """What the workload itself took, in us for one."""
        count = self.workload.pieces
        cpu, wall = (median(run.cpu for run in self.alone) / count, median(run.wall for run in self.alone) / count)
        now, later = self.one(lambda run: run.workload.cpu), self.one(lambda run: run.workload.wall)
        figures = (
            f"{cpu:.1f}",
            f"{now:.1f}",
            f"x {now / cpu:.2f}",
            f"{wall:.1f}",
            f"{later:.1f}",
            f"x {later / wall:.2f}",
        )
        return (self.name, *figures)

    def fate(self) -> Row:
        """What became of the events in the worst round, and the memory and room that it took."""
        expected, logged = sum(self.workload.expected.values()), min(sum(run.logged.values()) for run in self.watched)
        lost = max(run.lost for run in self.watched)
        peak = max(run.peak for run in self.watched) * 1024 / 1e6
        counts = (f"{expected:,}", f"{logged:,}", f"{expected - logged:,}", f"{lost:,}")
        return (self.name, *counts, f"{peak:.1f}", f"x {peak / MEMORY_AIM:.2f}", f"{self.watched[0].size / 1e6:.0f}")

    def programs(self) -> list[Row]:
        """The kernel programs that ran often."""
        rows: list[Row] = []
        for name in self.watched[0].programs:
            ran = [run.programs[name] for run in self.watched]
            runs = median(program.runs for program in ran) / self.workload.pieces
            took = median(program.ns for program in ran) / self.workload.pieces
            if runs > 0.5:
                rows.append((f"{name}, {self.name}", f"{runs:.2f}", f"{took / runs / 1000:.2f}", f"{took / 1000:.2f}"))
        return rows


class Bench:
    """Runs workloads."""

    def __init__(self, folder: Path, workshop: Workshop) -> None:
        """Measure what the end of a run costs when there was nothing to do: it is taken off all others."""
        self._folder = folder
        self.end = median(watched(workshop.files(0), "xml", folder).cpu for _ in range(ROUNDS))

    def measure(self, workload: Workload, *formats: str, rounds: int = ROUNDS) -> list[Measured]:
        """Alternate between the workload alone and under the sensor, in each format."""
        by_itself: list[Alone] = []
        under: dict[str, list[Watched]] = {form: [] for form in formats}
        for _ in range(rounds):
            by_itself.append(alone(workload))
            for form, runs in under.items():
                runs.append(watched(workload, form, self._folder))
        return [Measured(workload, form, self.end, by_itself, runs) for form, runs in under.items()]


def show(measured: list[Measured]) -> None:
    """Print all tables."""
    against = (f"to {AIM} (aim)", f"to {SYSMON} (Sysmon)", f"to {AUDITD} (auditd)")
    head: Row = ("sensor", "of it system", "programs", "together", *against)
    table("us of CPU for one", head, [each.cost() for each in measured])
    head = ("CPU alone", "watched", "ratio", "clock alone", "watched", "ratio")
    table("us of the workload for one", head, [each.slowdown() for each in measured])
    head = ("expected", "logged", "missing", "records lost", "resident MB", f"to {MEMORY_AIM} (aim)", "log MB")
    table("events, worst round", head, [each.fate() for each in measured])
    rows = [row for each in measured if each.form == "xml" for row in each.programs()]
    table("kernel programs", ("runs for one", "us a run", "us for one"), rows)


def main() -> None:
    """Measure and print, or say why not."""
    try:
        if os.geteuid() != 0:
            raise NotMeasuredError("the kernel sensor needs root: sudo make bench")
        with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name, counted():
            workshop = Workshop.at(Path(name))
            bench = Bench(Path(name), workshop)
            measured = bench.measure(workshop.execs(EXECS), *FORMATS)
            measured += bench.measure(workshop.execs(EXECS // 2, AT_ONCE), "xml")
            measured += bench.measure(workshop.files(FILES), "xml")
    except (NotMeasuredError, OSError) as error:
        sys.stdout.write(f"sensor: not measured: {error}\n")
        return
    show(measured)
    sys.stdout.write(
        f"workloads: {workshop.about}; {ROUNDS} rounds; end of a run without work: {bench.end * 1e3:.0f} ms\n"
    )
    sys.stdout.write(f"measured on {description()}\n")


if __name__ == "__main__":
    main()
