"""Every event that is made live has its proofs: tests that cause it, near misses, a tape, rules, words, a row."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from tests.conftest import ROOT
from tests.matrix import HELD, MATRIX, OURS
from tests.tapes.play import Played, configured, play, rules_for

from pysmon.config.model import Configuration
from pysmon.schema import catalogue
from pysmon.schema.event import EVENTS, EventType, Field

assert catalogue
LIVE = {number: made for number, made in EVENTS.items() if made.live}
RECORDED = [number for number in LIVE if number in MATRIX and MATRIX[number].tape != OURS]
KERNELS = {"6.18", "6.1"}
# Texts that always say something, whatever is known of a process: their words need no reason for `-`.
ALWAYS = {
    *("Image", "SourceImage", "ImageLoaded", "Device", "PipeName", "TargetObject", "NewName", "Details"),
    *("EventType", "Type", "Operation", "EventNamespace", "Name", "Consumer", "Filter"),
    *("SourceUser", "TargetUser", "StartAddress", "Protocol", "SourceIp", "DestinationIp", "CurrentDirectory"),
    *("Initiated", "SourceIsIpv6", "DestinationIsIpv6", "GrantedAccess", "BpfProgramId"),
    *("IntegrityLevel", "QueryName", "QueryStatus", "BpfCommand", "BpfProgramType"),
    *("Configuration", "State", "Version", "SchemaVersion", "ID"),
}
# Fields that one event fills always, and others not.
ALWAYS_OF = {(6, "SignatureStatus"), (24, "ClientInfo"), (255, "Description")}


@cache
def played(tape: str) -> Played:
    return play(tape, rules_for(tape))


@cache
def functions(file: Path) -> dict[str, str]:
    """The functions of a file with their texts."""
    text = file.read_text()
    found = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return {node.name: ast.get_source_segment(text, node) or "" for node in found}


def located(test: str) -> tuple[Path, str]:
    file, _, name = test.partition("::")
    return ROOT / "tests" / file, name


def proofs(number: int) -> list[str]:
    proof = MATRIX[number]
    return [test for test in (*proof.caused, proof.short, proof.near) if test not in (OURS, HELD)]


def may_be_unknown(field: Field) -> bool:
    """Do its words say when it is `-`?"""
    return "`-`" in field.doc


def test_every_live_event_has_its_proofs_and_no_other() -> None:
    assert MATRIX.keys() == LIVE.keys()


@pytest.mark.parametrize("number", MATRIX)
def test_the_tests_that_are_named_exist(number: int) -> None:
    for test in proofs(number):
        file, name = located(test)
        assert name in functions(file), f"{test} is named in tests/matrix.py"


@pytest.mark.parametrize("number", MATRIX)
def test_the_tests_that_cause_it_look_at_each_of_its_fields(number: int) -> None:
    text = "\n".join(located(test)[0].read_text() for test in MATRIX[number].caused)
    assert [f.name for f in EVENTS[number].fields if not re.search(rf"\b{f.name}\b", text)] == []


@pytest.mark.parametrize("number", MATRIX)
def test_the_row_of_the_readme_says_on_which_kernels_a_test_has_caused_it(number: int) -> None:
    (marks,) = re.findall(rf"^\| {number} \| .*\| ([^|]+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    said = set(re.findall(r"\d+\.\d+", marks))
    assert said
    assert said <= KERNELS
    in_the_machine = [test for test in MATRIX[number].caused if "mark.vm" in located(test)[0].read_text()]
    assert bool(in_the_machine) == ("6.1" in said)


@pytest.mark.parametrize("number", MATRIX)
def test_each_text_says_when_it_is_unknown_or_never_is(number: int) -> None:
    made = EVENTS[number]
    silent = [f.name for f in made.fields if f.name in optional(made) and not may_be_unknown(f)]
    assert [name for name in silent if name not in ALWAYS and (number, name) not in ALWAYS_OF] == []


def optional(made: EventType) -> set[str]:
    """Its fields that are `-` unless they are filled."""
    defaults = {name: f.default for name, f in made.cls.__dataclass_fields__.items()}
    return {f.name for f in made.fields if defaults[f.name] == "-" or defaults[f.name] is None}


@pytest.mark.parametrize("number", RECORDED)
def test_its_tape_tells_it_and_leaves_out_only_what_the_words_say(number: int) -> None:
    found = [event for event in played(MATRIX[number].tape).events if event.type.id == number]
    assert found
    for event in found:
        pairs = zip(event.type.fields, event.texts(), strict=True)
        assert [f.name for f, text in pairs if text in ("-", "") and not may_be_unknown(f)] == []


@pytest.mark.parametrize("number", [number for number in RECORDED if LIVE[number].tag])
def test_rules_filter_it_by_each_of_its_fields(number: int) -> None:
    """For each field: the events that have the value of the first are kept, or dropped, by a rule, and no others."""
    made, tape = LIVE[number], MATRIX[number].tape
    found = [event for event in play(tape, only(made, "exclude", "")).events if event.type.id == number]
    for field in filter(lambda each: is_reached(made, each), made.fields):
        value = found[0].text(field.name)
        wanted = Counter(event.text(field.name) for event in found)[value]
        rule = f'<{field.name} condition="is">{escape(value)}</{field.name}>'
        for onmatch, expected in (("include", wanted), ("exclude", len(found) - wanted)):
            kept = play(tape, only(made, onmatch, rule)).outcome.kept
            assert kept.get(number, 0) == expected, (field.name, value, onmatch)


def only(made: EventType, onmatch: str, rule: str) -> Configuration:
    element = f'<{made.tag} onmatch="{onmatch}">{rule}</{made.tag}>'
    return configured(f'<Sysmon schemaversion="4.91"><EventFiltering>{element}</EventFiltering></Sysmon>')


def is_reached(made: EventType, field: Field) -> bool:
    """Not the name of a rule; and of events that share a tag, see docs/reference/rules.md, "an element of a series"."""
    first = next(each for each in EVENTS.values() if each.tag == made.tag and each.field(field.name))
    place = [each.name for each in first.fields].index(field.name)
    return field.name != "RuleName" and made.fields[place].name == field.name
