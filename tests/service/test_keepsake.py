"""What the service manager keeps for the next run: given by a message, taken from the environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysmon.service.keepsake import give, take

NAME = "pysmon-last-words"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def heard(manager: socket.socket) -> tuple[list[str], list[int]]:
    data, fds, _, _ = socket.recv_fds(manager, 1000, 4)
    return data.decode().splitlines(), fds


def test_a_descriptor_is_given_in_place_of_the_last_one(manager: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "map").write_bytes(b"words")
    with (tmp_path / "map").open("rb") as file:
        give(file.fileno(), {"NOTIFY_SOCKET": manager.getsockname()})
    assert heard(manager) == (["FDSTOREREMOVE=1", f"FDNAME={NAME}"], [])
    said, (kept,) = heard(manager)
    assert said == ["FDSTORE=1", f"FDNAME={NAME}", "FDPOLL=0"]
    assert os.read(kept, 10) == b"words"
    os.close(kept)


def test_an_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0pysmon-test-{os.getpid()}")
        give(0, {"NOTIFY_SOCKET": f"@pysmon-test-{os.getpid()}"})
        assert heard(manager)[0][0] == "FDSTOREREMOVE=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nonexistent"}])
def test_without_a_manager_nothing_is_given(environment: dict[str, str]) -> None:
    give(0, environment)


def test_what_was_kept_is_found_by_its_name() -> None:
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": f"other:{NAME}"}
    spare = os.dup(0)
    held = [fd for fd in (3, 4) if not _is_open(fd) and os.dup2(spare, fd, inheritable=True) == fd]
    before = os.get_inheritable(4)
    try:
        assert take(environment) == 4
        assert not os.get_inheritable(4)
    finally:
        os.set_inheritable(4, before)
        for fd in {*held, spare}:
            os.close(fd)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": NAME},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x", "LISTEN_FDNAMES": NAME},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": f"other:{NAME}"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"},
    ],
    ids=["nothing", "for another process", "no number", "beyond the number", "no names"],
)
def test_where_nothing_was_kept_nothing_is_found(environment: dict[str, str]) -> None:
    assert take(environment) is None
