"""What signals mean while pysmon watches."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pysmon.signalled import SignalledEvent


@contextmanager
def stopped_by_signals(stop: SignalledEvent, *, command: bool, hangup_ends: bool) -> Iterator[None]:
    """Meanwhile SIGTERM ends the run, and so does SIGINT unless there is a command.

    A terminal sends SIGINT to the command too, and what it does about it is its affair: the run ends with it. SIGHUP
    ends the run only if `hangup_ends`; a log file needs no SIGHUP, since its sink notices that it was moved.
    Handlers, not SIG_IGN: a command must not inherit that it should ignore a signal.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def leave(_number: int, _frame: FrameType | None) -> None:
        return

    wanted = {
        signal.SIGTERM: end,
        signal.SIGINT: leave if command else end,
        signal.SIGHUP: end if hangup_ends else leave,
    }
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
