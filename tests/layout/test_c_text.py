"""The C text of records: any C compiler agrees with Python about where everything lies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pysmon.layout.c_text import c_text, digest
from pysmon.layout.record import U16, U32, Record, Tail, record
from pysmon.sensor.c_names import CONSTANTS
from pysmon.sensor.records import RECORDS, FlowRecord

TYPES = "".join(f"typedef unsigned {t};\n" for t in ("char u8", "short u16", "int u32", "long long u64"))
FILLED = """
#include <stdio.h>
int main(void)
{
	struct flow_record r = {
		.kind = KIND_FLOW_RECORD, .cpu = 3, .size = sizeof r, .time = 1ull << 40, .start = 77, .exec_id = 9,
		.tgid = 4711, .tid = 4712, .source = {127, 0, 0, 1}, .destination = {[15] = 1}, .uid = 1000, .family = 10,
		.protocol = 17, .source_port = 65535, .destination_port = 53, .initiated = 1,
	};
	return fwrite(&r, sizeof r, 1, stdout) != 1;
}
"""


@pytest.fixture(scope="module")
def compiler() -> str:
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is None:
        pytest.skip("no C compiler (cc, gcc or clang)")
    return found


def compiled(compiler: str, text: str, folder: Path) -> Path:
    (folder / "x.c").write_text(text)
    subprocess.run([compiler, "-std=gnu11", "-o", folder / "x", folder / "x.c"], check=True, capture_output=True)
    return folder / "x"


def test_a_record_that_c_has_filled_is_read_by_python(compiler: str, tmp_path: Path) -> None:
    program = compiled(compiler, TYPES + c_text(RECORDS.values(), CONSTANTS) + FILLED, tmp_path)
    sent = subprocess.run([program], check=True, capture_output=True).stdout
    assert FlowRecord.decode(sent) == FlowRecord.make(
        cpu=3,
        time=1 << 40,
        start=77,
        exec_id=9,
        tgid=4711,
        tid=4712,
        source=bytes([127, 0, 0, 1]) + bytes(12),
        destination=bytes(15) + b"\1",
        uid=1000,
        family=10,
        protocol=17,
        source_port=65535,
        destination_port=53,
        initiated=1,
    )


def test_the_compiler_refuses_a_struct_that_lies_elsewhere(compiler: str, tmp_path: Path) -> None:
    text = c_text(RECORDS.values(), CONSTANTS).replace("\tu16 cpu;\n", "\tu32 cpu;\n", 1)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        compiled(compiler, TYPES + text + FILLED, tmp_path)
    assert b"_record.size" in refused.value.stderr


def test_constants_and_kinds_are_defined_by_name() -> None:
    text = c_text([FlowRecord], [("ANSWER", 42)])
    assert "#define ANSWER 42\n" in text
    assert "#define KIND_FLOW_RECORD 10\n" in text
    assert f"#define LAYOUT_DIGEST {digest([FlowRecord])}u\n" in text


def test_the_text_is_the_same_at_every_call() -> None:
    assert c_text(RECORDS.values(), CONSTANTS) == c_text(RECORDS.values(), CONSTANTS)


def made(kind: int, name: str, **members: object) -> type[Record]:
    cls: type[Record] = type(name, (Record,), {"__annotations__": members})
    return record(kind, "process", {})(cls)


@pytest.mark.parametrize(
    "other",
    [
        made(1, "Thing", a=U32, c=U32),
        made(1, "Thing", a=U16, b=U16),
        made(1, "Thing", b=U32, a=U32),
        made(1, "Thing", a=U32, b=U32, c=U16),
        made(1, "Thing", a=U32),
        made(2, "Thing", a=U32, b=U32),
        made(1, "Other", a=U32, b=U32),
    ],
    ids=["renamed", "narrower", "swapped", "more", "fewer", "another kind", "another name"],
)
def test_the_digest_differs_when_a_layout_does(other: type[Record]) -> None:
    assert digest([other]) != digest([made(1, "Thing", a=U32, b=U32)])


def test_the_digest_tells_a_tail_from_a_number() -> None:
    assert digest([made(1, "Thing", a=U16)]) != digest([made(1, "Thing", a=Tail)])


def test_the_digest_is_the_same_for_the_same_layouts() -> None:
    assert digest([made(1, "Thing", a=U32)]) == digest([made(1, "Thing", a=U32)])
