"""The network: connections and name look-ups."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time, UInt16
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=3,
    symbol="SYSMONEVENT_NETWORK_CONNECT",
    title="Network connection detected",
    rule="NetworkConnect",
    version=5,
    live=True,
    history=(Before("3.10", version=4, had=(SEQUENCE_NUMBER,)),),
)
class NetworkConnect(Event):
    """A process made or accepted a TCP connection, or exchanged the first UDP packet with a peer.

    On Linux: TCP is seen where the kernel changes the state of the socket, UDP at the first packet of a flow. The
    process is the one that asked for the connection, whoever handled its packets.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    User: Text = field(default="-")
    Protocol: Text = field("`tcp` or `udp`.", default="-")
    Initiated: Boolean = field("`true` if the process began the connection, `false` if it accepted it.", default=None)
    SourceIsIpv6: Boolean = field(default=None)
    SourceIp: Text = field(
        "Address of the side that began, also if that is the other machine. IPv6 is written without `::`:"
        " `fe80:0:0:0:0:0:0:1`.",
        default="-",
    )
    SourceHostname: Text = field("Name of SourceIp. On Linux: `-`, names are not looked up.", default="-")
    SourcePort: UInt16
    SourcePortName: Text = field("Service that the port number is registered for; `-` on Linux.", default="-")
    DestinationIsIpv6: Boolean = field(default=None)
    DestinationIp: Text = field("Address of the side that was called.", default="-")
    DestinationHostname: Text = field("Name of DestinationIp. On Linux: `-`, names are not looked up.", default="-")
    DestinationPort: UInt16
    DestinationPortName: Text = field(
        "Service that the port number is registered for, such as `https`; `-` on Linux.", default="-"
    )


@event(
    id=22,
    symbol="SYSMONEVENT_DNS_QUERY",
    title="Dns query",
    rule="DnsQuery",
    default="exclude",
    version=5,
    since="4.21",
    live=True,
    history=(Before("4.30", rank=0xF003),),  # it stood behind the hidden events
)
class DnsQuery(Event):
    """A process looked up a name in the DNS.

    On Linux: the process that asked, also where a resolver of the machine asks for it. Names that the C library looks
    up (getaddrinfo, gethostbyname) are seen there, wherever the answer comes from; programs that ask by themselves are
    seen by their messages to and from port 53. What a program asks over an encrypted connection of its own (DoT, DoH)
    is not seen. JSON tells which of the two it was (`QuerySource`).
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    QueryName: Text = field("The name that was asked for.", default="-")
    QueryStatus: Text = field(
        "Result of the look-up, as a Windows error number: `0` is success, `9003` no such name, `9501` no records of"
        " that type, `9002` failure of the server, `1460` no answer.",
        default="-",
    )
    QueryResults: Text = field(
        "The answers, each ended by `;`: addresses, and `type:  5 name` for an alias (other types likewise). IPv4 is"
        " written `::ffff:1.2.3.4`; `-` for none.",
        default="-",
    )
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
