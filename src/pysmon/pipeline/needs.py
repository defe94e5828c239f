"""What each event needs of a machine, and whether it is had here: the table, what a configuration lacks, in words.

A new event, or a new thing that one needs, is a line in `NEEDS`. What the sensor needs of the kernel stands in
sensor/providers.py, and follows from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pysmon.host.dpkg import Dpkg
from pysmon.host.packages import Packages
from pysmon.host.rpm import Rpm
from pysmon.pipeline.beside import Beside
from pysmon.pipeline.policy import EVENTS_OF_FAMILY, Policy
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS
from pysmon.sensor.loader import Service

LACKING = "CAPABILITY"  # ID of the events 255 that tell what is lacking
_PROCESS = (1, 5)
_EVENTS_OF_ABILITY = {  # where a family's abilities make different events
    **dict.fromkeys(("files created", "files linked", "symbolic links made"), (11, 19, 20, 21)),
    "settings written": (13,),
    "tables of settings": (12,),
    "interfaces renamed": (14,),
    "FIFOs made": (17,),
    "FIFOs opened": (18,),
    "Unix sockets bound": (17,),
    "Unix sockets connected": (18,),
}
_ANOTHER_KERNEL = "another kernel may allow it; `dmesg` may tell more (lockdown, a hardened kernel)"
_WITH_RIGHTS = "with the right to load BPF programs (root) it is seen"
_ROUND = {"tracepoint": "32-bit programs and io_uring go round it"}  # what a hook does not see

# yes; partly: a field or a way of doing it is missing; no: no such event comes; unknown: it could not be tried.
Here = Literal["yes", "partly", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is on a machine, as far as events need it. A text in place of a thing says why it is not there."""

    services: Sequence[Service] | str  # of the sensor; in a run only those that it has asked for
    files: str = ""  # why fanotify cannot be used at all; "" if it can
    unwatched: str = ""  # why nobody watches the content of files, though that could be; "" if that is not so
    clipboard: str = ""  # why no clipboard is read, though that could be asked for; "" if that is not so
    mounts: Sequence[Path] | None = None  # the only file systems that are watched; None: all local ones
    packages: bool = True  # is there a package database?
    tried: bool = True  # False: the sensor was not tried, since the rights for it are missing


@dataclass(frozen=True, slots=True)
class Capability:
    """A line of the table as it is here: something that events need."""

    events: tuple[int, ...]  # ids
    names: tuple[str, ...]  # several, where they are missing for one reason
    here: Here
    by: str = ""  # what serves it
    reason: str = ""  # why it is missing, or what serves it is not the best
    remedy: str = ""

    @property
    def missing(self) -> bool:
        """Is it something that a configuration may ask for in vain?"""
        return self.here in ("no", "partly") and not self.by

    def __str__(self) -> str:
        """One sentence, for an event 255 and for people."""
        one = len(self.events) == 1
        tags = ", ".join(f"{i} ({EVENTS[i].cls.__name__})" for i in self.events)
        asked = f"{'event' if one else 'events'} {tags} {'is' if one else 'are'} asked for"
        things = ", ".join(self.names)
        became = f"cannot be made: no {things} here" if self.here == "no" else f"will lack something: no {things} here"
        return f"{asked} and {became}: {self.reason}{f' ({self.remedy})' if self.remedy else ''}"


@dataclass(frozen=True, slots=True)
class Need:
    """A line of the table: what these events need, and how to find out why it is not there.

    `absent` gives the reason, "" if it is there, None if that does not matter on this machine.
    """

    events: tuple[int, ...]
    name: str
    absent: Callable[[Surroundings], str | None]
    remedy: str = ""
    instead: str = ""  # what comes all the same; "": no such event does
    by: str = ""  # what serves it, if it is there


def _missing_mounts(here: Surroundings) -> str | None:
    if here.mounts is None:
        return None
    gone = [str(path) for path in here.mounts if not path.exists()]
    return f"there is no {', '.join(gone)}" if gone else ""


