"""An event that signal handlers set."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from tests.conftest import ROOT

from pysmon.signalled import SignalledEvent

# Signals come while the event is waited for, set and cleared. `threading.Event` waits for itself then, within a second.
_UNDER_FIRE = """
import signal
from pysmon.signalled import SignalledEvent

event = SignalledEvent()
signal.signal(signal.SIGALRM, lambda *_: event.set())
signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
for _ in range(50_000):
    event.wait(0.00001)
    event.clear()
    event.set()
    event.clear()
signal.setitimer(signal.ITIMER_REAL, 0)
print("done")
"""


def test_handlers_may_set_it_whatever_they_interrupt() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", _UNDER_FIRE], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "done\n"


def test_all_who_wait_go_on() -> None:
    event, went_on = SignalledEvent(), list[bool]()
    waiting = [threading.Thread(target=lambda: went_on.append(event.wait())) for _ in range(3)]
    for thread in waiting:
        thread.start()
    event.set()
    for thread in waiting:
        thread.join(30)
    assert went_on == [True] * 3


def test_who_comes_later_does_not_wait() -> None:
    event = SignalledEvent()
    event.set()
    assert event.is_set()
    assert event.wait()


def test_it_is_waited_for_as_long_as_asked() -> None:
    event, began = SignalledEvent(), time.monotonic()
    assert not event.wait(0.05)
    assert time.monotonic() - began >= 0.05


def test_what_was_cleared_wakes_nobody() -> None:
    event = SignalledEvent()
    event.set()
    event.set()
    event.clear()
    assert not event.is_set()
    began = time.monotonic()
    assert not event.wait(0.05)
    assert time.monotonic() - began >= 0.05
