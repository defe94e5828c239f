"""Sizes and spans of time as people write them."""

from __future__ import annotations

import pytest

from pysmon.formats.quantity import size_of, span_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("17", 17), ("1K", 1024), ("2m", 2 << 20), ("3GiB", 3 << 30), ("1TB", 1 << 40), ("5b", 5)],
)
def test_a_size_is_in_bytes(text: str, expected: int) -> None:
    assert size_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("90", 90), ("90s", 90), ("2m", 120), ("3h", 10800), ("2d", 172800), ("1w", 604800)],
)
def test_a_span_is_in_seconds(text: str, expected: int) -> None:
    assert span_of(text) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "1 G", "1X", "12MM"])
def test_what_is_no_size_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no size \\(expected for example 500K"):
        size_of(text)


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5h", "1y", "1h30m"])
def test_what_is_no_span_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no span of time \\(expected for example 90s"):
        span_of(text)
