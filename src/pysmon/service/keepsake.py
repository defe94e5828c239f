"""A descriptor that the service manager keeps from one run of the service to the next, to tell who killed the last.

Source: systemd's sd_notify(3) (FDSTORE) and sd_listen_fds(3). The unit must allow it: FileDescriptorStoreMax=1.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

_NAME = "pysmon-last-words"
_FIRST = 3  # SD_LISTEN_FDS_START


def give(descriptor: int, environment: Mapping[str, str] = os.environ) -> None:
    """Have the manager keep it, in place of one that it has; nothing without a manager, or if it does not want to."""
    named = environment.get("NOTIFY_SOCKET", "")
    if not named:
        return
    address = "\0" + named[1:] if named.startswith("@") else named
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager, suppress(OSError):
        manager.connect(address)
        manager.send(f"FDSTOREREMOVE=1\nFDNAME={_NAME}".encode())
        # FDPOLL=0: it is no file that can be waited for.
        socket.send_fds(manager, [f"FDSTORE=1\nFDNAME={_NAME}\nFDPOLL=0".encode()], [descriptor])


def take(environment: Mapping[str, str] = os.environ) -> int | None:
    """The descriptor that the last run gave, which is the caller's to close; None if there is none."""
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID", "") != str(os.getpid()) or not count.isdigit():
        return None
    names = environment.get("LISTEN_FDNAMES", "").split(":")[: int(count)]
    if _NAME not in names:
        return None
    descriptor = _FIRST + names.index(_NAME)
    os.set_inheritable(descriptor, False)
    return descriptor
