"""What an event of flat JSON costs, stage by stage, in one process: from lines to verdicts that are counted.

    python -m bench.json_read [LOG]

Each row has all that those before it have, unless it says otherwise. Beside it stands what the standard library needs
to decode the same lines, which is where sysmon-utils begins. Without a LOG it is the made-up one of `bench.replay`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from bench.evtx_read import made_up
from bench.machine import description
from bench.parts.configurations import MEASURED
from bench.parts.table import table
from bench.replay import flat, write_json

from pysmon.config.model import Configuration
from pysmon.pipeline.garbage import collect_seldom
from pysmon.sources.flat_rows import read_flat
from pysmon.sources.json_rows import LONGEST
from pysmon.sources.packed import raw_lines_of
from pysmon.sources.source import Tally, Wanted
from pysmon.sources.streams import bytes_of
from pysmon.workbench.replay import Replay, Rules

EVENTS_IN_FILE, ROUNDS = 100_000, 5
Stage = tuple[str, Callable[[], object]]


def drained(items: Iterable[object]) -> None:
    """Take all of them, and keep none."""
    deque(items, maxlen=0)


def lines(log: Path) -> Iterator[bytes]:
    """The lines of a log, as the reader gets them."""
    with log.open("rb") as stream:
        yield from raw_lines_of(stream, LONGEST)


def decoded(log: Path, decode: Callable[[bytes], object]) -> None:
    """Decode each line."""
    for line in lines(log):
        decode(line)


def rows(log: Path, wanted: Wanted) -> None:
    """Read what is wanted of each event."""
    (source,) = bytes_of(log)
    drained(read_flat(source, Tally(), wanted))


def judged(log: Path, rules: Rules) -> None:
    """Judge and count."""
    (source,) = bytes_of(log)
    replay = Replay(rules)
    replay.take(read_flat(source, Tally(), replay.wanted))


def smallest() -> Callable[[bytes], object]:
    """A decoder that looks for nothing but the event id: the least that msgspec can do with a line."""
    only: Any = msgspec.defstruct("Only", [("EventID", int)], gc=False)
    return msgspec.json.Decoder(only).decode


def stages(log: Path, configurations: Iterable[tuple[str, Configuration]]) -> Iterator[Stage]:
    """What is measured."""
    yield "lines", lambda: drained(lines(log))
    yield "lines, all values by the standard library", partial(decoded, log, json.loads)
    yield "lines, all values by msgspec", partial(decoded, log, msgspec.json.Decoder().decode)
    yield "lines, the event id alone by msgspec", partial(decoded, log, smallest())
    yield "lines, by msgspec into structs, what no rule wants", partial(rows, log, {})
    for name, configuration in configurations:
        rules = Rules(configuration)
        yield f"the same with what {name} wants", partial(rows, log, Replay(rules).wanted)
        yield f"judged by {name} and counted", partial(judged, log, rules)


def cost(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of processor time, the least of the rounds."""
    found = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


def main() -> None:
    """Print the figures."""
    collect_seldom()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder, "made-up.json")
        if len(sys.argv) == 1:
            write_json(log, map(flat, made_up(EVENTS_IN_FILE)))
        count = sum(1 for _ in lines(log))
        there = [(m.name, configuration) for m in MEASURED if m.windows and (configuration := m.read())]
        found = [(name, cost(work) / count * 1e6) for name, work in stages(log, there)]
        title = f"{count:,} events of flat JSON, {log.stat().st_size / count:,.0f} bytes each"
        table(title, ("us an event",), [(name, f"{each:.2f}") for name, each in found])
    sys.stdout.write(f"measured on {description()}\n\n")


if __name__ == "__main__":
    main()
