"""The three parts of event-driven persistence, as WMI names them: a filter, a consumer, and what binds the two."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filter:
    """When to act."""

    space: str  # who acts: systemd, udev, cron, at
    name: str
    query: str = "-"  # the condition, in the words of the file


@dataclass(frozen=True, slots=True)
class Consumer:
    """What to do."""

    type: str
    name: str
    destination: str = "-"  # what is run


@dataclass(frozen=True, slots=True)
class Binding:
    """That one is done when the other comes true. Both by the path that WMI would give them: kind and name."""

    consumer: str
    filter: str

    @property
    def name(self) -> str:
        """What tells it from others of the same file."""
        return self.consumer


Part = Filter | Consumer | Binding


def path_of(kind: str, name: str) -> str:
    """How a part is referred to, in the style of WMI: `systemd timer.Name="backup.timer"`."""
    return f'{kind}.Name="{name}"'


def bound(found: Filter, consumer: Consumer, kind: str) -> tuple[Part, ...]:
    """A file that holds all three: whatever it says is in force at once. `kind` is what the filter is called."""
    return found, consumer, Binding(path_of(consumer.type, consumer.name), path_of(kind, found.name))
