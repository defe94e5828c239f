"""ATT&CK techniques in the names of rules."""

from __future__ import annotations

import re

import pytest

from pysmon.rules.retired_techniques import RETIRED
from pysmon.rules.techniques import tag


@pytest.mark.parametrize(
    ("name", "ids", "said"),
    [
        ("technique_id=T1059.001,technique_name=PowerShell", ("T1059.001",), "PowerShell"),
        ("TechniqueID=T1485,TechniqueName=Data Destruction", ("T1485",), "Data Destruction"),
        ("technique_id=T1548,technique_name=Setuid, Setgid", ("T1548",), "Setuid, Setgid"),
        ("T1031,T1050", ("T1031", "T1050"), ""),
        ("T1060,RunKey", ("T1060",), ""),
        ("attack.t1047", ("T1047",), ""),
        ("Alert,Metasploit", (), ""),
        ("", (), ""),
    ],
)
def test_ids_and_names_are_read(name: str, ids: tuple[str, ...], said: str) -> None:
    found = tag(name)
    assert (found.ids, found.name, found.wrong) == (ids, said, "")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("technique_id=T,technique_name=", "T"),
        ("technique_id=,technique_name=x", "technique_id="),
        ("technique_id=1047", "1047"),
        ("T1059.1", "T1059.1"),
        ("T105", "T105"),
        ("T10591", "T10591"),
    ],
)
def test_what_is_meant_as_an_id_and_is_none_is_told(name: str, wrong: str) -> None:
    assert tag(name).wrong == wrong
    assert tag(name).ids == ()


@pytest.mark.parametrize("name", ["AT1059", "CVE-2021-1675", "T-Rex", "Test1234", "Windows 10"])
def test_other_words_are_no_ids(name: str) -> None:
    assert (tag(name).ids, tag(name).wrong) == ((), "")


def test_revoked_ids_lead_to_ids_that_are_not() -> None:
    for old, new in RETIRED.items():
        assert re.fullmatch(r"T\d{4}", old)
        assert tag(new).ids == (new,)
        assert new not in RETIRED
