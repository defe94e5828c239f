"""What fuzzing found stays found: every seed, and every input that once broke a law, keeps it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fuzz.corpus import LARGEST, MOST, keep, kept
from fuzz.logs import JSON, TEXT
from fuzz.run import apart, keeping
from fuzz.table import TARGETS
from fuzz.target import BrokenLawError, Target, law
from tests.conftest import ROOT

from pysmon.sources.open import SHAPES

FOUND, SEEDS = Path(__file__).parent / "found", ROOT / "fuzz" / "seeds"


def inputs(top: Path) -> list[Path]:
    return sorted(path for path in top.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", inputs(FOUND), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_once_broke_a_law_keeps_it(path: Path) -> None:
    TARGETS[path.parent.name].check(path.read_bytes())


@pytest.mark.parametrize("path", inputs(SEEDS), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_seed_keeps_the_law(path: Path) -> None:
    TARGETS[path.parent.name].check(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_what_fuzzing_reached_keeps_the_law(target: Target) -> None:
    for _, data in kept(target.name):
        target.check(data)


def test_the_smallest_inputs_are_kept(tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    for size in (*range(MOST + 5, 0, -1), LARGEST + 1):
        (found / f"input-{size}").write_bytes(b"x" * size)
    assert keep(found, "made", tmp_path / "corpus") == MOST
    assert [len(data) for _, data in kept("made", tmp_path / "corpus")] == list(range(1, MOST + 1))
    assert list(kept("another", tmp_path / "corpus")) == []


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_a_target_keeps_the_law_with_nothing_and_with_noise(target: Target) -> None:
    target.check(b"")
    target.check(b"\xff\0" * 40)


def test_every_shape_of_logs_is_fuzzed() -> None:
    assert {"evtx", *JSON, *TEXT} == SHAPES.keys() - {"store"}  # which has a target of its own


def test_every_target_has_seeds() -> None:
    assert {path.parent.name for path in inputs(SEEDS)} == TARGETS.keys()
    assert {path.parent.name for path in inputs(FOUND)} <= TARGETS.keys()


def test_what_breaks_a_law_is_kept_once_for_each_place(tmp_path: Path) -> None:
    def check(data: bytes) -> None:
        law(data != b"bad", "a find")
        if data == b"worse":
            raise KeyError("another")

    kept = keeping(check, tmp_path)
    for data in (b"good", b"bad", b"bad", b"worse"):
        kept(data)
    found = {path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".txt"}
    assert found == {b"bad", b"worse"}


def test_a_broken_law_says_what_is_wrong() -> None:
    with pytest.raises(BrokenLawError, match="a find"):
        law(False, "a find")


def test_a_fuzzer_that_ends_without_a_word_leaves_no_files() -> None:
    code = "import os; from fuzz.target import file_of; print(file_of(b'x'), flush=True); os._exit(77)"
    ended = apart([sys.executable, "-c", code])
    path = Path(ended.stdout.decode().strip())
    assert ended.returncode == 77
    assert path.name == "input"
    assert path.parent.name.startswith("pysmon-fuzz-")
    assert path.parent.parent.name.startswith("pysmon-fuzz-")
    assert not path.parent.parent.exists()
