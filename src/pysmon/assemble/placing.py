"""The container of an event's process, by its runtime's own words, and its files as the machine sees them."""

from __future__ import annotations

from pysmon.assemble.paths import DELETED
from pysmon.host.containers import container_of
from pysmon.host.runtime_files import Containers, Described
from pysmon.layout.record import Record
from pysmon.schema.event import Event
from pysmon.sensor.records import ExecRecord

_FILES = ("TargetFilename", "ImageLoaded")  # fields with files as the process sees them


def facts_of_container(event: Event, record: Record, cgroup_path: str, containers: Containers) -> dict[str, object]:
    """For JSON. In the machine's own mount namespace, where a runtime takes its first steps, paths are its own."""
    told = containers.about(container_of(cgroup_path))
    facts: dict[str, object] = {
        "ContainerName": told.name,
        "ContainerImage": told.image,
        "PodName": told.pod,
        "PodNamespace": told.pod_namespace,
    }
    if told.pod_uid:
        facts["PodUid"] = told.pod_uid
    names: tuple[str, ...] = _FILES
    if isinstance(record, ExecRecord):
        names = ("Image",) if record.mount_namespace != containers.mount_namespace else ()
    facts |= {f"Host{name}": _on_host(told, getattr(event, name, "")) for name in names}
    return {name: value for name, value in facts.items() if value}


def _on_host(told: Described, path: str) -> str:
    return told.on_host(path) if path.startswith("/") and not path.endswith(DELETED) else ""
