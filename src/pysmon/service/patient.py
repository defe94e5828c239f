"""What the doctor looks at: the files of a system, and what only the running one can tell."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pysmon.sensor.filewatch.fanotify import refusal
from pysmon.sensor.libbpf import library
from pysmon.sensor.loader import Service, load
from pysmon.service.ask import RunningService
from pysmon.service.paths import Paths
from pysmon.service.status import Status
from pysmon.service.systemd import Systemd

_PATIENCE = 3.0  # seconds that the service has to answer
_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload", "NRestarts", "DropInPaths")


class Patient(Protocol):
    """A system that is examined. Nothing here changes it."""

    @property
    def paths(self) -> Paths:
        """Where its service keeps what it has; its root is that of the system."""

    def libbpf(self) -> str:
        """The version of libbpf and where it lies; SensorError if there is none."""

    def sensor(self) -> tuple[Service, ...]:
        """What became of the sensor's abilities when they were tried; SensorError. Nobody is watched meanwhile."""

    def fanotify(self) -> str:
        """Why files cannot be watched; "" if they can."""

    def unit(self) -> Mapping[str, str]:
        """What systemd knows of the service; SystemdError if it cannot be asked."""

    def status(self) -> Status:
        """What the running service says; AskError."""


class ThisMachine:
    """The machine that we run on."""

    paths = Paths.system()

    def __init__(self) -> None:
        """Nothing is tried yet."""
        self._services: tuple[Service, ...] | None = None

    def libbpf(self) -> str:
        """Load it."""
        lib, _ = library()
        lib.libbpf_version_string.restype = ctypes.c_char_p
        version = lib.libbpf_version_string().decode()
        mapped = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines())
        where = next((path for path in mapped if "/libbpf." in path), "libbpf")
        return f"{version}, {where}"

    def sensor(self) -> tuple[Service, ...]:
        """Load and attach it, and take it away again: without a scope it watches nobody."""
        if self._services is None:  # it takes more than a second
            loaded = load()
            self._services = loaded.services
            loaded.object.close()
        return self._services

    def fanotify(self) -> str:
        """Ask the kernel, about a file of our own."""
        return refusal()

    def unit(self) -> Mapping[str, str]:
        """Ask systemctl."""
        return Systemd(self.paths).show(*_PROPERTIES)

    def status(self) -> Status:
        """Ask it."""
        return RunningService(self.paths.control, patience=_PATIENCE).status()


def text_of(patient: Patient, path: str) -> str:
    """What stands in a small file of the system; empty if there is none or it may not be read."""
    try:
        return (patient.paths.root / path).read_text(errors="replace").strip()
    except OSError:
        return ""
