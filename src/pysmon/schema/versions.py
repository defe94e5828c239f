"""The schema versions that there have been, with what the manifest of each says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from pysmon.schema.shape import Platform
from pysmon.schema.version import SchemaVersion


@dataclass(frozen=True, slots=True)
class KnownSchema:
    """One published schema. Two platforms may have the same version and differ in their events and options."""

    written: str  # as the manifest writes its version: "3.2" for 3.20
    binary: str  # version of the compiled rules
    platforms: frozenset[Platform]
    sysmon: str = ""  # releases of Sysmon that brought it; empty where that is not known
    note: str = ""  # what is not certain

    @property
    def version(self) -> SchemaVersion:
        """The version as a number pair, for comparing."""
        return SchemaVersion.parse(self.written)


_BOTH: frozenset[Platform] = frozenset({"windows", "linux"})
_WINDOWS: frozenset[Platform] = frozenset({"windows"})

_UNSEEN = (
    "No manifest of this version is public. It is printed as its neighbours are, with the event that Sysmon's release"
    " notes name; the binary version is an assumption."
)

# From the oldest to the newest. Sysmon for Linux carries the old ones along, although it was born with 4.81.
SCHEMAS = (
    KnownSchema("2.0", "1.0", _BOTH),
    KnownSchema("3.10", "1.01", _BOTH),
    KnownSchema("3.2", "1.01", _BOTH),
    KnownSchema("3.3", "1.01", _BOTH, "6.2"),
    KnownSchema("3.4", "1.01", _BOTH),
    KnownSchema("4.0", "1.01", _BOTH),
    KnownSchema("4.1", "8.00", _BOTH),
    KnownSchema("4.2", "8.00", _BOTH, "9.1"),
    KnownSchema("4.21", "9.10", _BOTH, "10.2"),
    KnownSchema("4.22", "9.20", _BOTH, "10.41"),
    KnownSchema("4.23", "9.20", _BOTH, "10.42"),
    KnownSchema("4.30", "9.20", _BOTH, "11.0"),
    KnownSchema("4.31", "9.20", _BOTH, "11.1"),
    KnownSchema("4.32", "9.20", _BOTH),
    KnownSchema("4.40", "11.0", _BOTH, "12.0"),
    KnownSchema("4.50", "13.0", _BOTH, "13.0"),
    KnownSchema("4.60", "14.0", _BOTH),
    KnownSchema("4.70", "15.0", _BOTH, "13.20"),
    KnownSchema("4.80", "16", _BOTH),
    KnownSchema("4.81", "16", _BOTH, "Linux 1.0"),
    KnownSchema("4.82", "17", _WINDOWS, "14.0", _UNSEEN),
    KnownSchema("4.83", "17", _WINDOWS, "14.1", _UNSEEN),
    KnownSchema("4.90", "18", _BOTH, "15.0, Linux 1.4"),
    KnownSchema("4.91", "18", _WINDOWS, "15.2"),
)


def schemas(platform: Platform) -> tuple[KnownSchema, ...]:
    """The schemas of that platform, newest first, as Sysmon prints them."""
    return tuple(s for s in reversed(SCHEMAS) if platform in s.platforms)


def newest(platform: Platform) -> KnownSchema:
    """The newest schema of that platform."""
    return schemas(platform)[0]


def known(version: SchemaVersion, platform: Platform) -> KnownSchema | None:
    """The schema of exactly that version, or None."""
    return next((s for s in schemas(platform) if s.version == version), None)


def versions_matching(text: str, platform: Platform = "linux") -> tuple[KnownSchema, ...]:
    """The schemas that `-s TEXT` prints, newest first: `4` gives all that begin with 4, `all` gives all.

    Nothing at all gives the newest only. The text is compared with the version as the manifest writes it, and, since
    4.1 and 4.10 are one version, as a number.
    """
    if not text:
        return (newest(platform),)
    return tuple(s for s in schemas(platform) if text.lower() == "all" or s.written.startswith(text) or _is(s, text))


def _is(schema: KnownSchema, text: str) -> bool:
    try:
        return schema.version == SchemaVersion.parse(text)
    except ValueError:
        return False
