"""What docs/health.md shows is what the commands print, and what it names exists."""

from __future__ import annotations

import re
from itertools import pairwise

import click
import pytest
from tests.conftest import ROOT
from tests.service.sample import HEALTHY, ILL

from pysmon.cli.app import app
from pysmon.pipeline.needs import Capability
from pysmon.service.answers import ROUTES
from pysmon.service.doctor import CHECKS, rows
from pysmon.service.metrics import metrics
from pysmon.service.status import Status
from pysmon.service.status_page import page

TEXT = (ROOT / "docs" / "health.md").read_text()
SHOWN = dict(re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n", TEXT))


def lines(status: Status) -> list[str]:
    return ["".join(piece.text for piece in line.pieces).rstrip() for line in page(status)]


@pytest.mark.parametrize(
    ("command", "expected"), [("pysmon status", lines(HEALTHY)), ("pysmon status | head -6", lines(ILL)[:6])]
)
def test_a_sample_is_what_comes_out(command: str, expected: list[str]) -> None:
    assert SHOWN[command].splitlines() == expected


def test_the_sample_of_the_doctor_has_the_form_of_his_words() -> None:
    findings, table, conclusion = SHOWN["pysmon doctor"].strip().split("\n\n")
    shown = findings.splitlines()
    for line, after in pairwise([*shown, ""]):
        assert re.match(r"(ok  |warn|bad )  \S|                     -> ", line)
        assert not line.startswith(("warn", "bad")) or after.lstrip().startswith("-> ")
    warned = sum(line.startswith("warn") for line in shown)
    assert conclusion == f"pysmon can run here; {warned} could be better"
    assert len(shown) >= len(CHECKS)
    remedy = "another kernel may allow it; `dmesg` may tell more (lockdown, a hardened kernel)"
    made = rows(
        [
            Capability((1, 5), ("processes",), "yes", "tp_btf"),
            Capability((3,), ("TCP accepted",), "partly", "tracepoint", "32-bit programs and io_uring go round it"),
            Capability((7,), ("package database",), "yes", "dpkg or rpm"),
            Capability((12,), ("tables of settings",), "no", "", "fexit: Operation not permitted", remedy),
            Capability((27, 28, 29), ("file watch",), "yes", "fanotify"),
        ]
    )
    assert table.splitlines() == ["".join(piece.text for piece in line.pieces).rstrip() for line in made]


def test_every_metric_is_described_and_every_described_one_exists() -> None:
    made = set(re.findall(r"^([a-z_]+)", metrics(HEALTHY), re.MULTILINE))
    named = set(re.findall(r"`((?:pysmon|process)_[a-z_]+)(?:\{[a-z0-9,_]+\})?`", TEXT))
    assert named == made


def test_every_request_is_described() -> None:
    named = set(re.findall(r"^\| `([A-Z]+) (/[a-z]+)` \|", TEXT, re.MULTILINE))
    assert named == {(method, path) for path, methods in ROUTES.items() for method in methods}


@pytest.mark.parametrize("name", ["status", "doctor"])
def test_every_option_is_described(name: str) -> None:
    options = {o for p in app.commands[name].params if isinstance(p, click.Option) for o in p.opts}
    assert options <= set(re.findall(r"--[a-z-]+", TEXT))
