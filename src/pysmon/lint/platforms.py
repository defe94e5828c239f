"""Checks of what the platform does not have: events, fields, paths, schema versions (L501 to L507)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pysmon.config.model import Condition, Configuration
from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, filtering, include
from pysmon.lint.fields import FREE, PATHS, RESOURCES, WHOLE, texts
from pysmon.lint.scene import Scene, spots_of
from pysmon.rules.conditions import NEGATED, holds, splits
from pysmon.schema.lookup import by_tag
from pysmon.schema.shape import Platform
from pysmon.schema.versions import known, newest

SYSMON_FOR_LINUX = frozenset({1, 3, 4, 5, 9, 10, 11, 16, 23, 100})  # what it produces; facts 6.1
_UNSET_ON_LINUX = RESOURCES | {
    "SourceHostname",
    "DestinationHostname",
    "SourcePortName",
    "DestinationPortName",
    "Archived",
}
_WINDOWS = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\|\\[\w$ .-]+\\|\.exe\Z|HK(?:LM|U|CR)\\", re.IGNORECASE)
_LINUX = re.compile(r"/(?:bin|boot|dev|etc|home|lib|opt|proc|root|run|sbin|tmp|usr|var)(?:/|\Z)")
_SETTING = "SYSCTL\\"  # the root of the settings of the kernel, where Windows has its registry
_LINKS = {"/bin/": "/usr/bin/", "/sbin/": "/usr/sbin/", "/lib/": "/usr/lib/", "/lib64/": "/usr/lib64/"}
_LINKS |= {"/var/run/": "/run/", "/var/lock/": "/run/lock/"}
_VARIABLE = re.compile(r"%\w+%")


def platform_of(configuration: Configuration) -> Platform:
    """The platform that a configuration was written for, by the paths in its values.

    Without any it is Linux if an event is filtered that only Linux has, else Windows.
    """
    windows = linux = 0
    for spot in spots_of(configuration):
        value = spot.filter.value
        setting = value.upper().startswith(_SETTING)
        windows += not setting and bool(_WINDOWS.search(value))
        linux += setting or bool(_LINUX.search(value))
    if windows == linux == 0:
        linux = sum(event.target == "linux" for element in configuration.filters for event in by_tag(element.tag))
    return "linux" if linux > windows else "windows"


def _event(scene: Scene) -> Iterator[Found]:
    for element in scene.configuration.filters:
        if element.onmatch == "include" and not element.entries:
            continue  # it keeps nothing, on purpose
        series = by_tag(element.tag)
        if scene.platform == "windows":
            missing = all(event.target == "linux" for event in series)
        else:
            missing = not any(event.live or event.id in SYSMON_FOR_LINUX for event in series)
        if missing:
            there = "Windows" if scene.platform == "windows" else "Linux"
            message = f"there is no {element.tag} on {there}: the rules in this element are never asked"
            yield Found(element.place, message, f"events that {there} has", "another platform: --platform")


def _field(scene: Scene) -> Iterator[Found]:
    if scene.platform != "linux":
        return
    for spot in scene.spots:
        source = spot.filter
        positive = source.condition not in NEGATED
        if source.field in _UNSET_ON_LINUX and positive and not holds(source.condition, source.value, "-"):
            message = f"{source.field} reads '-' on Linux, always: the condition never holds"
            yield Found(source.place, message, "a field that has a value on Linux")


def _path(scene: Scene) -> Iterator[Found]:
    foreign = _LINUX if scene.platform == "windows" else _WINDOWS
    own = _WINDOWS if scene.platform == "windows" else _LINUX
    for spot in scene.spots:
        source = spot.filter
        if source.field not in PATHS:
            continue
        for text in texts(source.condition, source.value):
            if foreign.search(text) and not own.search(text):
                other = "Linux" if scene.platform == "windows" else "Windows"
                message = (
                    f"{source.field} {quoted(text)} is a path of {other}; this configuration is for another platform"
                )
                yield Found(source.place, message, "a path of the platform", "another platform: --platform")
                break


def _version(scene: Scene) -> Iterator[Found]:
    version = scene.configuration.schema_version
    if known(version, scene.platform) or not known(version, "windows"):
        return
    if scene.configuration.filters:
        first = scene.configuration.filters[0].place
        message = f"Sysmon for Linux has no schema version {version}"
        expected = f"{newest('linux').written} or older"
        yield Found(type(first)(first.file, 1, 1), message, expected)


def _image(scene: Scene) -> Iterator[Found]:
    if scene.platform != "linux":
        return
    for spot in scene.spots:
        source = spot.filter
        if source.condition is Condition.IMAGE and not splits(source.value, scene.splits_on):
            message = f"Sysmon for Linux does not part paths at '/': there {quoted(source.value)} is never found"
            hint = f'condition="end with" and /{source.value} does the same on both; pysmon finds it as it is'
            yield Found(source.place, message, "a condition that Sysmon for Linux understands as well", hint)


def _variable(scene: Scene) -> Iterator[Found]:
    if scene.platform != "linux":
        return
    for spot in scene.spots:
        found = _VARIABLE.search(spot.filter.value)
        if found and spot.filter.field not in FREE:
            message = f"{found[0]} is compared as it is: only Sysmon for Windows puts in the value of the variable"
            yield Found(spot.filter.place, message, "the value")


def _link(scene: Scene) -> Iterator[Found]:
    if scene.platform != "linux":
        return
    for spot in scene.spots:
        source = spot.filter
        if source.field not in PATHS or source.condition not in (*WHOLE, Condition.IMAGE, Condition.BEGIN_WITH):
            continue
        for text in texts(source.condition, source.value):
            link = next((link for link in _LINKS if text.startswith(link)), "")
            if link:
                there = _LINKS[link] + text.removeprefix(link)
                message = f"{link} is a link on most systems: {source.field} reads {quoted(there)} there"
                yield Found(source.place, message, "the path that the kernel knows", "'end with' finds both")
                break


CHECKS = (
    Check(
        "L501",
        "warning",
        "An event that the platform does not have",
        "On Windows there is no eBPFEvent. On Linux there are those that pysmon or Sysmon for Linux makes. An include"
        " without conditions is not told of: it keeps nothing, on purpose.",
        include("eBPFEvent", r"<Image>C:\Windows\System32\cmd.exe</Image>"),
        include("ProcessCreate", r"<Image>C:\Windows\System32\cmd.exe</Image>"),
        _event,
    ),
    Check(
        "L502",
        "error",
        "A field that has no value on Linux",
        "Version resources, host names and names of ports read `-` there, always.",
        include(
            "ProcessCreate",
            '<Image>/usr/bin/curl</Image>\n<OriginalFileName condition="begin with">curl</OriginalFileName>',
        ),
        include("ProcessCreate", "<Image>/usr/bin/curl</Image>"),
        _field,
    ),
    Check(
        "L503",
        "error",
        "A path of another platform",
        "The configuration is for one platform by most of its paths (or by `--platform`); this path is of the other.",
        include(
            "ProcessCreate",
            "<Image>/usr/bin/curl</Image>\n<Image>/usr/bin/wget</Image>\n"
            '<Image condition="end with">\\System32\\curl.exe</Image>',
        ),
        include("ProcessCreate", "<Image>/usr/bin/curl</Image>\n<Image>/usr/bin/wget</Image>"),
        _path,
    ),
    Check(
        "L504",
        "warning",
        "A schema version that Sysmon for Linux does not have",
        "Some versions came with Sysmon for Windows only. Sysmon for Linux reads a newer one as its newest.",
        filtering('<ProcessCreate onmatch="include">\n<Image>/usr/bin/curl</Image>\n</ProcessCreate>', "4.91"),
        filtering('<ProcessCreate onmatch="include">\n<Image>/usr/bin/curl</Image>\n</ProcessCreate>', "4.90"),
        _version,
    ),
    Check(
        "L505",
        "note",
        "`image` on Linux",
        "Sysmon for Linux takes the file name after the last backslash, so that there `image` is the same as `is`."
        " pysmon knows `/` as well.",
        include("ProcessCreate", '<Image condition="image">curl</Image>\n<ParentImage>/usr/sbin/cron</ParentImage>'),
        include(
            "ProcessCreate", '<Image condition="end with">/curl</Image>\n<ParentImage>/usr/sbin/cron</ParentImage>'
        ),
        _image,
    ),
    Check(
        "L506",
        "warning",
        "A variable on Linux",
        "Only Sysmon for Windows replaces `%NAME%` by the value of the variable.",
        include("ProcessCreate", "<Image>/usr/bin/curl</Image>\n<Image>%HOME%/bin/curl</Image>"),
        include("ProcessCreate", "<Image>/usr/bin/curl</Image>\n<Image>/root/bin/curl</Image>"),
        _variable,
    ),
    Check(
        "L507",
        "warning",
        "A path through a link",
        "Events name the file that the kernel found. On today's distributions `/bin`, `/sbin` and `/lib` are links"
        " to their namesakes in `/usr`, and `/var/run` to `/run`: a condition with the old path never holds there.",
        include("ProcessCreate", "<Image>/bin/touch</Image>"),
        include("ProcessCreate", '<Image condition="end with">/bin/touch</Image>'),
        _link,
    ),
)
