"""The terminal: folded to its width, coloured by kind, and plain where it is none."""

from __future__ import annotations

import io
import os
import pty
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.formats.entries import create

from pysmon.formats.plain_text import plain_text
from pysmon.sinks.console import console, terminal_text

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(width: int, *, colour: bool = False, **values: str) -> str:
    return terminal_text(lambda: width, colour=colour)(create(**values)).decode()


def test_the_first_line_has_the_time_of_day_and_no_date() -> None:
    assert shown(200).splitlines()[0] == "06:10:33.206    1 ProcessCreate  /usr/bin/python3.11 [160]  root"


def test_a_long_line_is_folded_at_blanks_and_further_indented() -> None:
    assert shown(40, CommandLine="one two three four five six seven eight").splitlines()[3:5] == [
        "      one two three four five six seven",
        "            eight",
    ]


def test_a_long_word_is_cut_at_the_width() -> None:
    lines = shown(40, CommandLine="x" * 100).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert sum(line.count("x") for line in lines if "python" not in line) == 100


def test_wide_characters_count_twice() -> None:
    lines = shown(60, CommandLine="日本語" * 40).splitlines()
    assert all(cell_len(line) <= 60 for line in lines)


def test_a_very_narrow_terminal_is_left_to_fold_by_itself() -> None:
    assert shown(1).splitlines()[0].startswith("06:10:33.206    1 ProcessCreate")


@given(st.text(alphabet=st.characters(exclude_categories=())), st.integers(20, 120))
def test_colour_changes_nothing_but_the_colour(command: str, width: int) -> None:
    plain = shown(width, CommandLine=command)
    coloured = shown(width, colour=True, CommandLine=command)
    assert COLOUR.sub("", coloured) == plain
    assert all(line.isprintable() for line in plain.split("\n"))


def test_a_terminal_without_utf_8_gets_what_it_can_show() -> None:
    render = terminal_text(lambda: 80, colour=False, encoding="ascii")
    assert b"gr\\xf6\\xdfe" in render(create(CommandLine="größe"))


def test_what_is_no_terminal_gets_plain_text(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        console(stream, "standard output").write([create()])
    assert (tmp_path / "out").read_bytes() == plain_text(create()) + b"\n"


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colour_unless_it_says_no(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with io.TextIOWrapper(os.fdopen(theirs, "wb", buffering=0), write_through=True) as stream:
        console(stream, "standard output").write([create()])
        seen = os.read(ours, 65536).decode()
    os.close(ours)
    assert "ProcessCreate" in seen
    assert bool(COLOUR.search(seen)) is coloured


def test_a_terminal_that_does_not_know_its_width_is_taken_to_be_usual() -> None:
    ours, theirs = pty.openpty()  # nobody has set a size
    with io.TextIOWrapper(os.fdopen(theirs, "wb", buffering=0), write_through=True) as stream:
        assert os.get_terminal_size(theirs).columns == 0
        console(stream, "standard output").write([create()])
        seen = COLOUR.sub("", os.read(ours, 65536).decode())
    os.close(ours)
    assert seen.splitlines()[0] == "06:10:33.206    1 ProcessCreate  /usr/bin/python3.11 [160]  root"
