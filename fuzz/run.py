"""Fuzz the targets one after the other, each in a process of its own, and tell what was found.

    python -m fuzz.run                      all, a minute each
    python -m fuzz.run evtx blob --seconds 600

Inputs that break a law are kept in `build/fuzz/found/<target>`, one for each place in the code; what was found of
coverage stays in `build/fuzz/corpus/<target>`, and the next run goes on from there. Needs the package `atheris`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fuzz.corpus import kept

if TYPE_CHECKING:
    from fuzz.target import Target  # at run time only once it can be instrumented

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "fuzz"
SHARED = Path(os.environ.get("PYSMON_SHARED") or ROOT.parent / "shared")
SLOWEST = 20  # seconds for one input; beyond that it hangs
MEMORY = 1500  # MB of a process
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - for folders of our own: parsers that want files get them in no time
_STATISTICS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERAGE = re.compile(r"cov: (\d+)")


class Ran(NamedTuple):
    """What became of one target."""

    name: str
    executions: int
    coverage: int  # places in the code, as the fuzzer counts them
    found: tuple[Path, ...]
    trouble: str  # what the fuzzer said if it ended badly


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; 1 if anything was found, 2 if nothing could be run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description="Fuzz the parsers of foreign bytes.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="of fuzz/table.py; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.inside:
        return _fuzz(given.inside, given.seconds)
    from fuzz.table import TARGETS

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # the folder of the target is removed then, too
    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target {unknown[0]}")
    runs = []
    for name in given.targets or TARGETS:
        ran = run(name, given.seconds)
        runs.append(ran)
        counts = f"{ran.executions:>10,} executions {ran.coverage:>6,} places {len(ran.found):>3} found"
        print(f"{name:14} {counts}", flush=True)
        for path in ran.found:
            print(f"    {path.relative_to(ROOT)}", flush=True)
        if ran.trouble:
            print(f"    {ran.trouble}", flush=True)
    return int(any(ran.found or ran.trouble for ran in runs))


def run(name: str, seconds: int) -> Ran:
    """Fuzz one target in a process of its own, at the lowest priority."""
    found = WORK / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    made = apart([sys.executable, "-m", "fuzz.run", "--inside", name, "--seconds", str(seconds)])
    said = made.stderr.decode(errors="replace") + made.stdout.decode(errors="replace")
    (WORK / f"{name}.log").write_text(said)
    executed, places = _STATISTICS.search(said), _COVERAGE.findall(said)
    fresh = sorted(path for path in set(found.iterdir()) - before if path.suffix != ".txt")
    trouble = "" if made.returncode == 0 else f"ended with {made.returncode}, see {WORK / f'{name}.log'}"
    return Ran(name, int(executed[1]) if executed else 0, int(places[-1]) if places else 0, tuple(fresh), trouble)


def apart(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command at the lowest priority, with a folder for its files that is gone when it has ended, however."""
    with tempfile.TemporaryDirectory(prefix="pysmon-fuzz-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as own:
        return subprocess.run(  # noqa: S603 - this program again
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": own},
            capture_output=True,
            check=False,
            preexec_fn=_be_humble,
        )


def _be_humble() -> None:
    os.nice(19)


def _fuzz(name: str, seconds: int) -> int:
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["pysmon", "regipy"]):
        from fuzz.table import TARGETS
        from fuzz.target import Pace
    Pace.one_in = 8
    target = TARGETS[name]
    corpus = WORK / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    words = WORK / f"{name}.dict"
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in target.words))
    folders = [corpus, *_seeds(target)]
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={target.longest}",
        f"-dict={words}",
        f"-artifact_prefix={WORK / 'found' / name}/",
        "-print_final_stats=1",
        "-seed=1",
    ]
    atheris.Setup([sys.argv[0], *options, *map(str, folders)], keeping(target.check, WORK / "found" / name))
    atheris.Fuzz()
    return 0


def _seeds(target: Target) -> list[Path]:
    real = WORK / "real" / target.name
    shutil.rmtree(real, ignore_errors=True)
    real.mkdir(parents=True)
    for pattern in target.shared:
        for path in sorted(SHARED.glob(pattern)):
            if target.cut or path.stat().st_size <= target.longest:
                (real / path.name).write_bytes(path.read_bytes()[: target.longest])
    for number, data in kept(target.name):
        (real / f"kept-{number}").write_bytes(data)
    own = [ROOT / "fuzz" / "seeds" / target.name, ROOT / "tests" / "fuzz" / "found" / target.name]
    return [real, *(folder for folder in own if folder.is_dir())]


def keeping(check: Callable[[bytes], None], folder: Path) -> Callable[[bytes], None]:
    """The same check; an input for which it raises is kept, the first for each place, and the fuzzer goes on."""
    known: set[str] = set()

    def kept(data: bytes) -> None:
        try:
            check(data)
        except Exception as error:
            place = "/".join(f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-2:])
            key = hashlib.sha256(f"{type(error).__name__} {place}".encode()).hexdigest()[:8]
            if key not in known:
                known.add(key)
                path = folder / f"{type(error).__name__}-{key}"
                path.write_bytes(data)
                path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))

    return kept


def _quoted(word: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02x}" for b in word)


if __name__ == "__main__":
    sys.exit(main())
