"""The doctor on the sensor: which hooks work here, and is there memory for the rings?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pysmon.errors import SensorError
from pysmon.sensor.kernel import EVENT_RING_SIZE, PROCESS_RING_SIZE
from pysmon.sensor.loader import Service
from pysmon.service.checks_kernel import rights, tracefs
from pysmon.service.finding import Finding, worst
from pysmon.service.patient import Patient, text_of
from pysmon.service.status_page import size

_MEMORY = 128 << 20  # bytes for the rings, the process table and the queues


def hooks(patient: Patient) -> Iterator[Finding]:
    """Which provider serves which ability: by loading the sensor, which watches nobody until it has a scope."""
    if worst(rights(patient)) == "bad":
        yield Finding("warn", "hooks", "not tried, without the rights", "run it with sudo")
        return
    if worst(tracefs(patient)) != "ok":  # to mount it is the service's affair
        yield Finding("warn", "hooks", "not tried, since tracefs is not mounted", "mount it, or start the service")
        return
    try:
        services = patient.sensor()
    except SensorError as error:
        yield Finding("bad", "hooks", str(error), error.hint)
        return
    for service in services:
        yield _hook(service)


def _hook(service: Service) -> Finding:
    name, reasons = service.ability.name, "; ".join(service.refusals)
    if service.provider is None:
        remedy = "it needs another kernel; `dmesg` may tell more (lockdown, a hardened kernel)"
        return Finding("bad", name, f"no hook works here: {reasons}", remedy)
    if service.refusals and service.provider.hook == "tracepoint":
        text = f"tracepoint, which 32-bit programs and io_uring go round. Better, but not here: {reasons}"
        return Finding("warn", name, text, "a kernel that allows fentry (CONFIG_FUNCTION_TRACER) sees those, too")
    return Finding("ok", name, service.provider.hook)


def memory(patient: Patient) -> Iterator[Finding]:
    """Whether the rings and the queues have room."""
    rings = f"rings of {size(PROCESS_RING_SIZE)} for processes and {size(EVENT_RING_SIZE)} for the rest"
    found = re.search(r"^MemAvailable:\s*(\d+) kB", text_of(patient, "proc/meminfo"), re.MULTILINE)
    if found is None:
        yield Finding("warn", "memory", f"how much is free is not told; pysmon needs {rings}")
        return
    free = int(found[1]) << 10
    text = f"{size(free)} free, for {rings}"
    if free < _MEMORY:
        yield Finding("warn", "memory", text, f"pysmon takes up to {size(_MEMORY)} when much happens")
    else:
        yield Finding("ok", "memory", text)
