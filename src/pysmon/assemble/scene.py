"""What is known besides the record: who is who on this machine, and what time it is there."""

from __future__ import annotations

from dataclasses import dataclass, field

from pysmon.assemble.dns_streams import Streams
from pysmon.assemble.processes import Processes
from pysmon.assemble.questions import Questions
from pysmon.assemble.repeats import Repeats
from pysmon.assemble.utc import UtcTexts
from pysmon.host.guid import Machine
from pysmon.host.users import Users
from pysmon.schema.catalogue import ErrorReport

# Ids of the events that records make.
BUILT = frozenset({1, 2, 3, *range(5, 16), *range(17, 30), 100})


@dataclass(slots=True)
class Scene:
    """Shared by the families; `clock_offset` and `wanted` may be changed while records come."""

    machine: Machine
    users: Users
    processes: Processes
    clock_offset: int  # ns to add to a record's time to get ns since 1970
    wanted: frozenset[int] = BUILT  # ids of events that are worth building
    deeds: Repeats[ErrorReport] = field(default_factory=Repeats)  # against pysmon itself, told of late
    questions: Questions = field(default_factory=Questions)  # to the DNS
    streams: Streams = field(default_factory=Streams)  # of the DNS, over TCP
    _utc: UtcTexts = field(default_factory=UtcTexts)

    def utc(self, time: int) -> str:
        """The text of a record's time."""
        return self._utc.text(self.clock_offset + time)
