"""Write the seeds: small inputs of our own making that are what each parser wants (`python -m fuzz.seeds`)."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from copy import copy
from pathlib import Path

from tests.config import test_hive_log as hive_logs
from tests.config.hives import Key, service, system, write_hive
from tests.config.test_reg_export import export
from tests.config.test_reg_export import wrapped as hex_value
from tests.host import signed
from tests.host.dconf import databases
from tests.host.test_elf import library
from tests.host.test_rpm import header
from tests.sensor import own_dns
from tests.sensor.own_dns import AAAA, MX, TXT, alias, answered, ipv4, ipv6, question
from tests.sources.evtx_files import creations, evtx
from tests.sources.shapes import FILES

from fuzz import hive_log, stored
from fuzz.events import plain_events
from pysmon.config.blob.encode import encode
from pysmon.config.read import read_configuration
from pysmon.formats.evtx.layout import FILE_HEADER_SIZE, ChunkHeader
from pysmon.formats.frame import content_at, frame, names_frame
from pysmon.formats.json_line import json_line
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent / "seeds"
_ALIKE = (
    "wevtutil without newlines",
    "utf-16",
    "utf-16-be",
    "evtx_dump, array",
    "evtx_dump, attributes apart",
    "evtx_dump, utf-16",
)
_TIME = 1_795_241_433_486_357_000

CONFIGURATION = b"""<?xml version="1.0" encoding="utf-8"?>
<Sysmon schemaversion="4.90">
  <!-- a comment -->
  <HashAlgorithms>md5,SHA256,IMPHASH</HashAlgorithms><DnsLookup>False</DnsLookup>
  <FieldSizes>CommandLine:100,Image:20</FieldSizes><ArchiveDirectory>old</ArchiveDirectory>
  <EventFiltering>
    <RuleGroup name="technique_id=T1059,technique_name=x" groupRelation="or">
      <ProcessCreate onmatch="include">
        <Image condition="image" name="a">cmd.exe</Image>
        <CommandLine condition="contains any">-enc;-nop;%TEMP%</CommandLine>
        <Rule name="both" groupRelation="and">
          <ParentImage condition="begin with">C:\\Users\\</ParentImage>
          <User condition="is not">NT AUTHORITY\\SYSTEM</User><Image condition="excludes all">a;b</Image>
        </Rule>
      </ProcessCreate>
    </RuleGroup>
    <RuleGroup groupRelation="and"><NetworkConnect onmatch="exclude">
      <DestinationPort condition="less than">1024</DestinationPort><Image condition="not end with">&#97;&amp;</Image>
    </NetworkConnect></RuleGroup>
    <RegistryEvent onmatch="include"><TargetObject condition="contains all">Run;Once</TargetObject></RegistryEvent>
    <FileDelete onmatch="exclude"/><WmiEvent onmatch="include"><Operation>Created</Operation></WmiEvent>
  </EventFiltering>
</Sysmon>
"""
_SMALL = b"""<Sysmon schemaversion="4.90"><EventFiltering>
<FileDelete onmatch="include"><Image>x</Image></FileDelete></EventFiltering></Sysmon>"""
SETTINGS = b"""[queue]
entries = 5000
bytes = "8 MB"
spill = 0

[[output]]
type = "store"
path = "/var/lib/x"
max_size = "1 GB"

[[output]]
type = "syslog"
"""
CASES = b"""tests:
  - name: curl is kept
    event: {EventID: 1, Image: /usr/bin/curl, ProcessId: 7, UtcTime: 2026-11-21 06:10:33.206}
    expect: keep
    rule: download
  - log: attack.evtx
    record: 4711
    expect: drop
  - &all
    event:
      EventID: "3"
      Initiated: true
    expect: keep
  - *all
