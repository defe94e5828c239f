"""Comments that silence findings."""

from __future__ import annotations

import pytest

from pysmon.lint.check import include
from pysmon.lint.judge import judge
from pysmon.lint.silence import silenced

BAD = "<Initiated>yes</Initiated>"


def told(body: str) -> tuple[list[str], int]:
    found = judge(include("NetworkConnect", body).encode(), "example.xml")
    return [problem.code for problem in found.problems], found.silenced


@pytest.mark.parametrize(
    "body",
    [
        f"{BAD} <!-- pysmon: ignore L105 -->",
        f"<!-- pysmon: ignore L105 -->\n{BAD}",
        f"<!-- pysmon: ignore L105 -->\n<!-- pysmon: ignore L101 -->\n\n{BAD}",
        f"<!--pysmon: ignore L301, L105-->\n{BAD}",
        f"<!-- pysmon: ignore L1 -->\n{BAD}",
    ],
)
def test_a_comment_silences_its_line_or_the_next(body: str) -> None:
    assert told(body) == ([], 1)


@pytest.mark.parametrize(
    "body",
    [
        f"<!-- pysmon: ignore L104 -->\n{BAD}",
        f"<Image>-</Image> <!-- pysmon: ignore L105 -->\n{BAD}",
        f"{BAD}\n<!-- pysmon: ignore L105 -->",
        f"<!-- pysmon: ignore -->\n{BAD}",
        f"<!-- ignore L105 -->\n{BAD}",
    ],
)
def test_any_other_comment_does_not(body: str) -> None:
    assert told(body) == (["L105"], 0)


def test_only_lines_with_codes_are_known() -> None:
    assert dict(silenced("a\n<!-- pysmon: ignore L105 L2 -->\nb\nc")) == {3: frozenset({"L105", "L2"})}
