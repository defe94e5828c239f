"""Which file systems are watched, read from the kernel's mount table."""

from __future__ import annotations

from pysmon.sensor.filewatch.mounts import local_mounts, unescaped

TABLE = rb"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /proc rw - proc proc rw
24 22 0:30 / /tmp ro,nosuid - tmpfs tmpfs rw,size=1024k
25 22 8:1 /home /srv/with\040blank rw - ext4 /dev/sda1 rw
26 22 8:2 / /mnt/my\040disk rw shared:7 master:2 - xfs /dev/sda2 rw
27 22 7:0 / /snap/core ro - squashfs /dev/loop0 ro
28 22 8:3 / /media/cd rw - ext4 /dev/sda3 ro
29 22 0:50 / /net rw - nfs4 server:/ rw
30 22 0:60 / /var/lib/c/merged rw - overlay overlay rw,lowerdir=/a
short line
"""


def test_each_local_file_system_that_can_be_written_is_named_once() -> None:
    assert local_mounts(TABLE) == {
        "8:1": "/",
        "0:30": "/tmp",
        "8:2": "/mnt/my disk",
        "0:60": "/var/lib/c/merged",
    }


def test_a_mount_point_of_any_bytes_is_read_as_it_is() -> None:
    assert unescaped(rb"/a\134b\011c\012") == "/a\\b\tc\n"
    assert unescaped(b"/\xff") == "/\udcff"
