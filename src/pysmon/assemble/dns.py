"""Records of look-ups and of messages to and from port 53: DnsQuery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, inet_aton, inet_ntop

from pysmon.assemble.network import address
from pysmon.assemble.paths import text
from pysmon.assemble.questions import PATIENCE, Asked, Waiting
from pysmon.assemble.scene import Scene
from pysmon.formats.dns_message import AAAA, CNAME, A, DnsMessage, read_dns_message, type_name
from pysmon.layout.record import Record
from pysmon.schema.catalogue import DnsQuery
from pysmon.schema.event import Event
from pysmon.sensor.records import GETADDRINFO, DnsMessageRecord, LookUpRecord

_NONE = "-"
# Errors of Windows (winerror.h): 9000 and the status of the answer, and these.
_DONE, _NAME_ERROR, _SERVER_FAILURE, _NO_RECORDS, _BAD_PACKET, _TIMEOUT = "0", "9003", "9002", "9501", "9502", "1460"
_RCODES, _LAST_RCODE = 9000, 10  # those after it, Windows has no numbers for
# Errors of getaddrinfo (netdb.h) and of the functions before it (h_errno); what is not here is a failure.
_GETADDRINFO = {0: _DONE, -2: _NAME_ERROR, -3: _TIMEOUT, -5: _NO_RECORDS, -9: _NO_RECORDS}
_HOST_ERRORS = {0: _DONE, 1: _NAME_ERROR, 2: _TIMEOUT, 4: _NO_RECORDS}
_NOT_ASKED = {-1, -6, -7, -8}  # of getaddrinfo: it was called wrongly
_VAGUE = {_TIMEOUT, _SERVER_FAILURE}  # the answers that came tell it better
_QUERY = 0
_TCP, _UDP = 6, 17
_ADDRESS_SIZE = 18


def take_look_up(record: LookUpRecord, scene: Scene) -> tuple[Event, ...]:
    """DnsQuery, with what the messages of the same call have told."""
    heard = scene.questions.called((record.tgid, record.start, record.tid))
    name = text(record.name).rstrip(".")
    error = record.result - (record.result >> 31 << 32)
    if 22 not in scene.wanted or not name or is_address(name):
        return ()
    if record.call == GETADDRINFO and error in _NOT_ASKED and not heard:
        return ()
    codes = _GETADDRINFO if record.call == GETADDRINFO else _HOST_ERRORS
    status = codes.get(error, _SERVER_FAILURE)
    if status in _VAGUE:
        status = next((_status(message) for message in reversed(heard) if message.status), status)
    event = _event(record, record.uid, name, scene)
    event.QueryStatus = status
    event.QueryResults = _results([*_aliases(record, name, heard), *_addresses(record.addresses)])
    event.extra = {
        "QuerySource": "libc",
        "Function": "getaddrinfo" if record.call == GETADDRINFO else "gethostbyname",
        **({"FunctionError": error} if error else {}),
    }
    return (event,)


def take_dns_message(record: DnsMessageRecord, scene: Scene) -> tuple[Event, ...]:
    """DnsQuery for an answer; a question is told with its answer, or in time without."""
    if 22 not in scene.wanted:
        return ()
    found = filter(None, map(read_dns_message, _messages(record, scene)))
    told = (_take(record, message, scene) for message in found if message.operation == _QUERY)
    return tuple([event for event in told if event])


def _messages(record: DnsMessageRecord, scene: Scene) -> Iterable[bytes]:
    return (record.payload,) if record.protocol == _UDP else scene.streams.take(record)


def _take(record: DnsMessageRecord, message: DnsMessage, scene: Scene) -> Event | None:
    name = message.name
    asked = Asked(record.tgid, record.start, record.socket, message.id, name.lower(), message.type)
    if record.sent:
        if not message.is_response:
            _ask(asked, record, message, scene)
        return None
    if not message.is_response:
        return None
    if record.called:
        call = scene.questions.call((record.tgid, record.start, record.tid), record.time)
        waiting = call.hear(asked, message)
        if waiting:
            _fill(waiting.event, message)
        return None
    waiting = scene.questions.answer(asked) or Waiting(_asked(record, message, scene), record, 0)
    _fill(waiting.event, message)
    if message.is_truncated and record.protocol == _UDP:
        waiting.due = record.time + PATIENCE
        scene.questions.truncate(asked, waiting)
        return None
    waiting.event.UtcTime = scene.utc(record.time)
    return waiting.event if scene.questions.tell(asked, waiting.event.QueryStatus, record.time) else None


def _ask(asked: Asked, record: DnsMessageRecord, message: DnsMessage, scene: Scene) -> None:
    waiting = Waiting(_asked(record, message, scene), record, record.time + PATIENCE)
    if record.called:
        scene.questions.call((record.tgid, record.start, record.tid), record.time).ask(asked, waiting)
    else:
        scene.questions.ask(asked, waiting)


def _asked(record: DnsMessageRecord, message: DnsMessage, scene: Scene) -> DnsQuery:
    """The event of a question that nobody answers."""
    event = _event(record, record.uid, message.name, scene)
    event.QueryStatus = _TIMEOUT
    event.extra = {
        "QuerySource": "packet",
        "QueryType": type_name(message.type),
        "DnsServer": address(record.family, record.server)[0],
        "Protocol": "tcp" if record.protocol == _TCP else "udp",
    }
    return event


def _fill(event: DnsQuery, message: DnsMessage) -> None:
    event.QueryStatus = _status(message)
    event.QueryResults = _results(_answers(message))
    if not message.is_whole or message.is_truncated:
        event.extra = {**(event.extra or {}), "ResultsTruncated": True}


def _event(record: Record, uid: int, name: str, scene: Scene) -> DnsQuery:
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    return DnsQuery(
        UtcTime=scene.utc(record.time),
        ProcessGuid=actor.guid,
        ProcessId=record.tgid,
        QueryName=name,
        Image=actor.image,
        User=scene.users.name(uid),
    )


def _status(message: DnsMessage) -> str:
    if message.status:
        return str(_RCODES + message.status) if message.status <= _LAST_RCODE else _SERVER_FAILURE
    if message.answers:
        return _DONE
    return _NO_RECORDS if message.is_whole else _BAD_PACKET


def _results(parts: Iterable[str]) -> str:
    """Each result once, ended by `;`."""
    return "".join(f"{part};" for part in dict.fromkeys(parts)) or _NONE


def _answers(message: DnsMessage) -> Iterator[str]:
    for answer in message.answers:
        if answer.type == A and answer.text:
            yield f"::ffff:{answer.text}"
        elif answer.type == AAAA and answer.text:
            yield answer.text
        else:
            yield f"type:  {answer.type} {answer.text}".rstrip()


def _aliases(record: LookUpRecord, name: str, heard: Iterable[DnsMessage]) -> Iterator[str]:
    """The names that lead from the one that was asked for to the addresses."""
    aliases = [a.text for message in heard for a in message.answers if a.type == CNAME]
    canonical = text(record.canonical).rstrip(".")
    if not aliases and canonical.lower() != name.lower() and canonical and not is_address(canonical):
        aliases = [canonical]
    for alias in aliases:
        yield f"type:  {CNAME} {alias}"


def _addresses(octets: bytes) -> Iterator[str]:
    for at in range(0, len(octets) - _ADDRESS_SIZE + 1, _ADDRESS_SIZE):
        family, raw = int.from_bytes(octets[at : at + 2], "little"), octets[at + 2 : at + _ADDRESS_SIZE]
        if family == AF_INET:
            yield f"::ffff:{inet_ntop(AF_INET, raw[:4])}"
        elif family == AF_INET6:
            yield inet_ntop(AF_INET6, raw)


def is_address(name: str) -> bool:
    """Is it an address as the C library reads one, so that nobody has to be asked? `127.1` is."""
    try:
        ip_address(name)
    except ValueError:
        try:
            inet_aton(name)
        except (OSError, ValueError):
            return False
        return " " not in name
    return True
