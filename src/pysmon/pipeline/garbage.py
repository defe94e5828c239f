"""How often Python looks for circles of objects while events flow."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_seldom() -> None:
    """The flow makes no circles: looking for them as often as Python does by default costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


@contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile not at all: what is made at the start stays, and is looked through in vain again and again."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
