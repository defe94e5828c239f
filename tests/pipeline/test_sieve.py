"""Records that the rules drop: taken from the bytes, and nobody can tell that they did not go the long way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assemble.stage import CHILD, SECOND, SHELL, Key, create, delete, ended, execute, flow, head
from tests.pipeline.machinery import Machinery
from tests.tapes.play import configured

from pysmon.assemble.content import Contents
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.provenance import Provenance
from pysmon.host.hashes import Hashes
from pysmon.host.packages import Packages
from pysmon.layout.record import Record
from pysmon.pipeline.accounting import by_family
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.filewatch.held import HeldFiles
from pysmon.sensor.load_records import ImageLoadRecord
from pysmon.sensor.records import ASKS, RENAMED, FlowRecord, components_of

TAGS = ("FileCreate", "FileDelete", "FileDeleteDetected", "NetworkConnect", "ImageLoad", "WmiEvent", "RegistryEvent")
DEEP = 'exclude:<TargetFilename condition="contains">/cache/</TargetFilename>'
UNIT = "/etc/systemd/system/a.timer"
BUSY = 100  # records in a row
BORN = 1_000_000_000_000_000_000


def rules(**filters: str) -> Ruleset:
    """What these filters keep, by tag: `onmatch:rules`; of other tags nothing."""
    elements = (dict.fromkeys(TAGS, "include:") | filters).items()
    inside = "".join('<{0} onmatch="{1}">{2}</{0}>'.format(tag, *what.split(":", 1)) for tag, what in elements)
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{inside}</EventFiltering></Sysmon>'
    return Ruleset.compile(configured(text))


class Told(Machinery):
    """A machine on which everything is known of files that can be asked for before the verdict."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._reads = ruleset.reads
        super().__init__(ruleset)

    def _enricher(self) -> Enricher:
        hashes = Hashes(("SHA256",))
        held = cast("HeldFiles", Held())
        return Enricher(
            self.builder.processes,
            self.users,
            hashes,
            reads=self._reads,
            birth=lambda _path, _inode: BORN,
            contents=Contents(held, hashes, catch_up=lambda: None, reads=self._reads),
            provenance=Provenance(hashes, Packages()),
        )


class Held:
    """Holds a program under each name."""

    def find(self, *_: object) -> str:
        return "/bin/sh"


def machinery(ruleset: Ruleset) -> Machinery:
    """A machine on which two programs run."""
    made = Told(ruleset)
    for key, image in (SHELL, "/bin/sh"), (CHILD, "/usr/bin/firefox"):
        made.builder.take(execute(key, image, time=2))
    return made


def load(key: Key, path: str, *, time: int = 10, **values: int | bytes) -> ImageLoadRecord:
    return ImageLoadRecord.make(**head(key, time), path=components_of(path), **({"links": 1} | values))


def connect(key: Key, *, time: int = 10, **values: int | bytes) -> FlowRecord:
    usual: dict[str, int | bytes] = {"family": 2, "protocol": 6, "destination_port": 443}
    ends = {"source": bytes([127, 0, 0, 1]) + bytes(12), "destination": bytes([10, 0, 0, 1]) + bytes(12)}
    return flow(key, time=time, **(usual | ends | values))


# ---- the law

FIELDS: dict[str, tuple[str, ...]] = {
    "FileCreate": ("Image", "User", "TargetFilename", "ProcessId", "CreationUtcTime", "UtcTime", "ProcessGuid"),
    "FileDelete": ("Image", "User", "TargetFilename", "Hashes", "IsExecutable", "Archived"),
    "FileDeleteDetected": ("Image", "TargetFilename", "IsExecutable"),
    "NetworkConnect": (
        *("Image", "User", "DestinationIp", "SourceIp", "DestinationPort", "SourcePort", "Protocol", "Initiated"),
        *("SourceIsIpv6", "DestinationIsIpv6", "DestinationHostname", "SourcePortName"),
    ),
    "ImageLoad": ("Image", "User", "ImageLoaded", "Hashes", "Signed", "SignatureStatus", "ProcessId"),
}
VALUES = ("/bin/sh", "/cache/", "/tmp", "a", "joe", "127.0.0.1", "443", "tcp", "true", "-", "10", "(deleted)", "0")
CONDITIONS = ("is", "is not", "contains", "excludes", "begin with", "end with", "less than", "image", "not end with")
PATHS = ("/tmp/a", "/home/joe/.cache/x/y", "/bin/sh", UNIT, "/home/joe/.config/dconf/user", "/etc/cron.d/a", "")
NAMES = (b"", b"x\0", b"/var/cache/a\0", b"../b\0")


