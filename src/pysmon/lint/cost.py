"""Checks of what a configuration costs: floods of events, copies of files, searches (L601 to L603)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pysmon.config.model import Condition
from pysmon.errors import Place
from pysmon.lint.check import Check, Found, exclude, include
from pysmon.lint.fields import texts
from pysmon.lint.scene import Scene
from pysmon.schema.lookup import by_tag

_FLOODS = ("ImageLoad", "ProcessAccess", "RegistryEvent", "FileCreate", "PipeEvent")
_MANY = 500  # searches of one field
_SEARCHES = (
    Condition.CONTAINS,
    Condition.CONTAINS_ANY,
    Condition.CONTAINS_ALL,
    Condition.EXCLUDES,
    Condition.EXCLUDES_ANY,
    Condition.EXCLUDES_ALL,
)


def _flood(scene: Scene) -> Iterator[Found]:
    for element in scene.configuration.filters:
        alone = sum(other.tag == element.tag for other in scene.configuration.filters) == 1
        if element.tag in _FLOODS and element.onmatch == "exclude" and not element.entries and alone:
            message = f"every {element.tag} is kept, and of these a machine has very many"
            yield Found(element.place, message, "an include with what matters, or excludes of what is frequent")


def _copies(scene: Scene) -> Iterator[Found]:
    for element in scene.configuration.filters:
        tags = [other for other in scene.configuration.filters if other.tag == element.tag]
        if (
            element.tag == "FileDelete"
            and element.onmatch == "exclude"
            and len(tags) == 1
            and scene.platform == "windows"
        ):
            message = "FileDelete keeps a copy of every deleted file that no exclude names: the disk fills up"
            yield Found(element.place, message, "an include of the files that matter", "FileDeleteDetected keeps none")


def _searches(scene: Scene) -> Iterator[Found]:
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Place] = {}
    for spot in scene.spots:
        if spot.filter.condition in _SEARCHES:
            key = spot.element.tag, spot.filter.field
            first.setdefault(key, spot.filter.place)
            counts[key] += len(texts(spot.filter.condition, spot.filter.value))
    for (tag, field), count in counts.items():
        if count >= _MANY:
            ids = " and ".join(str(event.id) for event in by_tag(tag))
            message = f"{count} texts are looked for within the {field} of each {tag} (event {ids})"
            hint = "'is any', 'begin with' and 'end with' are looked up, not searched for"
            yield Found(first[tag, field], message, f"less than {_MANY}", hint)


CHECKS = (
    Check(
        "L601",
        "warning",
        "Every event of a frequent kind is kept",
        "An exclude without conditions keeps everything. Of loaded images, opened processes, registry, files and pipes"
        " a machine has so many that the log turns over within hours.",
        exclude("ImageLoad", ""),
        include("ImageLoad", '<ImageLoaded condition="end with">\\samlib.dll</ImageLoaded>'),
        _flood,
    ),
    Check(
        "L602",
        "warning",
        "A copy of nearly every deleted file",
        "On Windows, FileDelete (23) puts a copy of each file whose deletion it keeps into the archive directory.",
        exclude("FileDelete", "<Image>C:\\Windows\\System32\\svchost.exe</Image>"),
        exclude("FileDeleteDetected", "<Image>C:\\Windows\\System32\\svchost.exe</Image>"),
        _copies,
    ),
    Check(
        "L603",
        "note",
        "Very many texts that are searched for",
        f"The conditions on parts (`contains` and its kin) go through the value once for each text. From {_MANY} on"
        " for one field this shows: each new value costs tens of microseconds, in Sysmon's own engine more.",
        include(
            "ProcessCreate",
            "\n".join(
                f'<Hashes condition="contains any">{";".join(f"SHA1={n:040X}" for n in range(at, at + 100))}</Hashes>'
                for at in range(0, 500, 100)
            ),
        ),
        include("ProcessCreate", f'<Hashes condition="contains">SHA1={0:040X}</Hashes>'),
        _searches,
    ),
)
