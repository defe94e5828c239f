"""Users of the machine are named at once; those of a directory when it answers."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.host.gate import Gate

from pysmon.host.errands import Errands
from pysmon.host.user_database import UserDatabase
from pysmon.host.users import Users

OWN = b"root:x:0:0:root:/root:/bin/sh\njoe:x:7:7::/home/joe:/bin/sh\n+::::::\n\nodd:x:seven:7::/:\nann:x:7:8::/:\n"


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_bytes(OWN)
    return path


def nobody(uid: int) -> str:
    raise KeyError(uid)


def test_root_is_known_without_being_asked_for() -> None:
    assert UserDatabase(Errands(), ask=nobody)(0) == "root"


def test_the_machines_own_users_come_at_once_while_the_directory_does_not_answer(file: Path) -> None:
    gate = Gate()
    names = UserDatabase(Errands(), path=file, ask=gate)
    assert names(1000) is None
    assert (names(0), names(7)) == ("root", "joe")
    assert gate.came == 1
    gate.open()


def test_a_name_that_came_late_is_given_the_next_time() -> None:
    gate = Gate("ann")
    users = Users(ask=UserDatabase(Errands(), ask=gate, path=Path("/dev/null")))
    assert users.name(1000) == "1000"
    gate.open()
    give_up = time.monotonic() + 60
    while users.name(1000) != "ann":
        assert time.monotonic() < give_up
    assert gate.came == 1


def test_a_user_that_there_is_not_is_unknown(file: Path) -> None:
    with pytest.raises(KeyError):
        UserDatabase(Errands(), path=file, ask=nobody, patience=60)(1000)


def test_a_changed_file_is_read_again(file: Path) -> None:
    names = UserDatabase(Errands(), path=file, ask=nobody, patience=60)
    assert names(7) == "joe"
    file.write_bytes(b"eve:x:7:7::/:\n")
    assert names(7) == "eve"
    file.unlink()
    with pytest.raises(KeyError):
        names(7)


def test_a_name_that_is_no_utf_8_is_told_as_the_system_tells_it(file: Path) -> None:
    file.write_bytes(b"j\xf6rg:x:9:9::/:\n")
    assert UserDatabase(Errands(), path=file, ask=nobody)(9) == os.fsdecode(b"j\xf6rg")
