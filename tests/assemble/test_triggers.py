"""WmiFilter, WmiConsumer and WmiBinding out of records of files."""

from __future__ import annotations

from collections.abc import Sequence

from tests.assemble.stage import BOOT, CHILD, MACHINE, SECOND, create, delete, guid, task, users

from pysmon.assemble.builder import Builder
from pysmon.assemble.triggers import Triggers
from pysmon.schema.catalogue import FileCreate, WmiBinding, WmiConsumer, WmiFilter
from pysmon.schema.event import Event
from pysmon.sensor.records import OPENED, RENAMED, SYMLINKED, FileWrittenRecord, components_of

NOW = "2026-11-21 05:46:50.000"
TIMER, CRON = "/etc/systemd/system/a.timer", "/etc/cron.d/a"
WANTS = "/etc/systemd/system/timers.target.wants/a.timer"
ALL = {11, 19, 20, 21, 23}


class Disk(dict[str, str]):
    """Files that can be read, by path."""

    closes_told = True

    def text(self, tgids: Sequence[int], path: str, device: int, inode: int) -> str | None:
        return self.get(path)


def builder(disk: Disk | None = None) -> Builder:
    made = Builder(MACHINE, users(), clock_offset=BOOT, reader=disk)
    made.take(task(CHILD, "/bin/cp", uid=1000))
    made.want({19, 20, 21})
    return made


def written(path: str) -> FileWrittenRecord:
    return FileWrittenRecord.make(tgid=CHILD[0], time=10 * SECOND, path=components_of(path))


def told(events: tuple[Event, ...]) -> list[tuple[int, str, str]]:
    return [(e.type.id, e.texts()[3], e.texts()[-1]) for e in events]


def test_a_new_timer_is_told_when_it_was_written() -> None:
    disk = Disk({TIMER: "[Timer]\nOnCalendar=daily\n"})
    made = builder(disk)
    assert made.take(create(CHILD, TIMER, how=OPENED)) == ()
    (event,) = made.take(written(TIMER))
    assert isinstance(event, WmiFilter)
    assert event.texts() == [
        *("-", "WmiFilterEvent", NOW, "Created", "joe"),
        *('"systemd"', '"a.timer"', '"OnCalendar=daily"'),
    ]
    assert event.extra == {
        "TargetFilename": TIMER,
        "ProcessId": CHILD[0],
        "ProcessGuid": guid(CHILD),
        "Image": "/bin/cp",
    }


def test_what_is_written_again_is_modified_and_what_stays_is_not_told() -> None:
    disk = Disk({CRON: "@daily root /a\n"})
    made = builder(disk)
    made.take(create(CHILD, CRON, how=OPENED))
    assert told(made.take(written(CRON))) == [
        (19, "Created", '"@daily"'),
        (20, "Created", '"/a"'),
        (21, "Created", f'"cron entry.Name="{CRON}""'),
    ]
    assert made.take(written(CRON)) == ()
    disk[CRON] = "@daily root /b\n"
    assert told(made.take(written(CRON))) == [(20, "Modified", '"/b"')]
    disk[CRON] = ""
    assert [operation for _, operation, _ in told(made.take(written(CRON)))] == ["Deleted"] * 3


def test_a_file_that_was_there_before_is_modified() -> None:
    made = builder(Disk({TIMER: "[Timer]\nOnBootSec=1\n"}))
    assert told(made.take(written(TIMER))) == [(19, "Modified", '"OnBootSec=1"')]


def test_a_file_that_is_moved_to_its_name_is_whole_at_once() -> None:
    made = builder(Disk({CRON: "@daily root /a\n"}))
    assert len(made.take(create(CHILD, CRON, how=RENAMED))) == 3


def test_to_enable_a_timer_is_a_binding() -> None:
    (event,) = builder(Disk()).take(create(CHILD, WANTS, how=SYMLINKED, uid=1000))
    assert isinstance(event, WmiBinding)
    assert event.texts() == [
        *("-", "WmiBindingEvent", NOW, "Created", "joe"),
        *('"systemd service.Name="a.service""', '"systemd timer.Name="a.timer""'),
    ]


def test_a_removed_file_is_told_with_what_it_said() -> None:
    made = builder(Disk({CRON: "@daily root /a\n"}))
    made.take(create(CHILD, CRON, how=RENAMED))
    assert told(made.take(delete(CHILD, CRON)))[:2] == [(19, "Deleted", '"@daily"'), (20, "Deleted", '"/a"')]
    assert told(made.take(delete(CHILD, CRON)))[:2] == [(19, "Deleted", "-"), (20, "Deleted", "-")]


def test_without_a_reader_paths_tell_what_they_can() -> None:
    made = builder()
    assert told(made.take(create(CHILD, TIMER, how=OPENED))) == [(19, "Created", "-")]
    (event,) = made.take(create(CHILD, "/etc/cron.daily/evil", how=OPENED, uid=1000))[1:2]
    assert isinstance(event, WmiConsumer)
    assert event.texts()[5:] == ['"/etc/cron.daily/evil"', "cron script", '"/etc/cron.daily/evil"']


def test_other_files_and_events_that_nobody_wants_are_not_told() -> None:
    made = builder(Disk())
    assert made.take(create(CHILD, "/etc/passwd", how=RENAMED)) == ()
    made.want({11})
    assert [type(e) for e in made.take(create(CHILD, TIMER, how=RENAMED))] == [FileCreate]
    made.want({21})
    made.take(create(CHILD, CRON, how=RENAMED))
    assert [type(e) for e in made.take(create(CHILD, WANTS, how=SYMLINKED))] == [WmiBinding]


def test_what_is_remembered_is_bounded() -> None:
    triggers = Triggers(limit=3)
    scene = builder()._scene
    for number in range(9):
        triggers.of(create(CHILD, f"/etc/cron.daily/{number}", how=OPENED), scene)
    assert len(triggers) == 3
