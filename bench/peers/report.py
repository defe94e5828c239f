"""From the figures of single runs to tables: medians, ratios to no sensor, and what became of the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

NOBODY = "no sensor"
IDLE = "idle"  # begins the name of a workload that is none
BEGIN, END = "<!-- figures of bench/peers: begin -->", "<!-- figures of bench/peers: end -->"
Run = Mapping[str, Any]
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """All runs of one workload under one sensor, beside those without a sensor."""

    work: str
    observer: str
    runs: Sequence[Run]
    alone: Sequence[Run]

    @property
    def slowdown(self) -> float:
        """Times as long on the guest's clock as without a sensor."""
        return _median(self.runs, "wall") / _median(self.alone, "wall")

    @property
    def own(self) -> float:
        """Processor time of the sensor's processes, to that of the workload without a sensor."""
        return _median(self.runs, "sensor") / _median(self.alone, "used")

    @property
    def added(self) -> float:
        """Processor time that the sensor and the kernel for it add, in s."""
        return _median(self.runs, "used") - _median(self.alone, "used")

    @property
    def whole(self) -> float:
        """The same to what the workload takes without a sensor."""
        return self.added / _median(self.alone, "used")

    @property
    def logged(self) -> float:
        """Events logged, of any kind."""
        return float(median(sum(run["logged"].values()) for run in self.runs))

    @property
    def expected(self) -> int:
        """Deeds that were done for sure."""
        return int(sum(self.runs[0]["deeds"].values()))

    @property
    def found(self) -> int:
        """How many of them were logged in the worst run; what the guest does beside does not make up for any."""
        return min(map(_found, self.runs))


def _found(run: Run) -> int:
    return sum(min(done, run["logged"].get(kind, 0)) for kind, done in run["deeds"].items())


def _median(runs: Sequence[Run], what: str) -> float:
    return float(median(run[what] for run in runs))


def cells(figures: Iterable[Run]) -> list[Cell]:
    """Workload by workload, in the order of the runs."""
    runs = [run for run in figures if "work" in run]
    works, observers = dict.fromkeys(r["work"] for r in runs), dict.fromkeys(r["observer"] for r in runs)
    found = []
    for work in works:
        by = {o: [r for r in runs if r["work"] == work and r["observer"] == o] for o in observers}
        found += [Cell(work, o, by[o], by[NOBODY]) for o in observers if o != NOBODY and by[o] and by.get(NOBODY)]
    return found


def report(figures: Sequence[Run], about: str) -> str:
    """The part of the page that the program writes."""
    made = cells(figures)
    lines = [f"{about}.", ""]
    alone = {cell.work: cell.alone for cell in made}
    rows = [(work, f"{_median(runs, 'wall'):.2f}", f"{_median(runs, 'used'):.2f}") for work, runs in alone.items()]
    lines += _table(("without a sensor", "clock, s", "processor, s"), rows)
    for work in alone:
        of_it = [cell for cell in made if cell.work == work]
        lines += ["", f"**{work}**, {_many(of_it)}", ""]
        is_idle = work.startswith(IDLE)
        lines += _table(_IDLE_HEAD if is_idle else _HEAD, [(_idle if is_idle else _row)(cell) for cell in of_it])
    lines += ["", "**Start, memory, losses**", "", *_table(_ABOUT_HEAD, list(_about(figures)))]
    failed = [f"{each['observer']} is missing: {each['failed']}" for each in figures if "failed" in each]
    return "\n".join(lines + ([""] if failed else []) + failed)


def _many(of_one_work: Sequence[Cell]) -> str:
    """How often each sensor's figures were taken."""
    counts = sorted({len(cell.runs) for cell in of_one_work})
    if counts == [1]:
        return "one run of each"
    return f"medians of {counts[0]} runs" if len(counts) == 1 else f"medians of {counts[0]} to {counts[-1]} runs"


_IDLE_HEAD = ("", "sensor, ms a second", "with kernel, ms a second", "logged")


def _idle(cell: Cell) -> Row:
    """There is no work to compare with: processor time for each second."""
    wall = _median(cell.alone, "wall")
    own = _median(cell.runs, "sensor")
    return (cell.observer, f"{own * 1e3 / wall:.2f}", f"{cell.added * 1e3 / wall:.2f}", f"{cell.logged:,.0f}")


_HEAD = ("", "slow-down", "sensor / workload", "with kernel / workload", "us an event", "logged", "expected", "missing")


def _row(cell: Cell) -> Row:
    whole = f"{cell.added * 1e6 / cell.logged:.1f}" if cell.logged > 100 else "-"
    costs = (f"x{cell.slowdown:.2f}", f"{cell.own:.2f}", f"{cell.whole:.2f}", whole)
    if not cell.expected or not _is_for_all(cell.observer):
        return (cell.observer, *costs, f"{cell.logged:,.0f}", "-", "-")
    return (cell.observer, *costs, f"{cell.logged:,.0f}", f"{cell.expected:,}", f"{cell.expected - cell.found:,}")


def _is_for_all(observer: str) -> bool:
    """Was it told to log everything?"""
    return "all logged" in observer or not observer.startswith(("pysmon, ", "Sysmon for Linux, "))


_ABOUT_HEAD = (
    "",
    "processor until it observes, s",
    "until it is at rest, s",
    "resident at the end, MB",
    "at most, MB",
    "lost, by its own account",
)


def _about(figures: Sequence[Run]) -> Iterable[Row]:
    """Of each sensor; of several starts the last, and all that was lost."""
    for observer, end in {each["observer"]: each for each in figures if "started" in each}.items():
        if observer != NOBODY:
            runs = [run for run in figures if run.get("observer") == observer and "work" in run]
            lost = sum(each["lost"] for each in figures if "started" in each and each["observer"] == observer)
            memory = [
                f"{runs[-1]['resident'] * 1024 / 1e6:.0f}",
                f"{max(run['peak'] for run in runs) * 1024 / 1e6:.0f}",
            ]
            # The clock says nothing of a start: while the host's disk is waited for, the guest's clock leaps.
            whole = end["started"].get("whole")  # older figures do not tell it
            starts = [f"{end['started']['used']:.1f}", f"{whole:.1f}" if whole is not None else "-"]
            yield (observer, *starts, *memory, f"{lost:,}")


def _table(head: Row, rows: Sequence[Row]) -> list[str]:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]


def write_into(page: Path, text: str) -> None:
    """Put it between the marks of a page; ValueError if it has none."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for figures: {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
