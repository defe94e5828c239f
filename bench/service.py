"""What the resident service costs on this machine's clock: what it logs to its store, what rules exclude, real work.

The service watches only what this program starts (`--tree`), is started anew for each round, and alternates with rounds
without it; medians. Needs root. How each figure is taken is told in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.programs import costs, counted
from bench.parts.table import table
from bench.parts.watched import Alone, NotMeasuredError, alone
from bench.parts.workload import SOURCES, Workload, Workshop
from bench.peers.processes import clock, memory, until_quiet
from bench.peers.rulesets import TABLES, rulesets
from bench.peers.sensors import Pysmon

from pysmon.service.paths import Paths
from pysmon.service.stored import save
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store

MEMORY = Path("/dev/shm")
INSTALLED = Path("/var/cache")  # the shipped rules look closer at programs in temporary folders
ROUNDS, EXECS, FILES, UNITS, REQUESTS = 5, 5000, 200_000, 40, 20_000
ALL_LOGGED, ALL_EXCLUDED, SHIPPED = "all logged", "all excluded", "shipped rules"
EXEC_AIM, EXCLUDED_AIM, MEMORY_AIM, SEEN_AIM = 20, 0.3, 60, 0.5  # us, us, MB, s
COMPILE, WEB = "compile", "web server"
SHARE_AIMS = {COMPILE: 0.02, WEB: 0.01}
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One round under the service."""

    seen: float  # s on the clock from its start until it sees processes, by its event 4
    ready: float  # the same until all is seen
    workload: Alone
    cpu: float  # s of its processes, from the workload's begin until there is nothing more to do
    programs: float  # s of the kernel programs, where they were counted
    logged: Mapping[str, int]
    lost: int
    peak: int  # KiB


@dataclass(frozen=True, slots=True)
class Measured:
    """Rounds of one workload without the service and under it."""

    workload: Workload
    rules: str
    alone: list[Alone]
    runs: list[Run]

    @property
    def name(self) -> str:
        """How its rows are called."""
        return f"{self.workload.name}, {self.rules}"

    def price(self, aim: float, each: int) -> Row:
        """Processor time for one of so many, in us; the last is what the workload itself takes longer."""
        sensor = median(run.cpu for run in self.runs) * 1e6 / each
        programs = median(run.programs for run in self.runs) * 1e6 / each
        both = sensor + programs
        more = (median(run.workload.cpu for run in self.runs) - median(run.cpu for run in self.alone)) / each
        figures = (f"{figure:.2f}" for figure in (sensor, programs, both))
        return (self.name, *figures, f"{aim:g}", f"x {both / aim:.2f}", f"{more:+.2f}")

    def share(self, aim: float) -> Row:
        """What the workload pays, and what the machine pays in all."""
        before = [run.cpu for run in self.alone]
        cpu, wall = median(before), median(run.wall for run in self.alone)
        now = median(run.workload.cpu for run in self.runs) / cpu - 1
        later = median(run.workload.wall for run in self.runs) / wall - 1
        own = median(run.cpu for run in self.runs) * 1e6 / cpu
        spread = (max(before) - min(before)) / cpu
        figures = (f"{part:+.1%}" for part in (later, now))
        return (
            self.name,
            f"{cpu / 1e6:.2f} s",
            f"{spread:.1%}",
            *figures,
            f"{own:.1%}",
            f"{now + own:+.1%}",
            f"{aim:.0%}",
        )

    def fate(self) -> Row:
        """Losses in the worst round, memory, and the start."""
        missing = max(self._missing(run) for run in self.runs)
        expected = f"{missing:,}" if self.rules == ALL_LOGGED else "-"
        peak = max(run.peak for run in self.runs) * 1024 / 1e6
        seen, ready = median(run.seen for run in self.runs), median(run.ready for run in self.runs)
        lost = max(run.lost for run in self.runs)
        ratios = (f"{peak:.0f}", f"x {peak / MEMORY_AIM:.2f}", f"{seen:.2f}", f"x {seen / SEEN_AIM:.1f}")
        return (
            self.name,
            f"{median(sum(run.logged.values()) for run in self.runs):,.0f}",
            expected,
            f"{lost:,}",
            *ratios,
            f"{ready:.2f}",
        )

    def _missing(self, run: Run) -> int:
        return sum(max(number - run.logged.get(kind, 0), 0) for kind, number in _deeds(self.workload).items())


def _deeds(workload: Workload) -> dict[str, int]:
    """By kind, what the event log must have of it."""
    kinds = {1: "exec", 5: "exit", 11: "create", 23: "delete"}
    return {kinds[number]: count for number, count in workload.expected.items()}


@contextmanager
def service(folder: Path, rules: str) -> Iterator[Pysmon]:
    """The service with an event log of its own, limited to what this process starts; gone in the end."""
    root = folder / "root"
    save(Paths.under(root), rulesets()[rules], f"{rules}.xml", when=0)
    (root / "run/pysmon").mkdir(parents=True)
    resident = Pysmon(rules, root, TABLES, (sys.executable, "-m", "pysmon"), ("--tree", str(os.getpid())))
    try:
        yield resident
    finally:
        shutil.rmtree(root)


