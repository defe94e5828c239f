"""Ways around the usual system calls: seen where the kernel is watched from inside, and only there."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.sensor.compiled import compiled
from tests.sensor.own_network import own_network
from tests.sensor.provoke import Stage, run, sees_objects

from pysmon.schema.catalogue import FileCreate, FileCreateStreamHash, FileDelete, PipeConnect, RegistryValueSet

pytestmark = pytest.mark.vm

BY_32_BIT_CALLS = r"""
#include <string.h>
static char path[4096]; /* below 4 GiB: the program is linked to a fixed place */
static long call(long number, const void *a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}
int main(int argc, char **argv)
{
	strcpy(path, argv[1]);
	return call(5, path, 0101, 0600) < 0 || call(10, path, 0, 0) < 0; /* open, unlink */
}
"""
RING = r"""
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static struct io_uring_params p;
static char *sq, *cq;
static struct io_uring_sqe *sqes;
static int submit(int ring, struct io_uring_sqe sqe)
{
	unsigned *tail = (unsigned *)(sq + p.sq_off.tail), mask = *(unsigned *)(sq + p.sq_off.ring_mask);
	((unsigned *)(sq + p.sq_off.array))[*tail & mask] = 0;
	sqes[0] = sqe;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) != 1)
		return -1;
	unsigned *head = (unsigned *)(cq + p.cq_off.head), cq_mask = *(unsigned *)(cq + p.cq_off.ring_mask);
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes) + (*head & cq_mask);
	int result = cqe->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}
static int make_ring(void)
{
	int ring = syscall(SYS_io_uring_setup, 4, &p);
	if (ring < 0)
		return ring; /* not here */
	sq = mmap(0, p.sq_off.array + 64, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(0, p.cq_off.cqes + 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	return ring;
}
"""
BY_IO_URING = (
    RING
    + r"""
int main(int argc, char **argv)
{
	int ring = make_ring();
	if (ring < 0)
		return 2;
	struct io_uring_sqe make = {
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[1],
		.open_flags = O_CREAT | O_WRONLY, .len = 0600,
	};
	struct io_uring_sqe remove = {.opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[1]};
	return submit(ring, make) < 0 || submit(ring, remove) < 0;
}
"""
)
OTHERS_BY_32_BIT_CALLS = r"""
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static char path[4096], value[] = "77\n", name[] = "user.x";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static long call(long number, const void *a, const void *b, long c, long d, long e)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}
int main(int argc, char **argv)
{
	strcpy(path, argv[1]);
	long setting = call(5, path, (void *)1, 0, 0, 0); /* open */
	if (setting == -38)
		return 2; /* no such calls here */
	if (setting < 0 || call(4, (void *)setting, value, 3, 0, 0) != 3) /* write */
		return 3;
	if (write(open("/dev/null", 1), value, 3) != 3) /* which must not pass for the end of that one */
		return 3;
	strcpy(path, argv[2]);
	value[0] = '1';
	if (call(226, path, name, (long)value, 1, 0)) /* setxattr */
		return 4;
	strcpy(address.sun_path, argv[3]);
	long end = call(359, (void *)AF_UNIX, (void *)1, 0, 0, 0); /* socket */
	return end < 0 || call(362, (void *)end, &address, sizeof address, 0, 0) ? 5 : 0; /* connect */
}
"""
OTHERS_BY_IO_URING = (
    RING
    + r"""
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv)
{
	int ring = make_ring();
	if (ring < 0)
		return 2;
	struct io_uring_sqe set = {
		.opcode = IORING_OP_WRITE, .fd = open(argv[1], O_WRONLY), .addr = (unsigned long)"77\n", .len = 3,
	};
	if (submit(ring, set) != 3 || write(open("/dev/null", O_WRONLY), "77\n", 3) != 3)
		return 3;
	struct io_uring_sqe mark = {
		.opcode = IORING_OP_FSETXATTR, .fd = open(argv[2], O_RDONLY), .addr = (unsigned long)"user.x",
		.addr2 = (unsigned long)"1", .len = 1,
	};
	if (submit(ring, mark))
		return 4;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, argv[3]);
	struct io_uring_sqe join = {
		.opcode = IORING_OP_CONNECT, .fd = socket(AF_UNIX, SOCK_STREAM, 0), .addr = (unsigned long)&address,
		.off = sizeof address,
	};
	return submit(ring, join) ? 5 : 0;
}
"""
)
TTL = r"SYSCTL\net\ipv4\ip_default_ttl"


@pytest.mark.parametrize(
    ("text", "flags"),
    [(BY_32_BIT_CALLS, ("-static", "-no-pie")), (BY_IO_URING, ())],
    ids=["32-bit calls", "io_uring"],
)
def test_a_file_is_told_whatever_way_led_there(
    provoke: Stage, tmp_path: Path, text: str, flags: tuple[str, ...]
) -> None:
    if not sees_objects(provoke, "files created") or not sees_objects(provoke, "files deleted"):
        pytest.skip("files are seen at the ends of the usual system calls here: other ways are not")
    program = compiled(tmp_path, text, *flags)
    if program is None:
        pytest.skip("no C compiler, or not this processor")
    path = tmp_path / "made"
    if subprocess.run([program, path], check=False).returncode:
        pytest.skip("this kernel does not have that way")
    seen = provoke(lambda: run(program, str(path)))
    assert seen.truth == 0
    assert [e.TargetFilename for e in seen.of(FileCreate)] == [str(path)]
    assert [e.TargetFilename for e in seen.of(FileDelete)] == [str(path)]
    assert {os.path.basename(e.Image) for e in seen.of(FileCreate)} == {"x"}


@pytest.mark.parametrize(
    ("text", "flags"),
    [(OTHERS_BY_32_BIT_CALLS, ("-static", "-no-pie")), (OTHERS_BY_IO_URING, ())],
    ids=["32-bit calls", "io_uring"],
)
def test_settings_attributes_and_sockets_are_told_where_the_kernel_is_watched_from_inside(
    provoke: Stage, tmp_path: Path, attribute_folder: Path, text: str, flags: tuple[str, ...]
) -> None:
    program = compiled(tmp_path, text, *flags)
    if program is None:
        pytest.skip("no C compiler, or not this processor")
    file, name = attribute_folder / "file", tmp_path / "socket"
    file.touch()

    def act() -> int:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(name))
            server.listen()
            return run(program, "/proc/sys/net/ipv4/ip_default_ttl", str(file), str(name))

    seen = provoke(act, before=own_network)
    if seen.truth == 2:
        pytest.skip("this kernel does not have that way")
    assert seen.truth == 0
    settings = [(TTL, "77")] * sees_objects(provoke, "settings written")
    attributes = [(f"{file}:user.x", "1")] * sees_objects(provoke, "attributes set")
    sockets = [str(name)] * sees_objects(provoke, "Unix sockets connected")
    assert [(e.TargetObject, e.Details) for e in seen.of(RegistryValueSet)] == settings
    assert [(e.TargetFilename, e.Contents) for e in seen.of(FileCreateStreamHash)] == attributes
    assert [e.PipeName for e in seen.of(PipeConnect)] == sockets
