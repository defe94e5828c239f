"""What sees before the rest of the program is there: importing that takes longer than to begin with processes.

What the kernel tells meanwhile waits in its ring. So this file, and what it imports, knows nothing of rules and events.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from pysmon.pipeline.snapshot import with_images
from pysmon.sensor.filewatch.start import begin_files
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.kernel_types import KernelTypes
from pysmon.sensor.libbpf import give_back_memory
from pysmon.sensor.loader import OBJECT
from pysmon.sensor.scope import Scope

_MOMENT = 0.1  # s


class Early:
    """Sees the lives of processes, and is ready for files. A session goes on from there, and then closes it, too."""

    def __init__(
        self,
        scope: Scope | None = None,
        mounts: Iterable[Path] | None = None,
        types: Path | None = None,
    ) -> None:
        """Watch `scope` (the machine, if it is None), and let files of `mounts` be watched, as `begin_files` means it.

        `types`: where the types that programs name may be kept. Begins no thread, and keeps all rights. SensorError if
        the kernel's sensor cannot be used.
        """
        self.scope = scope or Scope.machine()
        self._types = KernelTypes(types, OBJECT) if types else None
        with ExitStack() as undo:
            self.files = begin_files(mounts, whole=self.scope.kind == "machine")  # forks: while this process is small
            undo.callback(self.files.close)
            part = self._types.open() if self._types else None
            self._part = undo.enter_context(os.fdopen(part, "rb")) if part is not None else None
            self.sensor = Sensor(by_stages=True, types=f"/proc/self/fd/{part}" if part is not None else "")
            undo.callback(self.sensor.close)
            self.sensor.watch(self.scope)
            self.since = time.time_ns()
            # Who ends now, or runs another program, is in no snapshot that is taken later.
            ours = {kernels: own for own, kernels in self.sensor.numbers().items()}
            self.tasks = tuple(with_images(self.sensor.snapshot(), lambda number: ours.get(number, number)))
            undo.pop_all()

    def keep_types(self) -> str:
        """Keep the types that programs name for the next start, unless this one had them; "" or why it cannot be done.

        Takes a while, and memory: as much as to load programs, for whose end it waits.
        """
        if self._types is None or self._part is not None:
            return ""
        while self.sensor.loading is not None:
            time.sleep(_MOMENT)
        told = self._types.make()
        give_back_memory()
        return told

    def close(self) -> None:
        """Let go of all. A second call does nothing."""
        self.sensor.close()
        self.files.close()
        if self._part is not None:
            self._part.close()
