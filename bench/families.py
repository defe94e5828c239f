"""What each family of events costs, switched on by itself: a compile, a find and a web server under it.

The scope is in the kernel: only what the bench starts is watched. Processor time alone is compared. `off` has no family
on: what remains is the lifecycle of processes, which everything else needs. Needs root.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.programs import counted
from bench.parts.table import table
from bench.parts.watched import Alone, NotMeasuredError, Watched, alone, watched
from bench.parts.workload import SOURCES, Workload, Workshop

from pysmon.pipeline.policy import EVENTS_OF_FAMILY
from pysmon.schema.event import EVENTS

OFF, ALL = "off", "all of them"
# Of what is made of files only what is made of nothing else, and needs no look into them.
FAMILIES = {"process": (1, 5)} | EVENTS_OF_FAMILY | {"file create": (11,), "file delete": (26,)}
_TABLE = re.compile(r"^(\w[\w ]*?) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", re.MULTILINE)
_FEW = 100  # records: below, what one record costs is not to be told from what there is to do anyway
ROUNDS, REQUESTS, UNITS = 3, 3000, 4
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rounds of one workload under the sensor with one family on."""

    family: str
    alone: list[Alone]
    runs: list[Watched]
    end: float  # s, what the sensor's end costs after no work

    def row(self) -> Row:
        """Share of the workload's own processor time, and us for each record that came up."""
        base = median(run.cpu for run in self.alone) / 1e6
        inside = median(run.workload.cpu for run in self.runs) / 1e6
        programs = median(sum(program.ns for program in run.programs.values()) for run in self.runs) / 1e9
        calls = median(sum(program.runs for program in run.programs.values()) for run in self.runs)
        sensor = max(median(run.cpu for run in self.runs) - self.end, 0.0)
        seen = median(records(run.told).get(self.family, self._all(run)) for run in self.runs)
        each = f"{(sensor + programs) * 1e6 / seen:.1f}" if seen > _FEW else "-"
        shares = (f"{part / base:.1%}" for part in (programs, sensor, programs + sensor))
        return (self.family, f"x {inside / base:.3f}", f"{calls:,.0f}", *shares, f"{seen:,.0f}", each)

    def _all(self, run: Watched) -> int:
        return 0 if self.family != ALL else sum(count for name, count in records(run.told).items() if name != "fork")


def records(told: str) -> dict[str, int]:
    """By family, how many records the sensor has seen, as it says at its end."""
    _, _, rest = told.partition("records ")
    return {name: int(seen) for name, seen, *_ in _TABLE.findall(rest)}


def configuration(families: Iterable[str]) -> str:
    """Keeps all events of these families, and nothing else."""
    kept = {number for family in families for number in FAMILIES[family]}
    tags = dict.fromkeys(EVENTS[number].tag for ids in FAMILIES.values() for number in ids)
    on = {EVENTS[number].tag for number in kept}
    rules = "".join(f'<{tag} onmatch="{"exclude" if tag in on else "include"}"/>' for tag in tags)
    return f'<Sysmon schemaversion="4.90"><EventFiltering>{rules}</EventFiltering></Sysmon>'


def workloads(workshop: Workshop) -> Iterator[Workload]:
    """Those that can be had here."""
    held = (sys.executable, "-S", str(SOURCES / "held.py"))
    if workshop.compiler:
        source, made = SOURCES / "web.c", workshop.folder / "made"
        compile_one = f"{workshop.compiler} -O2 -o {made} {source}"
        yield Workload("compile", (*held, "sh", "-c", " && ".join([compile_one] * UNITS)), UNITS, {})
        served = workshop.folder / "page"
        served.write_bytes(b"x" * 16_384)
        yield Workload("web server", (str(workshop.folder / "web"), str(REQUESTS), str(served)), REQUESTS, {})
    yield Workload("find", (*held, "find", "/usr", "-xdev", "-newer", "/proc"), 1, {})


def measure(workload: Workload, wanted: Mapping[str, Path], folder: Path, rounds: int) -> list[Measured]:
    """In turn alone and under each configuration, so that what changes on the machine meets all of them."""
    nothing = Workload("nothing", (sys.executable, "-S", str(SOURCES / "held.py"), "true"), 1, {})
    end = median(watched(nothing, "json", folder, next(iter(wanted.values()))).cpu for _ in range(rounds))
    alone(workload)  # the kernel reads what it needs from the disk
    by_itself: list[Alone] = []
    under: dict[str, list[Watched]] = {name: [] for name in wanted}
    for _ in range(rounds):
        by_itself.append(alone(workload))
        for name, path in wanted.items():
            under[name].append(watched(workload, "json", folder, path))
    return [Measured(name, by_itself, runs, end) for name, runs in under.items()]


def show(name: str, measured: Iterable[Measured]) -> None:
    """Print one workload's table."""
    head = ("workload's CPU", "program runs", "programs", "sensor", "together", "records", "us for one")
    table(name, head, [each.row() for each in measured])


def main(tell: Callable[[str], object] = sys.stdout.write) -> None:
    """Measure and print, or say why not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("families", nargs="*", help="only these")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    chosen = given.families or [*FAMILIES]
    if unknown := {*chosen} - {*FAMILIES}:
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(FAMILIES)}")
    sets: dict[str, list[str]] = {OFF: [], **{name: [name] for name in chosen}, ALL: [*FAMILIES]}
    try:
        if os.geteuid() != 0:
            raise NotMeasuredError("the kernel sensor needs root: sudo make bench")
        with tempfile.TemporaryDirectory() as name, counted():
            folder = Path(name)
            wanted = {family: folder / f"{family.replace(' ', '-')}.xml" for family in sets}
            for family, path in wanted.items():
                path.write_text(configuration(sets[family]))
            for workload in workloads(Workshop.at(folder)):
                show(workload.name, measure(workload, wanted, folder, given.rounds))
    except (NotMeasuredError, OSError) as error:
        tell(f"families: not measured: {error}\n")
        return
    tell(f"{given.rounds} rounds; a compile of {UNITS} C files, {REQUESTS:,} requests, find /usr\n")
    tell(f"measured on {description()}\n")


if __name__ == "__main__":
    main()
