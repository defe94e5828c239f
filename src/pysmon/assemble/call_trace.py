"""CallTrace: from where in its code a process came, out of the stack that the kernel walked."""

from __future__ import annotations

import struct

from pysmon.assemble.paths import module_path
from pysmon.sensor.memory_records import PLACE
from pysmon.sensor.records import AccessRecord

_ADDRESS = struct.Struct("<Q")


def call_trace(record: AccessRecord) -> str:
    """`file+offset` for each frame, the innermost first, `|` between them; `-` if there is no stack.

    The offset is that in the file, in hex. A frame whose code is in no file is `UNKNOWN(address)`.
    """
    frames, module, at = [], b"", 0
    addresses = _ADDRESS.iter_unpack(record.addresses)
    for (address,), (offset, region, size) in zip(addresses, PLACE.iter_unpack(record.places), strict=False):
        if size:
            module, at = record.modules[at : at + size], at + size
        frames.append(f"{module_path(module, region)}+{offset:x}" if region else f"UNKNOWN({address:016X})")
    return "|".join(frames) or "-"
