"""The service on a stock Debian 12, from the package to its purge, across two reboots: what the manual says, done."""

from __future__ import annotations

from tests.vm import boot_1, boot_2, boot_3
from tests.vm.guest import run


def main(_arguments: list[str]) -> None:
    """Run what is due in this boot."""
    run([boot_1.STEPS, boot_2.STEPS, boot_3.STEPS])
