"""What the reading commands make of a terminal: colour, width, box characters."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.cli.calls import PROGRAM, environment
from tests.cli.logs import written
from tests.views.cast import intrusion

COLOUR = re.compile(r"\x1b\[[\d;]*m")


def on_terminal(columns: int, *arguments: object, **more: str) -> str:
    """What a command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    unset = {k: v for k, v in environment().items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    known = {**unset, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **more}
    shown = subprocess.Popen([*PROGRAM, *map(str, arguments)], stdout=theirs, stderr=subprocess.DEVNULL, env=known)
    os.close(theirs)
    out = b""
    try:
        while block := os.read(ours, 65536):
            out += block
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    os.close(ours)
    assert shown.wait(60) == 0
    return out.decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.fixture
def log(tmp_path: Path) -> tuple[str, Path]:
    return written("--from", tmp_path, intrusion().entries)


def test_a_tree_has_boxes_and_colour_and_fits(log: tuple[str, Path]) -> None:
    out = on_terminal(60, "tree", *log)
    assert "\x1b[1;32mbash" in out
    lines = COLOUR.sub("", out).splitlines()
    assert "08:15:00.100  └─ bash [100]  joe  exit 0 after 1.2 s  bash -l" in COLOUR.sub(
        "", on_terminal(70, "tree", *log)
    )
    assert max(map(cell_len, lines)) == 60
    assert len(lines) == 7


def test_a_terminal_that_is_not_utf8_gets_no_boxes(log: tuple[str, Path]) -> None:
    out = on_terminal(60, "tree", *log, PYTHONIOENCODING="ascii")
    assert "`- " in out
    assert out.isascii()


def test_without_colour_nothing_is_coloured(log: tuple[str, Path]) -> None:
    assert "\x1b" not in on_terminal(60, "tree", *log, NO_COLOR="1")


@pytest.mark.parametrize("columns", [20, 45, 100])
def test_a_story_is_folded_to_the_width_and_loses_nothing(log: tuple[str, Path], columns: int) -> None:
    text = COLOUR.sub("", on_terminal(columns, "story", *log, 100))
    assert max(map(cell_len, text.splitlines())) <= max(columns, 40)
    assert " ".join(text.split()).count("curl http://evil.example/x") == 2


def test_a_table_on_a_terminal_has_a_heading(log: tuple[str, Path]) -> None:
    lines = COLOUR.sub("", on_terminal(100, "log", *log)).splitlines()
    assert lines[0].split() == ["time", "(UTC)", "id", "process", "what"]
    assert len(lines) == 14


def test_text_is_that_of_a_run_on_a_terminal(log: tuple[str, Path]) -> None:
    out = on_terminal(100, "log", *log, "--id", 3, "--format", "text")
    assert "\x1b[35m192.0.2.1" in out
