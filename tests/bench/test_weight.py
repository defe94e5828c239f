"""How heavy the kernel programs are: sizes from the object, and what is told when something has grown."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.parts.weight import Weights, heavier, sizes

from pysmon.sensor.loader import OBJECT
from pysmon.sensor.providers import ABILITIES


def test_every_program_of_every_provider_has_a_size() -> None:
    found = sizes(OBJECT.read_bytes())
    named = {program for ability in ABILITIES for provider in ability.providers for program in provider.programs}
    assert named <= found.keys()
    assert all(count > 1 for count in found.values())


def test_no_program_has_grown_beyond_what_was_written_down() -> None:
    assert heavier(sizes(OBJECT.read_bytes()), Weights.read().sizes) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (1100, []),
        (1260, ["on_exec: 1,260 instructions, 1,000 were written down"]),
        (10, []),
    ],
)
def test_growth_by_more_than_compilers_differ_is_told(now: int, told: list[str]) -> None:
    assert heavier({"on_exec": now}, {"on_exec": 1000}) == told


def test_a_small_program_may_double() -> None:
    assert heavier({"on_exit": 180}, {"on_exit": 90}) == []


def test_a_new_program_has_nothing_to_be_held_to() -> None:
    assert heavier({"on_exec": 1000}, {"on_fork": 5}) == []


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    weights = Weights({"on_exec": 1}, {"6.1": {"on_exec": 2}})
    weights.write(tmp_path / "weight.json")
    assert Weights.read(tmp_path / "weight.json") == weights


def test_without_a_record_nothing_is_written_down(tmp_path: Path) -> None:
    assert Weights.read(tmp_path / "weight.json") == Weights()
