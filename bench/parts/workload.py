"""The workloads: small C programs, compiled here if there is a compiler, else their Python stand-ins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "workloads"


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that can be run with and without a sensor, and what must be in the log then."""

    name: str
    command: tuple[str, ...]
    pieces: int  # execs or files
    expected: dict[int, int]  # events that must be logged, by id


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes workloads."""

    folder: Path  # for the compiled programs, and for files that come and go
    compiler: str | None

    @classmethod
    def at(cls, folder: Path) -> Workshop:
        """Compile what there is to compile."""
        compiler = shutil.which("cc")
        for source in SOURCES.glob("*.c") if compiler else ():
            subprocess.run([str(compiler), "-O2", "-o", folder / source.stem, source], check=True)
        return cls(folder, compiler)

    @property
    def about(self) -> str:
        """What the workloads are, in words."""
        kind = "C programs" if self.compiler else "Python stand-ins, as there is no C compiler"
        return f"{kind} (bench/workloads), files in {self.folder}"

    def execs(self, count: int, workers: int = 1) -> Workload:
        """`count` times vfork and exec of /bin/true, by each of so many processes at once."""
        runs = count * workers
        ends = runs + 1 + (workers if workers > 1 else 0)
        command = (*self._program("execs"), str(count), str(workers))
        return Workload(
            f"{runs:,} execs" + (f", {workers} at once" if workers > 1 else ""), command, runs, {1: runs + 1, 5: ends}
        )

    def files(self, count: int) -> Workload:
        """Files that are created, closed and removed."""
        command = (*self._program("files"), str(count), str(self.folder))
        return Workload(f"{count:,} files", command, count, {1: 1, 5: 1, 11: count, 23: count})

    def _program(self, name: str) -> tuple[str, ...]:
        if self.compiler:
            return (str(self.folder / name),)
        return (sys.executable, str(SOURCES / "stand_in.py"), name)
