"""The doctor on the sensor: which hooks work here, and is there memory for the rings?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pysmon.errors import SensorError
from pysmon.sensor.kernel import EVENT_RING_SIZE, PROCESS_RING_SIZE
from pysmon.sensor.loader import Service
from pysmon.service.checks_kernel import NO_PROC, rights, tracefs
from pysmon.service.finding import Finding, worst
from pysmon.service.patient import Patient, text_of
from pysmon.views.words import size

_INSIDE = {"tp_btf", "fentry", "fexit", "iter", "uprobe"}  # these miss nothing, and which of them serves is no matter
_MEMORY = 128 << 20  # bytes for the rings, the process table and the queues


def hooks(patient: Patient) -> Iterator[Finding]:
    """Which provider serves which ability: by loading the sensor, which watches nobody until it has a scope."""
    if reason := untried(patient):
        remedy = "run it with sudo" if "rights" in reason else "mount it, or start the service"
        yield Finding("warn", "hooks", reason, remedy)
        return
    try:
        services = patient.sensor()
    except SensorError as error:
        yield Finding("bad", "hooks", str(error), error.hint)
        return
    yield from _served(services)


def untried(patient: Patient) -> str:
    """Why the sensor is not to be tried here; "" if it can be."""
    if worst(rights(patient)) == "bad":
        return "not tried, without the rights"
    # To mount it is the service's affair.
    return "not tried, since tracefs is not mounted" if worst(tracefs(patient)) != "ok" else ""


def _served(services: Sequence[Service]) -> Iterator[Finding]:
    """A line for each kind of hook that serves; one for each ability that nothing serves."""
    best: dict[str, list[Service]] = {}
    second: dict[str, list[Service]] = {}
    for service in services:
        if service.provider is not None:
            group = second if service.sees_less and service.provider.hook not in _INSIDE else best
            group.setdefault(service.provider.hook, []).append(service)
    for hook, served in best.items():
        yield Finding("ok", "hooks", f"{hook} for {_names(served)}")
    for hook, served in second.items():
        reasons = "; ".join(dict.fromkeys(reason for service in served for reason in service.refusals))
        limits = ", which 32-bit programs and io_uring go round," if hook == "tracepoint" else ""
        text = f"{hook}{limits} for {_names(served)}. Better ones do not work here: {reasons}"
        yield Finding("warn", "hooks", text, "other kernels let the better ones attach (CONFIG_FUNCTION_TRACER)")
    for service in services:
        if service.provider is None:
            text = f"nothing for {service.ability.name}: {'; '.join(service.refusals)}"
            remedy = "it needs another kernel; `dmesg` may tell more (lockdown, a hardened kernel)"
            yield Finding("bad" if service.ability.everywhere else "warn", "hooks", text, remedy)


def _names(services: Iterable[Service]) -> str:
    return ", ".join(service.ability.name for service in services)


def fanotify(patient: Patient) -> Iterator[Finding]:
    """Whether files can be watched as they are written and run: for what they hold, and to refuse them."""
    trouble = patient.fanotify()
    if trouble:
        remedy = "run it with sudo; the kernel needs CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y"
        yield Finding("warn", "fanotify", f"what files hold cannot be watched: {trouble}", remedy)
    else:
        yield Finding("ok", "fanotify", "files can be watched, and refused")


def memory(patient: Patient) -> Iterator[Finding]:
    """Whether the rings and the queues have room."""
    rings = f"rings of {size(PROCESS_RING_SIZE)} for processes and {size(EVENT_RING_SIZE)} for the rest"
    found = re.search(r"^MemAvailable:\s*(\d+) kB", text_of(patient, "proc/meminfo"), re.MULTILINE)
    if found is None:
        yield Finding("warn", "memory", f"how much is free is not told; pysmon needs {rings}", NO_PROC)
        return
    free = int(found[1]) << 10
    text = f"{size(free)} free, for {rings}"
    if free < _MEMORY:
        yield Finding("warn", "memory", text, f"pysmon takes up to {size(_MEMORY)} when much happens")
    else:
        yield Finding("ok", "memory", text)
