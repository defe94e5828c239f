"""What the files of container runtimes tell: of each runtime, of damaged files, and of none at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.host.containers import Container
from pysmon.host.runtime_files import LIMIT, TEXT_LIMIT, Containers, Described

ID = "0123456789abcdef" * 4
DOCKER = f"var/lib/docker/containers/{ID}/config.v2.json"
MOBY = f"run/containerd/io.containerd.runtime.v2.task/moby/{ID}/config.json"
KUBERNETES = f"run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"
PODMAN = f"run/containers/storage/overlay-containers/{ID}/userdata/config.json"
STORED = "var/lib/containers/storage/overlay-containers/containers.json"


def put(root: Path, name: str, content: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def about(root: Path, runtime: str = "docker", number: str = ID) -> Described:
    return Containers(root).about(Container(runtime, number))


def test_docker_tells_name_image_and_disk(tmp_path: Path) -> None:
    put(
        tmp_path,
        DOCKER,
        {"ID": ID, "Name": "/web", "Config": {"Image": "nginx:1.27", "Labels": {"a": "b"}}, "Driver": "x"},
    )
    put(tmp_path, MOBY, {"root": {"path": "/var/lib/docker/overlay2/abc/merged"}, "ociVersion": "1.2"})
    told = about(tmp_path)
    assert (told.name, told.image, told.pod) == ("web", "nginx:1.27", "")
    assert told.on_host("/usr/sbin/nginx") == "/var/lib/docker/overlay2/abc/merged/usr/sbin/nginx"


def test_docker_below_kubernetes_tells_the_pod(tmp_path: Path) -> None:
    labels = {
        "io.kubernetes.container.name": "nginx",
        "io.kubernetes.pod.name": "web-7d9",
        "io.kubernetes.pod.namespace": "shop",
        "io.kubernetes.pod.uid": "6a4d4f5c-90d2",
    }
    put(tmp_path, DOCKER, {"Name": "/k8s_nginx_web", "Config": {"Image": "nginx", "Labels": labels}})
    assert about(tmp_path) == Described("nginx", "nginx", "web-7d9", "shop", "6a4d4f5c-90d2")


def test_containerd_tells_the_pod_and_its_image(tmp_path: Path) -> None:
    annotations = {
        "io.kubernetes.cri.container-name": "nginx",
        "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
        "io.kubernetes.cri.sandbox-name": "web-7d9",
        "io.kubernetes.cri.sandbox-namespace": "shop",
        "io.kubernetes.cri.sandbox-uid": "6a4d4f5c-90d2",
    }
    put(tmp_path, KUBERNETES, {"annotations": annotations, "root": {"path": "rootfs"}})
    told = about(tmp_path, "containerd")
    assert (told.name, told.image) == ("nginx", "docker.io/library/nginx:1.27")
    assert (told.pod, told.pod_namespace, told.pod_uid) == ("web-7d9", "shop", "6a4d4f5c-90d2")
    assert told.on_host("/bin/sh") == f"{tmp_path / KUBERNETES}".replace("config.json", "rootfs/bin/sh")


def test_cri_o_tells_the_pod_and_its_image(tmp_path: Path) -> None:
    annotations = {
        "io.kubernetes.container.name": "nginx",
        "io.kubernetes.cri-o.ImageName": "quay.io/nginx:1",
        "io.kubernetes.pod.name": "web",
        "io.kubernetes.pod.namespace": "shop",
    }
    put(tmp_path, PODMAN, {"annotations": annotations})
    assert about(tmp_path, "cri-o") == Described("nginx", "quay.io/nginx:1", "web", "shop")


def test_podman_tells_the_name_in_its_list(tmp_path: Path) -> None:
    put(tmp_path, PODMAN, {"root": {"path": "/var/lib/containers/storage/overlay/abc/merged"}})
    other = {"id": "f" * 64, "names": ["other"], "metadata": "{"}
    mine = {"id": ID, "names": ["web"], "metadata": json.dumps({"image-name": "docker.io/nginx:1", "name": "web"})}
    put(tmp_path, STORED, [other, mine])
    told = about(tmp_path, "podman")
    assert (told.name, told.image, told.root) == (
        "web",
        "docker.io/nginx:1",
        "/var/lib/containers/storage/overlay/abc/merged",
    )
    assert about(tmp_path, "podman", "f" * 64) == Described(name="other")


def test_a_runtime_that_the_cgroup_does_not_name_is_found_by_the_id(tmp_path: Path) -> None:
    put(tmp_path, KUBERNETES, {"annotations": {"io.kubernetes.cri.container-name": "nginx"}})
    assert about(tmp_path, "").name == "nginx"


@pytest.mark.parametrize("runtime", ["lxc", "systemd-nspawn"])
def test_of_some_the_id_is_the_name(tmp_path: Path, runtime: str) -> None:
    assert about(tmp_path, runtime, "web") == Described(name="web")


def test_a_file_below_a_mount_is_where_the_mount_comes_from(tmp_path: Path) -> None:
    mounts = [
        {"destination": "/data", "type": "bind", "source": "/srv/data/"},
        {"destination": "/data/secret", "type": "none", "options": ["rbind"], "source": "/root/secret"},
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "relative", "type": "bind", "source": "/x"},
    ]
    put(tmp_path, MOBY, {"root": {"path": "/merged"}, "mounts": mounts})
    told = about(tmp_path)
    assert told.on_host("/data/a") == "/srv/data/a"
    assert told.on_host("/data") == "/srv/data"
    assert told.on_host("/data/secret/b") == "/root/secret/b"
    assert told.on_host("/database") == "/merged/database"
    assert told.on_host("/proc/1/mem") == ""
    assert Described().on_host("/bin/sh") == ""


def test_nothing_is_told_of_a_container_without_files(tmp_path: Path) -> None:
    assert about(tmp_path) == Described()


@pytest.mark.parametrize("number", ["", ".", "..", "../" * 3 + "etc", "a/b"])
def test_an_id_that_leads_elsewhere_is_not_followed(tmp_path: Path, number: str) -> None:
    put(tmp_path, "var/lib/docker/containers/config.v2.json", {"Name": "/web", "Config": {}})
    assert about(tmp_path, "docker", number) == Described()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "[" * 100_000,
        '{"Name": 1, "Config": {}}',
        '{"Name": "/x"}',
        '{"Config": {"Image": []}}',
    ],
)
def test_a_damaged_file_is_as_good_as_absent(tmp_path: Path, content: str) -> None:
    for name in (DOCKER, MOBY, PODMAN, STORED):
        put(tmp_path, name, content)
    assert about(tmp_path).name == ""
    assert about(tmp_path).image == ""


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.getbasetemp() / "odd"
    for name in (DOCKER, MOBY, STORED):
        put(root, name, "").write_bytes(content)
    assert isinstance(about(root), Described)


def test_what_is_no_plain_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, DOCKER, {"Name": "/web", "Config": {"Image": "x"}})
    assert about(tmp_path).name == "web"
    path.write_text(path.read_text() + " " * LIMIT)
    assert about(tmp_path).name == ""
    path.unlink()
    os.mkfifo(path)
    assert about(tmp_path).name == ""
    path.unlink()
    path.symlink_to(put(tmp_path, "elsewhere", {"Name": "/web", "Config": {"Image": "x"}}))
    assert about(tmp_path).name == ""


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    put(tmp_path, DOCKER, {"Name": "/" + "x" * 10_000, "Config": {"Image": "y" * 10_000}})
    assert (about(tmp_path).name, about(tmp_path).image) == ("x" * TEXT_LIMIT, "y" * TEXT_LIMIT)


def test_an_answer_holds_for_a_while_and_none_for_a_shorter_one(tmp_path: Path) -> None:
    now = [0.0]
    containers = Containers(tmp_path, clock=lambda: now[0])
    container = Container("docker", ID)
    assert containers.about(container).name == ""
    put(tmp_path, DOCKER, {"Name": "/one", "Config": {}})
    assert containers.about(container).name == ""
    now[0] = 11
    assert containers.about(container).name == "one"
    put(tmp_path, DOCKER, {"Name": "/two", "Config": {}})
    now[0] = 100
    assert containers.about(container).name == "one"
    now[0] = 700
    assert containers.about(container).name == "two"
