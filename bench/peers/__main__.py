"""Compare pysmon with other sensors in a virtual machine, and write the table into the docs. `make bench-peers`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from bench.machine import description
from bench.peers.machine import ROOT, boot, emulated, known, lay_out
from bench.peers.report import report, write_into
from tools.programs import ToolError

PAGE = ROOT / "docs" / "peers.md"
_SIZES = {"exec": 300, "file": 4000, "connect": 1000, "compile": 1, "find": 1, "web": 500, "idle": 60}


def main() -> int:
    """Command line: what to compare, how much of it, and where the figures go."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sensors", nargs="*", help="none, auditd, laurel, bpftrace, or one of pysmon's configurations")
    parser.add_argument("--rounds", type=int, default=5)
    for name, size in _SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=size, help=f"how many, or s; 0: not at all ({size})")
    parser.add_argument("--limit", type=int, default=6 * 3600, help="s on the clock for the whole machine")
    parser.add_argument("--sysmon", type=Path, metavar="DIR", help="a build of Sysmon for Linux (docs/peers.md)")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page that the tables are written into")
    parser.add_argument(
        "--figures",
        type=Path,
        help="add every single run to this file, as a line of JSON; tables are made of all that it holds",
    )
    parser.add_argument("--again", action="store_true", help="only write the page, from the file of --figures")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the machine ends with us
    try:
        figures = _kept(given.figures) if given.again else _measured(given)
        text = report(figures, _about(figures))
    except ToolError as error:
        sys.stderr.write(f"peers: {error}\n")
        return 2
    sys.stdout.write(f"{text}\n")
    write_into(given.page, text)
    return 1 if any("failed" in each for each in figures) else 0


def _measured(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Boot and listen; what came before the machine failed is not lost if there is a file for it."""
    sizes = {name: getattr(given, name) for name in _SIZES}
    plan = {"sensors": known(given.sensors, sysmon=bool(given.sysmon)), "sizes": sizes, "rounds": given.rounds}
    about = {"machine": emulated(), "host": description(), "when": f"{datetime.now(UTC):%Y-%m-%d}"}
    figures = _kept(given.figures) if given.figures and given.figures.exists() else []
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name), plan, given.sysmon)
        for each in chain([about], boot(Path(name), given.limit)):
            figures.append(each)
            sys.stderr.write(f"{json.dumps(each)}\n")
            if given.figures:
                with given.figures.open("a") as file:
                    file.write(f"{json.dumps(each)}\n")
    return figures


def _kept(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _about(figures: list[dict[str, Any]]) -> str:
    """Where and when the figures were taken."""
    told = {name: text for each in figures for name, text in each.items()}
    return f"{told['when']}, {told['kernel']}, {told['machine']}; the host: {told['host']}"


if __name__ == "__main__":
    sys.exit(main())
