"""FieldSizes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pysmon.assemble.trim import Trimmer, shortened
from pysmon.schema.catalogue import ErrorReport, FileCreate


def file_create(name: str, image: str = "/bin/x") -> FileCreate:
    return FileCreate(
        UtcTime="-", ProcessGuid="{0}", ProcessId=123456, Image=image, TargetFilename=name, CreationUtcTime="-"
    )


def test_a_long_text_ends_with_dots() -> None:
    assert [shortened("abcdef", n) for n in (7, 6, 5, 4, 3)] == ["abcdef", "abcdef", "ab...", "a...", "..."]


def test_no_room_for_dots_leaves_nothing() -> None:
    assert [shortened("abcdef", n) for n in (2, 1)] == ["-", "-"]
    assert shortened("ab", 2) == "ab"


@given(st.text(max_size=40), st.integers(1, 50))
def test_a_cut_text_is_never_longer_than_its_size(value: str, size: int) -> None:
    cut = shortened(value, size)
    assert len(cut) <= size
    assert (cut == value) if len(value) <= size else cut.endswith(("...", "-"))


def test_only_named_fields_of_an_event_that_has_them_are_cut() -> None:
    trimmer = Trimmer({"TargetFilename": 8, "CommandLine": 3, "ProcessId": 3, "UtcTime": 1})
    event = file_create("/home/joe/a", "/usr/bin/long")
    assert trimmer.trim(event) == ["TargetFilename"]
    assert (event.TargetFilename, event.Image, event.ProcessId) == ("/home...", "/usr/bin/long", 123456)
    assert trimmer.trim(ErrorReport(UtcTime="-", ID="a long id")) == []


def test_without_sizes_nothing_is_cut() -> None:
    event = file_create("x" * 100_000)
    assert Trimmer({}).trim(event) == []
    assert len(event.TargetFilename) == 100_000
