"""How the service is: one tree of values that the service fills, and all of `pysmon status`, JSON and metrics show.

Moments are in nanoseconds since 1970, times that something took in nanoseconds, sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pysmon.pipeline.lane import LaneState
from pysmon.sensor.loader import Service
from pysmon.service.finding import Finding
from pysmon.service.rates import NO_RATES, Rates
from pysmon.store.store import Holding


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """The configuration in use; the one that pysmon brings is called `Defaults`."""

    name: str  # as it was typed
    sha256: str
    schema_version: str
    since: int  # the moment
    generation: int  # 1 for the one that the service began with


# off: no rule can keep what it would tell. lacking: no hook of this kernel can see it, and many kernels have none.
State = Literal["working", "blind", "lacking", "off"]


@dataclass(frozen=True, slots=True)
class HookState:
    """One of the sensor's abilities: which kind of hook serves it, or why none does."""

    ability: str
    family: str
    state: State
    hook: str = ""  # of the provider that serves it; "" if none does
    refusals: tuple[str, ...] = ()  # one line for each better provider that does not work here

    @classmethod
    def of(cls, service: Service, *, wanted: bool) -> HookState:
        """The state of what the loader tells; `wanted` is whether a rule can keep something of it."""
        ability, provider = service.ability, service.provider
        lacking: State = "blind" if ability.everywhere else "lacking"
        state: State = "off" if not wanted else "working" if provider else lacking
        return cls(ability.name, ability.family, state, provider.hook if provider else "", service.refusals)


@dataclass(frozen=True, slots=True)
class FamilyState:
    """The records of one family since the start: `seen = kept + filtered + pushed_down + lost + in_flight`."""

    name: str
    seen: int
    kept: int
    filtered: int
    lost: int
    in_flight: int = 0  # in the rings, not read yet
    rates: Rates = NO_RATES  # of what was seen
    lost_at: int | None = None  # the moment of the last loss, if it is known
    pushed_down: int = 0  # dropped in the kernel: no rule could keep them
    unreadable: int = 0  # of the lost: those that came, but could not be read; the others found no room in a ring

    @property
    def exact(self) -> bool:
        """Does every record have its fate? False would be a defect of pysmon."""
        return self.seen == self.kept + self.filtered + self.pushed_down + self.lost + self.in_flight


@dataclass(frozen=True, slots=True)
class LogState:
    """The event log on the disk."""

    path: str
    bytes: int  # of the file
    limit: int  # that it may have
    classes: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class CanaryState:
    """What came of the last canary, by the names of abilities."""

    when: int  # the moment
    ended: bool  # whether it came to its end; if not, it proves nothing
    seen: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()  # what it did and the sensor did not tell


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The last hourly comparison of the books."""

    when: int  # the moment
    exact: bool
    report: str  # what went to the log


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that the configuration asks for and that cannot be had on this machine."""

    events: tuple[int, ...]  # ids
    abilities: tuple[str, ...]
    made: bool  # whether such events come all the same, with less in them
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that there is to say about the running service."""

    taken: int  # the moment that all this is of
    version: str
    pid: int
    started: int  # the moment
    uptime: int  # by a clock that nobody sets
    memory: int  # bytes that are resident
    cpu_seconds: float
    scope: str  # whom it watches, in words
    configuration: ConfigurationState
    hooks: tuple[HookState, ...]
    families: tuple[FamilyState, ...]
    outputs: tuple[LaneState, ...]
    log: LogState | None  # None: no event log is kept
    canary: CanaryState | None = None  # None: there was none yet
    reconciliation: Reconciliation | None = None
    lacks: tuple[Lack, ...] = ()  # each was told by an event 255 when the configuration came
    findings: tuple[Finding, ...] = ()  # what only the service knows: a refused configuration, tampering
