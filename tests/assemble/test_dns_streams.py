"""DNS over TCP: messages from the pieces of a stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pysmon.assemble.dns_streams import Streams
from pysmon.sensor.records import DnsMessageRecord


def piece(data: bytes, *, place: int = 1, sent: int = 0, kept: int = 4096) -> DnsMessageRecord:
    return DnsMessageRecord.make(tgid=1, socket=place, sent=sent, protocol=6, whole=len(data), payload=data[:kept])


def framed(*messages: bytes) -> bytes:
    return b"".join(len(m).to_bytes(2) + m for m in messages)


def read(streams: Streams, *pieces: DnsMessageRecord) -> list[bytes]:
    return [message for each in pieces for message in streams.take(each)]


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 20), min_size=1))
def test_messages_come_out_however_the_stream_is_cut(messages: list[bytes], sizes: list[int]) -> None:
    data, streams, found = framed(*messages), Streams(), list[bytes]()
    for i in range(len(data)):
        size = sizes[i % len(sizes)]
        found += read(streams, piece(data[:size])) if data else []
        data = data[size:]
    assert found == messages


def test_both_directions_and_other_sockets_are_streams_of_their_own() -> None:
    data, streams = framed(b"abc"), Streams()
    assert read(streams, piece(data[:3]), piece(data[:3], sent=1), piece(data[:3], place=2)) == []
    assert read(streams, piece(data[3:], sent=1), piece(data[3:]), piece(data[3:], place=2)) == [b"abc"] * 3


def test_of_a_long_message_the_beginning_is_kept_and_the_next_one_is_found() -> None:
    data, streams = framed(bytes(5000), b"next"), Streams()
    assert read(streams, piece(data[:3000]), piece(data[3000:])) == [bytes(4096), b"next"]


def test_a_piece_that_was_cut_tells_its_beginning_and_its_end_is_known() -> None:
    streams = Streams()
    assert read(streams, piece(framed(bytes(5000)))) == [bytes(4094)]
    assert read(streams, piece(framed(b"next"))) == [b"next"]
    assert read(streams, piece(framed(bytes(6000))[:5000])) == [bytes(4094)]
    assert read(streams, piece(bytes(1002)), piece(framed(b"next"))) == [b"next"]


def test_where_nobody_knows_how_it_goes_on_nothing_more_is_told() -> None:
    streams = Streams()
    read(streams, piece(framed(bytes(4500), b"unseen")))
    assert read(streams, piece(framed(b"next"))) == []
    assert read(streams, piece(framed(b"next"), place=2)) == [b"next"]


def test_too_many_streams_let_the_most_silent_go() -> None:
    streams, data = Streams(limit=2), framed(b"abc")
    read(streams, *(piece(data[at : at + 1], place=place) for at, place in [(0, 1), (0, 2), (1, 1), (0, 3)]))
    assert read(streams, piece(data[2:], place=1)) == [b"abc"]
    assert read(streams, piece(data[1:], place=2)) == []


@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 100)), max_size=20))
def test_noise_is_taken_without_harm(pieces: list[tuple[bytes, int]]) -> None:
    streams = Streams()
    for data, missing in pieces:
        record = DnsMessageRecord.make(tgid=1, socket=1, protocol=6, whole=len(data) + missing, payload=data)
        assert all(len(message) <= 4096 for message in streams.take(record))
