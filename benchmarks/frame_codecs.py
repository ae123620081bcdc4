"""Lossless codecs on real ultrasound frames: size, encode and decode time on one core.

    python benchmarks/frame_codecs.py --data DIR [--out FILE] [--repeats N] [--per-set N]

DIR is laid out as the development data set (breast, busbra, busi, cine, ddti, dicom/ultrasound, gland, video).
Times are CPU time of this process, every codec held to one thread; candidates are interleaved frame by frame and
the median over the repeats counts, so that a busy machine disturbs all of them alike.
Beyond what the project needs anyway, pydicom wants a JPEG and a JPEG 2000 decoder here (pylibjpeg); zstandard and
pyjpegls are no dependencies, and their rows are left out where they are not installed.
"""

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import imagecodecs as ic
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels.processing import apply_color_lut
from tqdm import tqdm

from sonovan.contracts.frame_codec import DEFAULT_CODEC, decode_pixels, encode_pixels

Frame = npt.NDArray[Any]  # (rows, columns) or (rows, columns, 3), uint8 or uint16
Coded = bytes | bytearray
Numbers = dict[str, float | None]
VGA = 640 * 480
GREY8, COLOUR8, GREY16, COLOUR16 = "grey 8 bit", "colour 8 bit", "grey 16 bit", "colour 16 bit"
KINDS = (GREY8, COLOUR8, GREY16, COLOUR16)
EIGHT_BIT = (GREY8, COLOUR8)
GREY = (GREY8, GREY16)


@dataclass(frozen=True)
class Candidate:
    name: str
    encode: Callable[[Frame], Coded]
    decode: Callable[[Coded, Frame], Frame] | None  # the frame lends its shape and dtype
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True)
class Row:
    codec: str
    origin: str
    kind: str
    points: int  # rows × columns
    raw_bytes: int
    coded_bytes: int
    encode_ms: float
    decode_ms: float | None


# ---- frames


def narrowest(pixels: Frame) -> Frame:
    """One channel where all three agree; native byte order."""
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def kind(pixels: Frame) -> str:
    return KINDS[(pixels.ndim == 3) + 2 * (pixels.itemsize == 2)]


