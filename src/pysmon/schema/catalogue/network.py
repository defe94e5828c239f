"""Connections and name look-ups."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time, UInt16


@event(
    id=3,
    symbol="SYSMONEVENT_NETWORK_CONNECT",
    title="Network connection detected",
    rule="NetworkConnect",
    version=5,
)
class NetworkConnect(Event):
    """Network connection detected."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    User: Text = field(default="-")
    Protocol: Text = field(default="-")
    Initiated: Boolean
    SourceIsIpv6: Boolean
    SourceIp: Text = field(default="-")
    SourceHostname: Text = field(default="-")
    SourcePort: UInt16
    SourcePortName: Text = field(default="-")
    DestinationIsIpv6: Boolean
    DestinationIp: Text = field(default="-")
    DestinationHostname: Text = field(default="-")
    DestinationPort: UInt16
    DestinationPortName: Text = field(default="-")


@event(
    id=22,
    symbol="SYSMONEVENT_DNS_QUERY",
    title="Dns query",
    rule="DnsQuery",
    version=5,
    since="4.21",
)
class DnsQuery(Event):
    """Dns query."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    QueryName: Text = field(default="-")
    QueryStatus: Text = field(default="-")
    QueryResults: Text = field(default="-")
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