"""


_TRIGGERS = {
    "timer": b"[Unit]\nDescription=x\n[Timer]\nOnCalendar=daily\nUnit=b.service\n[Install]\nWantedBy=x\n",
    "service": b"[Service]\nExecStartPre=-/bin/true\nExecStart=/bin/sh -c \\\n  'echo a'\n; a remark\nUser=root\n",
    "crontab": b"SHELL=/bin/sh\n# a remark\n*/5 * * * * a /bin/a --b\n@reboot root /bin/c % x\n1\t5\tdaily\t/x\n",
    "rules": b'ACTION=="add", SUBSYSTEM=="usb", RUN+="/bin/a %k", \\\n RUN{program}+="/bin/b"\n# a remark\n',
    "job": b"#!/bin/sh\n# atrun uid=0 gid=0\n# mail root 0\numask 22\ncd / || {\n exit 1\n}\n/bin/a\n",
}


def main() -> None:
    """Write them all anew."""
    shutil.rmtree(HERE, ignore_errors=True)
    for name, number, data in seeds():
        path = HERE / name / number
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """Of each seed the target, its name, its bytes."""
    yield "configuration", "all-parts.xml", CONFIGURATION
    yield "configuration", "utf-16.xml", CONFIGURATION.decode().replace("utf-8", "utf-16").encode("utf-16")
    rules = _rules()
    yield "blob", "all-parts.bin", rules
    yield "hive", "system", _hive(rules)
    yield from _registry()
    yield from _logs()
    yield "tape", "odd.tape", (ROOT / "tests" / "tapes" / "odd.tape").read_bytes().partition(b"\n")[2]
    yield from _dns()
    yield from _spilled()
    yield "store", "patches", b"\x10\0\0\0\2\1\1" + b"\0\x20\0\0\4\0\0\0\1"
    sheet = b'{"name":"a.xml","text":"<Sysmon schemaversion=\\"4.90\\"/>"}'
    put = b"PUT /configuration HTTP/1.1\r\nHost: pysmon\r\nContent-Length: %d\r\n\r\n%s"
    yield "control", "put", put % (len(sheet), sheet)
    yield "control", "get", b"GET /configuration?a HTTP/1.1\r\nHost: pysmon\r\nExpect: 100-continue\r\n\r\n"
    yield "control", "base64", put % (49, b'{"name":"a","text":"/////w==","encoding":"base64"}'[:49])
    yield "settings", "all-parts.toml", SETTINGS
    digest = hashlib.sha256(stored.DATA).hexdigest()
    yield "stored", "whole", b'{"name": "a.xml", "sha256": "%s", "when": 1795241433486357000}' % digest.encode()
    yield "cases", "all-parts.yaml", CASES
    yield "module", "named", signed.module(signed.message(signed.signer(signed.named(common="Some key"))))
    yield "module", "by-key", signed.module(signed.message(signed.signer_by_key(b"\xab\xcd")))
    yield "module", "old", signed.module(b"x" * 20, kind=1, hash_kind=4, name=b"Some key", key=b"\1\2")
    yield "package", "two-files", header([("/usr/bin/a", "ab" * 32), ("/usr/lib/b", "")])
    for name, text in _TRIGGERS.items():
        yield "triggers", name, text
    yield "elf", "64", library()
    yield "elf", "32", library(order=">", wide=False)
    settings = {"/org/a/scheme": databases.text("dark"), "/org/a/size": databases.number(7), "/b": b"a\0b\0\2\4\0as"}
    yield "dconf", "settings", databases.database(settings)
    yield "dconf", "value", b"a\0\0\0\0\0\0\0\5\0\0\0\0i\2\0a{sv}"


def _dns() -> Iterator[tuple[str, str, bytes]]:
    asked = question("www.test.example")
    whole = [
        alias("a.example"),
        ipv4("192.0.2.7"),
        ipv6("::1"),
        (TXT, b"\3a;b"),
        (MX, b"\0\1" + own_dns.name("mx.example")),
    ]
    yield "dns", "question", b"\0" + question("www.test.example", AAAA)
    yield "dns", "answer", b"\7" + answered(asked, whole)
    yield "dns", "stream", b"\x10" + b"".join(len(m).to_bytes(2) + m for m in (asked, answered(asked, whole)))


def _rules() -> bytes:
    configuration = read_configuration(CONFIGURATION, "a.xml").configuration
    if configuration is None:
        raise ValueError("the seed is no configuration")
    return encode(configuration)


def _hive(rules: bytes) -> bytes:
    driver = service(
        Rules=rules[:3000], HashingAlgorithm=1, FieldSizes="Image:10", ArchiveDirectory="\\old", CheckRevocation=b"\1"
    )
    path = write_hive(HERE / "hive", system({"SysmonDrv": driver, "Other": Key()}))
    data = path.read_bytes()
    path.unlink()
    return data


def _registry() -> Iterator[tuple[str, str, bytes]]:
    path = write_hive(HERE / "hive_log", Key({"x": "y"}))
    data = path.read_bytes()
    path.unlink()
    hive, pages = hive_logs.sequences(data, 8, 7), data[4096:].replace(b"y", b"z")
    entries = [hive_logs.entry(number, (0, pages[:512]), (512, pages[512:]), bins=len(pages)) for number in (7, 8, 3)]
    for name, log in (
        ("entries", hive_logs.log(*entries)),
        ("old", hive_logs.old_log(hive, 0, 1, pages_of=pages)),
        ("old-wide", hive_logs.old_log(hive, 0, 7, pages_of=pages, sector=4096)),
    ):
        yield "hive_log", name, hive_log.LENGTH.pack(len(hive)) + hive + log
    small = read_configuration(_SMALL, "a.xml").configuration
    rules = hex_value(encode(small) if small else b"")
    wide = ",".join(f"{byte:02x}" for byte in "C:\\\0".encode("utf-16-le"))
    values = (
        '@="x"',
        '"HashingAlgorithm"=dword:80000003',
        f'"ArchiveDirectory"=hex(2):{wide}',
        '"FieldSizes"="Image:9"',
    )
    key = "[HKEY_LOCAL_MACHINE\\SYSTEM\\%s\\Services\\SysmonDrv\\Parameters]"
    yield "reg_export", "wide.reg", export(key % "CurrentControlSet", *values, f'"Rules"=hex:{rules}')
    lines = ("REGEDIT4", key % "ControlSet001", f'"Rules"=hex:{rules}', key % "ControlSet002", *values)
    yield "reg_export", "old.reg", "\n".join(lines).encode()


def _logs() -> Iterator[tuple[str, str, bytes]]:
    text = ("xml", "linux", "splunk-classic", "evtxecmd-csv")
    for what, (form, data) in FILES.items():
        if what in _ALIKE:
            continue
        yield ("text" if form in text else "json"), what.replace(" ", "-").replace(",", ""), data
    entries = [Entry(n, _TIME, event, Origin("host", 1, 2, 3)) for n, event in enumerate(plain_events(), 1)]
    lines = b"".join(json_line(entry) + b"\n" for entry in entries[:6])
    yield "json", "own-lines", lines
    yield "packed", "gzip", gzip.compress(lines, mtime=0)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        for member in ("a.json", "b.json"):
            made.writestr(zipfile.ZipInfo(member), lines, zipfile.ZIP_DEFLATED)
    yield "packed", "zip", archive.getvalue()
    yield "evtx", "creations", _used(creations(2))
    yield "evtx", "every-type", _used(entries[:6])


def _used(entries: list[Entry[Event]]) -> bytes:
    path = evtx(HERE / "evtx.evtx", [entry._replace(record_id=n) for n, entry in enumerate(entries, 1)])
    data = path.read_bytes()
    path.unlink()
    return data[: FILE_HEADER_SIZE + ChunkHeader.unpack(data[FILE_HEADER_SIZE:]).free]


def _spilled() -> Iterator[tuple[str, str, bytes]]:
    frames = [frame(Entry(n, _TIME, event, Origin("host", 1, 2, 3))) for n, event in enumerate(plain_events(), 1)]
    yield "spill", "file", names_frame() + b"".join(frames[:3])
    for number in (0, 4, 20):
        content = content_at(frames[number], 0) or b""
        yield "spill", f"content-{number}", content
    odd = copy(next(event for event in plain_events() if isinstance(event, ProcessCreate)))
    odd.extra = {"a": [1]}
    odd.Image = "\udcff"
    yield "spill", "json", content_at(frame(Entry(7, _TIME, odd, Origin("host", 1, 2, 3))), 0) or b""
    yield "spill", "names", content_at(names_frame(), 0) or b""


if __name__ == "__main__":
    main()
