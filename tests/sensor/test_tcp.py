"""TCP connections, seen from both ends."""

from __future__ import annotations

import errno
import os
import resource
import select
import socket
import sys
import time
from contextlib import ExitStack

import pytest
from tests.sensor.own_network import Ends, ends, ends_of, listener, loopback, own_network
from tests.sensor.provoke import Stage, error_of, forked, one

from pysmon.schema.catalogue import NetworkConnect, ProcessTerminate

pytestmark = pytest.mark.vm

FAMILIES = pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
NOBODY = 65534


@FAMILIES
def test_a_connection_is_told_by_who_connects_and_by_who_accepts(provoke: Stage, family: int) -> None:
    def act() -> Ends:
        own_network()
        with listener(family) as server, socket.socket(family) as client:
            client.connect(server.getsockname())
            with server.accept()[0] as accepted:
                return ends(client, accepted)

    seen = provoke(act)
    connected, accepted = seen.of(NetworkConnect)
    assert (connected.Initiated, accepted.Initiated) == (True, False)
    for event in (connected, accepted):
        assert ends_of(event) == seen.truth
        assert event.SourceIsIpv6 is event.DestinationIsIpv6 is (family == socket.AF_INET6)
        assert (event.Protocol, event.User, event.ProcessId) == ("tcp", "root", seen.pid)
        assert event.Image == os.path.realpath(sys.executable)
        assert event.ProcessGuid == seen.of(ProcessTerminate)[-1].ProcessGuid


def test_each_end_is_told_as_the_process_that_has_it(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        with listener() as server:
            acceptor = os.fork()
            if acceptor == 0:
                server.accept()[0].close()
                os._exit(0)

            def client() -> None:
                os.setuid(NOBODY)
                with socket.socket() as made:
                    made.connect(server.getsockname())

            forked(client)
            os.waitpid(acceptor, 0)

    seen = provoke(act)
    connected, accepted = sorted(seen.of(NetworkConnect), key=lambda e: not e.Initiated)
    ends_by_user = {e.User: e for e in seen.of(ProcessTerminate) if e.ProcessId != seen.pid}
    assert (connected.User, connected.ProcessGuid) == ("nobody", ends_by_user["nobody"].ProcessGuid)
    assert (accepted.User, accepted.ProcessGuid) == ("root", ends_by_user["root"].ProcessGuid)


def test_connections_are_told_while_thousands_of_others_wait_for_their_answer(provoke: Stage) -> None:
    """Those take most of the slots that who connects is remembered in."""
    waiting, connecting = 4000, 100

    def act() -> tuple[int, list[int]]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * waiting, 2 * waiting))
        own_network()
        with ExitStack() as held, listener() as full, listener() as server:
            full.listen(0)  # what comes beyond that is not answered
            for _ in range(waiting):
                client = held.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(full.getsockname())
            clients = [held.enter_context(socket.socket()) for _ in range(connecting)]
            for client in clients:
                client.connect(server.getsockname())
                held.enter_context(server.accept()[0])
            return server.getsockname()[1], [client.getsockname()[1] for client in clients]

    seen = provoke(act)
    server, clients = seen.truth
    told = [e for e in seen.of(NetworkConnect) if e.DestinationPort == server]
    for initiated in (True, False):
        assert sorted(e.SourcePort for e in told if e.Initiated is initiated) == sorted(clients)


