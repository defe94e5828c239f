"""In the guest: every sensor in turn, every workload under it, one line of JSON for each. Standard library alone.

The processor's whole time is looked at, not the sensor's alone: what the kernel spends for a sensor inside the workload
counts as well. The guest does nothing else.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.peers.processes import busy, clock, memory, until_quiet
from bench.peers.sensors import Auditd, Bpftrace, Nobody, Pysmon, Sensor
from bench.peers.sysmon import Sysmon
from bench.peers.works import Work, prepare, works

MARK = "PEERS "  # begins the lines that are figures


def sensors(plan: Mapping[str, Any]) -> list[Sensor]:
    """Those of the plan, in its order."""
    others: dict[str, Sensor] = {
        "none": Nobody(),
        "auditd": Auditd(),
        "laurel": Auditd(laurel=True),
        "bpftrace": Bpftrace(),
    }
    ours = {name: Pysmon(f"pysmon, {name}", Path(root), plan["tables"]) for name, root in plan["roots"].items()}
    theirs = {name: Sysmon(name, rules) for name, rules in plan["sysmon"].items()}
    return [(others | ours | theirs)[name] for name in plan["sensors"]]


def measure(sensor: Sensor, work: Work) -> dict[str, Any]:
    """One workload under one sensor, until the sensor has nothing more to do."""
    pids = sensor.pids()
    logged = sensor.logged()
    begun, before = busy(), sum(map(clock, pids))
    wall = work.run()
    until_quiet(pids)
    used, own = busy() - begun, sum(map(clock, pids)) - before
    now = sensor.logged()
    return {
        "work": work.name,
        "deeds": dict(work.deeds),
        "wall": wall,
        "used": used / 1e9,
        "sensor": own / 1e9,
        "logged": {kind: count - logged.get(kind, 0) for kind, count in now.items()},
        "resident": memory(pids),
        "peak": memory(pids, "VmHWM"),
    }


def turn(sensor: Sensor, planned: list[Work], rounds: int) -> None:
    """All workloads under one sensor, which is started once."""
    begun, used = time.monotonic(), busy()
    sensor.start()
    started = {"wall": time.monotonic() - begun, "used": (busy() - used) / 1e9}
    until_quiet(sensor.pids())
    started["whole"] = (busy() - used) / 1e9  # what is left for later when it says that it observes
    for _ in range(rounds):
        for work in planned:
            _tell(measure(sensor, work) | {"observer": sensor.name})
    _tell({"observer": sensor.name, "started": started, "lost": sensor.lost()})
    sensor.stop()


def _tell(figures: dict[str, Any]) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(figures)}\n")
    sys.stdout.flush()


def main() -> int:
    """Carry out the plan; a sensor that fails is told of, and the others go on."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    planned = works(plan["sizes"])
    prepare(plan["sizes"])
    failed = 0
    for sensor in sensors(plan):
        try:
            turn(sensor, planned, plan["rounds"])
        except Exception:
            failed += 1
            trouble = traceback.format_exc()
            _tell({"observer": sensor.name, "failed": trouble.strip().splitlines()[-1]})
            sys.stdout.write(trouble)
            with suppress(Exception):  # the next one must be alone
                sensor.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
