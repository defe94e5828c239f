"""Whether files are watched at all, which is settled before anything is known of the rules, and why they are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pysmon.errors import SensorError
from pysmon.sensor.filewatch.watch import FileWatch


@dataclass(frozen=True, slots=True)
class FilesBegun:
    """A file watch that may be told what to watch, or why there is none."""

    watch: FileWatch | None = None
    refused: str = ""  # why fanotify cannot be used; empty: that is not so
    unwatched: str = ""  # why nobody tried; empty: that is not so
    everywhere: bool = False  # it is for all local file systems

    def close(self) -> None:
        """End it. A second call does nothing."""
        if self.watch:
            self.watch.close()


def begin_files(mounts: Iterable[Path] | None, *, whole: bool, needed: bool = True) -> FilesBegun:
    """Start it if it is `needed`; before this process has threads, and gives up rights.

    `mounts`: the file systems of these paths; None: all local ones. `whole`: the whole machine is watched. Where it is
    not, nothing is watched unless `mounts` are named, since fanotify knows no other limit.
    """
    everywhere = mounts is None
    if everywhere and not whole:
        return FilesBegun(unwatched="only a part of the machine is watched, and no file systems were named")
    if not needed:
        return FilesBegun(everywhere=everywhere)
    try:
        return FilesBegun(FileWatch(mounts), everywhere=everywhere)
    except (SensorError, OSError) as error:
        return FilesBegun(refused=str(error), everywhere=everywhere)
