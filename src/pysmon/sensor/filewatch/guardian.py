"""The process that has fanotify: it tells the sensor of files, and holds up who must not go on yet.

It never waits for the sensor: what is not settled in time is allowed, and if this process or the sensor ends, the
kernel allows everything. It opens nothing on the file systems it watches, since it would have to allow that itself.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from pysmon.sensor.filewatch.asked import Asked, program_in
from pysmon.sensor.filewatch.fanotify import (
    CLOSE_WRITE,
    OPEN_EXEC,
    OPEN_EXEC_PERMISSION,
    OPEN_PERMISSION,
    OVERFLOW,
    Group,
)
from pysmon.sensor.filewatch.opening import overwrites
from pysmon.sensor.filewatch.wire import (
    ALIVE,
    ALL,
    KEEP_FROM_OVERWRITING,
    KEEP_FROM_RUNNING,
    LOST,
    NAMED,
    OVERWRITE,
    PING,
    PROGRAMS,
    RUN,
    SETTLED,
    TOGETHER,
    TROUBLE,
    WATCH,
    WRITTEN,
    Message,
    receive,
    send,
)

PATIENCE = 2.0  # s that a process is held up at most
_REST = 2  # ms between two looks where nobody is held up: what comes meanwhile costs one waking
_MANY = 256  # events of one look after which the next follows at once
_UNSENT = 1024  # messages that may wait for the sensor; each holds a file open
_REFUSED = 4096  # programs that are kept in mind as not to be run
_PERMISSIONS = OPEN_PERMISSION | OPEN_EXEC_PERMISSION
_HOLD_UP = KEEP_FROM_RUNNING | KEEP_FROM_OVERWRITING
Key = tuple[int, int]  # device and inode


@dataclass(slots=True)
class _Question:
    """Something that the sensor has to settle: until then these processes wait, each by the file it opens."""

    key: Key
    until: float
    removes: bool  # a program that was written: it goes if it is refused
    waiting: list[int] = field(default_factory=list)


class Guardian:
    """Reads a group and talks over a channel until that ends."""

    def __init__(self, channel: socket.socket, group: Group, *, patience: float = PATIENCE) -> None:
        """`patience` (s) is how long a process may be held up."""
        channel.setblocking(False)
        self._channel, self._group, self._patience = channel, group, patience
        self._wanted = 0
        self._asked = Asked()
        self._marked: dict[str, int] = {}
        self._questions: dict[int, _Question] = {}  # by token
        self._unsettled: dict[Key, int] = {}  # programs that were written: the token of the question about them
        self._refused: dict[Key, None] = {}
        self._unsent: deque[Message] = deque()
        self._lost = self._late = self._tokens = 0
        self._exempt = {os.getpid(), os.getppid()}

    def serve(self) -> None:
        """Work until the sensor has gone."""
        sensor, both = select.poll(), select.poll()
        sensor.register(self._channel, select.POLLIN)
        both.register(self._group.fd, select.POLLIN)
        resting = False
        while True:
            poll = sensor if resting else both
            poll.register(self._channel, select.POLLIN | (select.POLLOUT if self._unsent else 0))
            ready = dict(poll.poll(_REST if resting else self._time_left()))
            resting = self._group.fd in ready and self._look() < _MANY and not self._wanted & _HOLD_UP
            if self._unsent or self._lost:
                self._send_more()
            if self._questions:
                self._give_up()
            if ready.get(self._channel.fileno(), 0) & ~select.POLLOUT and not self._listen():
                self._asked.close()
                return

    def _time_left(self) -> float | None:
        """ms until the next question is overdue; None if there is none."""
        if not self._questions:
            return None
        until = min(question.until for question in self._questions.values())
        return max(0, (until - time.monotonic()) * 1000 + 1)

    def _look(self) -> int:
        """Take what the kernel tells; of how many events that was."""
        notices = self._group.read()
        wants, exempt = self._asked.wants, self._exempt
        for mask, file, pid in notices:
            if mask & OVERFLOW:
                self._lost += 1
            elif mask & _PERMISSIONS:
                self._permission(mask, file, pid)
            elif pid in exempt or not wants(mask, file):
                os.close(file)
            else:
                self._told(mask, file, pid)
        return len(notices)

    def _told(self, mask: int, file: int, pid: int) -> None:
        written, token = bool(mask & CLOSE_WRITE), 0
        if written and self._wanted & KEEP_FROM_RUNNING and program_in(file, found := os.fstat(file)):
            token = self._ask(found, removes=True)
        self._send(Message(WRITTEN if written else RUN, pid=pid, token=token, file=file))

    def _permission(self, mask: int, file: int, pid: int) -> None:
        found = os.fstat(file)
        key = (found.st_dev, found.st_ino)
        if pid in self._exempt:
            self._answer(file, allow=True)
        elif mask & OPEN_EXEC_PERMISSION:
            self._run(file, key)
        elif flags := stat.S_ISREG(found.st_mode) and found.st_size and overwrites(pid):
            token = self._ask(found, removes=False)
            self._questions[token].waiting.append(file)
            copy = os.dup(file)
            self._send(Message(OVERWRITE, flags & 0xFFFF, pid, token, file=copy))
        else:
            self._answer(file, allow=True)

    def _run(self, file: int, key: Key) -> None:
        if key in self._refused:
            self._answer(file, allow=False)
        elif question := self._questions.get(self._unsettled.get(key, 0)):
            question.waiting.append(file)
        else:
            self._answer(file, allow=True)

    def _ask(self, found: os.stat_result, *, removes: bool) -> int:
        self._tokens += 1
        key = (found.st_dev, found.st_ino)
        self._questions[self._tokens] = _Question(key, time.monotonic() + self._patience, removes)
        if removes:
            self._unsettled[key] = self._tokens
            self._refused.pop(key, None)  # it is another program now
        return self._tokens

    def _answer(self, file: int, *, allow: bool) -> None:
        try:
            self._group.answer(file, allow=allow)
        except OSError:
            self._late += 1  # who asked has been killed meanwhile
        finally:
            os.close(file)

    def _settle(self, token: int, *, allow: bool, path: str = "") -> None:
        question = self._questions.pop(token, None)
        if question is None:
            return  # it was allowed, since it took too long
        if question.removes:
            if self._unsettled.get(question.key) == token:
                del self._unsettled[question.key]
            if not allow:
                self._refuse(question.key, path)
        for file in question.waiting:
            self._answer(file, allow=allow)

    def _refuse(self, key: Key, path: str) -> None:
        if len(self._refused) >= _REFUSED:
            del self._refused[next(iter(self._refused))]
        self._refused[key] = None
        if path and (trouble := remove(path, key)):
            self._send(Message(TROUBLE, text=trouble))

    def _give_up(self) -> None:
        now = time.monotonic()
        overdue = [token for token, question in self._questions.items() if question.until <= now]
        for token in overdue:
            held_up = bool(self._questions[token].waiting)
            self._settle(token, allow=True)
            if held_up:
                text = f"nothing was settled within {self._patience:g} s about a file: it was allowed"
                self._send(Message(TROUBLE, text=text))

    def _send(self, message: Message) -> None:
        if len(self._unsent) >= _UNSENT:
            self._lost += 1
            self._settle(message.token, allow=True)
            _close(message)
            return
        self._unsent.append(message)
        if len(self._unsent) >= TOGETHER:
            self._send_more()

    def _send_more(self) -> None:
        if self._lost and len(self._unsent) < _UNSENT:
            self._unsent.append(Message(LOST, token=self._lost))
            self._lost = 0
        with suppress(BlockingIOError, BrokenPipeError):  # the end of the sensor is seen when we listen to it
            while self._unsent:
                for _ in range(send(self._channel, self._unsent)):
                    _close(self._unsent.popleft())

    def _listen(self) -> bool:
        """Do what the sensor says; False at its end."""
        try:
            messages = receive(self._channel)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        for message in messages:
            self._do(message)
        return bool(messages)

    def _do(self, message: Message) -> None:
        if message.what == WATCH:
            paths, _, names = message.text.partition("\0\0")
            self._asked.use(message.flags, [name for name in names.split("\0") if name])
            self._watch(message.flags, [path for path in paths.split("\0") if path])
        elif message.what == SETTLED:
            self._settle(message.token, allow=bool(message.flags), path=message.text)
        elif message.what == PING:
            while self._look():
                pass
            self._send(Message(ALIVE, token=message.token))
            self._send_more()

    def _watch(self, wanted: int, paths: list[str]) -> None:
        self._wanted = wanted
        mask = CLOSE_WRITE if wanted & (PROGRAMS | ALL | NAMED) else 0
        mask |= OPEN_EXEC if wanted & ALL else 0
        mask |= OPEN_EXEC_PERMISSION if wanted & KEEP_FROM_RUNNING else 0
        mask |= OPEN_PERMISSION if wanted & KEEP_FROM_OVERWRITING else 0
        for path, marked in list(self._marked.items()):
            if stale := marked & ~mask if path in paths else marked:
                with suppress(OSError):  # its file system has gone, and the mark with it
                    self._group.unmark(path, stale)
                del self._marked[path]
        for path in paths:
            if not mask or self._marked.get(path) == mask:
                continue
            try:
                self._group.mark(path, mask)
                self._marked[path] = mask
            except OSError as error:
                self._send(Message(TROUBLE, text=f"the files below {path} are not watched: {error.strerror}"))


def remove(path: str, key: Key) -> str:
    """Remove the file of that name if it is the one that is meant; why not, if it is still there.

    First as the machine sees its disks: this process may be confined to where they are read-only.
    """
    trouble = ""
    for root in ("/proc/1/root", ""):
        folder, name = os.path.split(f"{root}{path}")
        try:
            within = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            trouble = trouble or (error.strerror or "")
            continue
        try:
            found = os.stat(name, dir_fd=within, follow_symlinks=False)
            if (found.st_dev, found.st_ino) == key:
                os.unlink(name, dir_fd=within)
                return ""
        except FileNotFoundError:
            continue
        except OSError as error:
            trouble = trouble or (error.strerror or "")
        finally:
            os.close(within)
    return f"{path} was kept from running but not removed: {trouble}" if trouble else ""


def _close(message: Message) -> None:
    if message.file >= 0:
        os.close(message.file)
