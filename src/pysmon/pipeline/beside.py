"""What a run is told by others than the kernel's rings: processes of our own that watch files and clipboards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pysmon.assemble.clipboard import Clips
from pysmon.assemble.content import Contents
from pysmon.config.model import Configuration, Options
from pysmon.host.archive import Archive
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.texts import Texts
from pysmon.pipeline.clipboard import Clipboards
from pysmon.pipeline.files import Files
from pysmon.pipeline.flow import Flow
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.sensor.filewatch.start import FilesBegun
from pysmon.sensor.kernel import Count
from pysmon.sensor.tape import TapeWriter


class Beside:
    """Both of them, as one: with the same methods, of which each does what theirs do."""

    def __init__(
        self,
        configuration: Configuration | None,
        ruleset: Ruleset,
        archive: Archive | None,
        begun: FilesBegun,
        displays: Iterable[Path] | None,
        *,
        whole: bool,
    ) -> None:
        """Start what is asked for beside files, before this process has threads and gives up rights.

        `displays`: the sockets of those to be watched; None means all of them, if the `whole` machine is watched.
        """
        self._files = Files(begun, archive, whole=whole)
        self._clipboards = Clipboards(displays, configuration, ruleset, archive, whole=whole)

    def use(self, configuration: Configuration | None, ruleset: Ruleset) -> None:
        """Watch for what these rules ask."""
        self._files.use(ruleset)
        self._clipboards.use(configuration, ruleset)

    def absent(self, configuration: Configuration | None) -> tuple[str, str, str]:
        """Why fanotify cannot be used, why nobody tried, why no clipboard is read; each empty if it is not so."""
        return self._files.refused, self._files.unwatched, self._clipboards.unwatched(configuration)

    def contents(self, hashes: Hashes, ruleset: Ruleset, options: Options | None) -> Contents | None:
        """Who answers for the content of files."""
        return self._files.contents(hashes, ruleset, options)

    def clips(self, hashes: Hashes, ruleset: Ruleset) -> Clips | None:
        """Who answers for what was in a clipboard."""
        return self._clipboards.clips(hashes, ruleset)

    def texts(self, errands: Errands) -> Texts:
        """Who reads texts that no record holds."""
        return self._files.texts(errands)

    @property
    def filenos(self) -> tuple[int, int]:
        """What becomes readable when there are records; -1 stands for nothing."""
        return self._files.fileno, self._clipboards.fileno

    @property
    def due(self) -> bool:
        """Are there records that `take` gives the next time?"""
        return self._files.due or self._clipboards.due

    def take(
        self, flow: Flow, tape: TapeWriter | None, survive: Callable[[Exception, str], None], *, last: bool = False
    ) -> list[tuple[Event, int]]:
        """The events that the rules keep, with the times of their records."""
        return [
            *self._files.take(flow, tape, survive, last=last),
            *self._clipboards.take(flow, tape, survive, last=last),
        ]

    def look(self) -> Iterator[tuple[str, str]]:
        """Once a second; what went wrong, as ID and words of an event 255."""
        yield from (("FILES", trouble) for trouble in self._files.look())
        yield from (("CLIPBOARD", trouble) for trouble in self._clipboards.look())

    def counts(self) -> dict[str, Count]:
        """What came, and what was lost."""
        return self._files.counts() | self._clipboards.counts()

    def close(self) -> None:
        """End both."""
        self._files.close()
        self._clipboards.close()
