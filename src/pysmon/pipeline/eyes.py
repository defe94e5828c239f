"""What a run sees with: the kernel's sensor, or, for one command where that is not allowed, a tracer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from pysmon.errors import SensorError
from pysmon.pipeline.command import HeldCommand
from pysmon.pipeline.early import Early
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.records import FAMILIES

if TYPE_CHECKING:
    from pysmon.tracer.traced import TracedCommand

    Eyes = Sensor | TracedCommand

By = Literal["kernel", "ptrace", "either"]


def open_eyes(
    families: Collection[str],
    command: Sequence[str] | None,
    by: By,
    undo: ExitStack,
    *,
    others_later: bool = True,
    early: Early | None = None,
) -> tuple[Eyes, HeldCommand | TracedCommand | None, str]:
    """Sensor and held command, whose closing is put on `undo`; and why the kernel's sensor is not used, if it is not.

    `by` says with what; `others_later`, whether other families may be wanted later. Where there is
    something `early`, its sensor goes on to these families, in a thread.
    MisuseError if there is no such command, SensorError if nothing can be used.
    """
    if early:
        undo.callback(early.sensor.close)
        early.sensor.go_on(families)
        return early.sensor, None, ""
    refused = ""
    if by != "ptrace":
        try:
            sensor = Sensor(families, others_later=others_later)
        except SensorError as error:
            if by == "kernel" or not command:
                raise
            refused = str(error)
        else:
            undo.callback(sensor.close)
            held = HeldCommand(command) if command else None
            if held:
                undo.callback(held.stop)
            return sensor, held, ""
    from pysmon.tracer.traced import TracedCommand  # few runs need what stands behind it

    traced = TracedCommand(command or (), FAMILIES if others_later else families)
    undo.callback(traced.close)
    undo.callback(traced.stop)
    return traced, traced, refused or "asked to trace"
