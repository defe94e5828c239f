"""Messages between the process with fanotify and the sensor: what is sent arrives, each file with its own message."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.filewatch.wire import LOST, RUN, TOGETHER, TROUBLE, WRITTEN, Message, receive, send

Ends = tuple[socket.socket, socket.socket]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TOKENS = st.integers(0, 2**64 - 1)
PIDS = st.integers(0, 2**32 - 1)


def told(what: int, token: int, text: str) -> Message:
    return Message(what, token=token, text=text)


def with_file(what: int, flags: int, pid: int, token: int) -> Message:
    return Message(what, flags, pid, token, file=0)


TOLD = st.builds(told, st.sampled_from([TROUBLE, LOST]), TOKENS, WORDS)
FILES = st.builds(with_file, st.sampled_from([WRITTEN, RUN]), st.integers(0, 2**16 - 1), PIDS, TOKENS)


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in made:
        end.setblocking(False)
    yield made
    for end in made:
        end.close()


def through(messages: list[Message]) -> tuple[list[Message], int]:
    """What arrives of these, files numbered by what is in them, and in how many datagrams."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arrived: list[Message] = []
    left, datagrams = list(messages), 0
    while left:
        del left[: send(its, left)]
        datagrams += 1
        for message in receive(ours):
            number = -1
            if message.file >= 0:
                number = int(os.pread(message.file, 9, 0))
                os.close(message.file)
            arrived.append(message._replace(file=number))
    for end in (ours, its):
        end.close()
    return arrived, datagrams


@given(st.lists(st.one_of(TOLD, FILES), max_size=12))
def test_what_is_sent_arrives_in_order_each_with_its_own_file(messages: list[Message]) -> None:
    files, expected = [], []
    for number, message in enumerate(messages):
        if message.file >= 0:
            file = os.memfd_create("file")
            os.write(file, str(number).encode())
            files.append(file)
            expected.append((message._replace(file=file), message._replace(file=number)))
        else:
            expected.append((message, message))
    arrived, _ = through([sent for sent, _ in expected])
    assert arrived == [there for _, there in expected]
    for file in files:  # ours are still open
        os.close(file)


def test_files_go_together_as_many_as_may() -> None:
    file = os.memfd_create("file")
    os.write(file, b"7")
    arrived, datagrams = through([Message(WRITTEN, pid=n, file=file) for n in range(2 * TOGETHER + 1)])
    assert [message.pid for message in arrived] == list(range(2 * TOGETHER + 1))
    assert {message.file for message in arrived} == {7}
    assert datagrams == 3
    os.close(file)


def test_a_path_that_is_no_text_arrives_as_it_is(ends: Ends) -> None:
    text = os.fsdecode(b"/tmp/\xff")
    send(ends[0], [Message(TROUBLE, text=text)])
    assert receive(ends[1]) == [Message(TROUBLE, text=text)]


def test_the_end_is_told_apart_from_nothing_yet(ends: Ends) -> None:
    with pytest.raises(BlockingIOError):
        receive(ends[1])
    ends[0].shutdown(socket.SHUT_RDWR)
    assert receive(ends[1]) == []
