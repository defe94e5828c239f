"""What the sensor asks of the allocator."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import ctypes, sys, threading
from pysmon.sensor.libbpf import share_one_heap
if "one" in sys.argv:
    share_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
thread = threading.Thread(target=libc.malloc, args=(1 << 16,))
thread.start()
thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps(*words: str) -> int:
    environment = {"PYTHONPATH": str(ROOT / "src")}
    told = subprocess.run([sys.executable, "-c", CODE, *words], env=environment, capture_output=True, check=True)
    return told.stdout.count(b"<heap nr=")


def test_threads_take_memory_from_one_heap_once_that_is_asked_for() -> None:
    assert heaps("one") == 1
