"""The reference pages say what the definitions say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conftest import ROOT

from pysmon.assemble.scene import BUILT
from pysmon.config.codes import CODES
from pysmon.lint.checks import CHECKS
from pysmon.schema.conditions import CONDITIONS
from pysmon.schema.event import EVENTS
from tools import docs


def test_the_reference_pages_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    status = docs.main(["--check"])
    assert (status, capsys.readouterr().out) == (0, "")


def test_a_stale_a_missing_and_a_left_over_page_are_named_and_put_right(tmp_path: Path) -> None:
    assert set(docs.write(tmp_path)) == set(docs.pages())
    assert docs.stale(tmp_path) == []
    (tmp_path / "conditions.md").write_text("old")
    (tmp_path / "problems.md").unlink()
    (tmp_path / "events" / "030-Nothing.md").write_text("gone")
    wrong = ["conditions.md", "problems.md", "events/030-Nothing.md"]
    assert docs.stale(tmp_path) == wrong
    assert docs.write(tmp_path) == wrong
    assert docs.stale(tmp_path) == []


def test_every_event_condition_and_problem_has_its_place() -> None:
    made = docs.pages()
    for event in EVENTS.values():
        page = made[f"events/{event.id:03}-{event.cls.__name__}.md"]
        assert f"# {event.id}: {event.title}" in page
        assert "**On Linux:**" in page
        assert all(f"| `{f.name}` |" in page for f in event.fields)
    assert all(f"\n## {c.word}\n" in made["conditions.md"] for c in CONDITIONS)
    assert all(f"\n## {code}: " in made["problems.md"] for code in CODES)
    assert all(f"\n## {code}: " in made["lint.md"] for code in CHECKS)


def test_the_index_says_honestly_what_the_sensor_makes() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (yes|no) \| (yes|no) \| [\d.]+ \|$", docs.pages()["events/index.md"], re.M)
    assert [int(i) for i, _, _ in rows] == sorted(EVENTS)
    assert {int(i) for i, live, _ in rows if live == "yes"} == BUILT | {4, 16, 255}  # and what pysmon says of itself
    assert {int(i) for i, _, windows in rows if windows == "no"} == {100}


def test_links_between_the_pages_lead_somewhere() -> None:
    made = docs.pages()
    for name, text in made.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            reached = str(Path(name).parent / target)
            assert reached in made or (docs.REFERENCE / reached).exists(), f"{name} -> {target}"


def test_tables_keep_their_columns_in_every_row() -> None:
    for name, text in docs.pages().items():
        for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
            widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(widths) == 1, f"{name}: {table.splitlines()[0]}"


def test_the_pages_lie_where_the_project_keeps_them() -> None:
    assert docs.REFERENCE == ROOT / "docs" / "reference"


def test_what_markdown_would_take_for_html_is_escaped() -> None:
    text = re.sub(r"```.*?```|`[^`]*`|<!--.*?-->", "", docs.pages()["problems.md"], flags=re.S)
    assert "<" not in text
    assert re.search(r"&(?!amp;|lt;)", text) is None
    assert "written '&amp;amp;'" in text
