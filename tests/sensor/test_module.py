"""Modules that the kernel takes in: loaded in a throw-away machine only, for what is loaded there is loaded for all."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage, error_of, extra, one

from pysmon.assemble.utc import utc_text
from pysmon.host.module_signature import MARK, TAIL, read_signature
from pysmon.schema.catalogue import DriverLoad
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

NUMBERS = {"x86_64": (313, 175, 176), "aarch64": (273, 105, 106)}  # finit_module, init_module, delete_module
NOT_DUMMY = """<Sysmon schemaversion="4.90"><EventFiltering><DriverLoad onmatch="exclude">
<ImageLoaded condition="end with">dummy.ko</ImageLoaded></DriverLoad></EventFiltering></Sysmon>"""
ONLY_UNSIGNED = """<Sysmon schemaversion="4.90"><EventFiltering><DriverLoad onmatch="include">
<Signed condition="is">false</Signed></DriverLoad></EventFiltering></Sysmon>"""


def call(which: int, *arguments: object) -> None:
    """One of the three system calls of modules; OSError if it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NUMBERS[os.uname().machine][which], *arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def load(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        call(0, file, b"", 0)
    finally:
        os.close(file)


def load_from_memory(content: bytes) -> None:
    call(1, content, ctypes.c_ulong(len(content)), b"")


def unload() -> None:
    call(2, b"dummy", 0)


@pytest.fixture
def dummy() -> Path:
    """A module of the distribution that does nothing; skips where it must not be loaded."""
    if "QEMU" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("modules are loaded in a throw-away virtual machine only")
    found = next(Path(f"/lib/modules/{os.uname().release}").glob("kernel/drivers/net/dummy.ko"), None)
    if found is None:
        pytest.skip("this kernel has no module `dummy` that is not packed")
    assert "dummy " not in Path("/proc/modules").read_text()
    return found


def loaded(provoke: Stage, path: Path, configuration: str | None = None) -> list[DriverLoad]:
    """The events of one loading; the module is taken out again."""

    def act() -> None:
        load(path)
        unload()

    seen = provoke(act, configuration) if configuration else provoke(act)
    return seen.of(DriverLoad)


def without_signature(dummy: Path) -> bytes:
    content = dummy.read_bytes()
    (size,) = struct.unpack_from(">I", content, len(content) - len(MARK) - 4)
    return content[: len(content) - len(MARK) - 12 - size]


def test_a_signed_module_is_told_with_its_signer(provoke: Stage, dummy: Path) -> None:
    signature = read_signature(dummy.read_bytes()[-TAIL:])
    assert signature
    before = utc_text(time.time_ns() - 50_000_000)  # the clock of the records is measured, not asked
    event = one(loaded(provoke, dummy))
    assert before <= event.UtcTime <= utc_text(time.time_ns() + 50_000_000)
    assert event.ImageLoaded == os.path.realpath(dummy)
    assert event.Hashes == f"SHA256={hashlib.sha256(dummy.read_bytes()).hexdigest()}"
    assert (event.Signed, event.Signature, event.SignatureStatus) == ("true", signature.signer, "Valid")
    assert event.RuleName == "-"
    facts = extra(event)
    assert (facts["ModuleName"], facts["How"], facts["User"]) == ("dummy", "file", "root")
    assert (facts["SignatureKey"], facts["SignatureHash"]) == (signature.key, signature.hash)


def test_who_loaded_it_is_told(provoke: Stage, dummy: Path) -> None:
    def act() -> None:
        subprocess.run(["/sbin/modprobe", "dummy"], check=True)
        unload()

    event = one(provoke(act, read=False).of(DriverLoad))
    assert extra(event)["Image"] == os.path.realpath("/sbin/modprobe")
    assert event.ImageLoaded == os.path.realpath(dummy)


def test_a_module_without_a_signature_is_told_as_unsigned(provoke: Stage, dummy: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ko"
    copy.write_bytes(without_signature(dummy))
    event = one(loaded(provoke, copy))
    assert (event.ImageLoaded, event.Signed, event.Signature) == (str(copy), "false", "-")
    assert event.SignatureStatus == "Unavailable"
    assert "E" in extra(event)["Taints"]


def test_a_signature_with_a_key_that_the_kernel_does_not_know_is_not_trusted(
    provoke: Stage, dummy: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.ko"
    copy.write_bytes(signed_by_nobody(without_signature(dummy), tmp_path))
    event = one(loaded(provoke, copy))
    assert (event.Signed, event.Signature, event.SignatureStatus) == ("true", "Nobody", "Untrusted")


def signed_by_nobody(content: bytes, folder: Path) -> bytes:
    """Sign with a new key, as the kernel's sign-file does."""
    key, certificate, plain, message = (str(folder / name) for name in ("key", "cert", "plain", "message"))
    Path(plain).write_bytes(content)
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Nobody"]
    sign = ["openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", "sha256"]
    try:
        subprocess.run([*new, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        files = ["-outform", "DER", "-signer", certificate, "-inkey", key, "-in", plain, "-out", message]
        subprocess.run([*sign, *files], check=True, capture_output=True)
    except OSError as error:
        pytest.skip(f"no openssl here: {error}")
    made = Path(message).read_bytes()
    return content + made + struct.pack(">5B3xI", 0, 0, 2, 0, 0, len(made)) + MARK


def test_a_module_from_memory_is_told_by_its_name(provoke: Stage, dummy: Path) -> None:
    content = dummy.read_bytes()

    def act() -> None:
        load_from_memory(content)
        unload()

    event = one(provoke(act).of(DriverLoad))
    assert (event.ImageLoaded, event.Hashes, event.Signature) == ("[dummy]", "-", "-")
    assert (event.Signed, event.SignatureStatus, extra(event)["How"]) == ("true", "Valid", "memory")


REFUSED: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "another content than was signed": (lambda content: content.replace(b"rtnl", b"rtnk"), errno.EKEYREJECTED),
    "no module": (lambda _: b"no module", errno.ENOEXEC),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_kernel_refuses_is_not_told(provoke: Stage, dummy: Path, tmp_path: Path, what: str) -> None:
    change, expected = REFUSED[what]
    copy = tmp_path / "copy.ko"
    copy.write_bytes(change(dummy.read_bytes()))
    seen = provoke(lambda: error_of(load, copy))
    assert (seen.truth, seen.of(DriverLoad)) == (expected, [])


def test_a_module_that_is_there_already_is_not_told_again(provoke: Stage, dummy: Path) -> None:
    def act() -> int | None:
        load(dummy)
        failed = error_of(load, dummy)
        dummy.read_bytes()
        unload()
        return failed

    seen = provoke(act)
    assert seen.truth == errno.EEXIST
    assert len(seen.of(DriverLoad)) == 1


def test_rules_filter_it(provoke: Stage, dummy: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ko"
    copy.write_bytes(without_signature(dummy))
    assert loaded(provoke, dummy, NOT_DUMMY) == []
    assert len(loaded(provoke, copy, NOT_DUMMY)) == 1
    assert loaded(provoke, dummy, ONLY_UNSIGNED) == []
    assert len(loaded(provoke, copy, ONLY_UNSIGNED)) == 1


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, dummy: Path) -> None:
    provoke.sensor.want({"file create"})
    try:
        assert loaded(provoke, dummy) == []
    finally:
        provoke.sensor.want(FAMILIES)
