"""The doctor: can pysmon run here, and is all well around it? Works without the service, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pysmon.errors import MisuseError, SensorError
from pysmon.formats.describe import Piece, Style
from pysmon.formats.visible import visible
from pysmon.pipeline.needs import Capability, Here, Surroundings, capabilities, has_packages
from pysmon.service import checks_kernel, checks_sensor, checks_service
from pysmon.service.finding import Finding, worst
from pysmon.service.patient import Patient
from pysmon.service.settings import read_settings
from pysmon.views.columns import columns
from pysmon.views.words import Line

Check = Callable[[Patient], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (
    checks_kernel.kernel,
    checks_kernel.type_information,
    checks_kernel.rights,
    checks_kernel.libbpf,
    checks_kernel.lockdown,
    checks_kernel.unprivileged_bpf,
    checks_kernel.jit,
    checks_kernel.statistics,
    checks_kernel.tracefs,
    checks_kernel.cgroups,
    checks_sensor.memory,
    checks_sensor.hooks,
    checks_sensor.fanotify,
    checks_service.unit,
    checks_service.unit_file,
    checks_service.answer,
    checks_service.settings,
    checks_service.configuration,
    checks_service.folder,
    checks_service.disk,
    checks_service.listeners,
)


def examine(patient: Patient, checks: Iterable[Check] = CHECKS) -> Iterator[Finding]:
    """Make the checks, one after the other. What cannot be looked at is a finding, too."""
    for check in checks:
        try:
            yield from check(patient)
        except OSError as error:
            name = check.__name__.replace("_", " ")
            yield Finding("warn", name, f"it cannot be looked at: {error}", "run it with sudo")


def table(patient: Patient) -> tuple[Capability, ...]:
    """What each event needs, and whether it is there."""
    try:
        mounts = read_settings(patient.paths).files.mounts
    except (MisuseError, OSError):  # told by the check of the settings
        mounts = None
    here = Surroundings(
        "",
        patient.fanotify(),
        mounts=mounts,
        packages=has_packages(str(patient.paths.root).rstrip("/")),
    )
    reason = checks_sensor.untried(patient)
    try:
        services = reason or patient.sensor()
    except SensorError as error:
        return tuple(capabilities(replace(here, services=str(error))))
    return tuple(capabilities(replace(here, services=services, tried=not reason)))


def rows(table: Iterable[Capability]) -> Iterator[Line]:
    """The table for people; nothing in it can steer a terminal."""
    head = [Piece(word, "quiet") for word in ("events", "need", "here", "by")]
    styles: dict[Here, Style] = {"yes": "value", "partly": "user", "no": "alarm", "unknown": "user"}
    made = [head]
    for each in sorted(table, key=lambda capability: capability.events):
        row = [
            Piece(", ".join(map(str, each.events)), "path"),
            Piece(visible(", ".join(each.names)), "value"),
            Piece(each.here, styles[each.here]),
            Piece(each.by or "-", "value"),
        ]
        why = each.reason + (f" -> {each.remedy}" if each.remedy else "")
        made.append([*row, Piece(visible(why), "quiet")] if why else row)
    yield from columns(made)


def conclusion(findings: Iterable[Finding]) -> Line:
    """The last line: what all of it comes to."""
    findings = list(findings)
    level = worst(findings)
    if level == "bad":
        count = sum(finding.level == "bad" for finding in findings)
        return Line([Piece(f"{count} {'thing is' if count == 1 else 'things are'} in the way", "alarm")])
    if level == "warn":
        count = sum(finding.level == "warn" for finding in findings)
        return Line([Piece("pysmon can run here", "name"), Piece(f"; {count} could be better", "value")])
    return Line([Piece("all is well", "name")])
