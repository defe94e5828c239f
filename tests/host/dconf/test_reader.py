"""Databases are looked at as a process sees them, with bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.host.dconf.databases import database, number, text

from pysmon.host.dconf.changes import Change
from pysmon.host.dconf.reader import DconfReader
from pysmon.host.dconf.table import LARGEST
from pysmon.host.errands import Errands


@pytest.fixture
def errands() -> Iterator[Errands]:
    made = Errands()
    yield made
    made.close()


def test_what_is_there_is_held_against_what_was(tmp_path: Path, errands: Errands) -> None:
    file = tmp_path / "user"
    file.write_bytes(database({"/a": number(2)}))
    found = DconfReader(errands).settings([os.getpid()], str(file), 0, database({"/a": number(1)}))
    assert found is not None
    assert (found.data, found.owner, found.more) == (file.read_bytes(), os.getuid(), 0)
    assert found.changes == (Change("/a", "2", "1"),)


def test_what_is_no_database_or_none_that_can_be_read_gives_nothing(tmp_path: Path, errands: Errands) -> None:
    made = DconfReader(errands)
    (tmp_path / "text").write_text("no database, but long enough to be one")
    (tmp_path / "long").write_bytes(bytes(LARGEST + 1))
    os.mkfifo(tmp_path / "fifo")
    for name in ("text", "long", "fifo", "absent", "."):
        assert made.settings([], str(tmp_path / name), 0, b"") is None


def test_the_databases_of_the_machines_own_users_are_found_by_their_homes(tmp_path: Path, errands: Errands) -> None:
    for name, setting in (("joe", text("x")), ("ann", number(1))):
        folder = tmp_path / name / ".config/dconf"
        folder.mkdir(parents=True)
        (folder / "user").write_bytes(database({"/a": setting}))
    (tmp_path / "tom").mkdir()
    passwd = tmp_path / "passwd"
    lines = [f"{name}:x:1000:1000::{tmp_path}/{name}:/bin/sh" for name in ("joe", "ann", "tom", "joe")]
    passwd.write_text("\n".join([*lines, "odd:x", "nobody:x:65534:65534::/nonexistent:/bin/false"]))
    found = DconfReader(errands, passwd).present()
    own = {path: data for path, data in found.items() if path.startswith(str(tmp_path))}
    assert own == {
        f"{tmp_path}/joe/.config/dconf/user": database({"/a": text("x")}),
        f"{tmp_path}/ann/.config/dconf/user": database({"/a": number(1)}),
    }
    assert not any(p.startswith(str(tmp_path)) for p in DconfReader(errands, tmp_path / "absent").present())
