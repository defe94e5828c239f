"""Open files of a process that was forked: it must not keep those that were its parent's."""

from __future__ import annotations

import os
from contextlib import suppress


def close_all_but(*keep: int) -> None:
    """Let go of all others, for who made them waits for their end; standard input and outputs lead nowhere then."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            with suppress(OSError):
                os.close(int(name))
