"""Each condition, and each of its quirks, by name: the plain function and the merged checks agree."""

from __future__ import annotations

import pytest
from tests.rules.build import element, event, filter_, ruleset

from pysmon.config.model import Condition
from pysmon.rules.conditions import holds

CASES = {  # what it shows: condition, text of the rule, texts of the field that meet it, texts that do not
    "is ignores the case of A to Z": ("is", "CMD.exe", ["cmd.exe", "CMD.EXE"], ["cmd.exe ", "cmd.ex", ""]),
    "is keeps the case of other letters": ("is", "É", ["É"], ["é"]),
    "is compares numbers as text": ("is", "443", ["443"], ["0443", "0x1bb"]),
    "is with an empty value never meets a field that is not set": ("is", "", [""], ["-"]),
    "is keeps spaces": ("is", " a", [" a"], ["a"]),
    "is leaves %VARIABLES% as they are": ("is", "%TEMP%", ["%temp%"], ["/tmp"]),
    "is not": ("is not", "a", ["b", "", "-"], ["A"]),
    "is any takes a list": ("is any", "a;b", ["A", "b"], ["a;b", "c", ""]),
    "is any does not trim its list": ("is any", "a; b", [" b"], ["b"]),
    "is any with a trailing ; meets the empty text": ("is any", "a;", ["", "a"], ["-"]),
    "contains": ("contains", "bc", ["abcd", "BC"], ["b c", ""]),
    "contains with an empty value meets all but the empty text": ("contains", "", ["-", "x"], [""]),
    "contains any": ("contains any", "ab;cd", ["xaby", "CD"], ["ac", ""]),
    "contains any does not trim its list": ("contains any", "a; b", ["a b"], ["b"]),
    "contains any with a trailing ; meets all but the empty text": ("contains any", "a;", ["zzz"], [""]),
    "contains any takes an inner empty text for the rest": ("contains any", "a;;b", ["a", "b", ";b"], [";", "c;"]),
    "contains any takes a leading empty text for the whole": ("contains any", ";a;b", ["a", ";a;b"], [";"]),
    "contains all": ("contains all", "ab;bc", ["abc", "bcab"], ["ab", ""]),
    "contains all with a trailing ; asks no more": ("contains all", "ab;", ["ab"], ["a", ""]),
    "contains all takes an inner empty text for the rest": ("contains all", "a;;b", ["a;b"], ["ab"]),
    "excludes": ("excludes", "a", ["b", ""], ["bAb"]),
    "excludes any: none of the list is there": ("excludes any", "a;b", ["c", ""], ["a", "xb"]),
    "excludes all: at least one of the list is missing": ("excludes all", "a;b", ["a", "c", ""], ["ba"]),
    "begin with": ("begin with", "/Usr", ["/usr/bin", "/usr"], ["/us", " /usr", ""]),
    "begin with nothing": ("begin with", "", ["a", ""], []),
    "not begin with": ("not begin with", "/usr", ["/us", ""], ["/USR/bin"]),
    "end with": ("end with", "sh", ["bash", "SH"], ["h", "sh ", ""]),
    "end with nothing": ("end with", "", ["a", ""], []),
    "not end with": ("not end with", "sh", ["h", ""], ["ZSH"]),
    "less than compares texts, not numbers": ("less than", "443", ["1000", ""], ["443", "5"]),
    "less than puts _ after all letters": ("less than", "_", ["a", "Z"], ["_", "{"]),
    "less than compares UTF-16 units": ("less than", "\uffff", ["\U0001f600"], ["\uffff"]),
    "more than compares texts, not numbers": ("more than", "443", ["5", "443a"], ["1000", "443"]),
    "more than ignores the case of A to Z": ("more than", "b", ["C"], ["A", "B"]),
    "image compares the file name": ("image", "Bash", ["/usr/bin/bash", "C:\\bash", "bash"], ["/bin/bash/", "zbash"]),
    "image with a folder compares the whole path": ("image", "/bin/bash", ["/bin/BASH"], ["bash", "/usr/bin/bash"]),
}


@pytest.mark.parametrize(("condition", "value", "met", "unmet"), CASES.values(), ids=CASES)
def test_a_condition_does_what_is_said_of_it(condition: str, value: str, met: list[str], unmet: list[str]) -> None:
    rules = ruleset(element("include", filter_("Image", condition, value)))
    for text in [*met, *unmet]:
        assert holds(Condition(condition), value, text) is (text in met), text
        assert rules.decide(event(Image=text)).keep is (text in met), text


def test_every_condition_is_shown() -> None:
    assert {condition for condition, *_ in CASES.values()} == {c.value for c in Condition}


def test_image_as_sysmon_does_it_knows_only_the_backslash() -> None:
    assert holds(Condition.IMAGE, "cmd.exe", "C:\\cmd.exe", "\\")
    assert not holds(Condition.IMAGE, "bash", "/bin/bash", "\\")
    assert holds(Condition.IMAGE, "/bin/bash", "/bin/bash", "\\")
    rules = ruleset(element("include", filter_("Image", "image", "bash")), image_splits_on="\\")
    assert [rules.decide(event(Image=i)).keep for i in ("/bin/bash", "\\bash", "bash")] == [False, True, True]
