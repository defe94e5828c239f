"""The archive that the emulated machine unpacks into its memory."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest
from tools.vm_arm64 import pack


@pytest.mark.skipif(which("cpio") is None, reason="there is no cpio(1)")
def test_a_folder_comes_out_of_its_archive_as_it_was(tmp_path: Path) -> None:
    folder, back = tmp_path / "folder", tmp_path / "back"
    (folder / "a" / "b").mkdir(parents=True)
    back.mkdir()
    (folder / "a" / "program").write_bytes(b"#!/bin/sh\n")
    (folder / "a" / "program").chmod(0o755)
    (folder / "a" / "odd").write_bytes(bytes(range(7)))
    (folder / "link").symlink_to("a/program")
    pack(folder, tmp_path / "archive")
    with (tmp_path / "archive").open("rb") as archive:
        done = subprocess.run(["cpio", "-id", "--quiet"], cwd=back, stdin=archive, check=True, capture_output=True)
    assert done.stderr == b""
    assert sorted(p.relative_to(back) for p in back.rglob("*")) == sorted(
        p.relative_to(folder) for p in folder.rglob("*")
    )
    assert (back / "a" / "odd").read_bytes() == bytes(range(7))
    assert (back / "a" / "program").stat().st_mode == (folder / "a" / "program").stat().st_mode
    assert (back / "link").readlink() == Path("a/program")
