"""The resident service: runs the sensor into the outputs from start to stop, keeps watch over itself, and answers."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, closing

from pysmon.assemble.service import reconciliation
from pysmon.config.problems import Problem
from pysmon.errors import MisuseError, PysmonError, SinkError
from pysmon.host.archive import Archive
from pysmon.pipeline.early import Early
from pysmon.pipeline.fanout import Fanout, LaneLimits
from pysmon.pipeline.live import Session
from pysmon.release import VERSION
from pysmon.schema.versions import newest
from pysmon.sensor.capabilities import drop_capabilities, needed_once_attached
from pysmon.sensor.last_words import LastWords
from pysmon.service import keepsake
from pysmon.service.control import ControlServer
from pysmon.service.guard import Watched, places_of, secure
from pysmon.service.in_use import CONFIG, Configurations
from pysmon.service.notify import Notifier
from pysmon.service.numbering import Numbering
from pysmon.service.outputs import last_number, open_outputs
from pysmon.service.paths import Paths
from pysmon.service.report import Reporter
from pysmon.service.settings import Settings
from pysmon.service.status import Reconciliation, Status
from pysmon.service.wire import ConfigurationInUse
from pysmon.signalled import SignalledEvent
from pysmon.sinks.follow import FollowSink
from pysmon.sinks.sink import Sink

_SECOND = 1.0
_REST = 5.0  # s between two looks at itself while nothing happens
_LOADING = 30  # s that a step of the start may take on a machine that is busy with its boot
_RECONCILE = 3600.0  # s between two comparisons of the books in the log
_DELIVER = 10.0  # s for the outputs at the end; what is left waits on the disk for the next run


class Daemon:
    """One run of the service. `run` is the main thread's; the control socket's thread calls the other methods."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        early: Early,
        *,
        notifier: Notifier | None = None,
        keep_rights: bool = False,
        reconcile_every: float = _RECONCILE,
    ) -> None:
        """Go on from what sees `early`, and open the outputs. `keep_rights`: within another program, whose capabilities
        are not ours to drop. PysmonError and OSError tell what is in the way.
        """
        self._paths, self._settings = paths, settings
        self._notifier = notifier or Notifier()
        self._reconcile_every = reconcile_every
        self._seen, self._early = early, deque(secure(paths))
        self._reload, self._done = SignalledEvent(), ExitStack()
        self._configurations = Configurations(paths, self._report)
        self._notifier.starting(_LOADING)
        last = keepsake.take()
        self.session = Session(
            self._configurations.now.policy,
            canary=paths.runtime,
            guarded=True,
            last_words=LastWords(last) if last is not None else None,
            archive=self._archive(),
            early=early,
        )
        with ExitStack() as undo:
            undo.callback(self.session.close)
            keepsake.give(self.session.sensor.last_words.fd)
            if last is not None:
                undo.callback(os.close, last)
            if not keep_rights:
                loading = self.session.starting.loading if self.session.starting else None
                drop_capabilities(needed_once_attached(), later=loading)
            self._notifier.starting(_LOADING)
            # Threads begin from here on: before, they would have kept the rights.
            self._watched = Watched(places_of(paths))
            sinks = open_outputs(settings, self._watched.changing)
            self._fanout = self._fanned(sinks)
            self._followers = [sink for sink in sinks if isinstance(sink, FollowSink)]
            undo.callback(self._fanout.close, 0.0)
            self._numbering = Numbering(paths.numbers)
            self.session.journal.go_on_after(
                self._numbering.begin(last_number(settings, sinks), self._fanout.last_record_id)
            )
            self._reporter = Reporter(self.session, self._fanout, self._configurations, sinks)
            with self._watched.changing(paths.control):
                self._control = ControlServer(paths.control, self)
            undo.pop_all()
        self._closing = last
        self.session.rest.longest = min(_REST, self._notifier.every or _REST)

    def _archive(self) -> Archive | None:
        """Where copies of removed files go, unless nobody wants them or there is no room."""
        quota = self._settings.files.archive
        try:
            return Archive(self._paths.archive, quota) if quota else None
        except MisuseError as error:
            self._report("ARCHIVE", f"{error}: what is removed is not copied until the service starts again")
            return None

    def _fanned(self, sinks: Sequence[Sink]) -> Fanout:
        """To all of them, by way of the disk if that can be used: one that is read-only must not make us blind."""
        queue = self._settings.queue
        limits = LaneLimits(queue.entries, queue.bytes, queue.spill)
        lanes = [(sink, limits) for sink in sinks]
        try:
            return Fanout(lanes, self._paths.spill)
        except SinkError as error:
            self._report("SPILL", f"{error}: what memory has no room for will be lost until the service starts again")
            return Fanout(lanes, None)

    def run(self, stop: threading.Event) -> list[str]:
        """Watch until `stop` is set; everything is closed then. What came too late for the log is given back."""
        with closing(self._seen), closing(self._control), ExitStack() as stack:
            stack.callback(self._fanout.close, _DELIVER)
            if self._closing is not None:
                stack.callback(os.close, self._closing)
            threading.Thread(target=self._wake_by, args=(stop,), name="pysmon stop", daemon=True).start()
            self._loop(stop)
            self._numbering.end(self.session.journal.last)
            self._notifier.stopping()
        return [words for _, words in (*self._early, *self._fanout.reports())]

    def _loop(self, stop: threading.Event) -> None:
        due, reconcile, ready = 0.0, time.monotonic() + self._reconcile_every, False
        patience = time.monotonic() + _LOADING / 2
        for batch in self.session.batches(stop):
            self._fanout.put(batch)
            self._reporter.remembered.note(batch)
            now = time.monotonic()
            if not (ready or self.session.starting):
                ready = True  # who asks may rely on it that the sensor watches all that it is to
                self._control.start()
                self._notifier.ready(self._reporter.line())
                threading.Thread(target=self._keep_types, name="pysmon types", daemon=True).start()
            self._notifier.alive(now)
            if not ready and now >= patience:
                patience = now + _LOADING / 2
                self._notifier.starting(_LOADING)
            if now >= due:
                due = now + _SECOND
                self._each_second()
            if now >= reconcile and self._reconcile():
                reconcile = now + self._reconcile_every

    def _wake_by(self, stop: threading.Event) -> None:
        """Nobody else tells who sleeps that it is set."""
        stop.wait()
        self.session.wake()

    def _keep_types(self) -> None:
        """In a thread of its own: it is for the next start, which is shorter by it."""
        with self._watched.changing(self._paths.types):
            self._seen.keep_types()

    def reload(self) -> None:
        """Use what is stored now, and open outputs anew; from a signal handler."""
        self._reload.set()
        self.session.wake()

    def status(self) -> Status:
        """How the service is."""
        return self._reporter.status()

    def configuration(self) -> ConfigurationInUse:
        """What it judges by."""
        return self._configurations.in_use()

    def reconfigure(self, data: bytes, name: str) -> tuple[Problem, ...]:
        """Use this configuration from now on, unless it has errors."""
        return self._configurations.reconfigure(data, name, self.session.reconfigure, self._watched.changing)

    def reset(self) -> None:
        """Go back to the defaults."""
        self._configurations.reset(self.session.reconfigure, self._watched.changing)

    def reopen(self) -> None:
        """Open files of outputs anew."""
        self._fanout.reopen()

    def refused(self, uid: int, pid: int) -> None:
        """Somebody without the right asked at the control socket."""
        self._report("TAMPER", f"process {pid} of user id {uid} was turned away from the control socket")
        self.session.wake()

    def _report(self, error: str, description: str) -> None:
        """Event 255; before there is a session it waits."""
        self._early.append((error, description))

    def _each_second(self) -> None:
        for told in (*self._fanout.reports(), *self._watched.look(), *self._reporter.log_reports()):
            self._early.append(told)
        while self._early:
            self.session.report(*self._early.popleft())
        self._numbering.keep_ahead(self.session.journal.last)
        self._reporter.note()
        self.session.patient = not any(sink.followed for sink in self._followers)
        if self._reload.is_set():
            self._reload.clear()
            self._start_reload()

    def _start_reload(self) -> None:
        """In a thread of its own: compiling takes time, and events come meanwhile."""
        try:
            threading.Thread(target=self._do_reload, name="pysmon reload", daemon=True).start()
        except RuntimeError:  # the machine has no room for a thread now
            self._reload.set()

    def _do_reload(self) -> None:
        self._fanout.reopen()
        try:
            self._configurations.reload(self.session.reconfigure)
        except PysmonError as error:
            self._report(CONFIG, str(error))
            self.session.wake()

    def _reconcile(self) -> bool:
        """Compare the books and put them into the log; False if that has to wait, since the sensor is behind."""
        if self.session.sensor.behind:
            return False
        wall, wrong = time.time_ns(), self.session.unbalanced
        books = "; ".join(f"{name}: {count}" for name, count in self.session.books.families.items())
        self._reporter.reconciliation = Reconciliation(wall, not wrong, books)
        if wrong:
            self._report("RECONCILIATION", f"the books of {', '.join(wrong)} do not add up: {books}")
        else:
            self.session.put(reconciliation(wall, books, VERSION, newest("linux").version))
        return True
