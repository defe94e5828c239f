"""Module records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, MACHINE, SECOND, SHELL, builder, ended, execute, guid, head, task, users

from pysmon.assemble.builder import Builder
from pysmon.assemble.extras import facts_of
from pysmon.assemble.processes import Processes
from pysmon.schema.catalogue import DriverLoad
from pysmon.sensor.load_records import SIGNATURE_ACCEPTED, SIGNATURE_MISSED, SIGNATURE_UNKNOWN, ModuleRecord
from pysmon.sensor.records import components_of

OUT_OF_TREE_AND_UNSIGNED = 1 << 12 | 1 << 13


def module(path: str = "/lib/modules/6.1/dummy.ko", **more: int | bytes) -> ModuleRecord:
    values: dict[str, int | bytes] = {"path": components_of(path) if path else b"", "name": ended("dummy")}
    return ModuleRecord.make(**head(CHILD, 10 * SECOND), uid=1000, **(values | more))


def test_the_file_that_the_kernel_read_is_told() -> None:
    (event,) = builder().take(module(signature=SIGNATURE_ACCEPTED))
    assert isinstance(event, DriverLoad)
    assert event.ImageLoaded == "/lib/modules/6.1/dummy.ko"
    assert event.UtcTime == "2026-11-21 05:46:50.000"


def test_a_module_from_memory_is_told_by_its_name() -> None:
    (event,) = builder().take(module(""))
    assert event.text("ImageLoaded") == "[dummy]"


@pytest.mark.parametrize(
    ("signature", "signed", "status"),
    [
        (SIGNATURE_ACCEPTED, "true", "Valid"),
        (SIGNATURE_MISSED, "false", "Unavailable"),
        (SIGNATURE_UNKNOWN, "-", "Unknown"),
    ],
)
def test_what_the_kernel_made_of_the_signature_is_told_without_the_file(
    signature: int, signed: str, status: str
) -> None:
    (event,) = builder().take(module("", signature=signature))
    assert [event.text(f) for f in ("Signed", "Signature", "SignatureStatus")] == [signed, "-", status]


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 7})
    assert stage.take(module()) == ()


def test_json_names_who_loaded_it_and_what_it_is() -> None:
    processes = Processes(MACHINE)
    stage = Builder(MACHINE, users(), clock_offset=0, processes=processes)
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/sbin/modprobe", b"modprobe\0"))
    record = module(taints=OUT_OF_TREE_AND_UNSIGNED, version=ended("1.0"), source_version=ended("AB12"))
    assert facts_of(record, processes, users()) == {
        "ProcessGuid": guid(CHILD),
        "ProcessId": CHILD[0],
        "Image": "/sbin/modprobe",
        "User": "joe",
        "ModuleName": "dummy",
        "How": "file",
        "ModuleVersion": "1.0",
        "ModuleSourceVersion": "AB12",
        "Taints": "OE",
    }
    assert facts_of(module(""), processes, users())["How"] == "memory"