def test_ipv4_through_an_ipv6_socket_is_told_as_ipv4(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with listener(socket.AF_INET6, "::") as server, socket.socket(socket.AF_INET6) as client:
            client.connect(("::ffff:127.0.0.1", server.getsockname()[1]))
            with server.accept()[0] as accepted:
                return ends(client, accepted)

    seen = provoke(act)
    assert seen.truth[0] == seen.truth[2] == "127.0.0.1"
    assert [ends_of(e) for e in seen.of(NetworkConnect)] == [seen.truth] * 2
    assert not any(e.SourceIsIpv6 or e.DestinationIsIpv6 for e in seen.of(NetworkConnect))


def test_a_connection_that_is_made_while_the_caller_does_other_things_is_told(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with listener() as server, socket.socket() as client:
            client.setblocking(False)
            assert client.connect_ex(server.getsockname()) == errno.EINPROGRESS
            select.select([], [client], [])
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            with server.accept()[0] as accepted:
                return ends(client, accepted)

    seen = provoke(act)
    assert [(e.Initiated, ends_of(e)) for e in seen.of(NetworkConnect)] == [(True, seen.truth), (False, seen.truth)]


def test_a_connection_that_waits_to_be_accepted_is_told_by_its_first_end_only(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        with listener() as server:
            socket.create_connection(server.getsockname()).close()

    assert one(provoke(act).of(NetworkConnect)).Initiated


def test_a_socket_that_connects_to_itself_is_told(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with socket.socket() as both:
            both.bind(("127.0.0.1", 0))
            both.connect(both.getsockname())
            return ends(both, both)

    seen = provoke(act)
    assert ends_of(one(seen.of(NetworkConnect))) == seen.truth


def test_data_sent_with_the_connection_request_makes_a_connection(provoke: Stage) -> None:
    def act() -> Ends:
        own_network()
        with listener() as server, socket.socket() as client:
            client.sendto(b"x", socket.MSG_FASTOPEN, server.getsockname())
            with server.accept()[0] as accepted:
                return ends(client, accepted)

    seen = provoke(act)
    assert [(e.Initiated, ends_of(e)) for e in seen.of(NetworkConnect)] == [(True, seen.truth), (False, seen.truth)]


def test_a_connection_by_several_paths_at_once_is_told_at_both_ends(provoke: Stage) -> None:
    multipath = 262  # IPPROTO_MPTCP

    def act() -> Ends | None:
        own_network()
        try:
            server, client = (socket.socket(socket.AF_INET, socket.SOCK_STREAM, multipath) for _ in range(2))
        except OSError:
            return None
        with server, client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
            with server.accept()[0] as accepted:
                return ends(client, accepted)

    seen = provoke(act)
    if seen.truth is None:
        pytest.skip("this kernel has no multipath TCP")
    told = sorted((not e.Initiated, ends_of(e)) for e in seen.of(NetworkConnect))
    assert told == [(False, seen.truth), (True, seen.truth)]


def test_sockets_used_again_and_again_are_told_each_time(provoke: Stage) -> None:
    def act() -> list[Ends]:
        own_network()
        made = []
        with listener() as server:
            for _ in range(50):
                with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
                    made.append(ends(client, accepted))
        return made

    seen = provoke(act)
    for initiated in (True, False):
        assert [ends_of(e) for e in seen.of(NetworkConnect) if e.Initiated is initiated] == seen.truth


@FAMILIES
def test_a_refused_connection_is_not_told(provoke: Stage, family: int) -> None:
    def act() -> int | None:
        own_network()
        with listener(family) as server:
            address = server.getsockname()
        with socket.socket(family) as client:
            return error_of(client.connect, address)

    seen = provoke(act)
    assert seen.truth == errno.ECONNREFUSED
    assert seen.of(NetworkConnect) == []


def test_a_connection_without_a_way_is_not_told(provoke: Stage) -> None:
    def act() -> int | None:
        own_network()
        with socket.socket() as client:
            return error_of(client.connect, ("192.0.2.1", 9))

    seen = provoke(act)
    assert seen.truth == errno.ENETUNREACH
    assert seen.of(NetworkConnect) == []


def test_a_connection_that_is_given_up_before_the_answer_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        with listener() as server:
            server.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for client in waiting:  # the queue of one is full: the rest gets no answer
                client.setblocking(False)
                client.connect_ex(server.getsockname())
            time.sleep(0.1)
            for client in waiting:
                client.close()

    assert len(provoke(act).of(NetworkConnect)) < 4


def test_sockets_that_only_wait_or_stay_inside_the_machine_are_not_told(provoke: Stage) -> None:
    def act() -> None:
        own_network()
        for family in (socket.AF_INET, socket.AF_INET6):
            with listener(family), socket.socket(family) as bound:
                bound.bind((loopback(family), 0))
        one_end, other = socket.socketpair()
        one_end.send(b"x")
        other.recv(1)
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("\0here")
            server.listen()
            client.connect("\0here")
            server.accept()[0].close()

    assert provoke(act).of(NetworkConnect) == []
