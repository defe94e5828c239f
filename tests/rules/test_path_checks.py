"""A path is judged by its folder and its name apart: the outcome is that of comparing it as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, element, event, filter_, rule, ruleset

from pysmon.config.model import Condition, Filter
from pysmon.rules import path_checks
from pysmon.rules.comparisons import sorted_checks
from pysmon.rules.conditions import holds
from pysmon.rules.path_checks import PathChecks
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.tree import Check

CONDITIONS = st.sampled_from([condition.value for condition in Condition])
PIECES = ["a", "A", "b", "ab", "/", "\\", "/a", "a/", "/a/", "\\a\\", ".", "É", ";", "\U0001f600", "-"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
FILTERS = st.builds(lambda condition, value: filter_("TargetFilename", condition, value), CONDITIONS, TEXTS)
SPLITS = st.sampled_from(["\\/", "\\", "/\\", "/"])


def path_checks_of(filters: list[Filter], splits_on: str = "\\/") -> PathChecks:
    checks = [Check(each, each.field, 1 << n, None, False, False) for n, each in enumerate(filters)]
    return PathChecks(sorted_checks(checks, splits_on), splits_on)


@given(st.lists(FILTERS, max_size=8), st.lists(TEXTS, min_size=1, max_size=6), SPLITS)
@settings(deadline=None, max_examples=500)
def test_each_check_holds_for_a_path_as_it_does_for_any_text(
    filters: list[Filter], paths: list[str], splits_on: str
) -> None:
    made = path_checks_of(filters, splits_on)
    for path in [*paths, *paths]:  # the second time in a folder that is known
        expected = sum(1 << n for n, each in enumerate(filters) if holds(each.condition, each.value, path, splits_on))
        assert made.hits(path) == expected


def verdict(condition: str, value: str, path: str) -> bool:
    rules = ruleset(element("include", filter_("TargetFilename", condition, value), event_id=11))
    rules.decide(event(11, TargetFilename=path.rpartition("/")[0] + "/other"))  # so that the folder is known
    return rules.decide(event(11, TargetFilename=path)).keep


@pytest.mark.parametrize(
    ("condition", "value", "holding", "missing"),
    [
        ("begin with", "/etc/cron", "/etc/crontab", "/etc/cro"),
        ("begin with", "/etc/", "/etc/x", "/Etcetera"),
        ("end with", "/.ssh/keys", "/home/u/.ssh/KEYS", "/home/u/ssh/keys"),
        ("end with", "eys", "/home/keys", "/eys/k"),
        ("contains", "/.bash", "/home/.bashrc", "/home/a.bashrc"),
        ("contains", "d/.ssh/i", "/old/.ssh/id", "/old/.ssh/key"),
        ("contains", "/", "/x", "x"),
        ("contains", ".ssh/", "/.ssh/x", "/.ssh"),
        ("is", "/etc/passwd", "/etc/passwd", "/x/etc/passwd"),
        ("is", "passwd", "PASSWD", "/passwd"),
        ("image", "bash", "/bin/bash", "/bin/rbash"),
        ("image", "/bin/bash", "/bin/BASH", "/usr/bin/bash"),
        ("contains", "c:\\a\\b", "C:\\A\\bc", "C:\\a/b"),
        ("end with", "a\\b", "x/a\\b", "x\\a/b"),
        ("contains all", "/a;b/;/c", "/ab/c", "/ab/d"),
        ("more than", "/b", "/c/a", "/a/c"),
    ],
)
def test_what_reaches_from_the_folder_into_the_name_is_found(
    condition: str, value: str, holding: str, missing: str
) -> None:
    assert verdict(condition, value, holding)
    assert not verdict(condition, value, missing)


@pytest.mark.parametrize("paths", [("C:\\a\\x", "C:\\a\\/x"), ("x", "/x"), ("\\x", "/x"), ("/a\\x", "/a/x")])
def test_folders_that_are_written_alike_but_for_what_ends_them_are_told_apart(paths: tuple[str, str]) -> None:
    for one, other in (paths, paths[::-1]):
        made = path_checks_of([filter_("TargetFilename", "is", one)])
        assert [made.hits(path) for path in (one, other, one)] == [1, 0, 1]


def test_a_rule_that_asks_for_folder_and_name_gets_both() -> None:
    both = rule(AND, filter_("TargetFilename", "begin with", "/etc/"), filter_("TargetFilename", "end with", ".so"))
    rules = ruleset(element("include", both, event_id=11))
    kept = [rules.decide(event(11, TargetFilename=path)).keep for path in ("/etc/a.so", "/etc/a", "/a.so", "/etc/b.so")]
    assert kept == [True, False, False, True]


def test_folders_are_forgotten_rather_than_grow_without_end() -> None:
    made = path_checks_of([filter_("TargetFilename", "begin with", "/d7/x")])
    for n in range(path_checks._FOLDERS + 10):
        assert made.hits(f"/d{n}/x") == (n == 7)
        assert sum(map(len, made._folders.values())) <= path_checks._FOLDERS
    assert made.hits("/d7/x") == 1
    assert made.hits(f"/{'d' * path_checks._LONGEST}/x") == 0
    assert all(len(folder) <= path_checks._LONGEST for known in made._folders.values() for folder in known)


def test_a_name_is_looked_at_alike_in_folders_that_no_rule_tells_apart() -> None:
    made = path_checks_of([filter_("TargetFilename", "contains", "/.ssh/k")])
    for folder in ("/a", "/b", "/c/.ssh", "/d/.ssh"):
        made.hits(f"{folder}/k")
    assert len(made._leaves) == 2


def test_both_kinds_of_event_judge_a_path_by_their_own_rules() -> None:
    includes = [
        element("include", filter_("TargetFilename", "end with", end), event_id=n) for n, end in ((11, "c"), (26, "d"))
    ]
    rules: Ruleset = ruleset(*includes)
    kept = {
        (n, path) for n in (11, 26) for path in ("/x/c", "/x/d") if rules.decide(event(n, TargetFilename=path)).keep
    }
    assert kept == {(11, "/x/c"), (26, "/x/d")}
