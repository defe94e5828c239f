"""What sees before the rest of the program is there: importing that takes longer than to begin with processes.

What the kernel tells meanwhile waits in its ring. So this file, and what it imports, knows nothing of rules and events.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from pysmon.pipeline.snapshot import with_images
from pysmon.sensor.filewatch.start import begin_files
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.scope import Scope


class Early:
    """Sees the lives of processes, and is ready for files. A session goes on from there, and then closes it, too."""

    def __init__(self, scope: Scope | None = None, mounts: Iterable[Path] | None = None) -> None:
        """Watch `scope` (the machine, if it is None), and let files of `mounts` be watched, as `begin_files` means it.

        Begins no thread, and keeps all rights. SensorError if the kernel's sensor cannot be used.
        """
        self.scope = scope or Scope.machine()
        with ExitStack() as undo:
            self.files = begin_files(mounts, whole=self.scope.kind == "machine")  # forks: while this process is small
            undo.callback(self.files.close)
            self.sensor = Sensor(by_stages=True)
            undo.callback(self.sensor.close)
            self.sensor.watch(self.scope)
            self.since = time.time_ns()
            # Who ends now, or runs another program, is in no snapshot that is taken later.
            ours = {kernels: own for own, kernels in self.sensor.numbers().items()}
            self.tasks = tuple(with_images(self.sensor.snapshot(), lambda number: ours.get(number, number)))
            undo.pop_all()

    def close(self) -> None:
        """Let go of all. A second call does nothing."""
        self.sensor.close()
        self.files.close()
