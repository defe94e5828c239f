"""Records of the kernel's settings: RegistryKey, RegistryValueSet, RegistryRename."""

from __future__ import annotations

from pysmon.assemble.paths import text
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import RegistryKey, RegistryRename, RegistryValueSet
from pysmon.schema.event import Event
from pysmon.sensor.records import kernel_path
from pysmon.sensor.setting_records import TABLE_MADE, TABLE_RENAMED, SettingRecord, SettingTableRecord

_ROOT = "SYSCTL"  # as registries have hives: HKLM, HKU
_EMPTY = "(Empty)"  # Sysmon's word for a value without content


def take_setting(record: SettingRecord, scene: Scene) -> tuple[Event, ...]:
    """RegistryValueSet."""
    if 13 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    return (
        RegistryValueSet(
            EventType="SetValue",
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetObject=_object("/" + text(record.name)),
            Details=value_text(record.value) or _EMPTY,
            User=scene.users.name(record.uid),
        ),
    )


def take_setting_table(record: SettingTableRecord, scene: Scene) -> tuple[Event, ...]:
    """RegistryKey, or RegistryRename for an interface that got another name."""
    path = kernel_path(record.table)
    renamed = record.deed == TABLE_RENAMED
    if (14 if renamed else 12) not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    now, user = scene.utc(record.time), scene.users.name(record.uid)
    if renamed:
        folder = path.rpartition("/")[0]
        return (
            RegistryRename(
                EventType="RenameKey",
                UtcTime=now,
                ProcessGuid=actor.guid,
                ProcessId=record.tgid,
                Image=actor.image,
                TargetObject=_object(f"{folder}/{text(record.previous)}"),
                NewName=_object(path),
                User=user,
            ),
        )
    return (
        RegistryKey(
            EventType="CreateKey" if record.deed == TABLE_MADE else "DeleteKey",
            UtcTime=now,
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetObject=_object(path),
            User=user,
        ),
    )


def value_text(value: bytes) -> str:
    """A value without the blanks and line ends around it, which the kernel ignores or adds."""
    return text(value).strip()


def _object(path: str) -> str:
    return _ROOT + path.replace("/", "\\")
