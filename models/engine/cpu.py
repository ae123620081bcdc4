"""Ask what this machine's processor is called and which instruction sets it has."""

import os
import platform
from pathlib import Path
from typing import Final

_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_TOLD: Final = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """The processor's name as the system has it."""
    return _told().get("model name") or platform.processor() or platform.machine()


def cpu_flags() -> frozenset[str]:
    """Instruction sets of the first core; empty where there is no /proc."""
    told = _told()
    return frozenset((told.get("flags") or told.get("Features") or "").split())


def fast_flags() -> list[str]:
    """Those of `cpu_flags` that decide how fast a network runs."""
    return [flag for flag in _TOLD if flag in cpu_flags()]


def sums_eight_bits() -> bool:
    """Whether this processor adds the products of 8-bit numbers in 32 bits.

    x86 without VNNI adds pairs of them in 16 bits, which overflows: the masks are then not those that were measured.
    Source: onnxruntime, "Quantize ONNX Models", on U8S8.
    """
    return platform.machine().lower() not in ("x86_64", "amd64") or bool(_VNNI & cpu_flags())


def _told() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in reversed(lines) if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
