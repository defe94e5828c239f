"""What the live sensor costs: processor time for an exec and a file that are logged, losses in storms, memory.

It watches only the workloads that it starts (bench/workloads), each alone and under the sensor in turn; medians of
rounds. Needs root. How each figure is taken is told in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.machine import description
from bench.parts.programs import counted
from bench.parts.table import table
from bench.parts.watched import Alone, NotMeasuredError, Watched, alone, watched
from bench.parts.workload import Workload, Workshop

ROUNDS = 3
EXECS, FILES, AT_ONCE = 10_000, 100_000, 4
FORMATS = ("xml", "json", "text")
AIM, SYSMON, AUDITD = 60, 154, 53  # us for an exec: ours, and what is published for the other two
MEMORY_AIM = 80  # MB
MEMORY = Path("/dev/shm")  # noqa: S108 - files that a disk does not slow down make the harder storm


class Bench:
    """Runs workloads and keeps what they cost."""

    def __init__(self, folder: Path, workshop: Workshop) -> None:
        """Measure what the end of a run costs when there was nothing to do: it is taken off all others."""
        self._folder = folder
        nothing = workshop.files(0)
        self.end = median(watched(nothing, "xml", folder).cpu for _ in range(ROUNDS))
        self.rows: list[tuple[Workload, str, list[Alone], list[Watched]]] = []

    def measure(self, workload: Workload, *formats: str, rounds: int = ROUNDS) -> None:
        """Alternate between the workload alone and under the sensor, in each format."""
        runs: dict[str, list[Watched]] = {form: [] for form in formats}
        by_itself = []
        for _ in range(rounds):
            by_itself.append(alone(workload))
            for form in formats:
                runs[form].append(watched(workload, form, self._folder))
        self.rows += [(workload, form, by_itself, runs[form]) for form in formats]

    def costs(self) -> None:
        """Print what one exec or file cost."""
        rows = []
        for workload, form, by_itself, runs in self.rows:

            def middle(
                of: Callable[[Watched], float], runs: list[Watched] = runs, count: int = workload.pieces
            ) -> float:
                return median(map(of, runs)) / count

            sensor = middle(lambda run: (run.cpu - self.end) * 1e6)
            kernel = middle(lambda run: sum(program.ns for program in run.programs.values()) / 1000)
            before, after = (median(a.cpu for a in by_itself), median(r.workload.cpu for r in runs))
            wall_before, wall_after = (median(a.wall for a in by_itself), median(r.workload.wall for r in runs))
            both = sensor + kernel
            others = [
                f"{both / n:.2f}" if 1 in workload.expected and 11 not in workload.expected else "-"
                for n in (AIM, SYSMON, AUDITD)
            ]
            rows.append(
                (
                    f"{workload.name}, {form}",
                    f"{sensor:.1f}",
                    f"{median(run.system for run in runs):.0%}",
                    f"{kernel:.1f}",
                    f"{both:.1f}",
                    *others,
                    f"{before / workload.pieces:.1f}",
                    f"x {after / before:.2f}",
                    f"x {wall_after / wall_before:.2f}",
                )
            )
        head = (
            "sensor",
            "of it system",
            "kernel programs",
            "together",
            f"to {AIM} (aim)",
            f"to {SYSMON} (Sysmon)",
            f"to {AUDITD} (auditd)",
            "workload alone",
            "watched",
            "watched, wall clock",
        )
        table("us of CPU for one", head, rows)

    def fates(self) -> None:
        """Print what became of the events, and the memory that it took."""
        rows = []
        for workload, form, _, runs in self.rows:
            expected = sum(workload.expected.values())
            logged = [sum(run.logged.values()) for run in runs]
            peak = max(run.peak for run in runs) * 1024 / 1e6
            rows.append(
                (
                    f"{workload.name}, {form}",
                    f"{expected:,}",
                    f"{min(logged):,}",
                    f"{expected - min(logged):,}",
                    f"{max(run.lost for run in runs):,}",
                    f"{peak:.1f}",
                    f"{peak / MEMORY_AIM:.2f}",
                    f"{runs[0].size / 1e6:.0f}",
                )
            )
        head = ("expected", "logged", "missing", "records lost", "resident MB", f"to {MEMORY_AIM} (aim)", "log MB")
        table("events (worst round)", head, rows)

    def programs(self) -> None:
        """Print the kernel programs that ran often."""
        rows = []
        for workload, form, _, runs in self.rows:
            if form != FORMATS[0]:
                continue
            runs_of: Counter[str] = Counter()
            time_of: Counter[str] = Counter()
            for run in runs:
                for name, cost in run.programs.items():
                    runs_of[name] += cost.runs
                    time_of[name] += cost.ns
            pieces = workload.pieces * len(runs)
            rows += [
                (f"{name}, {workload.name}", f"{count / pieces:.2f}", f"{time_of[name] / count / 1000:.2f}")
                for name, count in runs_of.most_common()
                if count > pieces / 10
            ]
        table("kernel programs", ("runs for one", "us a run"), rows)


def main() -> None:
    """Measure and print, or say why not."""
    try:
        if os.geteuid() != 0:
            raise NotMeasuredError("the kernel sensor needs root: sudo make bench")
        with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name, counted():
            folder = Path(name)
            workshop = Workshop.at(folder)
            bench = Bench(folder, workshop)
            bench.measure(workshop.execs(EXECS), *FORMATS)
            bench.measure(workshop.execs(EXECS // 2, AT_ONCE), "xml", rounds=1)
            bench.measure(workshop.files(FILES), "xml")
    except (NotMeasuredError, OSError) as error:
        sys.stdout.write(f"sensor: not measured: {error}\n")
        return
    bench.costs()
    bench.fates()
    bench.programs()
    sys.stdout.write(f"workloads: {workshop.about}; {ROUNDS} rounds; run without work: {bench.end * 1e3:.0f} ms\n")
    sys.stdout.write(f"measured on {description()}\n")


if __name__ == "__main__":
    main()