def stills(root: Path, count: int) -> Iterator[tuple[str, Frame]]:
    for name in ("breast", "busbra", "busi", "cine", "ddti", "gland"):
        pictures = (p for p in (root / name).rglob("*") if p.suffix in {".webp", ".png", ".jpg"})
        found = sorted(p for p in pictures if "mask" not in str(p.relative_to(root)))
        for i in range(min(count, len(found))):
            image = cv2.imread(str(found[i * len(found) // count]), cv2.IMREAD_COLOR)
            if image is not None:
                yield name, narrowest(image[..., ::-1])


def clips(root: Path) -> Iterator[tuple[str, Frame]]:
    for path in sorted((root / "video").iterdir()):
        capture = cv2.VideoCapture(str(path))
        middle = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 1) // 2
        for index in range(middle + 1):
            read, image = capture.read()
            if read and index in {0, middle}:
                yield f"video/{path.name}", narrowest(image[..., ::-1])


def dicoms(root: Path) -> Iterator[tuple[str, Frame]]:
    for path in sorted((root / "dicom" / "ultrasound").glob("*.dcm")):
        dataset = pydicom.dcmread(path, force=True)
        frames = dataset.pixel_array
        if int(dataset.get("NumberOfFrames") or 1) == 1:
            frames = frames[np.newaxis]
        for index in sorted({0, len(frames) // 2}):
            pixels = frames[index]
            if dataset.PhotometricInterpretation == "PALETTE COLOR":
                pixels = apply_color_lut(pixels, dataset)
                if dataset.BitsAllocated == 8:
                    pixels = (pixels >> 8).astype(np.uint8) if pixels.itemsize == 2 else pixels
            yield f"dicom/{path.name}", narrowest(pixels)


def widened(pixels: Frame, rng: np.random.Generator) -> Frame:
    """12 bits in 16-bit words: the 8-bit frame times 16, plus noise of half an 8-bit step."""
    noisy = pixels * 16.0 + rng.normal(0, 8, pixels.shape)
    return np.clip(noisy, 0, 4095).astype(np.uint16)


def load(root: Path, per_set: int) -> list[tuple[str, Frame]]:
    rng = np.random.default_rng(4)
    real = [*stills(root, per_set), *clips(root), *dicoms(root)]
    usual = [(origin, pixels) for origin, pixels in real if pixels.shape[0] * pixels.shape[1] < 2 * VGA]
    grey = [pair for pair in usual if kind(pair[1]) == GREY8]
    colour = [pair for pair in usual if kind(pair[1]) == COLOUR8]
    return real + [(f"{origin}, made 12 bit", widened(pixels, rng)) for origin, pixels in grey[::6] + colour[::6]]


# ---- candidates


def opencv(name: str, *flags: int) -> Candidate:
    """PNG. Channel order is left as it is: opencv swaps it on the way in and back on the way out."""
    return Candidate(
        name,
        lambda p: bytes(cv2.imencode(".png", p, list(flags))[1]),
        lambda d, like: np.asarray(cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_UNCHANGED)),
    )


def codec(
    name: str, encode: Callable[[Frame], Coded], decode: Callable[[Coded], Frame], kinds: tuple[str, ...] = KINDS
) -> Candidate:
    return Candidate(name, encode, lambda d, like: decode(d), kinds)


def rgb_codec(name: str, encode: Callable[[Frame], Coded], decode: Callable[[Coded], Frame]) -> Candidate:
    """A codec of 8-bit RGB only: a grey frame goes in three times and comes out once."""

    def three(pixels: Frame) -> Frame:
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)

    def back(data: Coded, like: Frame) -> Frame:
        return decode(data)[..., 0] if like.ndim == 2 else decode(data)

    return Candidate(name, lambda p: encode(three(p)), back, EIGHT_BIT)


def predicted(
    name: str, axes: Iterable[int], pack: Callable[[bytes], Coded], unpack: Callable[[Coded, int], Coded]
) -> Candidate:
    """A byte coder over the differences along `axes`, the bytes of 16-bit words apart."""

    def encode(pixels: Frame) -> Coded:
        for axis in axes:
            pixels = np.diff(pixels, axis=axis, prepend=np.zeros_like(pixels.take([0], axis)))
        return pack(byte_planes(pixels))

    def decode(data: Coded, like: Frame) -> Frame:
        planes = np.frombuffer(unpack(data, like.nbytes), np.uint8).reshape(like.itemsize, -1)
        pixels = planes.T.copy().reshape(-1).view(like.dtype).reshape(like.shape)
        for axis in axes:
            pixels = np.cumsum(pixels, axis=axis, dtype=pixels.dtype)
        return pixels

    return Candidate(name, encode, decode)


def byte_planes(pixels: Frame) -> bytes:
    return pixels.reshape(-1).view(np.uint8).reshape(-1, pixels.itemsize).T.tobytes()


def med(pixels: Frame) -> Frame:
    """Residual of LOCO-I's median edge detector; numpy could only invert it pixel by pixel."""
    padded = np.pad(pixels, ((1, 0), (1, 0)) + ((0, 0),) * (pixels.ndim - 2)).astype(np.int32)
    left, up, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    guess = np.clip(left + up - corner, np.minimum(left, up), np.maximum(left, up))
    residual: Frame = (pixels - guess).astype(pixels.dtype)
    return residual


def shipped(data: Coded, like: Frame) -> Frame:
    channels, bits = 1 if like.ndim == 2 else 3, 8 * like.itemsize
    rows, columns = like.shape[:2]
    return decode_pixels(bytes(data), codec=DEFAULT_CODEC, rows=rows, columns=columns, channels=channels, bits=bits)


def jpeg_xl(effort: int) -> Candidate:
    encode = partial(ic.jpegxl_encode, lossless=True, effort=effort, usecontainer=False, numthreads=1)
    return codec(f"JPEG XL effort {effort}", encode, partial(ic.jpegxl_decode, numthreads=1))


def webp(level: int, method: int) -> Candidate:
    encode = partial(ic.webp_encode, level=level, lossless=True, method=method, numthreads=1)
    return rgb_codec(f"WebP lossless, method {method}, level {level}", encode, ic.webp_decode)


def image_codecs() -> Iterator[Candidate]:
    yield Candidate(f"{DEFAULT_CODEC}, as shipped", encode_pixels, shipped)
    yield codec("JPEG-LS, plain (imagecodecs)", ic.jpegls_encode, ic.jpegls_decode)
    if importlib.util.find_spec("jpeg_ls"):
        charls = importlib.import_module("jpeg_ls")
        decode = partial(charls.decode)
        yield codec("JPEG-LS, plain (pyjpegls)", charls.encode, lambda d: decode(np.frombuffer(d, np.uint8)), GREY)
    openjpeg = partial(ic.jpeg2k_encode, level=0, reversible=True, codecformat="j2k", numthreads=1)
    yield codec("JPEG 2000 (OpenJPEG)", openjpeg, partial(ic.jpeg2k_decode, numthreads=1))
    yield codec("HTJ2K (OpenJPH)", partial(ic.htj2k_encode, reversible=True), ic.htj2k_decode)
    yield from (jpeg_xl(effort) for effort in (1, 2, 3))
    yield codec("JPEG lossless, process 14 (liblj92)", ic.ljpeg_encode, ic.ljpeg_decode, GREY)
    yield webp(level=0, method=0)
    yield webp(level=75, method=4)
    yield rgb_codec("QOI", ic.qoi_encode, ic.qoi_decode)


def pngs() -> Iterator[Candidate]:
    level, strategy, chosen = cv2.IMWRITE_PNG_COMPRESSION, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_FILTER
    rle, huffman = (strategy, cv2.IMWRITE_PNG_STRATEGY_RLE), (strategy, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
    filtered, every = (strategy, cv2.IMWRITE_PNG_STRATEGY_FILTERED), (chosen, cv2.IMWRITE_PNG_ALL_FILTERS)
    yield opencv("PNG, opencv's default (level 1, RLE, Sub)")
    yield opencv("PNG level 1, RLE, Up", level, 1, *rle, chosen, cv2.IMWRITE_PNG_FILTER_UP)
    yield opencv("PNG level 1, RLE, Paeth", level, 1, *rle, chosen, cv2.IMWRITE_PNG_FILTER_PAETH)
    yield opencv("PNG Huffman only, all filters", level, 1, *huffman, *every)
    yield opencv("PNG level 3, filtered, all filters", level, 3, *filtered, *every)
    yield opencv("PNG level 6, filtered, all filters", level, 6, *filtered, *every)
    yield codec("PNG level 1 (libspng)", partial(ic.spng_encode, level=1), ic.spng_decode, EIGHT_BIT)


def byte_coders() -> Iterator[Candidate]:
    yield predicted("lz4, up", (0,), ic.lz4_encode, lambda d, size: ic.lz4_decode(d, out=size))
    blosc = partial(ic.blosc2_encode, level=5, compressor="zstd", shuffle="bitshuffle", typesize=1, numthreads=1)
    yield predicted("blosc2 zstd bitshuffle, up", (0,), blosc, lambda d, _: ic.blosc2_decode(d, numthreads=1))
    if importlib.util.find_spec("zstandard"):
        zstandard = importlib.import_module("zstandard")
        for number, name, axes in (
            (1, "no prediction", ()), (1, "left", (1,)), (3, "up", (0,)), (3, "left and up", (0, 1)),
            (9, "left and up", (0, 1)),
        ):  # fmt: skip
            pack = zstandard.ZstdCompressor(level=number).compress
            unpack = zstandard.ZstdDecompressor().decompress
            yield predicted(f"zstd {number}, {name}", axes, pack, unpack)
        squeeze = zstandard.ZstdCompressor(level=3).compress
        yield Candidate("zstd 3, MED", lambda p: bytes(squeeze(byte_planes(med(p)))), None)


# ---- measuring


def timed(call: Callable[[], object]) -> float:
    """CPU milliseconds of one call, over all threads of this process."""
    began = time.process_time_ns()
    call()
    return (time.process_time_ns() - began) / 1e6


def time_codecs(origin: str, pixels: Frame, tried: Sequence[Candidate], repeats: int) -> Iterator[Row]:
    live = [c for c in tried if kind(pixels) in c.kinds]
    coded = {c.name: bytes(c.encode(pixels)) for c in live}
    for c in live:
        if c.decode and not np.array_equal(c.decode(coded[c.name], pixels), pixels):
            raise SystemExit(f"{c.name} is not lossless on {origin}")
    encoding: dict[str, list[float]] = defaultdict(list)
    decoding: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for c in live:
            encoding[c.name].append(timed(partial(c.encode, pixels)))
            if c.decode:
                decoding[c.name].append(timed(partial(c.decode, coded[c.name], pixels)))
    for c in live:
        yield Row(
            codec=c.name,
            origin=origin,
            kind=kind(pixels),
            points=pixels.shape[0] * pixels.shape[1],
            raw_bytes=pixels.nbytes,
            coded_bytes=len(coded[c.name]),
            encode_ms=statistics.median(encoding[c.name]),
            decode_ms=statistics.median(decoding[c.name]) if c.decode else None,
        )


def summary(rows: Sequence[Row]) -> Numbers:
    """Ratio, every origin weighing the same whatever its size; ms for 640 × 480 points at the mean speed."""
    scale = VGA / sum(r.points for r in rows)
    raw: dict[str, int] = defaultdict(int)
    coded: dict[str, int] = defaultdict(int)
    for row in rows:
        raw[row.origin] += row.raw_bytes
        coded[row.origin] += row.coded_bytes
    decoding = [r.decode_ms for r in rows if r.decode_ms is not None]
    return {
        "ratio": round(1 / statistics.mean(coded[origin] / raw[origin] for origin in raw), 3),
        "encode_ms": round(scale * sum(r.encode_ms for r in rows), 2),
        "decode_ms": round(scale * sum(decoding), 2) if decoding else None,
    }


def grouped(
    rows: Iterable[Row], outer: Callable[[Row], str], inner: Callable[[Row], str]
) -> dict[str, dict[str, Numbers]]:
    groups: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[outer(row)][inner(row)].append(row)
    return {name: {part: summary(chosen) for part, chosen in parts.items()} for name, parts in groups.items()}


def table(by_codec: dict[str, dict[str, Numbers]]) -> str:
    """Markdown: for every kind the ratio, encode ms and decode ms of 640 × 480 points."""

    def cell(numbers: Numbers | None) -> str:
        if numbers is None:
            return "–"
        return " · ".join("–" if v is None else f"{v:.{2 if k == 'ratio' else 1}f}" for k, v in numbers.items())

    lines = [f"| {name} | {' | '.join(cell(kinds.get(k)) for k in KINDS)} |" for name, kinds in by_codec.items()]
    return "\n".join(["| codec | " + " | ".join(KINDS) + " |", "|---" * (1 + len(KINDS)) + "|", *lines])


def surroundings() -> dict[str, str]:
    """Processor, Python and libraries of this run."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    wanted = {"imagecodecs", "numpy", "opencv-python", "opencv-python-headless", "pyjpegls", "zstandard"}
    libraries = {d.name: d.version for d in importlib.metadata.distributions() if d.name in wanted}
    return {"cpu": model, "python": platform.python_version(), **dict(sorted(libraries.items()))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Lossless codecs on real ultrasound frames")
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "frame_codecs.json")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--per-set", type=int, default=8, help="stills taken from each folder of stills")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    frames = load(args.data, args.per_set)
    tried = [*image_codecs(), *pngs(), *byte_coders()]
    rows: list[Row] = []
    for origin, pixels in tqdm(frames, unit="frame"):
        rows += time_codecs(origin, pixels, tried, args.repeats)
    by_codec = grouped(rows, lambda r: r.codec, lambda r: r.kind)
    results = {
        "what": "ratio = raw / coded bytes, origins weigh the same; "
        "ms = CPU time for 640 x 480 points, one thread, median of the repeats",
        "repeats": args.repeats,
        "frames": {k: sum(kind(pixels) == k for _, pixels in frames) for k in KINDS},
        "surroundings": surroundings(),
        "by_codec": by_codec,
        "by_origin": grouped(rows, lambda r: f"{r.origin}, {r.kind}", lambda r: r.codec),
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(table(by_codec))


if __name__ == "__main__":
    main()
