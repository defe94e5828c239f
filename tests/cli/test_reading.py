"""What of a log is wanted, and how a log is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.formats.entries import create

from pysmon.cli.reading import Row, Selection
from pysmon.store.query import Query


@dataclass
class LongFile:
    """A log that can only be read from its beginning; it keeps what it was asked."""

    is_current: bool = True
    asked: list[Query] = field(default_factory=list)

    def rows(self, query: Query) -> Iterator[Row]:
        self.asked.append(query)
        for number in range(1, 1001):
            yield number, create(CommandLine=f"run {number}", Image="/bin/a" if number % 2 else "/bin/b")

    def close(self) -> None:
        return


def test_the_last_of_a_file_are_found_without_holding_all_of_it() -> None:
    log = LongFile()
    wanted = Selection(where=["CommandLine contains any run", "Image image a"]).wanted()
    assert wanted.rest  # a file cannot look for it by itself
    assert [number for number, _ in wanted.of(log, 3)] == [995, 997, 999]
    assert [query.order for query in log.asked] == ["oldest first"]  # backwards it would hold all of them
