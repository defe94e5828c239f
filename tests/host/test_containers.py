"""Cgroup paths of the runtimes in use."""

from __future__ import annotations

import pytest

from pysmon.host.containers import Container, container_of

ID = "0123456789abcdef" * 4
POD = "6a4d4f5c_90d2_4b6e_b1f5_2f4c6d8e9a0b"
POD_UID = POD.replace("_", "-")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/system.slice/docker-{ID}.scope", Container("docker", ID)),
        (f"/system.slice/docker-{ID}.scope/system.slice/nginx.service", Container("docker", ID)),
        (f"/docker/{ID}", Container("docker", ID)),
        (f"/machine.slice/libpod-{ID}.scope/container", Container("podman", ID)),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", Container("podman", ID)),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD}.slice/cri-containerd-{ID}.scope",
            Container("containerd", ID, POD_UID),
        ),
        (f"/kubepods.slice/kubepods-pod{POD}.slice/crio-{ID}.scope", Container("cri-o", ID, POD_UID)),
        (f"/kubepods/besteffort/pod{POD_UID}/{ID}", Container("", ID, POD_UID)),
        ("/lxc.payload.web/system.slice/cron.service", Container("lxc", "web")),
        ("/machine.slice/systemd-nspawn@my\\x2dbox.service/payload/init.scope", Container("systemd-nspawn", "my-box")),
        ("/system.slice/nginx.service", Container(unit="nginx.service")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-term-12.scope",
            Container(unit="app-term-12.scope"),
        ),
        ("/", Container()),
        ("", Container()),
        (f"/system.slice/docker-{ID[:-1]}.scope", Container(unit=f"docker-{ID[:-1]}.scope")),
    ],
)
def test_a_cgroup_path_tells_whose_it_is(path: str, expected: Container) -> None:
    assert container_of(path) == expected
