"""The walk through one element, as it is asked for by itself."""

from __future__ import annotations

import pytest
from tests.rules.build import AND, OR, element, filter_, rule, ruleset

from pysmon.config.model import Relation
from pysmon.rules.tree import walk_element


@pytest.mark.parametrize("relation", [AND, OR])
def test_an_element_without_entries_never_matches(relation: Relation) -> None:
    (empty,) = ruleset(element("include", relation=relation)).rules[1].elements
    assert walk_element(empty, 0, 0, "before") == (False, "before")


def test_an_element_tells_what_it_comes_to_and_the_name_then() -> None:
    entries = (
        rule(AND, filter_("Image", "is", "a", "one"), filter_("User", "is", "b", "two")),
        filter_("Image", "is", "c"),
    )
    (or_,) = ruleset(element("include", *entries)).rules[1].elements
    assert walk_element(or_, 0b011, 0, "") == (True, "two")
    assert walk_element(or_, 0b001, 0, "") == (False, "one")
    assert walk_element(or_, 0b101, 0, "") == (True, "one")
    assert walk_element(or_, 0b001, 0b010, "") == (None, "one")
    assert walk_element(or_, 0b000, 0, "before") == (False, "before")
