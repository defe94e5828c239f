"""Runs of a command that is traced."""

from __future__ import annotations

import codecs
import os
import pickle
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from tests.sensor.provoke import EVERYTHING, call

from pysmon.config.read import read_configuration
from pysmon.pipeline.live import Session
from pysmon.schema.event import Event

E = TypeVar("E", bound=Event)
_NOBODY = 65534
_SET_DUMPABLE = 4  # linux/prctl.h


def seen(
    command: list[str], *, stop: threading.Event | None = None, rules: str = EVERYTHING
) -> tuple[list[Event], int]:
    """The events of a run, and the exit status of the command."""
    configuration = read_configuration(rules.encode(), "test.xml").configuration
    session = Session(configuration, command=command, by="ptrace", reloads=False)
    events = [entry.event for batch in session.batches(stop or threading.Event()) for entry in batch]
    assert session.outcome
    assert session.traced
    assert all(count.exact and not count.lost for count in session.outcome.families.values())
    assert session.outcome.exit_status is not None
    return events, session.outcome.exit_status


def of(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def as_nobody(act: Callable[[], Any]) -> Any:
    """What it gives when a user without privileges does it, in a process of its own."""
    codecs.lookup("ascii")  # Python's own files may be closed to him
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        result: object = None
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(_NOBODY)
                os.setuid(_NOBODY)
                call("prctl", _SET_DUMPABLE, 1, 0, 0, 0)  # as after running a program
            result = act()
        except BaseException as error:
            result = error
        finally:
            os.write(write, pickle.dumps(result))
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        data = answer.read()
    os.waitpid(pid, 0)
    found = pickle.loads(data)
    if isinstance(found, BaseException):
        raise found
    return found
