"""Which of its two languages a command line speaks: Sysmon's switches, or sub-commands."""

from __future__ import annotations

from collections.abc import Sequence


def is_classic(arguments: Sequence[str]) -> bool:
    """Do the arguments speak Sysmon's language rather than name a sub-command?

    They do if they begin with a switch; `-h` alone, `--help` and `--version` are those of the other one.
    """
    if not arguments or list(arguments) == ["-h"]:
        return False
    first = arguments[0]
    return first == "/?" or (first.startswith("-") and (not first.startswith("--") or first == "--"))
