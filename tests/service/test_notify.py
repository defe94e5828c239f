"""What the service manager is told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysmon.service.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def heard(manager: socket.socket) -> list[str]:
    texts = []
    while True:
        try:
            texts.append(manager.recv(4096).decode())
        except BlockingIOError:
            return texts


def test_it_says_when_the_service_is_ready_and_when_it_ends(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.starting(20)
    notifier.ready("at work")
    notifier.status("two\nlines")
    notifier.stopping()
    assert heard(manager) == [
        "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=starting",
        f"READY=1\nSTATUS=at work\nMAINPID={os.getpid()}",
        "STATUS=two\\x0alines",
        "STOPPING=1\nSTATUS=stopping",
    ]


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0pysmon-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@pysmon-test-{os.getpid()}"}).status("x")
        manager.setblocking(False)
        assert heard(manager) == ["STATUS=x"]


def test_signs_of_life_come_often_enough_and_not_more_often(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "10000000"})
    for tenth in range(101):
        notifier.alive(100 + tenth / 10)
    assert heard(manager) == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
def test_a_watchdog_that_is_not_ours_hears_nothing(manager: socket.socket, environment: dict[str, str]) -> None:
    Notifier({"NOTIFY_SOCKET": manager.getsockname(), **environment}).alive(1.0)
    assert heard(manager) == []


def test_without_a_manager_or_with_a_deaf_one_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready("x")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "absent")}).ready("x")
