"""NetworkConnect out of records."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.assemble.stage import CHILD, builder, flow, guid, task

from pysmon.assemble.network import address
from pysmon.schema.catalogue import NetworkConnect

IPV4, IPV6 = 2, 10
LOCAL, REMOTE = bytes([127, 0, 0, 1]) + bytes(12), bytes([44, 204, 18, 94]) + bytes(12)


def test_every_field_of_a_connection_is_filled() -> None:
    made = builder()
    made.take(task(CHILD, "/usr/bin/curl"))
    record = flow(
        CHILD,
        family=IPV4,
        protocol=6,
        source=LOCAL,
        destination=REMOTE,
        source_port=42234,
        destination_port=80,
        initiated=1,
        uid=1000,
    )
    (event,) = made.take(record)
    assert isinstance(event, NetworkConnect)
    assert dict(zip((f.name for f in event.type.fields), event.texts(), strict=True)) == {
        "RuleName": "-",
        "UtcTime": "2026-11-21 05:46:50.000",
        "ProcessGuid": guid(CHILD),
        "ProcessId": "11",
        "Image": "/usr/bin/curl",
        "User": "joe",
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIsIpv6": "false",
        "SourceIp": "127.0.0.1",
        "SourceHostname": "-",
        "SourcePort": "42234",
        "SourcePortName": "-",
        "DestinationIsIpv6": "false",
        "DestinationIp": "44.204.18.94",
        "DestinationHostname": "-",
        "DestinationPort": "80",
        "DestinationPortName": "-",
    }


def test_an_accepted_connection_keeps_its_source_and_says_who_began() -> None:
    (event,) = builder().take(flow(CHILD, family=IPV4, source=REMOTE, destination=LOCAL, source_port=5, initiated=0))
    assert isinstance(event, NetworkConnect)
    assert (event.Initiated, event.SourceIp, event.SourcePort, event.DestinationIp) == (
        False,
        "44.204.18.94",
        5,
        "127.0.0.1",
    )


@pytest.mark.parametrize(("number", "name"), [(6, "tcp"), (17, "udp"), (132, "132")])
def test_protocols_have_sysmons_names(number: int, name: str) -> None:
    (event,) = builder().take(flow(CHILD, family=IPV4, protocol=number))
    assert isinstance(event, NetworkConnect)
    assert event.Protocol == name


def test_an_unknown_process_is_called_so() -> None:
    (event,) = builder().take(flow(CHILD, family=IPV6))
    assert isinstance(event, NetworkConnect)
    assert (event.Image, event.ProcessGuid) == ("<unknown process>", guid(CHILD))


def test_ipv6_addresses_leave_nothing_out() -> None:
    assert address(IPV6, bytes(15) + b"\1") == ("0:0:0:0:0:0:0:1", True)
    assert address(IPV6, bytes.fromhex("fe800000000000000abc0000000000ff")) == ("fe80:0:0:0:abc:0:0:ff", True)


@given(st.binary(min_size=4, max_size=4))
def test_an_ipv4_address_is_the_same_by_either_family(octets: bytes) -> None:
    text = str(ipaddress.IPv4Address(octets))
    assert address(IPV4, octets + bytes(12)) == (text, False)
    assert address(IPV6, bytes(10) + b"\xff\xff" + octets) == (text, False)


@given(st.binary(min_size=16, max_size=16).filter(lambda b: b[:12] != bytes(10) + b"\xff\xff"))
def test_an_ipv6_text_is_the_address(octets: bytes) -> None:
    text, is_ipv6 = address(IPV6, octets)
    assert (ipaddress.IPv6Address(text).packed, is_ipv6) == (octets, True)
