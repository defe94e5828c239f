"""UDP: the first packet of a flow, sent or received, and no other."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sensor.own_network import Ends, datagrams, ends, ends_of, loopback, own_network, set_largest_packet
from tests.sensor.provoke import Stage, forked, one, sees_objects

from pysmon.schema.catalogue import NetworkConnect, ProcessTerminate

pytestmark = pytest.mark.vm

_ETH_P_IP = 0x800
_TO = slice(16, 20)  # where the address of the receiver stands in a packet of IPv4
FAMILIES = pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])


def readable(file: int, *, within: float) -> bool:
    """Can it be read, or can it so many seconds later?"""
    return bool(select.select([file], [], [], within)[0])


def told(events: list[NetworkConnect]) -> list[tuple[bool | None, Ends]]:
    return [(e.Initiated, ends_of(e)) for e in events]


@FAMILIES
def test_the_first_packet_is_told_where_it_is_sent_and_where_it_is_received(provoke: Stage, family: int) -> None:
    def act() -> Ends:
        own_network()
        with datagrams(family) as sender, datagrams(family) as receiver:
            sender.sendto(b"x", receiver.getsockname())
            receiver.recvfrom(10)
            return ends(sender, receiver)

    seen = provoke(act)
    sent, received = seen.of(NetworkConnect)
    assert (sent.Initiated, received.Initiated) == (True, False)
    for event in (sent, received):
        assert ends_of(event) == seen.truth
        assert event.SourceIsIpv6 is event.DestinationIsIpv6 is (family == socket.AF_INET6)
        assert (event.Protocol, event.User, event.ProcessId) == ("udp", "root", seen.pid)
        assert event.Image == os.path.realpath(sys.executable)
        assert event.ProcessGuid == seen.of(ProcessTerminate)[-1].ProcessGuid


@FAMILIES
def test_further_packets_and_answers_are_not_told(provoke: Stage, family: int) -> None:
    def act() -> Ends:
        own_network()
        with datagrams(family) as sender, datagrams(family) as receiver:
            for _ in range(3):
                sender.sendto(b"ask", receiver.getsockname())
                _, peer = receiver.recvfrom(10)
                receiver.sendto(b"answer", peer)
                sender.recvfrom(10)
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]


@FAMILIES
def test_connected_sockets_are_told_by_their_packets_not_by_connecting(provoke: Stage, family: int) -> None:
    def act() -> Ends:
        own_network()
        with datagrams(family) as sender, datagrams(family) as receiver, datagrams(family) as silent:
            sender.connect(receiver.getsockname())
            receiver.connect(sender.getsockname())
            silent.connect(sender.getsockname())
            sender.send(b"x")
            receiver.recv(10)
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]


def test_each_way_to_send_and_receive_is_told(provoke: Stage) -> None:
    def act() -> list[Ends]:
        own_network()
        with datagrams() as receiver, datagrams() as first, datagrams() as second, datagrams() as third:
            first.sendto(b"x", receiver.getsockname())
            receiver.recvmsg(10)
            second.sendmsg([b"x"], [], 0, receiver.getsockname())
            receiver.recvfrom_into(bytearray(10))
            third.connect(receiver.getsockname())
            os.write(third.fileno(), b"x")
            receiver.recvmsg_into([bytearray(10)])
            return [ends(sender, receiver) for sender in (first, second, third)]

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(way, each) for each in seen.truth for way in (True, False)]


def test_a_receiver_that_does_not_ask_who_sent_is_told_where_the_kernel_can_be_watched_inside(provoke: Stage) -> None:
    if not sees_objects(provoke, "UDP received"):
        pytest.skip("received packets are seen at the ends of system calls here: only what the process asks for")

    def act() -> Ends:
        own_network()
        with datagrams() as sender, datagrams() as receiver:
            sender.sendto(b"x", receiver.getsockname())
            os.read(receiver.fileno(), 10)
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]


def test_a_packet_that_is_looked_at_and_then_taken_is_told_once(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with datagrams() as sender, datagrams() as receiver:
            sender.sendto(b"x", receiver.getsockname())
            receiver.recvfrom(10, socket.MSG_PEEK)
            receiver.recvfrom(10)
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]


def test_ipv4_through_an_ipv6_socket_is_told_as_ipv4(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver, datagrams() as sender:
            receiver.bind(("::ffff:127.0.0.1", 0))
            sender.sendto(b"x", ("127.0.0.1", receiver.getsockname()[1]))
            receiver.recvfrom(10)
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]
    assert not any(e.SourceIsIpv6 or e.DestinationIsIpv6 for e in seen.of(NetworkConnect))


def test_a_receiver_on_all_addresses_names_the_one_that_the_packet_came_to_if_it_can_be_had(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, datagrams() as sender:
            receiver.bind(("0.0.0.0", 0))
            port = receiver.getsockname()[1]
            sender.sendto(b"x", ("127.0.0.1", port))
            receiver.recvfrom(10)
            return (*sender.getsockname(), "127.0.0.1", port)

    seen = provoke(act)
    sent, received = told(seen.of(NetworkConnect))
    source, source_port, destination, port = seen.truth
    assert sent == (True, seen.truth)
    shown = destination if sees_objects(provoke, "UDP received") else "0.0.0.0"
    assert received == (False, (source, source_port, shown, port))


def test_a_new_peer_is_a_new_flow(provoke: Stage) -> None:
    def act() -> list[Ends]:
        own_network()
        with datagrams() as sender, datagrams() as first, datagrams() as second:
            for receiver in (first, second, first, second):
                sender.sendto(b"x", receiver.getsockname())
            return [ends(sender, first), ends(sender, second)]

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, each) for each in seen.truth]


def test_a_new_socket_is_a_new_flow_even_between_the_same_ports(provoke: Stage) -> None:
    def act() -> list[Ends]:
        own_network()
        made = []
        with datagrams() as sender, datagrams() as receiver:
            address, peer = sender.getsockname(), receiver.getsockname()
        for _ in range(400):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(address)
                sender.sendto(b"x", peer)
                made.append((*address, *peer))
        return made

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, each) for each in seen.truth]


@FAMILIES
def test_a_packet_in_fragments_is_one_packet(provoke: Stage, family: int) -> None:
    def act() -> Ends:
        own_network()
        set_largest_packet(1500)
        with datagrams(family) as sender, datagrams(family) as receiver:
            sender.sendto(bytes(range(250)) * 40, receiver.getsockname())
            assert len(receiver.recvfrom(20_000)[0]) == 10_000
            return ends(sender, receiver)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth), (False, seen.truth)]


def test_a_packet_that_nobody_takes_is_told_by_its_sender(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with datagrams() as gone:
            peer = gone.getsockname()
        with datagrams() as sender:
            sender.sendto(b"x", peer)
            return (*sender.getsockname(), *peer)

    seen = provoke(act)
    assert told(seen.of(NetworkConnect)) == [(True, seen.truth)]


def test_a_packet_that_the_machine_passes_on_is_told_where_it_was_sent(provoke: Stage) -> None:
    ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if ip is None:
        pytest.skip("no ip (iproute2) to make a network of several machines with")

    def configure(*lines: str) -> bool:
        return not subprocess.run([ip, "-batch", "-"], input="\n".join(lines), text=True, check=False).returncode

    def act() -> bool:
        """One network namespace routes what another one sends to a third, where nobody is but who counts."""
        own_network()
        wait_ready, ready = os.pipe()
        gate, open_gate = os.pipe()
        sender = os.fork()
        if sender == 0:
            own_network()
            os.write(ready, b"\n")
            if os.read(gate, 1) == b"y" and configure(
                "address add 10.1.0.2/24 dev uplink",
                "link set uplink up",
                "route add default via 10.1.0.1",
            ):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                    made.bind(("10.1.0.2", 1000))
                    while not readable(gate, within=0.05):  # a new link takes a moment to carry something: one flow
                        made.sendto(b"x", ("10.9.0.9", 2000))
            os._exit(0)
        os.read(wait_ready, 1)
        made_up = configure(
            f"link add in type veth peer name uplink netns {sender}",
            "link add out type veth peer name nobody",
            "address add 10.1.0.1/24 dev in",
            "address add 10.9.0.1/24 dev out",
            *(f"link set {device} up" for device in ("in", "out", "nobody")),
            "neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 dev out",
        )
        if made_up:
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP)) as wire:
                wire.bind(("nobody", _ETH_P_IP))
                os.write(open_gate, b"y")
                ended, came = os.pidfd_open(sender), b""
                while came[_TO] != socket.inet_aton("10.9.0.9") and not readable(ended, within=0):
                    came = wire.recv(100) if readable(wire.fileno(), within=0.05) else b""
        os.write(open_gate, b"n")
        os.waitpid(sender, 0)
        return made_up

    seen = provoke(act)
    if not seen.truth:
        pytest.skip("this kernel has no veth devices to make a network of several machines with")
    assert told(seen.of(NetworkConnect)) == [(True, ("10.1.0.2", 1000, "10.9.0.9", 2000))]


def test_a_flow_is_told_as_the_process_that_sends(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        with datagrams() as receiver:

            def sender() -> None:
                os.setuid(65534)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                    made.sendto(b"x", receiver.getsockname())

            forked(sender)
            receiver.recvfrom(10)

    seen = provoke(act)
    sent, received = seen.of(NetworkConnect)
    assert (sent.User, received.User) == ("nobody", "root")
    assert (received.ProcessId, sent.ProcessId) == (
        seen.pid,
        one([e for e in seen.of(ProcessTerminate) if e.User == "nobody"]).ProcessId,
    )


def test_sockets_that_send_nothing_and_packets_inside_the_machine_are_not_told(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        with datagrams() as bound, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
            connected.connect(bound.getsockname())
        one_end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        one_end.send(b"x")
        other.recv(1)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.sendto(b"\x08\0\xf7\xff\0\0\0\0", (loopback(socket.AF_INET), 0))

    assert provoke(act).of(NetworkConnect) == []
