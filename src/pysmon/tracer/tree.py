"""The tracer: it follows a process and all that it starts from stop to stop, and tells what they did."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from pysmon.layout.record import Record
from pysmon.tracer.calls import Call, foreign
from pysmon.tracer.deeds import Begun, begin, records
from pysmon.tracer.names import Names
from pysmon.tracer.processes import Traced, child_of, ended, executed, forked, process
from pysmon.tracer.ptrace import (
    CLONE,
    CONT,
    EXEC,
    FORK,
    INTERRUPT,
    LISTEN,
    OPTIONS,
    SECCOMP,
    SEIZE,
    STOP,
    SYSCALL,
    VFORK,
    Ptrace,
    Stop,
)

_WALL = 0x40000000  # linux/wait.h: threads, too
_CALL = signal.SIGTRAP | 0x80  # a stop at a system call
_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Tree:
    """Traces from one process on. All calls must be made by the thread that made it."""

    def __init__(
        self, calls: dict[int, Call], tell: Callable[[Record], None], unseen: Callable[[str], None] = lambda _: None
    ) -> None:
        """`tell` is given each record; it may wait, and what is traced waits with it. `unseen` is told, once for each
        kind of programs, that more of them is not seen than that they run.
        """
        self._unseen, self._odd = unseen, set[str]()
        self._calls, self._tell, self._ptrace = calls, tell, Ptrace()
        self._names = Names()
        self._processes: dict[int, Traced] = {}
        self._threads: dict[int, int] = {}  # process ids by thread ids
        self._begun: dict[int, Begun] = {}  # by thread
        self._early: set[int] = set()  # threads that stopped before it was told who made them
        self.root_status: int | None = None  # of the first process, as wait(2) gives it, once it has ended
        self._root = 0

    def seize(self, pid: int) -> None:
        """Trace this process, a child, from now on; OSError if that is not allowed."""
        self._ptrace.ask(SEIZE, pid, 0, OPTIONS)
        found = process(pid)
        if found is None:
            raise ProcessLookupError(pid)
        self._root = pid
        self._processes[pid] = found
        self._threads[pid] = pid

    def run(self, ended_now: Callable[[int], None]) -> None:
        """Follow until all of them have ended; `ended_now` is given the status of the first when that has."""
        while True:
            try:
                tid, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                return
            except InterruptedError:
                continue
            if os.WIFSTOPPED(status):
                with suppress(ProcessLookupError):  # killed while it was stopped: its end will be told
                    self._stopped(tid, status >> 8 & 0xFF, status >> 16)
            else:
                self._gone(tid, status)
                if tid == self._root and self.root_status is None:
                    self.root_status = status
                    ended_now(status)

    def _stopped(self, tid: int, sent: int, event: int) -> None:
        request, deliver = CONT, 0
        if tid not in self._threads:
            self._early.add(tid)  # it goes on when we hear from its maker
            return
        if event in (FORK, VFORK, CLONE):
            self._made(tid, self._ptrace.message(tid))
        elif event == EXEC:
            self._executed(tid, self._ptrace.message(tid))
        elif event == SECCOMP:
            request = SYSCALL if self._began(tid, self._ptrace.stop(tid)) else CONT
        elif event == STOP:
            request = LISTEN if sent in _STOPPING else CONT
        elif sent == _CALL:
            stop = self._ptrace.stop(tid)
            if stop.result is None:
                self._began(tid, stop)
            else:
                self._finished(tid, stop.result)
        else:
            deliver = sent
        if request == CONT and self._asks(tid):
            request = SYSCALL
        self._ptrace.ask(request, tid, 0, deliver)

    def _asks(self, tid: int) -> bool:
        """Is the process of this thread to be stopped at all of its calls?"""
        who = self._processes.get(self._threads[tid])
        return who is not None and who.asks

    def _made(self, by: int, tid: int) -> None:
        parent = self._processes[self._threads[by]]
        tgid = _tgid(tid)
        self._threads[tid] = tgid or tid
        if tgid == tid and (child := child_of(parent, tid)):
            self._processes[tid] = child
            self._tell(forked(child, parent))
        elif tgid and tgid not in self._processes:
            self._threads[tid] = self._threads[by]
        if tid in self._early:
            self._early.discard(tid)
            with suppress(ProcessLookupError):
                self._ptrace.ask(SYSCALL if parent.asks else CONT, tid)

    def _executed(self, tgid: int, former: int) -> None:
        """All other threads are gone, and the one that did it has the number of the process now."""
        for tid in [t for t, of in self._threads.items() if of == tgid and t != tgid]:
            self._forget(tid)
        self._begun.pop(former, None)
        self._begun.pop(tgid, None)
        running = self._processes.get(tgid)
        if running is None:
            return
        running.exec_id += 1
        running.asks = running.asks and self._names.held(tgid)
        record = executed(running, self._parent(running))
        if record:
            self._tell(record)
        odd = foreign(f"/proc/{tgid}/exe")
        if odd and odd not in self._odd:
            self._odd.add(odd)
            self._unseen(f"{odd}, such as process {tgid}, run unseen: what they do with files and sockets is not told")

    def _parent(self, of: Traced) -> Traced | None:
        """The process that is its parent now."""
        number = _parent_of(of.tgid)
        return self._processes.get(number) or (process(number) if number else None)

    def _began(self, tid: int, stop: Stop) -> bool:
        call = self._calls.get(stop.number)
        if call is None:
            return False
        self._begun[tid] = begin(call, stop.arguments, tid, self._ptrace)
        return True

    def _finished(self, tid: int, result: int) -> None:
        begun = self._begun.pop(tid, None)
        who = self._processes.get(self._threads[tid])
        if begun is None or who is None:
            return
        for record in records(begun, result, who, tid, self._ptrace):
            self._tell(record)
        asked = who.asks
        for record in self._names.records(begun, result, who, tid, self._ptrace):
            self._tell(record)
        if who.asks and not asked:
            self._look_at_others(tid)

    def _look_at_others(self, tid: int) -> None:
        """The other threads of the process may use the same socket: stop them once, and they go on as this one does."""
        for other in [t for t, of in self._threads.items() if of == self._threads[tid] and t != tid]:
            with suppress(OSError):  # it has gone
                self._ptrace.ask(INTERRUPT, other)

    def _gone(self, tid: int, status: int) -> None:
        self._forget(tid)
        gone = self._processes.pop(tid, None)
        if gone is not None:
            self._tell(ended(gone, status))

    def _forget(self, tid: int) -> None:
        self._threads.pop(tid, None)
        self._begun.pop(tid, None)
        self._early.discard(tid)


def _tgid(tid: int) -> int:
    return _field(tid, "Tgid:")


def _parent_of(tgid: int) -> int:
    return _field(tgid, "PPid:")


def _field(tid: int, name: str) -> int:
    """A number of /proc/TID/status; 0 if the thread has gone."""
    try:
        with open(f"/proc/{tid}/status", encoding="utf-8", errors="replace") as status:
            return next((int(line.split()[1]) for line in status if line.startswith(name)), 0)
    except OSError:
        return 0