def condition(tag: str) -> st.SearchStrategy[str]:
    parts = st.tuples(st.sampled_from(FIELDS[tag]), st.sampled_from(CONDITIONS), st.sampled_from(VALUES))
    return parts.map(lambda p: f'<{p[0]} condition="{p[1]}">{p[2]}</{p[0]}>')


def element(tag: str) -> st.SearchStrategy[str]:
    group = st.lists(condition(tag), min_size=1, max_size=3).map("".join)
    rule = group.map(lambda inside: f'<Rule name="r" groupRelation="and">{inside}</Rule>')
    inside = st.lists(st.one_of(condition(tag), rule), max_size=3).map("".join)
    return st.tuples(st.sampled_from(("include", "exclude")), inside).map(":".join)


RULESETS = st.fixed_dictionaries(
    {tag: element(tag) for tag in FIELDS}
    | {tag: st.sampled_from(("include:", "exclude:")) for tag in ("WmiEvent", "RegistryEvent")}
).map(lambda filters: rules(**filters))
STEPS = st.lists(
    st.tuples(
        st.sampled_from("cdfl"),
        st.sampled_from([SHELL, CHILD, (99, 1, 1)]),
        st.sampled_from(PATHS),
        st.sampled_from(NAMES),
        st.sampled_from([0, 1000, 77]),
        st.integers(0, 1),
        st.sampled_from([1, 1000, SECOND // 2, SECOND]),
    ),
    max_size=30,
)


def record_of(step: tuple[str, Key, str, bytes, int, int, int], time: int) -> Record:
    what, key, path, name, uid, choice, _ = step
    more: dict[str, int | bytes] = {}
    match what:
        case "c" | "d":
            more |= {} if path else {"name": name, "directory": b"work\0home\0"[: 10 * choice]}
            made = create(key, path, time=time, uid=uid, how=1 + choice, **more) if what == "c" else None
            return made or delete(key, path, time=time, uid=uid, **more)
        case "f":
            more = {"source_port": 443, "destination_port": 5} if choice else {}
            more |= {"family": 10, "source": bytes(15) + b"\1"} if uid else {}
            return connect(key, time=time, uid=uid, initiated=choice, protocol=6 + 11 * (uid == 77), **more)
        case _:
            return load(key, path, time=time, uid=uid, links=choice)


@settings(max_examples=300, deadline=None)
@given(STEPS, RULESETS)
def test_it_comes_to_the_same_as_the_long_way(steps: Sequence[Any], ruleset: Ruleset) -> None:
    quick, plain, time = machinery(ruleset), machinery(ruleset), 10
    for step in steps:
        time += step[-1]
        record = record_of(step, time)
        quick.quick(record)
        plain.slowly(record)
    assert quick.events == plain.events
    assert quick.flow.accounting == plain.flow.accounting


# ---- what is taken, and what is not


@pytest.mark.parametrize(
    ("filters", "record", "dropped"),
    [
        ({"FileCreate": DEEP}, create(CHILD, "/home/joe/cache/a", time=10), {11: 1}),
        ({"FileDelete": DEEP, "FileDeleteDetected": DEEP}, delete(CHILD, "/cache/a", time=10), {23: 1, 26: 1}),
        ({"FileDeleteDetected": DEEP}, delete(CHILD, time=10, name=ended("/cache/a")), {26: 1}),
        (
            {"NetworkConnect": 'exclude:<DestinationIp condition="begin with">10.</DestinationIp>'},
            connect(CHILD),
            {3: 1},
        ),
        (
            {"NetworkConnect": 'include:<DestinationHostname condition="is">x</DestinationHostname>'},
            connect(CHILD),
            {3: 1},
        ),
        ({"ImageLoad": 'exclude:<ImageLoaded condition="end with">.so</ImageLoaded>'}, load(CHILD, "/a.so"), {7: 1}),
        ({"WmiEvent": "exclude:"}, create(CHILD, "/tmp/a", time=10), {}),
    ],
)
def test_what_is_dropped_is_taken_and_counted(filters: dict[str, str], record: Record, dropped: dict[int, int]) -> None:
    made = machinery(rules(**filters))
    assert made.quick(record)
    assert made.flow.accounting.filtered == dropped
    assert by_family(made.flow.accounting.records_filtered)[record.layout.family] == 1


@pytest.mark.parametrize(
    ("filters", "record", "ids"),
    [
        ({"FileCreate": DEEP}, create(CHILD, "/home/joe/a", time=10), [11]),
        ({"FileDelete": DEEP, "FileDeleteDetected": "exclude:"}, delete(CHILD, "/cache/a", time=10), [26]),
        ({"FileCreate": DEEP, "WmiEvent": "exclude:"}, delete(CHILD, UNIT, time=10), [19]),
        ({"ImageLoad": 'exclude:<Signed condition="is">true</Signed>'}, load(CHILD, "/a.so"), [7]),
    ],
)
def test_what_may_be_kept_goes_the_long_way(filters: dict[str, str], record: Record, ids: list[int]) -> None:
    made = machinery(rules(**filters))
    assert not made.quick(record)
    assert [event.type.id for event in made.events] == ids


SEEN = {
    "FileCreate": DEEP,
    "FileDelete": DEEP,
    "NetworkConnect": 'exclude:<DestinationPort condition="is">443</DestinationPort>',
    "ImageLoad": 'exclude:<ImageLoaded condition="contains">/cache/</ImageLoaded>',
}
DROPPED = (
    create(CHILD, "/cache/a", time=10),
    create(CHILD, time=10, directory=b"d\0", name=b"cache/a\0"),
    delete(CHILD, "/cache/a", time=10),
    connect(CHILD),
    load(CHILD, "/cache/a.so"),
)


@pytest.mark.parametrize("record", DROPPED, ids=lambda r: type(r).__name__)
def test_whom_others_want_to_hear_of_is_left_to_them(record: Record) -> None:
    made = machinery(rules(**SEEN))
    assert made.quick(record)
    assert not made.quick(record, apart={CHILD[0]})
    assert not made.quick(record.make(**dict(zip(record.layout.names, record, strict=True)) | {"cpu": ASKS}))


@pytest.mark.parametrize("record", DROPPED, ids=lambda r: type(r).__name__)
def test_a_record_that_breaks_off_is_left_alone(record: Record) -> None:
    made, data = machinery(rules(**SEEN)), record.encode()
    way = made.flow.ways()[data[0]]
    ends = record.layout.head.size + sum(len(tail) for tail in record if isinstance(tail, bytes))
    assert not any(way(data[:size]) for size in range(min(ends, len(data))))
    assert not made.flow.accounting.filtered


def test_once_a_second_a_record_goes_the_long_way_so_that_users_are_looked_at() -> None:
    made = machinery(rules(**SEEN))
    taken = [made.quick(create(CHILD, "/cache/a", time=t * SECOND // 2)) for t in range(3, 8)]
    assert taken == [False, True, False, True, False]


def test_other_rules_hold_from_the_next_record_on() -> None:
    made = machinery(rules(FileCreate=DEEP))
    assert made.quick(DROPPED[0])
    made.use(rules(FileCreate="exclude:"))
    assert not made.quick(DROPPED[0])
    assert [event.type.id for event in made.events] == [11]


def test_a_kind_of_which_all_is_kept_is_not_looked_at_first() -> None:
    assert set(machinery(rules(FileCreate="exclude:", FileDelete=DEEP)).flow.ways()) >= {DROPPED[2].layout.kind}
    assert DROPPED[0].layout.kind not in machinery(rules(FileCreate="exclude:")).flow.ways()


def test_a_kind_of_which_most_is_kept_is_looked_at_first_in_one_batch_of_many() -> None:
    made, kind = machinery(rules(FileCreate=DEEP)), DROPPED[0].layout.kind
    kept = create(CHILD, "/tmp/a", time=10, how=RENAMED).encode()
    looked = []
    for _ in range(40):
        way = made.flow.ways().get(kind)
        looked.append(way is not None)
        assert way is None or not any(way(kept) for _ in range(BUSY))
    assert looked.count(True) == 3
    while (way := made.flow.ways().get(kind)) is None:
        pass
    for _ in range(5):
        way = made.flow.ways()[kind]
        assert all(way(DROPPED[0].encode()) for _ in range(BUSY))