def under(workload: Workload, warm: Workload, rules: str, folder: Path) -> Run:
    """Start the service, let it see the workload's programs once, and measure."""
    with service(folder, rules) as resident:
        _start(resident, folder)
        until_quiet(resident.pids())  # what a first start on a kernel leaves is there
        resident.stop()
        begun = time.time()
        _start(resident, folder)
        ready = time.time() - begun
        try:
            alone(warm)
            until_quiet(resident.pids())
            pids = resident.pids()
            rows, used, programs = resident.logged(), sum(map(clock, pids)), _programs(pids)
            took = alone(workload)
            until_quiet(pids)
            return Run(
                _seen(Paths.under(folder / "root")) - begun,
                ready,
                took,
                (sum(map(clock, pids)) - used) / 1e9,
                _programs(pids) - programs,
                {kind: count - rows.get(kind, 0) for kind, count in resident.logged().items()},
                resident.lost(),
                memory(pids, "VmHWM"),
            )
        finally:
            resident.stop()


def _start(resident: Pysmon, folder: Path) -> None:
    try:
        resident.start()
    except OSError as error:
        raise NotMeasuredError(f"the service does not begin: {(folder / 'root/told').read_text().strip()}") from error


def _seen(paths: Paths) -> float:
    """The time of the last event 4 that says so, in s since 1970."""
    started = Query(ids=frozenset({4}), conditions=(Condition("State", "is", "Started"),), order="newest first")
    with Store(paths.store) as log:
        return next(log.select(started)).time / 1e9


def _programs(pids: list[int]) -> float:
    return sum(cost.ns for cost in costs(pids[0]).values()) / 1e9


def measure(workload: Workload, warm: Workload, rules: str, folder: Path, rounds: int) -> Measured:
    """In turn without and with, so that what changes on the machine meets both."""
    alone(warm)
    pairs = [(alone(workload), under(workload, warm, rules, folder)) for _ in range(rounds)]
    return Measured(workload, rules, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def compiles(workshop: Workshop, units: int) -> Workload:
    """The workloads' own sources, by a compiler that is started for each."""
    sources = sorted(SOURCES.glob("*.c"))
    chosen = (sources * (units // len(sources) + 1))[:units]
    commands = " && ".join(f"{workshop.compiler} -O2 -o {workshop.folder / 'made'} {source}" for source in chosen)
    held = (sys.executable, "-S", str(SOURCES / "held.py"))
    return Workload(COMPILE, (*held, "sh", "-c", commands), units, {})


def requests(workshop: Workshop, count: int) -> Workload:
    """A web server and its client, a connection for each request."""
    page = workshop.folder / "page"
    page.write_bytes(b"x" * 16_384)
    return Workload(WEB, (str(workshop.folder / "web"), str(count), str(page)), count, {})


def main(tell: Callable[[str], object] = sys.stdout.write) -> None:
    """Measure and print, or say why not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    sizes = {"rounds": ROUNDS, "execs": EXECS, "files": FILES, "units": UNITS, "requests": REQUESTS}
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size, help=f"{size}")
    given = parser.parse_args()
    try:
        if os.geteuid() != 0:
            raise NotMeasuredError("the kernel sensor needs root: sudo make bench")
        storms = tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        with storms as in_memory, tempfile.TemporaryDirectory(dir=INSTALLED) as name:
            _measure_all(Path(in_memory), Path(name), given)
    except (NotMeasuredError, OSError) as error:
        tell(f"service: not measured: {error}\n")
        return
    tell(f"medians of {given.rounds} rounds; measured on {description()}\n")


def _measure_all(folder: Path, installed: Path, given: argparse.Namespace) -> None:
    workshop, rounds = Workshop.at(folder), given.rounds
    with counted():
        execs = measure(workshop.execs(given.execs), workshop.execs(10), ALL_LOGGED, folder, rounds)
        files = measure(workshop.files(given.files), workshop.files(10), ALL_EXCLUDED, folder, rounds)
    prices = [execs.price(EXEC_AIM, given.execs), files.price(EXCLUDED_AIM, 2 * given.files)]
    table("us of CPU", ("service", "programs", "together", "aim", "to the aim", "workload"), prices)
    works = []
    if workshop.compiler:
        workshop = Workshop.at(installed)
        for make, size, few in ((compiles, given.units, 5), (requests, given.requests, 100)):
            works.append(measure(make(workshop, size), make(workshop, few), SHIPPED, folder, rounds))
        head = ("CPU alone", "its spread", "clock", "its CPU", "service", "CPU in all", "aim")
        table("shares of the workload", head, [each.share(SHARE_AIMS[each.workload.name]) for each in works])
    fates = ("logged", "missing", "lost", "at most MB", f"to {MEMORY_AIM}", "seen, s", f"to {SEEN_AIM}", "ready, s")
    table("what became of it, and the start", fates, [each.fate() for each in (execs, files, *works)])


if __name__ == "__main__":
    main()
