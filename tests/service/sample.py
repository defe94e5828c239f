"""A status of our own making: a healthy service, and one of which much is wrong."""

from __future__ import annotations

from dataclasses import replace

from pysmon.pipeline.lane import LaneState
from pysmon.service.finding import Finding
from pysmon.service.rates import Rates
from pysmon.service.status import (
    CanaryState,
    ConfigurationState,
    FamilyState,
    HookState,
    LogState,
    Reconciliation,
    Status,
)
from pysmon.store.store import Holding

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_795_248_000 * SECOND  # 2026-11-21 08:00:00
_DAY = 24 * HOUR
_STARTED = NOW - 3 * _DAY - 2 * HOUR


def _lane(
    name: str,
    written: int,
    queued: int = 0,
    spilled: int = 0,
    *,
    lost: int = 0,
    lost_at: int | None = None,
    trouble: str = "",
    since: int | None = None,
) -> LaneState:
    return LaneState(
        name=name,
        found=0,
        put=written + queued + spilled + lost,
        queued=queued,
        queued_bytes=queued * 500,
        spilled=spilled,
        spilled_bytes=spilled * 420,
        written=written,
        lost=lost,
        lost_at=lost_at,
        trouble=trouble,
        since=since,
    )


_RESTING = _lane(
    "syslog", 100, 20_000, 5_000, lost=7, lost_at=NOW - SECOND, trouble="Connection refused", since=NOW - HOUR
)

HEALTHY = Status(
    taken=NOW,
    version="0.1.0",
    pid=471,
    started=_STARTED,
    uptime=NOW - _STARTED,
    memory=50_541_363,
    cpu_seconds=532.8,
    scope="this machine",
    configuration=ConfigurationState("/root/rules.xml", "5f" * 32, "4.90", _STARTED + HOUR, 2),
    hooks=(
        HookState("processes", "process", "working", "tp_btf"),
        HookState("running processes", "process", "working", "iter"),
        HookState("TCP connected", "network", "working", "tp_btf"),
        HookState("UDP received", "network", "working", "tracepoint", ("fentry: Operation not permitted",)),
        HookState("files deleted", "file delete", "off"),
    ),
    families=(
        FamilyState("process", 120_345, 20_345, 100_000, 0, 0, Rates(2.0, 1.5, 0.451)),
        FamilyState("network", 9_876_543, 876_543, 8_999_998, 0, 2, Rates(31.0, 40.25, 37.07)),
        FamilyState("file delete", 0, 0, 0, 0),
    ),
    outputs=(
        _lane("/var/lib/pysmon/log", written=896_888, queued=12),
        _lane("syslog", written=896_900),
    ),
    log=LogState(
        "/var/lib/pysmon/log",
        150_994_944,
        1 << 30,
        (
            Holding("process", 20_345, 4_194_304, NOW - 3 * _DAY, NOW),
            Holding("network", 876_543, 131_072_000, NOW - _DAY, NOW - SECOND),
            Holding("registry", 0, 0, None, None),
        ),
    ),
    canary=CanaryState(_STARTED + SECOND, True, ("TCP connected", "UDP received", "processes")),
    reconciliation=Reconciliation(NOW - HOUR // 2, True, "seen = filtered + kept + lost: process 120000"),
)

ILL = replace(
    HEALTHY,
    configuration=ConfigurationState("Defaults", "76" * 32, "4.90", _STARTED, 1),
    hooks=(
        HEALTHY.hooks[0],
        replace(HEALTHY.hooks[3], state="blind", hook="", refusals=("fentry: refused", "tracepoint: no tracefs")),
    ),
    families=(
        replace(HEALTHY.families[0], seen=120_348, lost=3, lost_at=NOW - 2 * HOUR),
        replace(HEALTHY.families[1], seen=9_876_555, lost=12, lost_at=NOW - 60 * SECOND),
    ),
    outputs=(
        HEALTHY.outputs[0],
        _lane(
            "syslog", 100, 20_000, 5_000, lost=7, lost_at=NOW - SECOND, trouble="Connection refused", since=NOW - HOUR
        ),
    ),
    log=None,
    canary=CanaryState(_STARTED, True, (), ("processes",)),
    reconciliation=None,
    findings=(Finding("warn", "configuration", "rules.xml was refused: 2 errors", "pysmon check rules.xml"),),
)
