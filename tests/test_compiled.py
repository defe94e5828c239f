"""Functions that are written out: of names of members, and of nothing else."""

from __future__ import annotations

import pytest

from pysmon.compiled import compiled


def test_a_function_is_made_of_its_lines_and_of_what_they_may_speak_of() -> None:
    double = compiled("double(a, b=1)", ["c = a + b", "return c * factor"], ["a", "b"], factor=2)
    assert (double(3), double(3, b=2)) == (8, 10)


@pytest.mark.parametrize("name", ["", "a b", "a=print()", "a;b", "1a"])
def test_what_is_no_name_is_refused_before_anything_is_made(name: str) -> None:
    with pytest.raises(ValueError, match="no names of members"):
        compiled("f()", [f"return {name}"], ["fine", name])
