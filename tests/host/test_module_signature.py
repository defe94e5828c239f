"""Signatures at the end of kernel modules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.host.signed import CONTENT, SHA512, message, module, named, signer, signer_by_key

from pysmon.errors import RecordError
from pysmon.host.module_signature import MARK, TAIL, ModuleSignature, read_signature

SIGNED = module(message(signer(named(common="Some key"))))


def test_the_issuer_of_the_key_its_number_and_the_hash_are_told() -> None:
    assert read_signature(SIGNED) == ModuleSignature("Some key", "1BA0", "sha256")


def test_a_module_without_one_has_none() -> None:
    assert read_signature(CONTENT) is None
    assert read_signature(SIGNED + b"\0") is None
    assert read_signature(b"") is None


def test_the_end_of_a_module_is_enough() -> None:
    assert read_signature(bytes(TAIL) + SIGNED) == read_signature(SIGNED)


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        (named(common="Key", organisation="People"), "Key"),
        (named(organisation="People"), "People"),
        (named(), "-"),
    ],
)
def test_the_best_name_that_is_there_is_told(issuer: bytes, shown: str) -> None:
    found = read_signature(module(message(signer(issuer, digest=SHA512))))
    assert found
    assert (found.signer, found.hash) == (shown, "sha512")


def test_a_signer_that_is_told_by_the_id_of_the_key_alone_has_no_name() -> None:
    assert read_signature(module(message(signer_by_key(b"\xab\xcd")))) == ModuleSignature("-", "ABCD", "sha256")


def test_of_several_signers_the_first_is_told() -> None:
    both = message(signer(named(common="one")), signer(named(common="two")))
    found = read_signature(module(both))
    assert found
    assert found.signer == "one"


def test_the_old_kind_tells_its_signer_in_plain_text() -> None:
    found = read_signature(module(b"x" * 256, kind=1, hash_kind=4, name=b"Some key", key=b"\x01\x02"))
    assert found == ModuleSignature("Some key", "0102", "sha256")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (MARK, "shorter than the signature"),
        (module(b"", kind=7), r"kind 7 \(expected 0, 1 or 2\)"),
        (module(message()), "names no signer"),
        (module(b"\x30\x00"), r"0 parts \(expected 2\)"),
        (module(b"\x04\x00"), r"the message has the tag 0x04 \(expected 0x30\)"),
        (module(b"x" * 20), "a value of 120 bytes at byte 2, where 18 are left"),
        (b"x" + module(b"y" * 100)[-50:], "claims 100 bytes"),
    ],
)
def test_a_broken_one_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_signature(data)


@given(st.data())
def test_whatever_the_bytes_are_nothing_but_the_declared_error_comes(data: st.DataObject) -> None:
    changed = bytearray(SIGNED)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(len(CONTENT), len(changed) - len(MARK) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_signature(bytes(changed))
    except RecordError:
        return


def test_a_module_of_a_distribution_is_read_as_modinfo_reads_it() -> None:
    real = next(Path("/lib/modules").glob("*/kernel/drivers/net/dummy.ko"), None)
    if real is None:
        pytest.skip("no module of a distribution here that is not packed")
    try:
        run = subprocess.run(["modinfo", real], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no modinfo here: {error}")
    told = dict(line.split(":", 1) for line in run.stdout.splitlines() if ":" in line)
    found = read_signature(real.read_bytes()[-TAIL:])
    if found is None:
        assert "signer" not in told
        return
    assert found.signer == told["signer"].strip()
    assert found.key == told["sig_key"].strip().replace(":", "")
    assert found.hash == told["sig_hashalgo"].strip()
