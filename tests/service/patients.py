"""Systems for the doctor, of our own making: a folder with the files of a healthy one, to be made ill by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.service.sample import HEALTHY

from pysmon.errors import SensorError
from pysmon.sensor.loader import Service
from pysmon.sensor.providers import ABILITIES
from pysmon.service.ask import AskError
from pysmon.service.paths import Paths
from pysmon.service.status import Status
from pysmon.service.systemd import SystemdError

_T = TypeVar("_T")
SERVED = tuple(Service(ability, ability.providers[0], ()) for ability in ABILITIES)
RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "NeedDaemonReload": "no",
    "NRestarts": "0",
    "DropInPaths": "",
}
_FILES = {
    "proc/sys/kernel/osrelease": "6.1.0-56-amd64\n",
    "proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
    "proc/sys/kernel/bpf_stats_enabled": "0\n",
    "proc/sys/net/core/bpf_jit_enable": "1\n",
    "proc/self/status": "Name:\tpython3\nCapEff:\t000001ffffffffff\n",
    "proc/meminfo": "MemTotal:  4000000 kB\nMemAvailable:    2097152 kB\n",
    "sys/kernel/btf/vmlinux": "",
    "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
    "sys/kernel/tracing/events/header_page": "",
    "sys/fs/cgroup/cgroup.procs": "1\n",
}


@dataclass
class Person:
    """A patient whose parts can be replaced."""

    paths: Paths
    services: tuple[Service, ...] | SensorError = SERVED
    library: str | Exception = "v1.1, /usr/lib/libbpf.so.1.1.2"
    known: Mapping[str, str] | SystemdError = field(default_factory=lambda: RUNNING)
    said: Status | AskError = HEALTHY
    refusal: str = ""  # of fanotify
    loaded: int = 0  # times that the sensor was tried

    def libbpf(self) -> str:
        return _given(self.library)

    def sensor(self) -> tuple[Service, ...]:
        self.loaded += 1
        return _given(self.services)

    def fanotify(self) -> str:
        return self.refusal

    def unit(self) -> Mapping[str, str]:
        return _given(self.known)

    def status(self) -> Status:
        return _given(self.said)

    def put(self, path: str, text: str = "") -> Path:
        """Write a file below its root."""
        found = self.paths.root / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found


def healthy(root: Path) -> Person:
    """One on which pysmon can run, and is not installed."""
    made = Person(Paths.under(root))
    for path, text in _FILES.items():
        made.put(path, text)
    return made


def _given(value: _T | Exception) -> _T:
    if isinstance(value, Exception):
        raise value
    return value
