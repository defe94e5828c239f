"""Values taken out of objects by compiled functions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pysmon.schema.taking import taker


@pytest.mark.parametrize("names", [["a"], ["b", "a"], []])
def test_the_values_come_in_the_order_of_the_names(names: list[str]) -> None:
    values = {"a": 1, "b": "two"}
    assert taker(names)(SimpleNamespace(**values)) == tuple(values[name] for name in names)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a)", "__import__('os')"])
def test_what_is_no_name_of_an_attribute_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no names"):
        taker(["a", name])
