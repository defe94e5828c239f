"""A made-up configuration as large as the largest that are in use: 4.8 MB of binary rules.

Its shares are those of real configurations put together: a quarter of the filters are for ProcessCreate, most of them
on whole command lines and file names, some on pieces of them, one in thirty in a Rule of two.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from xml.sax.saxutils import escape

from pysmon.config.blob.encode import encode
from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration

SIZE = 4_800_000  # bytes of binary rules
_IN_A_RULE = 1 / 30
_CREATION = (  # field, condition, how many of a hundred
    ("CommandLine", "is", 33),
    ("OriginalFileName", "is", 20),
    ("Image", "is", 11),
    ("CommandLine", "contains", 7),
    ("ParentImage", "is", 6),
    ("ParentImage", "image", 5),
    ("Image", "begin with", 5),
    ("Image", "end with", 3),
    ("CommandLine", "begin with", 3),
    ("ParentImage", "end with", 2),
    ("CommandLine", "contains all", 2),
    ("CommandLine", "contains any", 2),
    ("ParentCommandLine", "contains", 1),
)
_OTHERS = (  # element, field, condition, how many filters for each of ProcessCreate
    ("FileCreate", "TargetFilename", "begin with", 1.0),
    ("DnsQuery", "QueryName", "end with", 1.0),
    ("NetworkConnect", "DestinationHostname", "end with", 0.5),
    ("ImageLoad", "ImageLoaded", "begin with", 0.5),
)
_WORDS = (
    *("svc", "host", "update", "agent", "monitor", "helper", "setup", "driver", "sync", "backup", "report", "client"),
    *("crash", "install", "cloud", "office", "team", "print", "audio", "video", "net", "remote", "shell", "config"),
)


def large() -> Configuration:
    """The configuration."""
    choose = random.Random(0)
    count = 2000  # of filters for ProcessCreate, to begin with
    while True:
        read = read_configuration("".join(_text(choose, count)).encode(), "large.xml")
        if read.configuration is None:
            raise ValueError(f"a made-up configuration is none: {read.problems[:3]}")
        size = len(encode(read.configuration))
        if size >= SIZE:
            return read.configuration
        count = count * SIZE // size + 1


def _text(choose: random.Random, count: int) -> Iterator[str]:
    yield '<Sysmon schemaversion="4.90"><EventFiltering>'
    for onmatch, share in (("exclude", 0.6), ("include", 0.4)):
        yield f'<RuleGroup groupRelation="or"><ProcessCreate onmatch="{onmatch}">'
        for _ in range(int(count * share)):
            yield _rule(choose) if choose.random() < _IN_A_RULE else _filter(choose)
        yield "</ProcessCreate></RuleGroup>"
    for tag, field, condition, share in _OTHERS:
        yield f'<RuleGroup groupRelation="or"><{tag} onmatch="exclude">'
        for _ in range(int(count * share)):
            yield _element(field, condition, _value(choose, field, condition))
        yield f"</{tag}></RuleGroup>"
    yield "</EventFiltering></Sysmon>"


def _rule(choose: random.Random) -> str:
    return f'<Rule name="both" groupRelation="and">{_filter(choose)}{_filter(choose)}</Rule>'


def _filter(choose: random.Random) -> str:
    field, condition, _ = choose.choices(_CREATION, [share for *_, share in _CREATION])[0]
    return _element(field, condition, _value(choose, field, condition))


def _element(field: str, condition: str, value: str) -> str:
    return f'<{field} condition="{condition}">{escape(value)}</{field}>'


def _value(choose: random.Random, field: str, condition: str) -> str:
    name = f"{choose.choice(_WORDS)}{choose.choice(_WORDS)}{choose.randrange(1000)}"
    folder = f"C:\\Program Files\\{choose.choice(_WORDS)}{choose.randrange(100)}\\"
    if condition in ("contains all", "contains any"):
        return f"-{name};/{choose.choice(_WORDS)}{choose.randrange(1000)}"
    if condition == "contains":
        return f"--{name}="
    if condition == "image" or field == "OriginalFileName":
        return f"{name}.exe"
    if condition == "end with":
        return f".{name}.com" if field in ("QueryName", "DestinationHostname") else f"\\{name}.exe"
    if condition == "begin with":
        return f"{folder}{name}\\"
    return f"{folder}{name}.exe" + (f" -k {choose.choice(_WORDS)} -p" if field == "CommandLine" else "")