_CONTENT = (23, 26)
_MOUNT = "name them: --mount in a run, `mounts` in pysmon.toml"
_FANOTIFY = "it needs CAP_SYS_ADMIN and a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y"
NEEDS: tuple[Need, ...] = (
    Need((27, 28, 29), "file watch", lambda here: here.files, _FANOTIFY, by="fanotify"),
    Need((27, 28, 29), "file watch", lambda here: here.unwatched or None, _MOUNT),
    Need(
        _CONTENT,
        "content of files",
        lambda here: here.files,
        _FANOTIFY,
        "files are told without Hashes, IsExecutable and a copy",
        "fanotify",
    ),
    Need(
        (19, 20, 21),
        "text of a file when it is closed",
        lambda here: here.files,
        _FANOTIFY,
        "it is read when the file is opened, and may be short of what is written then",
        "fanotify",
    ),
    Need(
        (*_CONTENT, 27, 28, 29),
        "file systems of `files.mounts`",
        _missing_mounts,
        "mount or make them, or take them out of /etc/pysmon/pysmon.toml",
        "nothing is known of files there",
        "mounts",
    ),
    Need(
        (7,),
        "package database",
        lambda here: "" if here.packages else "neither dpkg's nor rpm's can be read",
        "",
        "Signed, Signature and SignatureStatus are `-`",
        "dpkg or rpm",
    ),
    Need((24,), "reader of the clipboard", lambda here: here.clipboard, by="X11, Wayland"),
)


def capabilities(here: Surroundings) -> Iterator[Capability]:
    """The table as it is here: first what the sensor sees, in its order, then the rest."""
    yield from _of_sensor(here)
    for need in NEEDS:
        absent = need.absent(here)
        if absent is None:
            continue
        if not absent:
            yield Capability(need.events, (need.name,), "yes", need.by)
        elif need.instead:
            yield Capability(need.events, (need.name,), "partly", "", f"{absent}; {need.instead}", need.remedy)
        else:
            yield Capability(need.events, (need.name,), "no", "", absent, need.remedy)


def lacking(here: Surroundings, ruleset: Ruleset) -> tuple[Capability, ...]:
    """What is missing of all that these rules can keep. What is missing for one reason is one thing."""
    found: dict[tuple[Here, str, str], Capability] = {}
    for each in capabilities(here):
        events = {i for i in each.events if ruleset.wants(i)}
        if not events or not each.missing:
            continue
        key = (each.here, each.reason, each.remedy)
        before = found.get(key)
        if before is None:
            found[key] = replace(each, events=tuple(sorted(events)))
        else:
            together = tuple(sorted(events.union(before.events)))
            found[key] = replace(before, events=together, names=before.names + each.names)
    return tuple(found.values())


def lacking_here(services: Sequence[Service], beside: Beside, policy: Policy) -> tuple[Capability, ...]:
    """The same for a run, by what its sensor serves and whether what is watched beside it can be."""
    absent = beside.absent(policy.configuration)
    return lacking(Surroundings(services, *absent, packages=has_packages()), policy.ruleset)


def has_packages(root: str = "") -> bool:
    """Is there a package database on this machine? `root` is the directory that stands for `/`."""
    return any(Packages((Dpkg(root), Rpm(root))).signature())


def _of_sensor(here: Surroundings) -> Iterator[Capability]:
    if isinstance(here.services, str):
        state: Here = "no" if here.tried else "unknown"
        all_ids = sorted({*_PROCESS, *(i for own in EVENTS_OF_FAMILY.values() for i in own)})
        yield Capability(tuple(all_ids), ("kernel sensor",), state, "", here.services)
        return
    served = {i for service in here.services if service.provider for i in _events_of(service)}
    for service in here.services:
        ability, provider, ids = service.ability, service.provider, _events_of(service)
        if not ids:
            continue
        if provider is not None:
            blind = _ROUND.get(provider.hook, "") if service.sees_less else ""
            yield Capability(ids, (ability.name,), "partly" if blind else "yes", provider.hook, blind)
            continue
        reasons = "; ".join(service.refusals)
        remedy = _WITH_RIGHTS if reasons == "not seen by tracing" else _ANOTHER_KERNEL
        yield Capability(ids, (ability.name,), "partly" if served.issuperset(ids) else "no", "", reasons, remedy)


def _events_of(service: Service) -> tuple[int, ...]:
    """The ids of the events that come of what it sees."""
    family = service.ability.family
    others = _PROCESS if family == "process" else EVENTS_OF_FAMILY.get(family, ())
    return _EVENTS_OF_ABILITY.get(service.ability.name, others)
