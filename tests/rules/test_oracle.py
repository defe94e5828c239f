"""Sysmon's own engine as the judge: its verdicts on 2 x 2,000 events under two configurations, line by line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rules.build import event

from pysmon.config.blob.decode import decode
from pysmon.config.model import Configuration
from pysmon.config.read import read_file
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event

# What that engine saw is not quite what the table of events says. It takes what it logs of a parent from its own table
# of processes, which was empty; it has no integrity levels on Linux; and the events had no LogonId at all.
NOT_SEEN = {"ParentImage": "-", "ParentCommandLine": "-", "ParentUser": "-", "IntegrityLevel": "no level"}


def events(table: Path) -> list[Event]:
    names, *rows = (line.split("\t") for line in table.read_text("utf-8").splitlines())
    return [event(1, LogonId=None, **dict(zip(names, row, strict=True)) | NOT_SEEN) for row in rows]


def verdicts(configuration: Configuration, table: Path) -> list[str]:
    ruleset = Ruleset.compile(configuration, image_splits_on="\\")
    decided = [ruleset.decide(e) for e in events(table)]
    return [f"{'include' if keep else 'exclude'}\t{rule_name}" for keep, rule_name in decided]


@pytest.mark.parametrize("origin", ["win", "linux"])
@pytest.mark.parametrize("name", ["mstic-linux-main", "sysmonconfig-export"])
def test_every_verdict_and_every_name_is_that_of_sysmon(name: str, origin: str, shared: Callable[[str], Path]) -> None:
    folder = shared("data/oracle-verdicts")
    configuration = read_file(folder / f"{name}.xml").configuration
    assert configuration
    lines = verdicts(configuration, folder / f"events-{origin}.tsv")
    assert lines == (folder / f"{name}-{origin}.verdicts").read_text("utf-8").splitlines()
    assert len(lines) == 2000


@pytest.mark.parametrize("origin", ["win", "linux"])
def test_the_rules_that_sysmon_compiled_decide_the_same(origin: str, shared: Callable[[str], Path]) -> None:
    rules = decode(shared("data/oracle-blobs/sysmonconfig-export.xml.bin").read_bytes(), "rules.bin")
    folder = shared("data/oracle-verdicts")
    wanted = (folder / f"sysmonconfig-export-{origin}.verdicts").read_text("utf-8").splitlines()
    assert verdicts(rules.configuration, folder / f"events-{origin}.tsv") == wanted
