"""The numbers of entries: never the same again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.service.numbering import AHEAD, Numbering

NOW = 1_795_240_000_000_000_000  # ns
FROM_CLOCK = NOW // 1000


def numbering(path: Path) -> Numbering:
    return Numbering(path, now=lambda: NOW)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "log.numbers"


def test_the_first_run_begins_with_one_behind_an_empty_log(path: Path) -> None:
    assert numbering(path).begin(0, 0) == 0


def test_a_run_goes_on_behind_one_that_ended_in_good_order(path: Path) -> None:
    first = numbering(path)
    first.begin(0, 0)
    first.end(17)
    for logged in (17, 3, None):  # whatever the log says of it
        assert numbering(path).begin(logged, 0) == 17
        numbering(path).end(17)


def test_a_run_begins_behind_all_that_a_killed_one_can_have_given(path: Path) -> None:
    numbering(path).begin(0, 0)
    assert numbering(path).begin(500, 700) == AHEAD


def test_what_is_in_the_log_or_waits_is_not_given_again(path: Path) -> None:
    numbering(path).end(5)
    assert numbering(path).begin(500, 700) == 700
    numbering(path).end(5)
    assert numbering(path).begin(500, 7) == 500


@pytest.mark.parametrize("text", ["", "x", "-5", "9" * 30])
def test_without_log_and_numbers_the_clock_tells_where_to_begin(path: Path, text: str) -> None:
    path.write_text(text)
    assert numbering(path).begin(None, 0) == FROM_CLOCK
    path.unlink()
    assert numbering(path).begin(None, 9) == FROM_CLOCK


def test_where_nothing_can_be_kept_the_clock_tells_where_to_begin(tmp_path: Path) -> None:
    assert numbering(tmp_path / "absent" / "numbers").begin(500, 0) == FROM_CLOCK


def test_numbers_are_taken_again_before_they_are_used_up_and_not_sooner(path: Path) -> None:
    made = numbering(path)
    made.begin(0, 0)
    made.keep_ahead(AHEAD // 2 - 1)
    made.end(AHEAD // 2 - 1)
    assert path.read_text() == f"{AHEAD // 2 - 1}\n"
    made.begin(0, 0)
    ahead = int(path.read_text())
    made.keep_ahead(ahead - 10)
    _until(path, lambda number: number == ahead - 10 + AHEAD)


def test_a_disk_that_was_in_trouble_is_tried_again(tmp_path: Path) -> None:
    folder, clock = tmp_path / "later", [0.0]
    made = Numbering(folder / "numbers", now=lambda: NOW, clock=lambda: clock[0])
    made.begin(0, 0)
    folder.mkdir()
    made.keep_ahead(FROM_CLOCK + 1)
    _until(folder / "numbers", lambda number: number == FROM_CLOCK + 1 + AHEAD)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * AHEAD),  # how many are given
            st.booleans(),  # ended in good order
            st.sampled_from(["kept", "lost", "cannot be read"]),  # what becomes of the log afterwards
        ),
        max_size=6,
    )
)
def test_no_number_is_given_twice_whatever_becomes_of_log_and_runs(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, bool, str]]
) -> None:
    path = tmp_path_factory.mktemp("numbers") / "log.numbers"
    logged: int | None = 0
    last = -1
    for many, good, fate in runs:
        made = numbering(path)
        first = made.begin(logged, 0) + 1
        assert first > last
        last = first - 1
        while last < first - 1 + many:
            last = min(last + AHEAD // 4, first - 1 + many)
            made.keep_ahead(last)
            if made._saving:
                made._saving.join()
        if good:
            made.end(last)
        logged = {"kept": last, "lost": 0, "cannot be read": None}[fate]


def _until(path: Path, holds: Callable[[int], bool]) -> None:
    give_up = time.monotonic() + 60
    while not path.exists() or not holds(int(path.read_text())):
        assert time.monotonic() < give_up, os.listdir(path.parent)
