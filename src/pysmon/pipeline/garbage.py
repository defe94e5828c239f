"""How often Python looks for circles of objects while events flow."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """The flow makes no circles: looking for them as often as Python does by default costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
