"""What two contents of a database differ in, and which files are databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.host.dconf.databases import database, number, text

from pysmon.errors import RecordError
from pysmon.host.dconf.changes import MOST, UNREADABLE, Change, changes, database_of

BEFORE = {"/a/kept": number(1), "/a/set": text("old"), "/a/gone": number(3)}
NOW = {"/a/kept": number(1), "/a/set": text("new"), "/b/new": b"\1\0b"}


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/home/joe/.config/dconf/user", ""),
        ("/root/.config/dconf/user", ""),
        ("/dconf/user", ""),
        ("/etc/dconf/db/local", "db:local"),
        ("/home/joe/.config/dconf/user.AB12", None),
        ("/home/joe/.config/dconf/superuser", None),
        ("/home/joe/user", None),
        ("/etc/dconf/db/local.d/00-x", None),
        ("/etc/dconf/profile/user", None),
    ],
)
def test_a_database_is_known_by_its_path(path: str, whose: str | None) -> None:
    assert database_of(path) == whose


def test_what_was_set_changed_and_removed_is_told_with_the_value_before() -> None:
    assert changes(database(BEFORE), database(NOW)) == (
        [
            Change("/a/gone", None, "3"),
            Change("/a/set", "'new'", "'old'"),
            Change("/b/new", "true", None),
        ],
        0,
    )


def test_the_same_settings_written_again_are_no_change() -> None:
    assert changes(database(BEFORE), database(BEFORE)) == ([], 0)
    assert changes(database(BEFORE), database(BEFORE, bloom=8, buckets=3)) == ([], 0)


def test_of_a_database_that_was_not_there_or_not_readable_all_is_new() -> None:
    for before in (b"", b"damaged", database({})):
        told, more = changes(before, database({"/a": number(1)}))
        assert (told, more) == ([Change("/a", "1", None)], 0)


def test_a_database_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(RecordError):
        changes(database(BEFORE), database(NOW)[:60])


def test_a_value_that_cannot_be_read_is_told_of_all_the_same() -> None:
    assert changes(b"", database({"/a": b"\0z"}))[0] == [Change("/a", UNREADABLE, None)]


def test_a_long_value_is_cut_and_of_many_changes_the_first_are_told() -> None:
    many = {f"/a/{n:05}": text("x" * 5000 if n == 0 else "y") for n in range(MOST + 7)}
    told, more = changes(b"", database(many))
    assert (len(told), more) == (MOST, 7)
    assert told[0].value is not None
    assert len(told[0].value) == 4096
    assert told[0].value.endswith("x...")


def test_values_that_are_made_to_cost_much_are_not_shown() -> None:
    told, _ = changes(b"", database({f"/{n}": bytes([1]) * 60_000 + b"\0ay" for n in range(9)}))
    assert [change.value == UNREADABLE for change in told] == [False] + [True] * 8


@given(st.dictionaries(st.sampled_from(["/a/1", "/a/2", "/b", "/c/d/e"]), st.sampled_from([number(1), text("x")])))
def test_forth_and_back_the_same_keys_change(values: dict[str, bytes]) -> None:
    one, other = database(values), database(BEFORE)
    forth, back = changes(one, other)[0], changes(other, one)[0]
    assert [(c.key, c.value, c.before) for c in forth] == [(c.key, c.before, c.value) for c in back]
