"""Files of tests with what nobody means: each is a mistake that is told, or is read as what it can be."""

from __future__ import annotations

from pathlib import Path

from pysmon.workbench.cases import Case, cases_of


def read(path: Path, text: str) -> tuple[tuple[Case, ...], list[str]]:
    cases, mistakes = cases_of(text.encode(), path.name, path.parent)
    return cases, [mistake.message for mistake in mistakes]


def test_a_log_with_a_nul_in_its_name_is_a_mistake(tmp_path: Path) -> None:
    cases, mistakes = read(tmp_path / "a.yaml", 'tests:\n  - log: "a\\0b"\n    expect: keep\n')
    assert (cases, mistakes) == ((), ["log is 'a\\x00b' (expected the name of a file)"])


def test_a_test_whose_name_is_empty_is_named_after_its_event(tmp_path: Path) -> None:
    cases, mistakes = read(
        tmp_path / "a.yaml", "tests:\n  - name: # nothing\n    event: {EventID: 5}\n    expect: keep\n"
    )
    assert ([case.name for case in cases], mistakes) == (["test 1: ProcessTerminate"], [])


def test_a_record_of_more_digits_than_any_has_is_a_mistake(tmp_path: Path) -> None:
    text = f"tests:\n  - log: a.evtx\n    record: {'9' * 21}\n    expect: keep\n"
    cases, mistakes = read(tmp_path / "a.yaml", text)
    assert cases == ()
    assert mistakes[0].startswith("record is '999")
