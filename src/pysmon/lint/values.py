"""Checks of one condition alone: whether its text can be what the field holds (L101 to L113)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pysmon.config.filters import LISTS
from pysmon.config.model import Condition
from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, include
from pysmon.lint.fields import FREE, texts
from pysmon.lint.scene import Scene, Spot
from pysmon.rules.conditions import NEGATED, items

_DRIVE = re.compile(r" +[A-Za-z]:\\")
_ORDER = (Condition.LESS_THAN, Condition.MORE_THAN)


def _said(spot: Spot) -> str:
    return f"{spot.filter.field} {spot.filter.condition.value} {quoted(spot.filter.value)}"


def _judged(scene: Scene) -> Iterator[Spot]:
    """The conditions that L101, L102 and L113 leave to others."""
    for spot in scene.spots:
        meaning = scene.meaning(spot.filter)
        if not (meaning.never or meaning.always or spot.filter.field == "RuleName"):
            yield spot


def _never(scene: Scene) -> Iterator[Found]:
    for spot in scene.spots:
        if scene.meaning(spot.filter).never and spot.filter.field != "RuleName":
            message = f"{_said(spot)} never holds: no field is empty"
            yield Found(spot.filter.place, message, "a text", "a field without a value reads '-': ask for that")


def _always(scene: Scene) -> Iterator[Found]:
    for spot in scene.spots:
        if scene.meaning(spot.filter).always and spot.filter.field != "RuleName":
            hint = "remove the ';' that makes an empty part" if ";" in spot.filter.value else ""
            message = f"{_said(spot)} always holds: the empty text is part of every text"
            yield Found(spot.filter.place, message, "a text that not every event has", hint)


def _list(scene: Scene) -> Iterator[Found]:
    for spot in scene.spots:
        value = spot.filter.value
        parts = value.split(";")
        if spot.filter.condition in LISTS or len(parts) == 1 or "" in parts[:-1]:
            continue
        if spot.filter.field in FREE and (not parts[-1] or any(re.search(r"\s", part) for part in parts)):
            continue  # command lines and scripts have semicolons of their own
        instead = _LIST_FOR.get(spot.filter.condition)
        hint = f'condition="{instead}"' if instead else "one condition for each text"
        message = f"{_said(spot)} looks for the text with its ';': only the 'any' and 'all' conditions take lists"
        yield Found(spot.filter.place, message, "one text", hint)


_LIST_FOR = {Condition.IS: "is any", Condition.CONTAINS: "contains any", Condition.EXCLUDES: "excludes any"}


def _outside(sort: str, scene: Scene) -> Iterator[Found]:
    for spot in _judged(scene):
        domain = scene.domain(spot)
        if domain is None or domain.sort != sort:
            continue
        source = spot.filter
        positive = NEGATED.get(source.condition, source.condition)
        if source.condition in NEGATED and not domain.language.can(positive, source.value):
            yield Found(source.place, f"{_said(spot)} always holds: the field never reads so", domain.expected)
        elif not domain.language.can(source.condition, source.value):
            yield Found(source.place, f"{_said(spot)} never holds: the field never reads so", domain.expected)
        elif source.condition is Condition.IS_ANY:
            for item in items(source.value):
                if not domain.language.can(Condition.IS, item):
                    message = f"the part {quoted(item)} of {_said(spot)} is never found: the field never reads so"
                    yield Found(source.place, message, domain.expected)


def _order(scene: Scene) -> Iterator[Found]:
    for spot in _judged(scene):
        domain = scene.domain(spot)
        if spot.filter.condition in _ORDER and domain and domain.sort in ("number", "mask"):
            message = f"{_said(spot)} compares texts, not numbers: '1000' is less than '443'"
            hint = "'is any' with the numbers, or 'begin with'"
            yield Found(spot.filter.place, message, "a condition that does not need an order", hint)


def _blanks(scene: Scene) -> Iterator[Found]:
    for spot in _judged(scene):
        odd = next((text for text in texts(spot.filter.condition, spot.filter.value) if _odd_blanks(spot, text)), "")
        if odd and scene.domain(spot) is None:
            message = f"{_said(spot)} has blanks at an end; they are part of what is compared"
            yield Found(spot.filter.place, message, f"{quoted(odd.strip())}, if they are not meant")


def _odd_blanks(spot: Spot, text: str) -> bool:
    """Whether a text has blanks where they can hardly be meant: within a value they may be the end of a word."""
    if not text.strip():
        return False
    if text != text.strip("\t\r\n"):
        return True
    condition = NEGATED.get(spot.filter.condition, spot.filter.condition)
    if spot.filter.field in FREE or condition is Condition.IS_ANY:
        return False
    before, after = text[0] == " ", text[-1] == " "
    if condition is Condition.BEGIN_WITH:
        return before
    if condition is Condition.END_WITH:
        return after
    return before and bool(_DRIVE.match(text)) if "contains" in condition.value else before or after


def _name(scene: Scene) -> Iterator[Found]:
    for spot in scene.spots:
        if spot.filter.field == "RuleName":
            message = f"{_said(spot)}: RuleName is the outcome of the rules and reads '-' while they are asked"
            yield Found(spot.filter.place, message, "another field")


CHECKS = (
    Check(
        "L101",
        "error",
        "A condition that never holds",
        "No text meets it. Mostly it is an empty value under `is`: no field is empty, one without a value reads `-`.",
        include("NetworkConnect", "<DestinationHostname></DestinationHostname>"),
        include("NetworkConnect", "<DestinationHostname>-</DestinationHostname>"),
        _never,
    ),
    Check(
        "L102",
        "error",
        "A condition that always holds",
        "Every text meets it. Mostly it is an empty value under `contains` or `begin with`: with it the rule matches"
        " every event.",
        include("ProcessCreate", '<CommandLine condition="contains"></CommandLine>'),
        include("ProcessCreate", '<CommandLine condition="contains">-enc</CommandLine>'),
        _always,
    ),
    Check(
        "L103",
        "error",
        "A list where the condition takes one text",
        "Only `is any`, `contains any`, `contains all`, `excludes any` and `excludes all` part their text at `;`. All"
        " others look for the whole text, semicolons included. Told of command lines and other free text only where no"
        " part has a blank.",
        include("ProcessCreate", '<CommandLine condition="contains">unload;detach</CommandLine>'),
        include("ProcessCreate", '<CommandLine condition="contains any">unload;detach</CommandLine>'),
        _list,
    ),
    Check(
        "L104",
        "error",
        "A number that the field cannot have",
        "The field reads as a decimal number without zeros before it, within its range. Ranges such as `80-90`, names"
        " such as `https` and ports above 65535 are never found.",
        include("NetworkConnect", "<DestinationPort>80-90</DestinationPort>"),
        include("NetworkConnect", '<DestinationPort condition="is any">80;81;82</DestinationPort>'),
        partial(_outside, "number"),
    ),
    Check(
        "L105",
        "error",
        "Neither true nor false",
        "The field reads `true` or `false`, nothing else.",
        include("NetworkConnect", "<Initiated>yes</Initiated>"),
        include("NetworkConnect", "<Initiated>true</Initiated>"),
        partial(_outside, "boolean"),
    ),
    Check(
        "L106",
        "error",
        "A mask that the field cannot have",
        "GrantedAccess and LogonId read as hexadecimal numbers with `0x` and without zeros before the first digit.",
        include("ProcessAccess", "<GrantedAccess>0x001410</GrantedAccess>"),
        include("ProcessAccess", "<GrantedAccess>0x1410</GrantedAccess>"),
        partial(_outside, "mask"),
    ),
    Check(
        "L107",
        "error",
        "An identifier or a time that the field cannot have",
        "Guids read `{c9eb4a87-4093-637f-789d-2406ab550000}`, with braces; times read `2026-11-21 08:15:00.300`.",
        include("ProcessTerminate", "<ProcessGuid>c9eb4a87-4093-637f-789d-2406ab550000</ProcessGuid>"),
        include("ProcessTerminate", "<ProcessGuid>{c9eb4a87-4093-637f-789d-2406ab550000}</ProcessGuid>"),
        partial(_outside, "identifier"),
    ),
    Check(
        "L108",
        "error",
        "A hash that the field cannot have",
        "Hashes reads `SHA1=..,MD5=..,SHA256=..,IMPHASH=..`, those that HashAlgorithms selects, in this order. A hash"
        " with too many digits, a bare hash under `is`, and an algorithm that is not selected are never found. Use"
        " `contains` with `MD5=` before the digits.",
        include("ProcessCreate", "<Hashes>d41d8cd98f00b204e9800998ecf8427e</Hashes>"),
        include("ProcessCreate", '<Hashes condition="contains">MD5=d41d8cd98f00b204e9800998ecf8427e</Hashes>'),
        partial(_outside, "hash"),
    ),
    Check(
        "L109",
        "error",
        "An address that the field cannot have",
        "IPv4 addresses are dotted; IPv6 addresses are written with all eight groups and without `::`. There are no"
        " networks: `10.0.0.0/8` is never found, `begin with 10.` is.",
        include("NetworkConnect", "<DestinationIp>::1</DestinationIp>"),
        include("NetworkConnect", "<DestinationIp>0:0:0:0:0:0:0:1</DestinationIp>"),
        partial(_outside, "address"),
    ),
    Check(
        "L110",
        "error",
        "A word that the field does not have",
        "Protocol, IntegrityLevel, Operation and EventType have few values. They are those of known logs and of"
        " Sysmon's documentation.",
        include("NetworkConnect", "<Protocol>TCP/IP</Protocol>"),
        include("NetworkConnect", "<Protocol>tcp</Protocol>"),
        partial(_outside, "word"),
    ),
    Check(
        "L111",
        "warning",
        "Numbers compared as texts",
        "`less than` and `more than` compare by the order of texts, so that `1000` is less than `443`.",
        include("NetworkConnect", '<DestinationPort condition="less than">1024</DestinationPort>'),
        include("NetworkConnect", '<DestinationPort condition="is any">22;23;445</DestinationPort>'),
        _order,
    ),
    Check(
        "L112",
        "warning",
        "Blanks at an end of a value",
        "Sysmon does not trim values: blanks, tabs and line ends are compared as well. Blanks in command lines are"
        " taken as meant, tabs and line ends are not.",
        include("ProcessCreate", "<Image>C:\\Windows\\System32\\cmd.exe </Image>"),
        include("ProcessCreate", "<Image>C:\\Windows\\System32\\cmd.exe</Image>"),
        _blanks,
    ),
    Check(
        "L113",
        "error",
        "A condition on RuleName",
        "RuleName is what the rules find out. While they are asked it reads `-`.",
        include("ProcessCreate", '<RuleName condition="contains">T1059</RuleName>'),
        include("ProcessCreate", '<Image condition="image">powershell.exe</Image>'),
        _name,
    ),
)
