"""How fast event log files of Windows are read, decoded and judged: in one process, beside the reader in Rust.

The file is made here, by our own writer: creations, connections, registry values, loaded images and accesses in the
shares that logs have, of which values repeat as they do in logs; one command line in ten never comes again. The reader
in Rust (the package evtx) gives XML, which is where the work of judging would only begin.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import description
from bench.parts.configurations import MEASURED
from bench.parts.table import table
from bench.verdicts import FOLDERS, PROGRAMS, event, kinds

from pysmon.rules.ruleset import Ruleset
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sources.open import open_sources
from pysmon.sources.source import Source

EVENTS_IN_FILE, ROUNDS = 100_000, 3
NEW = 0.1  # the share of texts that never were before
SHARES = {1: 20, 3: 10, 7: 25, 10: 20, 11: 10, 13: 15}  # in percent
AIM = 100_000  # events a second: read, decoded and judged
PROVIDER, CHANNEL = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"
GUID = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"
START = 1_700_000_000


def made_up(count: int) -> Iterator[Entry[Event]]:
    """The events of the file."""
    choose = random.Random(1)
    creations = kinds(windows=True)
    origins = {
        number: Origin("WORKSTATION5.lab", 3500, 4168, 0, Foreign(PROVIDER, GUID, CHANNEL, "S-1-5-18", made.version))
        for number, made in EVENTS.items()
    }
    ids = choose.choices(list(SHARES), list(SHARES.values()), k=count)
    for record, number in enumerate(ids, 1):
        time_ns = (START + record // 50) * 1_000_000_000 + record % 1000 * 1_000_000
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time_ns // 10**9)) + f".{record % 1000:03d}"
        new = choose.random() < NEW
        if number == 1:
            creation = event(choose, choose.choice(creations), new)
            creation.UtcTime = stamp
            yield Entry(record, time_ns, creation, origins[number])
        else:
            yield Entry(record, time_ns, other(choose, number, stamp, new), origins[number])


def other(choose: random.Random, number: int, stamp: str, new: bool) -> Event:
    """An event that is no creation."""
    fields: dict[str, Any] = {}
    for known in EVENTS[number].fields:
        kind = known.kind.name
        if kind == "time":
            fields[known.name] = stamp
        elif kind == "guid":
            fields[known.name] = f"{{00000000-0000-0000-0000-{choose.randrange(400):012x}}}"
        elif kind.startswith("hex"):
            fields[known.name] = choose.choice(["0x1000", "0x1410", "0x1fffff"])
        elif kind == "boolean":
            fields[known.name] = choose.random() < 0.5
        elif kind != "text":
            fields[known.name] = choose.randrange(60_000)
        elif "Image" in known.name:
            fields[known.name] = FOLDERS[True].format(choose.choice(PROGRAMS[True]))
        elif known.name in ("TargetObject", "TargetFilename", "CallTrace", "DestinationHostname"):
            fields[known.name] = f"C:\\Windows\\some\\place\\{choose.getrandbits(64) if new else choose.randrange(400)}"
        else:
            fields[known.name] = "-"
    return EVENTS[number].cls(**fields)


def opened(path: Path) -> Source:
    """The file as a source; one that is opened anew remembers nothing."""
    (source,) = open_sources([path])
    return source


def read_entries(path: Path) -> int:
    """Read whole entries."""
    return sum(1 for _ in opened(path).entries())


def judged(path: Path, ruleset: Ruleset) -> int:
    """Read and judge, as a replay does that only counts."""
    plans = {number: ruleset.by_values(number) for number in EVENTS}
    wanted = {number: names for number, (names, _) in plans.items()}
    decide = {number: verdict for number, (_, verdict) in plans.items()}
    return sum(1 for number, values, _ in opened(path).rows(wanted) if decide[number](values))


def in_rust(path: Path) -> int:
    """Read XML with the reader in Rust, on one thread."""
    package: Any = import_module("evtx")
    return sum(1 for _ in package.PyEvtxParser(str(path), number_of_threads=1).records())


def rate(read: Callable[[], int]) -> float:
    """Events for a second of processor time."""
    rates = []
    for _ in range(ROUNDS):
        before = time.process_time()
        count = read()
        rates.append(count / (time.process_time() - before))
    return median(rates)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made-up.evtx")
        sink = EvtxFileSink(path)
        sink.write(list(made_up(EVENTS_IN_FILE)))
        sink.close()
        rows = [("whole entries", f"{rate(partial(read_entries, path)):,.0f}", "-")]
        found = rate(partial(judged, path, Ruleset.compile(None)))
        rows.append(("judged without rules", f"{found:,.0f}", f"{found / AIM:.2f}"))
        for measured in (m for m in MEASURED if m.windows):
            configuration = measured.read()
            if configuration is None:
                rows.append((f"{measured.name}: absent", "-", "-"))
                continue
            found = rate(partial(judged, path, Ruleset.compile(configuration)))
            rows.append((f"judged under {measured.name}", f"{found:,.0f}", f"{found / AIM:.2f}"))
        if find_spec("evtx"):
            rows.append(("XML by the reader in Rust", f"{rate(partial(in_rust, path)):,.0f}", "-"))
        else:
            rows.append(("XML by the reader in Rust: absent", "-", "-"))
        size = path.stat().st_size / EVENTS_IN_FILE
        table(f"events a second of EVTX ({size:,.0f} bytes each)", ("events/s", f"to {AIM:,} (aim)"), rows)
    sys.stdout.write(f"measured on {description()}\n\n")


if __name__ == "__main__":
    main()
