"""The status as OpenMetrics text, for Prometheus and its kin.

The format: https://prometheus.io/docs/specs/om/open_metrics_spec/ (version 1.0.0). A metric is one line of `_METRICS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pysmon.formats.visible import encodable
from pysmon.pipeline.lane import LaneState
from pysmon.service.status import Status
from pysmon.service.verdict import is_healthy, verdict

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_SECOND = 1_000_000_000
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric family: its name (with the unit at its end), what it is, and its samples in a status."""

    name: str
    kind: Literal["gauge", "counter", "info", "stateset"]
    help: str
    samples: Callable[[Status], Iterable[_Sample]]
    unit: str = ""


def metrics(status: Status) -> str:
    """The whole text, `# EOF` and a newline at its end. Metrics without samples are left out."""
    lines: list[str] = []
    for metric in _METRICS:
        samples = [_line(metric, labels, value) for labels, value in metric.samples(status)]
        if samples:
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            if metric.unit:
                lines.append(f"# UNIT {metric.name} {metric.unit}")
            lines += (f"# HELP {metric.name} {metric.help}", *samples)
    return "\n".join([*lines, "# EOF", ""])


def _line(metric: _Metric, labels: Mapping[str, str], value: float) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(metric.kind, "")
    pairs = ",".join(f'{name}="{encodable(text).translate(_ESCAPES)}"' for name, text in labels.items())
    number = str(int(value)) if float(value).is_integer() else repr(float(value))
    return f"{metric.name}{suffix}{{{pairs}}} {number}" if pairs else f"{metric.name}{suffix} {number}"


def _build(status: Status) -> Iterable[_Sample]:
    yield {"version": status.version}, 1


def _configuration(status: Status) -> Iterable[_Sample]:
    own = status.configuration
    yield {"name": own.name, "sha256": own.sha256, "schema": own.schema_version}, 1


def _hooks(status: Status) -> Iterable[_Sample]:
    for hook in status.hooks:
        for state in ("working", "blind", "lacking", "off"):
            labels = {"ability": hook.ability, "family": hook.family, "hook": hook.hook, "pysmon_hook": state}
            yield labels, hook.state == state


def _canary(status: Status) -> Iterable[_Sample]:
    canary = status.canary
    if canary is not None and canary.ended:
        for ability in sorted({*canary.seen, *canary.blind}):
            yield {"ability": ability}, ability not in canary.blind


def _records(status: Status) -> Iterable[_Sample]:
    for family in status.families:
        for fate in ("kept", "filtered", "pushed_down", "lost"):
            yield {"family": family.name, "fate": fate}, getattr(family, fate)


def _of_families(count: str) -> Callable[[Status], Iterable[_Sample]]:
    return lambda status: (({"family": f.name}, getattr(f, count)) for f in status.families)


def _of_outputs(count: str) -> Callable[[Status], Iterable[_Sample]]:
    return lambda status: (({"output": name}, getattr(o, count)) for name, o in _named(status))


def _resting(status: Status) -> Iterable[_Sample]:
    return (({"output": name}, bool(o.trouble)) for name, o in _named(status))


def _named(status: Status) -> Iterable[tuple[str, LaneState]]:
    """The outputs by names that tell them apart: two samples must not be the same."""
    seen: Counter[str] = Counter()
    for output in status.outputs:
        seen[output.name] += 1
        again = seen[output.name]
        yield (f"{output.name} ({again})" if again > 1 else output.name), output


def _of_classes(count: str, scale: int = 1) -> Callable[[Status], Iterable[_Sample]]:
    return lambda status: (
        ({"class": held.name}, getattr(held, count) / scale)
        for held in (status.log.classes if status.log else ())
        if getattr(held, count) is not None
    )


def _of_log(count: str) -> Callable[[Status], Iterable[_Sample]]:
    return lambda status: [({}, getattr(status.log, count))] if status.log else []


def _one(value: Callable[[Status], float | None]) -> Callable[[Status], Iterable[_Sample]]:
    def samples(status: Status) -> Iterable[_Sample]:
        found = value(status)
        return [] if found is None else [({}, found)]

    return samples


_METRICS = (
    _Metric("pysmon_build", "info", "Which release runs.", _build),
    _Metric("pysmon_configuration", "info", "The configuration in use.", _configuration),
    _Metric("pysmon_configuration_generation", "gauge", "Its number.", _one(lambda s: s.configuration.generation)),
    _Metric("pysmon_healthy", "gauge", "1 if nothing is wrong.", _one(is_healthy)),
    _Metric("pysmon_findings", "gauge", "Things that are wrong, and remarks.", _one(lambda s: len(verdict(s)))),
    _Metric("process_start_time_seconds", "gauge", "Since 1970.", _one(lambda s: s.started / _SECOND), "seconds"),
    _Metric("process_resident_memory_bytes", "gauge", "Memory in use.", _one(lambda s: s.memory), "bytes"),
    _Metric("process_cpu_seconds", "counter", "Processor time used.", _one(lambda s: s.cpu_seconds), "seconds"),
    _Metric("pysmon_hook", "stateset", "How the sensor's abilities are served.", _hooks),
    _Metric("pysmon_canary_seen", "gauge", "1 if the last canary was seen doing it.", _canary),
    _Metric("pysmon_records_seen", "counter", "Records that the kernel had to tell.", _of_families("seen")),
    _Metric("pysmon_records", "counter", "Records by what became of them.", _records),
    _Metric("pysmon_records_in_flight", "gauge", "Records on their way.", _of_families("in_flight")),
    _Metric("pysmon_output_written_entries", "counter", "Entries that went out.", _of_outputs("written"), "entries"),
    _Metric("pysmon_output_lost_entries", "counter", "Entries that did not.", _of_outputs("lost"), "entries"),
    _Metric("pysmon_output_queued_entries", "gauge", "Entries in memory.", _of_outputs("queued"), "entries"),
    _Metric("pysmon_output_spilled_entries", "gauge", "Entries on the disk.", _of_outputs("spilled"), "entries"),
    _Metric("pysmon_output_spilled_bytes", "gauge", "Their size.", _of_outputs("spilled_bytes"), "bytes"),
    _Metric("pysmon_output_resting", "gauge", "1 if the output does not take entries.", _resting),
    _Metric("pysmon_log_bytes", "gauge", "Size of the log.", _of_log("bytes"), "bytes"),
    _Metric("pysmon_log_limit_bytes", "gauge", "What it may have.", _of_log("limit"), "bytes"),
    _Metric("pysmon_log_class_bytes", "gauge", "Size of a class of events.", _of_classes("bytes"), "bytes"),
    _Metric("pysmon_log_class_entries", "gauge", "Entries of the class.", _of_classes("entries"), "entries"),
    _Metric(
        "pysmon_log_class_oldest_timestamp_seconds",
        "gauge",
        "Time of its oldest entry, since 1970.",
        _of_classes("oldest", _SECOND),
        "seconds",
    ),
    _Metric(
        "pysmon_reconciliation_exact",
        "gauge",
        "1 if the books added up when they were last compared.",
        _one(lambda s: s.reconciliation.exact if s.reconciliation else None),
    ),
    _Metric(
        "pysmon_reconciliation_timestamp_seconds",
        "gauge",
        "When that was, since 1970.",
        _one(lambda s: s.reconciliation.when / _SECOND if s.reconciliation else None),
        "seconds",
    ),
)
