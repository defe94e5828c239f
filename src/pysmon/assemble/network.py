"""Flow records: NetworkConnect."""

from __future__ import annotations

from functools import lru_cache

from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import NetworkConnect
from pysmon.schema.event import Event, maker
from pysmon.sensor.records import FlowRecord

_network_connect = maker(NetworkConnect)
_IPV4 = 2
_MAPPED = bytes(10) + b"\xff\xff"  # how an IPv6 socket sees an IPv4 address
_PROTOCOLS = {6: "tcp", 17: "udp"}


def take_flow(record: FlowRecord, scene: Scene) -> tuple[Event, ...]:
    """NetworkConnect. The source is who began the flow, also where this machine's process accepted it."""
    if 3 not in scene.wanted:
        return ()
    image = scene.processes.actor(record.tgid, record.start, record.exec_id)
    family = record.family
    source, source_is_ipv6 = address(family, record.source)
    destination, destination_is_ipv6 = address(family, record.destination)
    return (
        _network_connect(
            UtcTime=scene.utc(record.time),
            ProcessGuid=image.guid,
            ProcessId=record.tgid,
            Image=image.image,
            User=scene.users.name(record.uid),
            Protocol=protocol_name(record.protocol),
            Initiated=record.initiated != 0,
            SourceIsIpv6=source_is_ipv6,
            SourceIp=source,
            SourcePort=record.source_port,
            DestinationIsIpv6=destination_is_ipv6,
            DestinationIp=destination,
            DestinationPort=record.destination_port,
        ),
    )


def protocol_name(number: int) -> str:
    """`tcp` or `udp`, or the number of another protocol."""
    return _PROTOCOLS.get(number) or str(number)


@lru_cache(maxsize=4096)
def address(family: int, octets: bytes) -> tuple[str, bool]:
    """The text of an address in Sysmon's style, and whether it is IPv6 (eight hex groups, none left out)."""
    if family == _IPV4:
        return "{}.{}.{}.{}".format(*octets[:4]), False
    if octets.startswith(_MAPPED):
        return "{}.{}.{}.{}".format(*octets[12:16]), False
    return ":".join(f"{octets[i] << 8 | octets[i + 1]:x}" for i in range(0, 16, 2)), True
