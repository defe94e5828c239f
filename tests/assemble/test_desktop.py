"""RegistryKey and RegistryValueSet out of records of files that are databases of dconf."""

from __future__ import annotations

from collections.abc import Sequence

from tests.assemble.stage import BOOT, CHILD, MACHINE, create, guid, task, users
from tests.host.dconf.databases import database, number, text

from pysmon.assemble.builder import Builder
from pysmon.assemble.desktop import Desktop
from pysmon.assemble.processes import Processes
from pysmon.assemble.scene import Scene
from pysmon.host.dconf.changes import MOST, changes
from pysmon.host.dconf.reader import Settings
from pysmon.schema.catalogue import RegistryKey, RegistryValueSet
from pysmon.schema.event import Event
from pysmon.sensor.records import LINKED, OPENED, RENAMED

USER, LOCAL = "/home/joe/.config/dconf/user", "/etc/dconf/db/local"
SCHEME = "/org/gnome/desktop/interface/color-scheme"
ROLE = "the writer of the database (dconf-service), which acts for the program that asked it to"


class Disk(dict[str, bytes]):
    """Databases that can be looked at, by path, all of joe."""

    def __init__(self, *args: dict[str, bytes]) -> None:
        super().__init__(*args)
        self.looks = 0
        self.there: dict[str, bytes] = {}

    def settings(self, tgids: Sequence[int], path: str, device: int, before: bytes) -> Settings | None:
        self.looks += 1
        if path not in self:
            return None
        told, more = changes(before, self[path])
        return Settings(self[path], 1000, tuple(told), more)

    def present(self) -> dict[str, bytes]:
        return self.there


def builder(disk: Disk | None) -> Builder:
    made = Builder(MACHINE, users(), clock_offset=BOOT, databases=disk)
    made.take(task(CHILD, "/usr/libexec/dconf-service", uid=1000))
    made.want({12, 13})
    made.prepare()
    return made


def told(events: tuple[Event, ...]) -> list[tuple[str, str, str]]:
    return [
        (e.EventType, e.TargetObject, e.Details if isinstance(e, RegistryValueSet) else "")
        for e in events
        if isinstance(e, (RegistryKey, RegistryValueSet))
    ]


def test_a_setting_that_was_written_fills_every_field() -> None:
    disk = Disk({USER: database({SCHEME: text("prefer-dark")})})
    disk.there = {USER: database({SCHEME: text("default")})}
    (event,) = builder(disk).take(create(CHILD, USER, how=RENAMED, uid=1000))
    assert isinstance(event, RegistryValueSet)
    assert event.texts() == [
        *("-", "SetValue", "2026-11-21 05:46:50.000", guid(CHILD), "11", "/usr/libexec/dconf-service"),
        *("DCONF\\joe\\org\\gnome\\desktop\\interface\\color-scheme", "'prefer-dark'", "joe"),
    ]
    assert event.extra == {"PreviousDetails": "'default'", "Database": USER, "ProcessIs": ROLE}


def test_a_setting_that_was_reset_is_a_value_that_was_deleted() -> None:
    disk = Disk({USER: database({"/b": number(1)})})
    disk.there = {USER: database({"/a": number(5), "/b": number(1)})}
    (event,) = builder(disk).take(create(CHILD, USER, how=RENAMED, uid=1000))
    assert isinstance(event, RegistryKey)
    assert event.texts() == [
        *("-", "DeleteValue", "2026-11-21 05:46:50.000", guid(CHILD), "11", "/usr/libexec/dconf-service"),
        *("DCONF\\joe\\a", "joe"),
    ]
    assert event.extra == {"PreviousDetails": "5", "Database": USER, "ProcessIs": ROLE}


def test_each_write_is_held_against_the_one_before() -> None:
    disk = Disk({USER: database({"/a": number(1)})})
    made = builder(disk)
    record = create(CHILD, USER, how=RENAMED, uid=1000)
    assert told(made.take(record)) == [("SetValue", "DCONF\\joe\\a", "1")]
    assert made.take(record) == ()
    disk[USER] = database({"/a": number(1), "/b": number(2)})
    assert told(made.take(record)) == [("SetValue", "DCONF\\joe\\b", "2")]
    disk[USER] = database({})
    assert [kind for kind, _, _ in told(made.take(record))] == ["DeleteValue"] * 2


def test_the_machines_own_databases_are_told_by_their_names() -> None:
    (event,) = builder(Disk({LOCAL: database({"/a": number(1)})})).take(create(CHILD, LOCAL, how=RENAMED, uid=0))
    assert told((event,)) == [("SetValue", "DCONF\\db:local\\a", "1")]


def test_near_misses_are_not_even_looked_at() -> None:
    disk = Disk({USER: database({"/a": number(1)}), "/home/joe/user": b""})
    made = builder(disk)
    for path, how in ((USER, OPENED), ("/home/joe/user", RENAMED), (f"{USER}.X1Y2Z3", RENAMED)):
        assert made.take(create(CHILD, path, how=how, uid=1000)) == ()
    assert disk.looks == 0
    assert told(made.take(create(CHILD, USER, how=LINKED, uid=1000)))


def test_what_cannot_be_read_is_no_change_and_the_next_one_is_told_whole() -> None:
    disk = Disk({USER: database({"/a": number(1)})})
    made = builder(disk)
    record = create(CHILD, USER, how=RENAMED, uid=1000)
    made.take(record)
    gone = disk.pop(USER)
    assert made.take(record) == ()
    disk[USER] = gone
    assert made.take(record) == ()


def test_only_what_is_wanted_is_told() -> None:
    disk = Disk({USER: database({"/b": number(1)})})
    disk.there = {USER: database({"/a": number(1)})}
    made = builder(disk)
    made.want({12})
    assert told(made.take(create(CHILD, USER, how=RENAMED, uid=1000))) == [("DeleteValue", "DCONF\\joe\\a", "")]
    made.want({11})
    disk[USER] = b""
    assert [e.type.id for e in made.take(create(CHILD, USER, how=RENAMED, uid=1000))] == [11]


def test_of_very_many_changes_the_rest_is_counted() -> None:
    disk = Disk({USER: database({f"/{n}": number(n) for n in range(MOST + 3)})})
    events = builder(disk).take(create(CHILD, USER, how=RENAMED, uid=1000))
    assert len(events) == MOST
    assert [(e.extra or {}).get("ChangesNotTold") for e in events[-2:]] == [None, 3]


def test_a_tape_tells_nothing_of_settings() -> None:
    assert builder(None).take(create(CHILD, USER, how=RENAMED, uid=1000)) == ()


def test_of_many_databases_the_last_ones_are_remembered() -> None:
    disk = Disk({f"/{n}/dconf/user": database({"/a": text("x" * 400)}) for n in range(50)})
    desktop = Desktop(disk, limit=2000)
    scene = Scene(MACHINE, users(), Processes(MACHINE), BOOT)
    for path in disk:
        assert desktop.of(create(CHILD, path, how=RENAMED), scene)
        assert desktop.size <= 2000
    assert desktop.of(create(CHILD, "/49/dconf/user", how=RENAMED), scene) == ()
    assert desktop.of(create(CHILD, "/0/dconf/user", how=RENAMED), scene)
