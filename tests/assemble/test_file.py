"""FileCreate, FileDelete and FileDeleteDetected out of records."""

from __future__ import annotations

from tests.assemble.stage import CHILD, builder, create, delete, guid, task

from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected
from pysmon.sensor.records import components_of


def test_a_new_file_is_made_now() -> None:
    made = builder()
    made.take(task(CHILD, "/usr/bin/curl"))
    (event,) = made.take(create(CHILD, "/opt/automation/xmrig", uid=1000))
    assert isinstance(event, FileCreate)
    assert event.texts() == [
        "-",
        "2026-11-21 05:46:50.000",
        guid(CHILD),
        "11",
        "/usr/bin/curl",
        "/opt/automation/xmrig",
        "2026-11-21 05:46:50.000",
        "joe",
    ]


def test_a_renamed_file_is_told_by_the_name_it_got() -> None:
    (event,) = builder().take(create(CHILD, directory=components_of("/home/joe"), name=b"../x\0", how=2))
    assert isinstance(event, FileCreate)
    assert (event.TargetFilename, event.Image) == ("/home/x", "<unknown process>")


def test_a_deleted_file_is_told_to_the_rules_of_both_events() -> None:
    made = builder()
    made.take(task(CHILD, "/bin/rm"))
    archived, detected = made.take(delete(CHILD, directory=components_of("/run"), name=b"queue\0", uid=0))
    assert isinstance(archived, FileDelete)
    assert isinstance(detected, FileDeleteDetected)
    now = "2026-11-21 05:46:50.000"
    told = ["-", now, guid(CHILD), "11", "root", "/bin/rm", "/run/queue", "-", "-"]
    assert archived.texts() == [*told, "-"]
    assert detected.texts() == told
