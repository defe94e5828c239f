"""Names of users."""

from __future__ import annotations

import os
from pathlib import Path

from pysmon.host.users import Users


class Database:
    """A user database that counts how often it is asked."""

    def __init__(self, **names: str) -> None:
        self.names = {int(uid.strip("u")): name for uid, name in names.items()}
        self.asked: list[int] = []

    def __call__(self, uid: int) -> str:
        self.asked.append(uid)
        return self.names[uid]


def test_root_has_its_name() -> None:
    assert Users().name(0) == "root"


def test_an_unknown_user_keeps_the_number() -> None:
    assert Users().name(4294967295) == "4294967295"
    assert Users().name(3999999999) == "3999999999"


def test_a_name_is_asked_for_once() -> None:
    database = Database(u7="joe")
    users = Users(ask=database)
    assert [users.name(7), users.name(7), users.name(8), users.name(8)] == ["joe", "joe", "8", "8"]
    assert database.asked == [7, 8]


def test_all_names_that_were_asked_for_can_be_had() -> None:
    users = Users(ask=Database(u7="joe"))
    users.name(7)
    users.name(8)
    assert users.known() == {7: "joe", 8: "8"}


def test_a_changed_database_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_text("joe")
    database = Database(u7="joe")
    users = Users(ask=database, database=str(file))
    assert users.name(7) == "joe"
    database.names[7] = "ann"
    users.refresh()
    assert users.name(7) == "joe"
    os.utime(file, ns=(1, 1))
    users.refresh()
    assert users.name(7) == "ann"
    users.refresh()
    assert users.name(7) == "ann"
    assert database.asked == [7, 7]


def test_names_are_remembered_up_to_a_limit() -> None:
    database = Database(u1="a", u2="b", u3="c")
    users = Users(ask=database, limit=2)
    for uid in (1, 2, 3, 3, 1):
        users.name(uid)
    assert database.asked == [1, 2, 3, 1]


def test_a_name_that_comes_later_is_the_number_until_then() -> None:
    answers = iter([None, None, "joe"])
    users = Users(ask=lambda _: next(answers))
    assert [users.name(7) for _ in range(4)] == ["7", "7", "joe", "joe"]


def test_a_user_that_nobody_knew_is_asked_for_again_after_a_minute_and_others_are_not() -> None:
    database = Database(u7="joe")
    users = Users(ask=database)
    users.name(7)
    users.name(8)
    database.names[8] = "ann"
    for _ in range(59):
        users.refresh()
    assert users.name(8) == "8"
    users.refresh()
    assert (users.name(8), users.name(7)) == ("ann", "joe")
    assert database.asked == [7, 8, 8]
