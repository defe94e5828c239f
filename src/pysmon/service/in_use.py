"""The configuration of the service: where it comes from, which one holds, and how another takes its place."""

from __future__ import annotations

import gc
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from pysmon.config.problems import Problem
from pysmon.config.read import default_bytes, read_configuration
from pysmon.errors import PysmonError
from pysmon.pipeline.policy import Policy
from pysmon.service.paths import Paths
from pysmon.service.status import ConfigurationState
from pysmon.service.stored import forget, load, save
from pysmon.service.wire import ConfigurationInUse

DEFAULTS = "Defaults"  # what Sysmon calls the configuration where none was given; here it is the one that is shipped
CONFIG = "CONFIG"  # ID of the events 255 that tell of configurations
_PATIENCE = 20.0  # s for the run to change its policy

Changing = Callable[..., AbstractContextManager[None]]  # tells the guard of our files that we write these ourselves


class RefusedError(PysmonError):
    """The service cannot use a configuration that has no errors."""


@dataclass(frozen=True, slots=True)
class InUse:
    """A configuration that holds, or will."""

    policy: Policy
    data: bytes
    name: str
    generation: int
    since: int  # ns since 1970

    @property
    def state(self) -> ConfigurationState:
        """As a status tells it."""
        configuration = self.policy.configuration
        version = str(configuration.schema_version) if configuration else ""
        return ConfigurationState(self.name, self.sha256, version, self.since, self.generation)

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


class Configurations:
    """Keeps the one in use and the stored one the same. Several threads may ask for a change: one at a time has it."""

    def __init__(self, paths: Paths, report: Callable[[str, str], None], *, patience: float = _PATIENCE) -> None:
        """Take the stored one, else the defaults. What is wrong with the stored one is reported (event 255).

        `patience` is how many seconds a change may take.
        """
        self._paths = paths
        self._report = report
        self._patience = patience
        self._lock = threading.Lock()
        self.now = self._stored(1) or _defaults(1)

    def reconfigure(
        self, data: bytes, name: str, use: Callable[[Policy], threading.Event], changing: Changing
    ) -> tuple[Problem, ...]:
        """Read, compile, store and use; gives its problems. With an error among them the old one stays, and that is
        reported; so it does, with RefusedError, if it cannot be stored. RefusedError also if it does not come to hold.
        """
        reading = read_configuration(data, name)
        if reading.configuration is None:
            errors = [p for p in reading.problems if p.severity == "error"]
            first = f"{errors[0].place}: {errors[0].message}"
            self._report(CONFIG, f"the configuration {name} was refused, {len(errors)} errors; the first: {first}")
            return reading.problems
        policy = Policy.of(reading.configuration)
        with self._lock:
            with self._storing(name), changing(self._paths.configuration, self._paths.about):
                save(self._paths, data, name, time.time_ns())
            self._use(InUse(policy, data, name, self.now.generation + 1, time.time_ns()), use)
        return reading.problems

    def reset(self, use: Callable[[Policy], threading.Event], changing: Changing) -> None:
        """Forget the stored one and use the defaults. RefusedError, as for `reconfigure`."""
        with self._lock:
            with self._storing(DEFAULTS), changing(self._paths.configuration, self._paths.about):
                forget(self._paths)
            self._use(_defaults(self.now.generation + 1), use)

    def reload(self, use: Callable[[Policy], threading.Event]) -> None:
        """Use what is stored, which may be another by now; what is wrong with it is reported, and changes nothing."""
        with self._lock:
            number = self.now.generation + 1
            found = self._stored(number) if self._paths.about.exists() else _defaults(number)
            if found and (found.data, found.name) != (self.now.data, self.now.name):
                self._use(found, use)

    def in_use(self) -> ConfigurationInUse:
        """As the control socket tells it."""
        return ConfigurationInUse(self.now.name, self.now.sha256, self.now.data)

    @contextmanager
    def _storing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            told = f"{name} cannot be stored in {self._paths.state}: {error.strerror}"
            self._report(CONFIG, f"{told}; the configuration before stays")
            raise RefusedError(told, hint="free some space, or see why the disk is read-only") from error

    def _use(self, wanted: InUse, use: Callable[[Policy], threading.Event]) -> None:
        came = use(wanted.policy).wait(self._patience)
        self.now = wanted  # or will be: what was asked for once, the run does sooner or later
        if not came:
            raise RefusedError(f"{wanted.name} is stored, but did not come to hold within {self._patience:g} s")
        gc.collect()  # the old rules hold each other, and megabytes of what they remembered

    def _stored(self, generation: int) -> InUse | None:
        try:
            stored = load(self._paths)
        except (PysmonError, OSError) as error:
            self._report(CONFIG, f"the stored configuration cannot be used: {error}")
            return None
        if stored is None:
            return None
        reading = read_configuration(stored.data, stored.name)
        if reading.configuration is None:
            first = next(p for p in reading.problems if p.severity == "error")
            self._report(CONFIG, f"the stored configuration cannot be used: {first.place}: {first.message}")
            return None
        return InUse(Policy.of(reading.configuration), stored.data, stored.name, generation, time.time_ns())


def _defaults(generation: int) -> InUse:
    data = default_bytes()
    reading = read_configuration(data, DEFAULTS)
    return InUse(Policy.of(reading.configuration), data, DEFAULTS, generation, time.time_ns())
