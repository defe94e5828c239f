"""Drives a session, live or from a tape, into sinks, and counts what a sink could not take."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pysmon.errors import SinkError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.sink import ReaderGoneError, Sink, WriteError

Batches = Iterable[Sequence[Entry[Event]]]


@dataclass(slots=True)
class Delivery:
    """How the sinks fared."""

    unwritten: Counter[str] = field(default_factory=Counter)  # entries that did not go out, by name of the sink
    troubles: list[SinkError] = field(default_factory=list)  # the first of each sink


def deliver(
    batches: Batches, sinks: Sequence[Sink], stop: threading.Event, tell: Callable[[SinkError], None]
) -> Delivery:
    """Write all batches to all sinks. A sink that fails costs its entries and is told of once; the rest goes on.

    When nobody reads an output any more, `stop` is set: the run is over.
    """
    delivery, told = Delivery(), set[str]()
    for batch in batches:
        for sink in sinks:
            try:
                if batch:
                    sink.write(batch)
                sink.flush()
            except ReaderGoneError as error:
                delivery.unwritten[sink.name] += len(batch) - error.written
                stop.set()
            except SinkError as error:
                written = error.written if isinstance(error, WriteError) else 0
                if sink.name not in told:
                    told.add(sink.name)
                    delivery.troubles.append(error)
                    tell(error)
                delivery.unwritten[sink.name] += len(batch) - written
    return delivery
