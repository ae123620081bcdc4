"""What a process has used, as the kernel tells it. Source: proc(5), `/proc/PID/stat` and `/proc/PID/status`."""

import os
from pathlib import Path
from typing import Final

RESIDENT: Final = "VmRSS"
"""Memory that lies in RAM now."""
PEAK: Final = "VmHWM"
"""The most there was since the process started, or since `clear_peak`."""


def memory_mib(pid: int | str, what: str = RESIDENT) -> float:
    """Memory of a process in MiB; pid may be "self". Raises OSError where it is gone, RuntimeError for a zombie."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError(f"process {pid} says nothing of {what}")


def clear_peak(pid: int) -> None:
    """Let PEAK begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_s(pid: int) -> float:
    """What a process has computed so far, in seconds of a core: other work on the machine does not count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
