"""The techniques that a configuration names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.rules.build import AND, configuration, element, filter_, rule
from tests.rules.places import told_apart

from pysmon.config.read import read_file
from pysmon.workbench.coverage import Coverage, coverage, navigator_layer, unique

POWERSHELL = "technique_id=T1059.001,technique_name=PowerShell"


def made() -> Coverage:
    include = element(
        "include",
        filter_("Image", "image", "powershell.exe", POWERSHELL),
        rule(AND, filter_("Image", "image", "a.exe", "T1086"), filter_("User", "is", "x", "T1086")),
        filter_("Image", "image", "b.exe", "Caution"),
        filter_("Image", "image", "c.exe"),
    )
    network = element("include", filter_("DestinationPort", "is", "1", "T1059.001,T1071"), event_id=3)
    exclude = element("exclude", filter_("Image", "image", "d.exe", "T1047"))
    return coverage(configuration(*told_apart([include, network, exclude])))


def test_techniques_are_counted_by_the_conditions_that_name_them() -> None:
    found = {technique.id: technique for technique in made().techniques}
    assert list(found) == ["T1047", "T1059.001", "T1071", "T1086"]
    one = found["T1059.001"]
    assert (one.includes, one.names, one.tags, one.lines) == (
        2,
        ("PowerShell",),
        ("ProcessCreate", "NetworkConnect"),
        (2, 9),
    )
    assert (found["T1086"].includes, found["T1086"].now) == (2, "T1059.001")


def test_a_technique_that_only_excludes_name_is_not_kept() -> None:
    found = made()
    assert [technique.id for technique in found.kept] == ["T1059.001", "T1071", "T1086"]
    assert (found.techniques[0].includes, found.techniques[0].excludes) == (0, 1)
    assert unique(found.kept) == 2


def test_what_names_no_technique_is_counted() -> None:
    assert (made().untagged, made().unnamed) == ((("Caution", 6),), 1)


def test_the_layer_has_each_technique_once_under_its_id_of_today() -> None:
    layer: Any = navigator_layer(made(), "mine")
    assert (layer["name"], layer["versions"]["layer"], layer["domain"]) == ("mine", "4.5", "enterprise-attack")
    assert [shown["techniqueID"] for shown in layer["techniques"]] == ["T1047", "T1059.001", "T1071"]
    excluded, powershell, _ = layer["techniques"]
    assert "score" not in excluded
    assert powershell["score"] == layer["gradient"]["maxValue"] == 4
    assert powershell["comment"] == "PowerShell; named T1086, revoked"
    assert {"name": "events", "value": "ProcessCreate (1), NetworkConnect (3)"} in powershell["metadata"]
    assert all(isinstance(pair["value"], str) for shown in layer["techniques"] for pair in shown["metadata"])


def test_a_configuration_without_names_gives_an_empty_layer() -> None:
    found = coverage(configuration())
    assert (found.techniques, found.kept) == ((), ())
    assert navigator_layer(found, "none")["techniques"] == []


def test_a_published_configuration_is_covered(shared: Callable[[str], Path]) -> None:
    read = read_file(shared("data/configs/mstic-linux-main.xml")).configuration
    assert read
    found = coverage(read)
    assert len(found.kept) == 16
    assert (found.untagged, found.unnamed) == ((), 0)
