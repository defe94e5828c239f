"""Checks of excludes that an intruder can use: he only has to look like what is excluded (L401 to L407)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from pysmon.config.model import Condition, Filter
from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, exclude
from pysmon.lint.fields import ACTORS, COMMANDS, HOSTS, PATHS, RESOURCES, WHOLE, texts
from pysmon.lint.scene import Case, Scene
from pysmon.rules.conditions import NEGATED, last_part, splits

_WRITABLE = {
    "windows": (
        "c:\\users\\",
        "c:\\programdata\\",
        "c:\\temp\\",
        "c:\\tmp\\",
        "c:\\perflogs\\",
        "c:\\$recycle.bin\\",
        "c:\\windows\\temp\\",
        "c:\\windows\\tasks\\",
        "c:\\windows\\tracing\\",
        "c:\\windows\\system32\\tasks\\",
        "c:\\windows\\system32\\spool\\drivers\\color\\",
    ),
    "linux": ("/tmp/", "/var/tmp/", "/dev/shm/", "/home/", "/run/user/"),  # noqa: S108 - folders that are looked for
}
_GUARDED = ("c:\\programdata\\microsoft\\windows defender",)  # folders in these where users cannot write
_WRITABLE_PARTS = ("\\appdata\\", "\\downloads\\", "\\temp\\", "\\tmp\\", "\\users\\", "\\programdata\\")
_PROGRAM = re.compile(r"\.(?:exe|dll|sys|scr|com|bat|cmd|ps1|vbs|js|msi)\Z", re.IGNORECASE)
_BEGINS_PATH = re.compile(r"[a-z]:\\|/", re.IGNORECASE)

_Weakness = Callable[[Scene, Filter, str], str]  # how a text of a condition can be met by an intruder, or nothing


def _writable(scene: Scene, source: Filter, text: str) -> str:
    value = text.lower()
    if source.field not in ACTORS or not value or value.startswith(_GUARDED) or _bare(scene, source, value):
        return ""
    folder = ""
    if source.condition in (*WHOLE, Condition.IMAGE):
        folder = next((f for f in _WRITABLE[scene.platform] if value.startswith(f)), "")
    elif source.condition is Condition.BEGIN_WITH:
        folder = next((f for f in _WRITABLE[scene.platform] if value.startswith(f) or f.startswith(value)), "")
    elif source.condition in (Condition.CONTAINS, Condition.CONTAINS_ANY, Condition.CONTAINS_ALL):
        parts = [*_WRITABLE[scene.platform], *(_WRITABLE_PARTS if scene.platform == "windows" else ())]
        folder = next((f for f in parts if f in value), "")
    if not folder:
        return ""
    return f"{'lies in' if folder in value else 'takes in'} {folder}, where users can write"


def _contains(_scene: Scene, source: Filter, text: str) -> str:
    if source.field not in PATHS or source.condition not in (Condition.CONTAINS, Condition.CONTAINS_ANY):
        return ""
    if _PROGRAM.search(text):
        return "may stand anywhere in the path: a folder can have this name"
    return "may stand anywhere in the path, not only at its beginning" if _BEGINS_PATH.match(text) else ""


def _half_name(scene: Scene, source: Filter, text: str) -> str:
    if source.condition is not Condition.END_WITH:
        return ""
    if source.field in ACTORS and text and not splits(text, scene.splits_on) and not text.startswith("."):
        return f"is also the end of {'evil' + text!r}: no separator stands before it"
    if source.field in HOSTS and text and text[0] not in ".-":
        return f"is also the end of {'evil' + text!r}: no dot stands before it"
    return ""


def _any_folder(scene: Scene, source: Filter, text: str) -> str:
    if source.field not in ACTORS or not _bare(scene, source, text):
        return ""
    return "says nothing of the folder: a program of that name can stand in any"


def _bare(scene: Scene, source: Filter, text: str) -> bool:
    """Whether a text names a file, or the end of a path, and leaves the folders before it open."""
    if source.condition is Condition.IMAGE:
        return not splits(text, scene.splits_on)
    whole = _BEGINS_PATH.match(text) if scene.platform == "windows" else None  # nothing comes before a drive
    return source.condition is Condition.END_WITH and not whole and bool(last_part(text, scene.splits_on))


def _command(_scene: Scene, source: Filter, text: str) -> str:
    inside = source.condition in (
        Condition.CONTAINS,
        Condition.CONTAINS_ANY,
        Condition.CONTAINS_ALL,
        Condition.END_WITH,
    )
    return "can be added to any command line" if source.field in COMMANDS and inside and text.strip() else ""


def _resource(_scene: Scene, source: Filter, _text: str) -> str:
    return "is what the file says of itself; whoever makes it can write that" if source.field in RESOURCES else ""


def _signature(_scene: Scene, source: Filter, _text: str) -> str:
    return (
        "is a name that a signature gives; that it is valid says SignatureStatus" if source.field == "Signature" else ""
    )


_WEAKNESSES: dict[str, _Weakness] = {  # in this order: of one condition the first is told
    "L401": _writable,
    "L402": _contains,
    "L403": _half_name,
    "L404": _any_folder,
    "L405": _command,
    "L406": _resource,
    "L407": _signature,
}


def _weak(code: str, scene: Scene) -> Iterator[Found]:
    """The excludes of which an intruder can meet every condition, told by the first that has a weakness."""
    seen = set()
    for cases in scene.cases.values():
        for case in cases:
            if case.element.source.onmatch == "include" or id(case.source) in seen:
                continue
            seen.add(id(case.source))
            weaknesses = _of_case(scene, case)
            if weaknesses and weaknesses[0][0] == code:
                _, source, text, why = weaknesses[0]
                yield Found(source.place, f"{source.field} {quoted(text)} {why}", _EXPECTED[code], _HINTS.get(code, ""))


def _of_case(scene: Scene, case: Case) -> list[tuple[str, Filter, str, str]]:
    """The weakness of each clause, the gravest first; nothing if one of them is not weak."""
    found = []
    for clause in case.clauses:
        weak = next((w for check in clause if (w := _of_condition(scene, check.source))), None)
        if weak is None:
            return []
        found.append(weak)
    return sorted(found, key=lambda weak: weak[0])


def _of_condition(scene: Scene, source: Filter) -> tuple[str, Filter, str, str] | None:
    meaning = scene.meaning(source)
    if source.condition in NEGATED or meaning.never or meaning.always:
        return None
    for code, weakness in _WEAKNESSES.items():
        for text in texts(source.condition, source.value):
            if why := weakness(scene, source, text):
                return code, source, text, why
    return None


_EXPECTED = {
    "L401": "a folder in which only administrators write, or a second condition",
    "L402": "'end with' or 'begin with'",
    "L403": "a separator or a dot before the name",
    "L404": "a full path, or a second condition",
    "L405": "a second condition on the program, with its path",
    "L406": "a condition on the path, or on the signature",
    "L407": "a Rule with 'and' and a SignatureStatus that is Valid",
}
_HINTS = {"L402": "in a path the name of a folder is as good as that of a file"}


CHECKS = (
    Check(
        "L401",
        "warning",
        "An exclude of a place where users can write",
        "Any program that is put there is not logged. Folders of users and of temporary files, and some below"
        r" `C:\Windows`, can be written without rights.",
        exclude("ProcessCreate", r'<Image condition="begin with">C:\Windows\Temp\Updater\</Image>'),
        exclude("ProcessCreate", r'<Image condition="begin with">C:\Program Files\Updater\</Image>'),
        partial(_weak, "L401"),
    ),
    Check(
        "L402",
        "warning",
        "An exclude with `contains` where an end or a beginning is meant",
        r"`contains \updater.exe` also leaves out `C:\Users\joe\updater.exe\evil.exe`.",
        exclude("ProcessCreate", r'<Image condition="contains">\Updater\updater.exe</Image>'),
        exclude("ProcessCreate", r"<Image>C:\Program Files\Updater\updater.exe</Image>"),
        partial(_weak, "L402"),
    ),
    Check(
        "L403",
        "warning",
        "An exclude of an end without a separator",
        "`end with update.exe` also leaves out `evilupdate.exe`, and `end with example.com` the host"
        " `evilexample.com`.",
        exclude("DnsQuery", '<QueryName condition="end with">example.com</QueryName>'),
        exclude("DnsQuery", '<QueryName condition="end with">.example.com</QueryName>'),
        partial(_weak, "L403"),
    ),
    Check(
        "L404",
        "note",
        "An exclude of a program in any folder",
        "The name of a file, or the end of a path, can be had in a folder of one's own. Whoever knows the configuration"
        " names his program so.",
        exclude("ProcessCreate", '<Image condition="image">updater.exe</Image>'),
        exclude("ProcessCreate", r"<Image>C:\Program Files\Updater\updater.exe</Image>"),
        partial(_weak, "L404"),
    ),
    Check(
        "L405",
        "note",
        "An exclude of a text within a command line",
        "Most programs ignore arguments that they do not know, and a process can be started with any command line:"
        " whoever knows the configuration adds the text.",
        exclude("ProcessCreate", '<CommandLine condition="contains">--type=renderer</CommandLine>'),
        exclude(
            "ProcessCreate",
            '<Rule groupRelation="and">\n<Image>C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe</Image>\n'
            '<CommandLine condition="contains">--type=renderer</CommandLine>\n</Rule>',
        ),
        partial(_weak, "L405"),
    ),
    Check(
        "L406",
        "warning",
        "An exclude of what a file says of itself",
        "Company, Product, Description, FileVersion and OriginalFileName stand in the version resource of a file."
        " Whoever makes the file writes there what he likes.",
        exclude("ProcessCreate", "<Company>Microsoft Corporation</Company>"),
        exclude("ProcessCreate", r'<Image condition="begin with">C:\Program Files\Updater\</Image>'),
        partial(_weak, "L406"),
    ),
    Check(
        "L407",
        "warning",
        "An exclude of a signer whose signature may not be valid",
        "Signature is the name in the certificate. That the signature holds says SignatureStatus, which is"
        " `Valid` then.",
        exclude("DriverLoad", "<Signature>Microsoft Windows</Signature>"),
        exclude(
            "DriverLoad",
            '<Rule groupRelation="and">\n<Signature>Microsoft Windows</Signature>\n'
            "<SignatureStatus>Valid</SignatureStatus>\n</Rule>",
        ),
        partial(_weak, "L407"),
    ),
)
