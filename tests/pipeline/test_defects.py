"""What is told of records that pysmon fails on."""

from __future__ import annotations

from pysmon.pipeline.defects import Defects


def test_each_defect_is_told_once_and_with_its_family() -> None:
    defects = Defects()
    assert defects.words(KeyError("x\n"), "file create") == (
        "a record (file create) was lost by a defect of pysmon: KeyError: 'x\\n'; please report it."
        " Others like it are only counted"
    )
    assert defects.words(KeyError("x\n"), "file create") == ""
    assert defects.words(KeyError("x\n"), "network") != ""


def test_a_defect_with_ever_new_words_does_not_flood_the_log() -> None:
    defects = Defects()
    assert sum(bool(defects.words(ValueError(number), "network")) for number in range(1000)) == 16
