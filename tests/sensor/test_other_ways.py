"""Ways around the usual system calls: seen where the kernel is watched from inside, and only there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.sensor.compiled import compiled
from tests.sensor.provoke import Stage, run, sees_objects

from pysmon.schema.catalogue import FileCreate, FileDelete

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
BY_IO_URING = r"""
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
int main(int argc, char **argv)
{
	int ring = syscall(SYS_io_uring_setup, 4, &p);
	if (ring < 0)
		return 2; /* not here */
	sq = mmap(0, p.sq_off.array + 64, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(0, p.cq_off.cqes + 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	struct io_uring_sqe make = {
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[1],
		.open_flags = O_CREAT | O_WRONLY, .len = 0600,
	};
	struct io_uring_sqe remove = {.opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[1]};
	return submit(ring, make) < 0 || submit(ring, remove) < 0;
}
"""


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
