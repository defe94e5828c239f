"""Gathers what is known of the running service into a status."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pysmon.pipeline.canary import Sight
from pysmon.pipeline.fanout import Fanout
from pysmon.pipeline.live import Session
from pysmon.release import VERSION
from pysmon.service.gauges import Gauges
from pysmon.service.in_use import Configurations
from pysmon.service.outputs import event_log
from pysmon.service.remembered import Remembered
from pysmon.service.status import CanaryState, HookState, Lack, LogState, Reconciliation, Status
from pysmon.sinks.sink import Sink
from pysmon.store.failure import StoreError
from pysmon.store.store import Store


class Reporter:
    """Notes what happens in the main thread, and tells it to whoever asks."""

    def __init__(self, session: Session, fanout: Fanout, configurations: Configurations, sinks: Sequence[Sink]) -> None:
        """Begin to follow them."""
        self._session, self._fanout, self._configurations, self._sinks = session, fanout, configurations, sinks
        self._began, self._started = time.monotonic_ns(), time.time_ns()
        self._gauges = Gauges(self._began)
        self.remembered = Remembered()
        self._canary: tuple[Sight, CanaryState] | None = None
        self._log_told = False
        self._damaged: Path | None = None  # that was told of
        self.reconciliation: Reconciliation | None = None

    def note(self) -> None:
        """Look at the counts; once a second."""
        now, wall = time.monotonic_ns(), time.time_ns()
        self._gauges.note(self._session.books, now, wall)
        sight = self._session.sight
        if sight and (self._canary is None or self._canary[0] is not sight):
            state = CanaryState(wall, sight.ended, tuple(sorted(sight.seen)), tuple(sorted(sight.blind)))
            self._canary = (sight, state)

    def log_reports(self) -> Iterator[tuple[str, str]]:
        """What the event log says of itself and of its last writer, once: ID and description of events 255."""
        log = event_log(self._sinks)
        if log is None or not log.is_open:
            return
        if log.damaged and log.damaged != self._damaged:
            self._damaged = log.damaged
            yield "STORE", f"the event log was damaged; it lies in {log.damaged}, and a new one was begun"
        if log.gap and not self._log_told:
            gap = log.gap
            after = f"after the entry with EventRecordID {gap.record_id}"
            yield "STORE", f"the event log was not closed in good order: entries {after} may be missing"
        self._log_told = True

    def line(self) -> str:
        """For the service manager."""
        return f"watching {self._words()}; configuration {self._configurations.now.name}"

    def status(self) -> Status:
        """Everything, as of now."""
        session, now, wall = self._session, time.monotonic_ns(), time.time_ns()
        wanted = session.policy.families | {"process", "fork", "guard"}
        return Status(
            taken=wall,
            version=VERSION,
            pid=os.getpid(),
            started=self._started,
            uptime=now - self._began,
            memory=_resident(),
            cpu_seconds=time.process_time(),
            scope=self._words(),
            configuration=self._configurations.now.state,
            hooks=tuple(HookState.of(s, wanted=s.ability.family in wanted) for s in session.sensor.services),
            families=self._gauges.families(session.books, now),
            outputs=self._fanout.states(),
            log=self._log_state(),
            canary=self._canary[1] if self._canary else None,
            reconciliation=self.reconciliation,
            lacks=tuple(Lack(x.events, x.names, x.here == "partly", x.reason, x.remedy) for x in session.lacks),
            findings=self.remembered.findings,
        )

    def _words(self) -> str:
        kind = self._session.scope.kind
        return {"machine": "this machine", "tree": "a process and what it starts"}.get(kind, f"a {kind}")

    def _log_state(self) -> LogState | None:
        log = event_log(self._sinks)
        if log is None:
            return None
        path = Path(log.name)
        files = [path, path.with_name(f"{path.name}-wal")]
        size = sum(file.stat().st_size for file in files if file.exists())
        try:
            with Store(path) as store:
                return LogState(str(path), size, log.limits.total, tuple(store.holdings()))
        except StoreError:
            return LogState(str(path), size, log.limits.total, ())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
