"""The README and the pages say what is true: links lead somewhere, events are those made, code and options exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest
from tests.conftest import ROOT

import pysmon
from pysmon.cli.app import app
from pysmon.schema import catalogue
from pysmon.schema.event import EVENTS

README = (ROOT / "README.md").read_text()
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert [to for to in links if "://" not in to and not (page.parent / to).exists()] == []


def test_the_table_of_events_lists_those_that_are_made_live() -> None:
    listed = {int(number): name for number, name in re.findall(r"^\| (\d+) \| \[(\w+)\]", README, re.MULTILINE)}
    assert listed == {i: t.cls.__name__ for i, t in EVENTS.items() if t.live}


def test_the_python_example_uses_what_there_is() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    tree = ast.parse(code)
    taken = [a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names]
    events = {name: getattr(catalogue, name) for name in taken}
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "event"}
    fields = {field.name for event in events.values() for field in event.type.fields}
    assert used <= fields
    assert callable(pysmon.watch)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--size"}))
def test_every_option_that_is_named_exists(option: str) -> None:
    known = {o for c in app.commands.values() for p in c.params if isinstance(p, click.Option) for o in p.opts}
    assert option in known


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README)) - {"and"}))
def test_every_target_of_make_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
