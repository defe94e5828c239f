"""Module records: DriverLoad."""

from __future__ import annotations

from pysmon.assemble.paths import known_path, text
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import DriverLoad
from pysmon.schema.event import Event
from pysmon.sensor.load_records import SIGNATURE_ACCEPTED, SIGNATURE_MISSED, ModuleRecord

_NONE = "-"
# Until its file is read: what the kernel could not accept may be unsigned, or signed with a key that it does not know.
_BY_KERNEL = {SIGNATURE_ACCEPTED: ("true", "Valid"), SIGNATURE_MISSED: ("false", "Unavailable")}


def take_module(record: ModuleRecord, scene: Scene) -> tuple[Event, ...]:
    """DriverLoad. A module from memory has no path: its name in brackets stands there, as the kernel writes it."""
    if 6 not in scene.wanted:
        return ()
    loaded = known_path(record.path) if record.path else f"[{text(record.name)}]"
    signed, status = _BY_KERNEL.get(record.signature, (_NONE, "Unknown"))
    return (DriverLoad(UtcTime=scene.utc(record.time), ImageLoaded=loaded, Signed=signed, SignatureStatus=status),)
