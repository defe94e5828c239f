"""Circles of objects are not looked for at the start, and are again afterwards."""

from __future__ import annotations

import gc

from pysmon.pipeline.garbage import uncollected


def test_nothing_is_collected_meanwhile_and_again_afterwards() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
