"""Building the kernel object: what is fresh, what is stripped, and what it says when it cannot."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import ROOT

from tools import build_bpf

PROGRAM = """
struct task_struct { int pid; } __attribute__((preserve_access_index));
__attribute__((section("tp_btf/sched_process_exit"), used)) int on_exit(unsigned long long *ctx)
{ return ((struct task_struct *)ctx[0])->pid; }
char LICENSE[] __attribute__((section("license"), used)) = "Dual MIT/GPL";
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small kernel program, on a machine that can compile it."""
    if build_bpf.compiler() is None:
        pytest.skip("no compiler for BPF (clang or the ziglang package)")
    (tmp_path / "sensor.bpf.c").write_text(PROGRAM)
    return tmp_path


def sections(elf: bytes) -> dict[str, bytes]:
    """The sections of a 64-bit little-endian ELF file by name, read by its specification."""
    at, count, names = struct.unpack_from("<Q", elf, 40)[0], *struct.unpack_from("<HH", elf, 60)
    rows = [struct.unpack_from("<IIQQQQ", elf, at + 64 * i) for i in range(count)]
    strings = elf[rows[names][4] :]
    return {strings[r[0] : strings.index(b"\0", r[0])].decode(): elf[r[4] : r[4] + r[5]] for r in rows}


def test_the_object_keeps_its_programs_and_types_and_loses_its_debug_sections(folder: Path) -> None:
    found = sections(build_bpf.build(folder).read_bytes())
    assert len(found["tp_btf/sched_process_exit"]) % 8 == 0
    assert found["license"] == b"Dual MIT/GPL\0"
    assert found[".BTF"].startswith(b"\x9f\xeb")
    assert found[".BTF.ext"].startswith(b"\x9f\xeb")
    assert {n: d for n, d in found.items() if "debug" in n and d} == {}


def test_the_object_does_not_tell_where_it_was_built(folder: Path) -> None:
    assert os.fsencode(folder) not in build_bpf.build(folder).read_bytes()


def test_an_object_is_fresh_until_a_source_is_newer(folder: Path) -> None:
    assert not build_bpf.is_fresh(folder)
    made = build_bpf.build(folder)
    assert build_bpf.is_fresh(folder)
    later = made.stat().st_mtime_ns + 1_000_000
    os.utime(folder / "sensor.bpf.c", ns=(later, later))
    assert not build_bpf.is_fresh(folder)


def test_an_object_is_stale_when_the_records_have_changed(folder: Path) -> None:
    build_bpf.build(folder)
    header = folder / "records.gen.h"
    before = header.stat()
    header.write_text(header.read_text() + "struct another;\n")
    os.utime(header, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not build_bpf.is_fresh(folder)


def test_a_refused_source_is_told_in_the_words_of_the_compiler(folder: Path) -> None:
    (folder / "sensor.bpf.c").write_text("int x = undeclared;\n")
    with pytest.raises(build_bpf.BuildError, match=r"sensor\.bpf\.c:1:9: error: .*undeclared"):
        build_bpf.build(folder)
    assert not (folder / "sensor.bpf.o").exists()


def test_a_warning_is_an_error(folder: Path) -> None:
    (folder / "sensor.bpf.c").write_text("static int unused;\n")
    with pytest.raises(build_bpf.BuildError, match="unused"):
        build_bpf.build(folder)


def test_missing_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(build_bpf.BuildError, match=r"sensor\.bpf\.c"):
        build_bpf.build(tmp_path)


def test_the_header_is_made_with_nothing_but_the_standard_library() -> None:
    code = "from tools import build_bpf; print(build_bpf.header_text())"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert "struct exec_record {" in run.stdout


def test_the_projects_own_kernel_program_compiles_without_a_warning(tmp_path: Path) -> None:
    if build_bpf.compiler() is None:
        pytest.skip("no compiler for BPF (clang or the ziglang package)")
    for source in build_bpf.FOLDER.glob("*.bpf.[ch]"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    assert "tp_btf/sched_process_exec" in sections(build_bpf.build(tmp_path).read_bytes())
