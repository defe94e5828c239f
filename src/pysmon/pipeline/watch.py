"""The library's front door: a stream of typed events, live or from a tape."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from pathlib import Path

from pysmon.config.model import Configuration
from pysmon.config.read import read_default, read_file
from pysmon.errors import MisuseError
from pysmon.pipeline.live import Session
from pysmon.schema.event import Event
from pysmon.sensor.scope import Scope


def watch(
    config: Configuration | Path | str | None = None,
    scope: Scope | None = None,
    *,
    command: Sequence[str] | None = None,
    stop: threading.Event | None = None,
) -> Generator[Event, None, None]:
    """Yield the events that a configuration keeps, as they happen, until `stop` is set or the command ends.

    `config`: a configuration, or the path of one; None is the one that is shipped. `scope`: whom to watch; None is the
    whole machine, or the process tree of `command`, which is then started. Closing the generator ends the sensor.
    Raises SensorError where eBPF may not or cannot be used, MisuseError if the configuration has errors.
    """
    session = Session(_configuration(config), scope, command=command, reloads=False)
    for batch in session.batches(stop or threading.Event()):
        for entry in batch:
            yield entry.event


def _configuration(config: Configuration | Path | str | None) -> Configuration:
    if isinstance(config, Configuration):
        return config
    reading = read_file(Path(config)) if config is not None else read_default()
    if reading.configuration is None:
        errors = [p for p in reading.problems if p.severity == "error"]
        raise MisuseError(f"{errors[0].place}: {errors[0].message}", hint=f"pysmon check {config} tells more")
    return reading.configuration
