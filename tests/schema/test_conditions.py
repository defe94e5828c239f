"""The words of conditions through the versions."""

from __future__ import annotations

from pysmon.config.model import Condition
from pysmon.schema.conditions import CONDITIONS, condition, conditions_at
from pysmon.schema.version import SchemaVersion


def test_the_conditions_are_those_that_configurations_can_name() -> None:
    assert {c.word for c in CONDITIONS} == {c.value for c in Condition}


def test_a_condition_is_known_from_its_first_version_on() -> None:
    assert "is any" not in conditions_at(SchemaVersion(4, 30))
    assert "is any" in conditions_at(SchemaVersion(4, 31))
    assert len(conditions_at(SchemaVersion(2, 0))) == 9


def test_a_condition_is_found_in_any_case_of_letters() -> None:
    found = condition("Begin With")
    assert found is not None
    assert found.word == "begin with"
    assert condition("begins with") is None
