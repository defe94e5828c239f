"""The workloads for a machine without a C compiler: `stand_in.py execs N [WORKERS]`, `stand_in.py files N DIRECTORY`.

As held.h says: `ready`, a byte, the work, `done WALL USER SYSTEM` in microseconds, a byte.
"""

from __future__ import annotations

import os
import resource
import sys
import time


def cost() -> tuple[float, float, float]:
    """Wall clock, user and system time of this process and of its children, in seconds."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), own.ru_utime + children.ru_utime, own.ru_stime + children.ru_stime


def execs(count: int, workers: int = 1) -> None:
    """Run /bin/true."""
    if workers > 1:
        for _ in range(workers):
            if os.fork() == 0:
                execs(count)
                os._exit(0)
        for _ in range(workers):
            os.wait()
        return
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)


def files(count: int, directory: str) -> None:
    """Create, close, unlink."""
    os.chdir(directory)
    for number in range(count):
        name = f"file-{number}.txt"
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(name)


def main() -> None:
    """Wait, work, tell, wait."""
    what, count, *rest = sys.argv[1:]
    os.write(1, b"ready\n")
    if not os.read(0, 1):
        sys.exit(1)
    before = cost()
    if what == "execs":
        execs(int(count), *map(int, rest))
    else:
        files(int(count), *rest)
    took = (int((now - then) * 1e6) for now, then in zip(cost(), before, strict=True))
    os.write(1, b"done %d %d %d\n" % tuple(took))
    os.read(0, 1)


if __name__ == "__main__":
    main()
