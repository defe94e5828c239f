"""Any command as a held workload: `held.py COMMAND...`. As held.h says: `ready`, a byte, the work, `done`, a byte."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time


def cost() -> tuple[float, float, float]:
    """Wall clock, user and system time of the children that were waited for, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), children.ru_utime, children.ru_stime


def main() -> None:
    """Wait, let it work, tell, wait."""
    os.write(1, b"ready\n")
    if not os.read(0, 1):
        sys.exit(1)
    before = cost()
    subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    took = (int((now - then) * 1e6) for now, then in zip(cost(), before, strict=True))
    os.write(1, b"done %d %d %d\n" % tuple(took))
    os.read(0, 1)


if __name__ == "__main__":
    main()
