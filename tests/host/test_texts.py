"""Short texts of others: bounds, links, what is no text."""

from __future__ import annotations

import os
from pathlib import Path

from pysmon.host.errands import Errands
from pysmon.host.texts import LIMIT, Texts, read_text


def test_a_text_is_read_within_bounds(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xff" + b"x" * LIMIT)
    text = read_text(str(tmp_path / "f"))
    assert text == "\ufffd" + "x" * (LIMIT - 1)


def test_links_are_followed_and_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("text")
    (tmp_path / "link").symlink_to("f")
    os.mkfifo(tmp_path / "fifo")
    assert read_text(str(tmp_path / "link")) == "text"
    for name in ("fifo", ".", "none", "nul\0"):
        assert read_text(str(tmp_path / name)) is None


def test_what_is_held_comes_first_then_the_disk_of_each_process(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("disk")
    (tmp_path / "held").write_text("held")
    errands = Errands()
    name = str(tmp_path / "f")
    plain = Texts(errands)
    assert plain.text([os.getpid()], name, 0, 0) == plain.text([], name, 0, 0) == "disk"
    assert plain.text([], "/none", 0, 0) is None
    held = Texts(errands, lambda device, inode, path: str(tmp_path / "held") if (device, inode) == (1, 2) else "")
    assert held.text([], name, 1, 2) == "held"
    assert held.text([], name, 1, 3) == "disk"
    assert (plain.closes_told, Texts(errands, closes_told=True).closes_told) == (False, True)
    errands.close()
