"""Checks of how values are written: paths, keys, pipes, accounts, and signs that mean nothing here (L121 to L127)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pysmon.config.model import Condition
from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, include
from pysmon.lint.fields import ACCOUNTS, COMMANDS, HOSTS, KEYS, PATHS, WHOLE, texts
from pysmon.lint.scene import Scene, Spot

_NO_PATHS = {"", "-", "system", "registry", "memcompression", "memory compression", "secure system", "idle", "vmmem"}
_WINDOWS_ROOT = re.compile(r"[a-z]:(\\|$)|\\|%|<", re.IGNORECASE)
_LINUX_ROOT = re.compile(r"/|<|\[|memfd:|%")
_ROOTS = {"windows": ("HKLM", "HKU", "HKCR", "HKCC"), "linux": ("SYSCTL",)}
_NO_HIVE = re.compile(r"HKEY_[A-Z_]*|HKCU(?=\\|$)|\\REGISTRY\\(?:MACHINE|USER)", re.IGNORECASE)
_DEVICE = re.compile(r"\\\\\?\\|\\\?\?\\")

_Text = Callable[[Scene, Spot, str], str]  # what is wrong with one text of a condition, or nothing


def _each(scene: Scene, fields: Iterable[str], judge: _Text, expected: str, hint: str = "") -> Iterator[Found]:
    """The conditions on these fields in which some text is not right."""
    for spot in scene.spots:
        source = spot.filter
        if source.field not in fields:
            continue
        for text in texts(source.condition, source.value):
            wrong = judge(scene, spot, text) if text else ""
            if wrong:
                yield Found(source.place, f"{source.field} {quoted(text)} {wrong}", expected, hint)
                break


def _path(scene: Scene) -> Iterator[Found]:
    def judge(scene: Scene, spot: Spot, text: str) -> str:
        root = _WINDOWS_ROOT if scene.platform == "windows" else _LINUX_ROOT
        folder = any(separator in text for separator in scene.splits_on)
        condition = spot.filter.condition
        if text[0] in "\"'":
            return ""  # told as L126
        if condition in WHOLE or (condition is Condition.IMAGE and folder):
            wrong = text.lower() not in _NO_PATHS and not root.match(text)
            return "is compared with the full path, and is none itself" if wrong else ""
        return "begins no full path" if condition is Condition.BEGIN_WITH and folder and not root.match(text) else ""

    hint = 'condition="image" compares file names, "end with" the end of the path'
    return _each(scene, PATHS, judge, "a full path", hint)


def _key(scene: Scene) -> Iterator[Found]:
    roots = _ROOTS[scene.platform]

    def judge(_scene: Scene, spot: Spot, text: str) -> str:
        found = _NO_HIVE.search(text)
        if found:
            return f"has the root {found[0]}, which Sysmon writes in another way"
        begins = spot.filter.condition in WHOLE or spot.filter.condition is Condition.BEGIN_WITH
        upper = text.upper()
        known = any(upper.startswith(root) or root.startswith(upper) for root in roots)
        return "begins with no root" if begins and not known and text != "-" else ""

    if scene.platform == "linux":
        return _each(scene, KEYS, judge, r"SYSCTL as the root: SYSCTL\kernel\core_pattern")
    hint = r"keys of a user read HKU\S-1-5-21-...\: use 'contains' with what comes after it"
    return _each(scene, KEYS, judge, "HKLM, HKU, HKCR or HKCC as the root", hint)


def _pipe(scene: Scene) -> Iterator[Found]:
    def judge(_scene: Scene, spot: Spot, text: str) -> str:
        begins = spot.filter.condition in WHOLE or spot.filter.condition is Condition.BEGIN_WITH
        return "does not begin with a backslash, as all pipes do" if begins and text[0] not in "\\<-" else ""

    return _each(scene, {"PipeName"}, judge, r"\name, or <Anonymous Pipe>") if scene.platform == "windows" else iter(())


def _account(scene: Scene) -> Iterator[Found]:
    def judge(_scene: Scene, spot: Spot, text: str) -> str:
        wrong = spot.filter.condition in WHOLE and "\\" not in text and text != "-"
        return "has no domain: accounts read DOMAIN\\name" if wrong else ""

    hint = "the names of some accounts and domains depend on the language of Windows"
    expected = r"DOMAIN\name, or 'end with' and \name"
    return _each(scene, ACCOUNTS, judge, expected, hint) if scene.platform == "windows" else iter(())


def _wildcard(scene: Scene) -> Iterator[Found]:
    def judge(_scene: Scene, spot: Spot, text: str) -> str:
        bare = _DEVICE.sub("", text)
        if spot.filter.field in COMMANDS:
            return "stands between asterisks, which are compared as they are" if re.fullmatch(r"\*.+\*", bare) else ""
        return f"has {'*' if '*' in bare else '?'}, which is compared as it is" if re.search("[*?]", bare) else ""

    hint = "'contains', 'begin with' and 'end with' say the same"
    return _each(scene, {*PATHS, *HOSTS, *COMMANDS, "PipeName"}, judge, "a text without wildcards", hint)


def _quotes(scene: Scene) -> Iterator[Found]:
    def judge(_scene: Scene, _spot: Spot, text: str) -> str:
        return "has quotation marks, which no path has" if text.startswith(('"', "'")) or text.endswith('"') else ""

    return _each(scene, PATHS, judge, "the path without quotation marks")


def _doubled(scene: Scene) -> Iterator[Found]:
    def judge(_scene: Scene, _spot: Spot, text: str) -> str:
        return "has doubled backslashes: nothing is escaped in a value" if r"\\" in text[1:] else ""

    return _each(scene, {*PATHS, *KEYS, "PipeName"}, judge, "single backslashes")


CHECKS = (
    Check(
        "L121",
        "error",
        "No full path where one is compared",
        "`is`, `is any`, and `image` with a folder in its value, compare with the whole path; `begin with` with its"
        " beginning. A bare file name or a part of a path is never the same as a full path.",
        include("ProcessCreate", "<Image>cmd.exe</Image>"),
        include("ProcessCreate", '<Image condition="image">cmd.exe</Image>'),
        _path,
    ),
    Check(
        "L122",
        "error",
        "A registry root that Sysmon writes in another way",
        "Sysmon shortens the roots to `HKLM`, `HKU`, `HKCR` and `HKCC`. There is no `HKCU`: the keys of a user stand"
        " under `HKU` and his SID. On Linux the settings of the kernel stand under `SYSCTL`.",
        include("RegistryEvent", r'<TargetObject condition="begin with">HKCU\Software\Run</TargetObject>'),
        include("RegistryEvent", r'<TargetObject condition="end with">\Software\Run</TargetObject>'),
        _key,
    ),
    Check(
        "L123",
        "error",
        "A pipe without its backslash",
        r"PipeName reads `\name`, without `\\.\pipe`.",
        include("PipeEvent", "<PipeName>psexesvc</PipeName>"),
        include("PipeEvent", r"<PipeName>\psexesvc</PipeName>"),
        _pipe,
    ),
    Check(
        "L124",
        "error",
        "An account without its domain",
        r"On Windows accounts read `DOMAIN\name`, for example `NT AUTHORITY\SYSTEM`. A bare name is never the same.",
        include("ProcessCreate", "<User>SYSTEM</User>"),
        include("ProcessCreate", r"<User>NT AUTHORITY\SYSTEM</User>"),
        _account,
    ),
    Check(
        "L125",
        "error",
        "A wildcard",
        "Sysmon has no wildcards: `*` and `?` are compared as they are, and no path, host or pipe has them. Told of"
        " command lines only where the text stands between two asterisks.",
        include("ProcessCreate", r'<Image condition="end with">\*.scr</Image>'),
        include("ProcessCreate", '<Image condition="end with">.scr</Image>'),
        _wildcard,
    ),
    Check(
        "L126",
        "error",
        "Quotation marks around a path",
        "Paths stand in events without quotation marks. Command lines may have them.",
        include("ProcessCreate", '<Image>"C:\\Windows\\System32\\cmd.exe"</Image>'),
        include("ProcessCreate", r"<Image>C:\Windows\System32\cmd.exe</Image>"),
        _quotes,
    ),
    Check(
        "L127",
        "error",
        "Doubled backslashes",
        "Nothing is escaped in a value: two backslashes are two. Paths and keys have single ones, but for the two at"
        r" the beginning of `\\server`.",
        include("ProcessCreate", r"<Image>C:\\Windows\\System32\\cmd.exe</Image>"),
        include("ProcessCreate", r"<Image>C:\Windows\System32\cmd.exe</Image>"),
        _doubled,
    ),
)
