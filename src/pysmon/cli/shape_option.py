"""The option that forces the shape of logs: `--input-format`, and `--format` where that says nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from pysmon.sources.open import SHAPES

_Command = TypeVar("_Command", bound=Callable[..., Any])
_HELP = "The shape of the logs, if it is not found out: evtx, xml, linux, nxlog ... docs/sources.md lists them."


def input_format(command: _Command) -> _Command:
    """Add the option, as `shape`, to a command that has no output formats."""
    return click.option("--input-format", "--format", "shape", metavar="SHAPE", help=_HELP)(command)


def input_format_alone(command: _Command) -> _Command:
    """The same for a command where `--format` says how events are written."""
    return click.option("--input-format", "shape", metavar="SHAPE", help=_HELP)(command)


def output_format(names: Iterable[str], metavar: str = "", **settings: Any) -> Callable[[_Command], _Command]:
    """Add `--format`, as `form`, for how a command writes. Who names a shape of logs is told how that is done."""
    known = tuple(dict.fromkeys(names))

    def chosen(context: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
        if given is None or given in known:
            return given
        hint = f"that is a shape of logs: --input-format {given}" if given in SHAPES else f"known: {', '.join(known)}"
        raise click.BadParameter(f"{given!r} is not one of them ({hint})", context, parameter)

    option = click.option("--format", "form", metavar=metavar or f"[{'|'.join(known)}]", callback=chosen, **settings)
    return lambda command: option(command)
