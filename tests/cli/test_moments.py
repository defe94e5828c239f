"""Points in time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pysmon.cli.moments import moment
from pysmon.errors import MisuseError

NOW = datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("now", "2026-11-21T08:15:30"),
        ("today", "2026-11-21T00:00:00"),
        ("Yesterday", "2026-11-20T00:00:00"),
        ("2h", "2026-11-21T06:15:30"),
        ("90 min ago", "2026-11-21T06:45:30"),
        ("30s", "2026-11-21T08:15:00"),
        ("1w", "2026-11-14T08:15:30"),
        ("07:30", "2026-11-21T07:30:00"),
        ("07:30:15.5", "2026-11-21T07:30:15.500000"),
        ("2026-11-20", "2026-11-20T00:00:00"),
        ("2026-11-20 09:00", "2026-11-20T09:00:00"),
        ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00"),
        ("2026-11-20T09:00:00+01:00", "2026-11-20T08:00:00"),
    ],
)
def test_a_time_means_what_people_mean(text: str, means: str) -> None:
    wanted = datetime.fromisoformat(f"{means}+00:00")
    assert moment(text, NOW) == round(wanted.timestamp() * 1000) * 1_000_000


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "99999999w", "-2h", "2 hours and more"])
def test_what_is_no_time_is_told_with_examples(text: str) -> None:
    with pytest.raises(MisuseError, match=r"is no time \(expected for example 2h, yesterday") as raised:
        moment(text, NOW)
    assert "UTC" in raised.value.hint
