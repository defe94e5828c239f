"""Files and connections from the bytes of their records to the events that are kept, where no more is to be done.

Nearly all go this way: the process is known, the path is whole, nobody waits for an answer, and nothing is looked up on
the machine for what the event says. All others go the long way (`flow.py`), with the same outcome.
"""

from __future__ import annotations

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.said import ENDS, OF_ACTOR, REMEMBERED, Actors, Ends, Extra, Paths
from pysmon.pipeline.ways import Kind, Taker
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected, NetworkConnect
from pysmon.sensor.records import OPENED, FileCreateRecord, FileDeleteRecord, FlowRecord, decode

_SAID = {
    "actor": "find((tgid, start, exec_id))",
    "said": "said if (said := known.get(actor)) and said.uid == uid else learn(actor, uid)",
}
_ACTOR = {
    "UtcTime": "batch.now",
    "ProcessGuid": "said.guid",
    "ProcessId": "tgid",
    "Image": "said.image",
    "User": "said.user",
}
_TEXTS = ("path", "directory", "name")
_BROKEN_OFF = "TAILS + path + directory + name > len(data)"
_FILE = {"file": "path_of(data, TAILS, path, directory, name)"}


def _extra_by(number: str) -> dict[str, str]:
    """What only JSON shows, where it hangs on the actor and on that number alone."""
    return {"extra": f"said.extras.get({number}) or tell(said.extras, {number}, data)"}


_KINDS = (
    Kind(
        record=FileCreateRecord,
        members=("uid", "mode", "how", *_TEXTS),
        odd=(f"how != {OPENED}", _BROKEN_OFF),
        needs=_SAID | _extra_by("mode") | _FILE,
        event=FileCreate,
        of_actor=OF_ACTOR,
        values=_ACTOR | {"TargetFilename": "file", "CreationUtcTime": "batch.now"},
        extra="extra[0]",
    ),
    Kind(
        record=FileDeleteRecord,
        members=("uid", "inode", "device", "links", *_TEXTS),
        odd=(_BROKEN_OFF,),
        needs=_SAID | _extra_by("links") | _FILE,
        event=FileDeleteDetected,
        beside=(FileDelete,),
        of_actor=OF_ACTOR,
        is_more="holds(device, inode, file)",
        values=_ACTOR | {"TargetFilename": "file"},
        extra="extra[0]",
    ),
    Kind(
        record=FlowRecord,
        members=("uid", "source_port", "destination_port", "initiated"),
        needs=_SAID | _extra_by("0"),
        made={"source, source_v6, destination, destination_v6, protocol": "ends.get(data[ENDS]) or meet(data)"},
        event=NetworkConnect,
        of_actor=OF_ACTOR,
        values=_ACTOR
        | {
            "Protocol": "protocol",
            "Initiated": "initiated != 0",
            "SourceIsIpv6": "source_v6",
            "SourceIp": "source",
            "SourcePort": "source_port",
            "DestinationIsIpv6": "destination_v6",
            "DestinationIp": "destination",
            "DestinationPort": "destination_port",
        },
        extra="extra[0]",
    ),
)


class Straight:
    """Takes records as bytes and makes their events, as long as nobody must be asked.

    What is said of a process is remembered for a second of record time: until users may have other names.
    """

    def __init__(self, builder: Builder, batch: Batch) -> None:
        """Nothing is taken before `use`."""
        self._builder, self._batch = builder, batch
        self._paths, self._ends = Paths(), Ends()
        self._actors: list[Actors] = []
        self.takers: list[Taker] = []
        batch.on_due(self._forget)

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Make the events that these rules keep, from the next record on."""
        self._enricher, self._paths.minds_triggers = enricher, self._builder.tells_triggers
        self._actors, self.takers = [], []
        shared = {
            "find": self._builder.processes.find,
            "tell": self._tell,
            "path_of": self._paths.of,
            "holds": enricher.holds,
            "ENDS": ENDS,
            "ends": self._ends.known,
            "meet": self._ends.meet,
        }
        for kind in _KINDS:
            if kind.is_whole_of(ruleset, enricher):
                actors = Actors(self._builder.users, ruleset, kind.event)
                own = {"known": actors.known, "learn": actors.learn}
                self._actors.append(actors)
                self.takers.append(Taker(kind, ruleset, self._batch, shared | own))

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call."""
        for taker in self.takers:
            taker.count(books)

    def _tell(self, told: dict[int, Extra], number: int, data: bytes) -> Extra:
        if len(told) >= REMEMBERED:
            told.clear()
        facts = self._enricher.facts(decode(data))
        found = told[number] = () if facts is None else (facts or None,)
        return found

    def _forget(self) -> None:
        for actors in self._actors:
            actors.known.clear()
