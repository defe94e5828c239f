"""Where a command line comes in, and where every error that a user can act on becomes a line that helps."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from pysmon.cli.app import app
from pysmon.cli.exits import ENVIRONMENT, INTERRUPTED, READER_GONE, code_for
from pysmon.cli.language import is_classic
from pysmon.errors import PysmonError
from pysmon.formats.visible import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code; without arguments, that of this process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_what_is_closed()
    if isinstance(sys.stdout, TextIOWrapper):  # what it cannot carry is spelled out: many consoles know few letters
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _classic(given) if is_classic(given) else _modern(given)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PysmonError as error:
        _tell(str(error), error.hint)
        return code_for(error)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return READER_GONE
    except OSError as error:
        _tell(f"{error.filename or 'standard output'}: {error.strerror or error}")  # who reads names what he reads
        _forget_output()
        return ENVIRONMENT
    return code


def _open_what_is_closed() -> None:
    """Who closes an output of ours wants to hear nothing: no file that is opened may come to stand in its place."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, number)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def _classic(arguments: list[str]) -> int:
    """By Sysmon's own switches; imported here, since few runs need what stands behind them."""
    from pysmon.cli.classic import classic

    return classic(arguments)


def _modern(arguments: list[str]) -> int:
    """Not by click's own `main`, which turns a reader that left into an exit code of ours."""
    with app.make_context("pysmon", arguments) as context:
        return int(app.invoke(context))


def _tell(message: str, hint: str = "") -> None:
    click.echo(f"pysmon: {visible(message)}{f' ({visible(hint)})' if hint else ''}", err=True)


def _forget_output() -> None:
    """What is still held back for standard output cannot be written: keep Python from trying at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
