"""CallTrace: from where in its code a process came, out of the stack that the kernel walked."""

from __future__ import annotations

import struct

from pysmon.assemble.paths import module_path
from pysmon.sensor.memory_records import ANONYMOUS, NOWHERE, PLACE
from pysmon.sensor.records import AccessRecord

_ADDRESS = struct.Struct("<Q")


def call_trace(record: AccessRecord) -> str:
    """`file+offset` for each frame, the innermost first, `|` between them; `-` if there is no stack.

    The offset is that in the file, in hex. A frame whose code is in no file is `UNKNOWN(address)`. What lies in no code
    at all is no frame: the walk went astray there, for want of frame pointers. Where no region is known, all are kept.
    """
    frames, module, at, known = [], b"", 0, False
    addresses = _ADDRESS.iter_unpack(record.addresses)
    for (address,), (offset, region, size) in zip(addresses, PLACE.iter_unpack(record.places), strict=False):
        if region == NOWHERE and known:
            break
        known = known or region != NOWHERE
        if size:
            module, at = record.modules[at : at + size], at + size
        in_file = region not in (NOWHERE, ANONYMOUS)
        frames.append(f"{module_path(module, region)}+{offset:x}" if in_file else f"UNKNOWN({address:016X})")
    return "|".join(frames) or "-"
