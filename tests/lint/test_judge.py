"""What a judgement says of a whole file, and what real configurations have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pysmon.lint.check import exclude, filtering, include
from pysmon.lint.checks import CHECKS
from pysmon.lint.judge import judge


def codes(text: str, **options: Any) -> list[tuple[int, str]]:
    return [(p.place.line, p.code) for p in judge(text.encode(), "a.xml", **options).problems]


@pytest.mark.parametrize(
    ("body", "platform"),
    [
        ("<Image>/usr/bin/ls</Image>", "linux"),
        ("<Image>C:\\Windows\\notepad.exe</Image>", "windows"),
        ('<CommandLine condition="contains">x</CommandLine>', "windows"),
        ("<Image>/usr/bin/a</Image><Image>/bin/b</Image><Image>C:\\a.exe</Image>", "linux"),
    ],
)
def test_the_platform_is_guessed_from_the_paths(body: str, platform: str) -> None:
    assert judge(include("ProcessCreate", body).encode(), "a.xml").platform == platform


def test_a_configuration_for_linux_events_is_one_for_linux() -> None:
    assert judge(filtering('<eBPFEvent onmatch="exclude"/>').encode(), "a.xml").platform == "linux"


@pytest.mark.parametrize(
    ("text", "platform", "found"),
    [
        (r"SYSCTL\kernel\core_pattern", "linux", []),
        (r"sysctl\kernel\modprobe", "linux", []),
        (r"HKLM\System\Select", "windows", []),
        (r"HKCU\Software\Run", "windows", ["L122"]),
        (r"kernel\core_pattern\x", "windows", ["L122"]),
    ],
)
def test_the_root_of_a_key_is_that_of_its_platform(text: str, platform: str, found: list[str]) -> None:
    judgement = judge(include("RegistryEvent", f"<TargetObject>{text}</TargetObject>").encode(), "a.xml")
    assert judgement.platform == platform
    assert [p.code for p in judgement.problems] == found
    other = "linux" if platform == "windows" else "windows"
    problems = codes(include("RegistryEvent", f"<TargetObject>{text}</TargetObject>"), platform=other)
    assert "L122" in [code for _, code in problems]


def test_a_platform_that_is_given_is_taken() -> None:
    body = include("ProcessCreate", "<Image>/usr/bin/ls</Image>")
    assert codes(body) == []
    assert codes(body, platform="windows") == [(5, "L121"), (5, "L503")]


def test_findings_come_in_the_order_of_the_file() -> None:
    body = "<Image>cmd.exe</Image>\n<User>joe</User>\n<Image>cmd.exe</Image>"
    assert codes(include("ProcessCreate", body)) == [(5, "L121"), (6, "L124"), (7, "L121"), (7, "L301")]


def test_only_chosen_checks_run() -> None:
    body = include("ProcessCreate", "<Image>cmd.exe</Image>\n<Image>cmd.exe</Image>")
    assert codes(body, checks=[CHECKS["L301"]]) == [(6, "L301")]


def test_a_very_long_line_is_shown_in_part() -> None:
    (found,) = judge(include("NetworkConnect", f"<Initiated>{'y' * 5000}</Initiated>").encode(), "a.xml").problems
    assert len(found.source) < 1100


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<EventType>ConnectPipe</EventType>", ""),
        ("<EventType>Connect</EventType>", "L110"),
    ],
)
def test_a_word_is_right_if_any_event_of_the_tag_has_it(text: str, code: str) -> None:
    assert [found for _, found in codes(include("PipeEvent", text))] == [code] * bool(code)


@pytest.mark.parametrize(
    "body",
    [
        r'<Image condition="end with">C:\Program Files\Updater\updater.exe</Image>',
        r'<Image condition="begin with">C:\ProgramData\Microsoft\Windows Defender\Platform\</Image>',
        '<Rule groupRelation="and"><Image condition="image">a.exe</Image><User>NT AUTHORITY\\SYSTEM</User></Rule>',
        '<CommandLine condition="is">C:\\Windows\\a.exe -k</CommandLine>',
        '<CommandLine condition="excludes">a</CommandLine>',
    ],
)
def test_an_exclude_that_is_no_way_round_is_not_told_of(body: str) -> None:
    assert codes(exclude("ProcessCreate", body)) == []


@pytest.mark.parametrize(
    ("file", "line", "code"),
    [
        ("sysmon-modular.xml", 62, "L103"),
        ("sysmon-modular.xml", 1206, "L106"),
        ("sysmon-modular.xml", 1409, "L125"),
        ("sysmon-modular.xml", 516, "L126"),
        ("sysmon-modular.xml", 2600, "L701"),
        ("neo23x0.xml", 1573, "L108"),
        ("swiftonsecurity.xml", 254, "L121"),
        ("swiftonsecurity.xml", 413, "L407"),
        ("mstic-linux-main.xml", 78, "L302"),
        ("mstic-linux-main.xml", 50, "L507"),
    ],
)
def test_what_the_manual_says_of_published_configurations_is_found(
    shared: Callable[[str], Path], file: str, line: int, code: str
) -> None:
    found = judge(shared(f"data/configs/{file}").read_bytes(), file, checks=[CHECKS[code]]).problems
    assert line in {problem.place.line for problem in found}
