"""Where a file that a process knows can be had from here."""

from __future__ import annotations

import os


def places(tgid: int, path: str) -> tuple[str, str, str]:
    """As the process sees the disk, as the machine does, as this process does.

    A hardened service sees a /tmp of its own, and a process that has ended sees nothing any more.
    """
    return f"/proc/{tgid}/root{path}", *machine_places(path)


def machine_places(path: str) -> tuple[str, str]:
    """As the machine sees the disk, and as this process does, which may live in a container."""
    return f"/proc/1/root{path}", path


def mapped_places(tgid: int, address: int) -> tuple[str, ...]:
    """The file that the process has mapped there, as long as it lives: even one that has no name any more.

    Following that link takes CAP_SYS_ADMIN, which the service gives up.
    """
    folder, begin = f"/proc/{tgid}/map_files", f"{address:x}-"
    try:
        return tuple(f"{folder}/{name}" for name in os.listdir(folder) if name.startswith(begin))
    except OSError:
        return ()
