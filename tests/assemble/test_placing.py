"""What the runtime of a container tells of the process of an event, and where the machine sees its files."""

from __future__ import annotations

from pathlib import Path

from tests.assemble.stage import CHILD, SHELL, builder, create, execute, users
from tests.host.test_runtime_files import DOCKER, ID, MOBY, put

from pysmon.assemble.enrich import Enricher
from pysmon.host.hashes import Hashes
from pysmon.host.runtime_files import Containers
from pysmon.layout.record import Record
from pysmon.sensor.records import components_of

CGROUP = components_of(f"/system.slice/docker-{ID}.scope")


def told(root: Path, *records: Record) -> list[dict[str, object]]:
    """What JSON adds to the first event of each record, of a machine whose files stand below `root`."""
    made = builder()
    enrich = Enricher(made.processes, users(), Hashes(()), containers=Containers(root))
    found = []
    for record in records:
        event, *_ = made.take(record)
        enrich.late(event, record)
        found.append(dict(event.extra or {}))
    return found


def container(root: Path) -> Path:
    put(root, DOCKER, {"Name": "/web", "Config": {"Image": "nginx:1.27"}})
    mounts = [{"destination": "/data", "type": "bind", "source": "/srv"}]
    put(root, MOBY, {"root": {"path": "/merged"}, "mounts": mounts})
    return root


def test_the_container_is_named_and_its_files_are_where_the_machine_sees_them(tmp_path: Path) -> None:
    run = execute(CHILD, "/usr/sbin/nginx", cgroup_path=CGROUP, mount_namespace=77)
    program, file = told(container(tmp_path), run, create(CHILD, "/data/new"))
    assert (program["ContainerId"], program["ContainerName"], program["ContainerImage"]) == (ID, "web", "nginx:1.27")
    assert program["HostImage"] == "/merged/usr/sbin/nginx"
    assert "PodName" not in program
    assert (file["ContainerName"], file["HostTargetFilename"]) == ("web", "/srv/new")


def test_a_program_that_the_runtime_runs_outside_has_no_other_path(tmp_path: Path) -> None:
    number = put(container(tmp_path), "proc/1/ns/mnt", "").stat().st_ino
    outside, inside = (
        told(tmp_path, execute(CHILD, "/usr/bin/runc", cgroup_path=CGROUP, mount_namespace=n))[0] for n in (number, 77)
    )
    assert outside["ContainerName"] == inside["ContainerName"] == "web"
    assert "HostImage" not in outside
    assert inside["HostImage"] == "/merged/usr/bin/runc"


def test_a_program_without_a_name_has_no_path_on_the_machine(tmp_path: Path) -> None:
    (facts,) = told(container(tmp_path), execute(CHILD, "/memfd:x", links=0, cgroup_path=CGROUP, mount_namespace=77))
    assert "HostImage" not in facts


def test_a_process_of_no_container_is_not_asked_for(tmp_path: Path) -> None:
    plain = components_of("/system.slice/nginx.service")
    (facts,) = told(container(tmp_path), execute(SHELL, "/bin/sh", cgroup_path=plain, mount_namespace=77))
    assert facts["Unit"] == "nginx.service"
    assert not {"ContainerName", "HostImage"} & facts.keys()


def test_a_container_that_no_file_speaks_of_has_its_id(tmp_path: Path) -> None:
    (facts,) = told(tmp_path, execute(CHILD, "/bin/sh", cgroup_path=CGROUP, mount_namespace=77))
    assert facts["ContainerId"] == ID
    assert not {"ContainerName", "ContainerImage", "HostImage"} & facts.keys()
