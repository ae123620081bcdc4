"""The frame codec: lossless, bounded, and never silently wrong."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import (
    CODECS,
    DEFAULT_CODEC,
    MAX_FRAME_BYTES,
    MAX_SIDE,
    Pixels,
    decode_pixels,
    decode_verified,
    encode_pixels,
    pixels_sha256,
)

SIDES = st.integers(1, 23)
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=4)


@st.composite
def frames(draw: st.DrawFn) -> Pixels:
    """Noise, ramps and flat areas, of every kind that the codec takes."""
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    shape = (draw(SIDES), draw(SIDES), *draw(st.sampled_from([(), (3,)])))
    pixels: Pixels = draw(arrays(dtype, shape))
    if draw(st.booleans()):
        np.cumsum(pixels % 3, axis=0, dtype=dtype, out=pixels)
    return pixels


def speckled(*shape: int, dtype: type[np.uint8] | type[np.uint16] = np.uint8) -> Pixels:
    ramp = np.cumsum(np.random.default_rng(7).integers(0, 9, shape), axis=1)
    return ramp.astype(np.uint8) if dtype is np.uint8 else ramp.astype(np.uint16)


def claims(pixels: npt.NDArray[np.generic]) -> dict[str, int]:
    return {
        "rows": pixels.shape[0],
        "columns": pixels.shape[1],
        "channels": 1 if pixels.ndim == 2 else 3,
        "bits": 8 * pixels.dtype.itemsize,
    }


def decoded(data: bytes, like: npt.NDArray[np.generic], **other: int) -> Pixels:
    size = claims(like) | other
    return decode_pixels(
        data,
        codec=DEFAULT_CODEC,
        rows=size["rows"],
        columns=size["columns"],
        channels=size["channels"],
        bits=size["bits"],
    )


def verified(data: bytes, like: Pixels) -> Pixels:
    size = claims(like)
    return decode_verified(
        data,
        codec=DEFAULT_CODEC,
        rows=size["rows"],
        columns=size["columns"],
        channels=size["channels"],
        bits=size["bits"],
        sha256=pixels_sha256(like),
    )


def flipped(data: bytes, flips: list[tuple[float, int]]) -> bytes:
    altered = bytearray(data)
    for place, bit in flips:
        altered[int(place * len(altered))] ^= 1 << bit
    return bytes(altered)


@given(frames())
def test_round_trip_is_bit_for_bit(pixels: Pixels) -> None:
    back = decoded(encode_pixels(pixels), pixels)
    assert back.dtype == pixels.dtype
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, pixels)


@given(frames(), st.sampled_from([1, 2, -1, -3]), st.sampled_from([1, 2, -1, -2]), st.booleans())
def test_strides_and_read_only_memory_do_not_matter(pixels: Pixels, down: int, across: int, turn: bool) -> None:
    view = pixels[::down, ::across]
    if turn:
        view = view.swapaxes(0, 1)
    view.flags.writeable = False
    copy = np.ascontiguousarray(view)
    assert encode_pixels(view) == encode_pixels(copy)
    assert pixels_sha256(view) == pixels_sha256(copy)
    np.testing.assert_array_equal(decoded(encode_pixels(view), view), copy)


def test_channel_order_in_memory_does_not_matter() -> None:
    planar = np.moveaxis(speckled(3, 11, 17), 0, -1)
    np.testing.assert_array_equal(decoded(encode_pixels(planar), planar), planar)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_big_endian_words_are_the_same_frame(channels: tuple[int, ...]) -> None:
    native = speckled(9, 13, *channels, dtype=np.uint16) * 257
    swapped = native.astype(">u2")
    assert encode_pixels(swapped) == encode_pixels(native)
    assert pixels_sha256(swapped) == pixels_sha256(native)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 4001), (4001, 1), (4001, 1, 3), (MAX_SIDE, 1), (1, MAX_SIDE)])
def test_extreme_shapes_survive(shape: tuple[int, ...], dtype: type[np.uint8] | type[np.uint16]) -> None:
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    np.testing.assert_array_equal(decoded(encode_pixels(pixels), pixels), pixels)


def test_grey_frame_is_a_plain_jpeg_ls_image() -> None:
    pixels = speckled(31, 45)
    np.testing.assert_array_equal(imagecodecs.jpegls_decode(encode_pixels(pixels)), pixels)


def test_grey_painted_as_colour_costs_little_more_than_grey() -> None:
    grey = speckled(120, 160)
    colour = np.repeat(grey[..., np.newaxis], 3, axis=2)
    assert len(encode_pixels(colour)) < 1.05 * len(encode_pixels(grey))


@pytest.mark.parametrize("shape", [(12, 15), (12, 15, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_truncation_at_any_byte_is_refused(shape: tuple[int, ...], dtype: type[np.uint8] | type[np.uint16]) -> None:
    pixels = speckled(*shape, dtype=dtype)
    data = encode_pixels(pixels)
    for length in range(len(data)):
        with pytest.raises(InvalidRecord) as refusal:
            decoded(data[:length], pixels)
        assert refusal.value.reason == "pixels_corrupt"


@pytest.mark.parametrize("shape", [(12, 15), (12, 15, 3)])
def test_truncation_with_a_forged_end_never_gives_another_frame(shape: tuple[int, ...]) -> None:
    pixels = speckled(*shape)
    data = encode_pixels(pixels)
    refused = 0
    for length in range(len(data) - 2):
        try:
            back = verified(data[:length] + b"\xff\xd9", pixels)
        except InvalidRecord as refusal:
            assert refusal.reason == "pixels_corrupt"  # noqa: PT017  either outcome is right
            refused += 1
        else:
            np.testing.assert_array_equal(back, pixels)  # what was lost was padding
    assert refused >= len(data) - 4


def test_appended_bytes_are_refused() -> None:
    pixels = speckled(12, 15)
    with pytest.raises(InvalidRecord, match="end-of-image"):
        decoded(encode_pixels(pixels) + b"\0", pixels)


@given(frames(), FLIPS)
def test_flipped_bits_never_give_another_frame(pixels: Pixels, flips: list[tuple[float, int]]) -> None:
    try:
        back = verified(flipped(encode_pixels(pixels), flips), pixels)
    except InvalidRecord as refusal:
        assert refusal.reason == "pixels_corrupt"  # noqa: PT017  either outcome is right, a wrong frame is not
    else:
        np.testing.assert_array_equal(back, pixels)


def test_some_flips_pass_the_codec_so_identity_is_what_catches_them() -> None:
    pixels = speckled(40, 40)
    data = encode_pixels(pixels)
    silent = 0
    for place in range(100, len(data) - 2):
        altered = flipped(data, [(place / len(data), 0)])
        try:
            other = not np.array_equal(decoded(altered, pixels), pixels)
        except InvalidRecord:
            continue
        silent += other
        if other:
            with pytest.raises(InvalidRecord, match="not the frame"):
                verified(altered, pixels)
    assert silent > 0


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidRecord) as refusal:
        decoded(data, speckled(4, 4))
    assert refusal.value.reason == "pixels_corrupt"


@pytest.mark.parametrize(
    "other",
    [{"rows": 11}, {"rows": 13}, {"columns": 14}, {"rows": 15, "columns": 12}, {"channels": 3}, {"bits": 16},
     {"rows": 4, "channels": 3, "bits": 16}],
)  # fmt: skip
def test_header_that_contradicts_the_claim_is_refused(other: dict[str, int]) -> None:
    pixels = speckled(12, 15)
    with pytest.raises(InvalidRecord) as refusal:
        decoded(encode_pixels(pixels), pixels, **other)
    assert refusal.value.reason == "pixels_corrupt"


def test_header_that_declares_gigabytes_is_refused() -> None:
    pixels = speckled(12, 15)
    data = bytearray(encode_pixels(pixels))
    size = data.index(b"\xff\xf7") + 5  # start of frame: marker, length, precision, rows, columns
    data[size : size + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(InvalidRecord, match="shape") as refusal:
        decoded(bytes(data), pixels)
    assert refusal.value.reason == "pixels_corrupt"


def test_interleaved_colour_image_is_refused() -> None:
    pixels = speckled(12, 15, 3)
    with pytest.raises(InvalidRecord) as refusal:
        decoded(bytes(imagecodecs.jpegls_encode(pixels)), pixels)
    assert refusal.value.reason == "pixels_corrupt"


@pytest.mark.parametrize(
    "other",
    [{"rows": 0}, {"rows": -12}, {"columns": 0}, {"columns": -15}, {"channels": 2}, {"channels": 0}, {"bits": 12},
     {"bits": 0}],
)  # fmt: skip
def test_impossible_claim_is_refused(other: dict[str, int]) -> None:
    pixels = speckled(12, 15)
    with pytest.raises(InvalidRecord) as refusal:
        decoded(encode_pixels(pixels), pixels, **other)
    assert refusal.value.reason == "pixels_corrupt"


@pytest.mark.parametrize(
    "other",
    [{"rows": 20_000, "columns": 20_000}, {"rows": 2**40, "columns": 2**40}, {"rows": MAX_SIDE + 1, "columns": 1},
     {"rows": 1, "columns": MAX_SIDE + 1}, {"rows": MAX_SIDE // 3 + 1, "columns": 1, "channels": 3},
     {"rows": 16_384, "columns": MAX_FRAME_BYTES // 16_384 // 2 + 1, "bits": 16}],
)  # fmt: skip
def test_claim_beyond_the_bound_is_refused_before_allocation(
    other: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = speckled(12, 15)
    data = encode_pixels(pixels)

    def allocate(*_: object, **__: object) -> None:
        raise AssertionError("allocated before the bound was checked")

    monkeypatch.setattr(np, "empty", allocate)
    with pytest.raises(InvalidRecord) as refusal:
        decoded(data, pixels, **other)
    assert refusal.value.reason == "pixels_too_large"


def test_frame_beyond_the_bound_is_not_coded() -> None:
    endless = np.broadcast_to(np.uint8(7), (20_000, 20_000))
    with pytest.raises(InvalidRecord) as refusal:
        encode_pixels(endless)
    assert refusal.value.reason == "pixels_too_large"


@pytest.mark.parametrize("codec", ["", "png", "JPEGLS", "jpegls "])
def test_unknown_codec_is_refused(codec: str) -> None:
    pixels = speckled(2, 2)
    with pytest.raises(InvalidRecord) as on_decode:
        decode_pixels(encode_pixels(pixels), codec=codec, rows=2, columns=2, channels=1, bits=8)
    with pytest.raises(InvalidRecord) as on_encode:
        encode_pixels(pixels, codec)
    assert on_decode.value.reason == on_encode.value.reason == "codec_unknown"


def test_default_codec_can_be_decoded() -> None:
    assert DEFAULT_CODEC in CODECS


@pytest.mark.parametrize(
    "pixels",
    [np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 1), np.uint8),
     np.zeros((2, 4, 4, 3), np.uint8), np.zeros((4, 4), np.int16), np.zeros((4, 4), np.float32),
     np.zeros((4, 4), np.uint32), np.zeros((4, 4), np.bool_)],
    ids=lambda p: f"{p.shape} {p.dtype}",
)  # fmt: skip
def test_other_arrays_are_a_programming_error(pixels: npt.NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match="a frame is"):
        encode_pixels(pixels)
    with pytest.raises(ValueError, match="a frame is"):
        pixels_sha256(pixels)


def test_identity_is_the_documented_hash() -> None:
    pixels = np.array([[1, 258], [3, 65535]], np.uint16)
    expected = hashlib.sha256(b"2x2x1/16\n\x01\x00\x02\x01\x03\x00\xff\xff").hexdigest()
    assert pixels_sha256(pixels) == expected


def test_identity_tells_shape_and_depth_apart() -> None:
    samples = np.arange(12, dtype=np.uint8)
    same_bytes: list[npt.NDArray[np.generic]] = [
        samples.reshape(3, 4), samples.reshape(4, 3), samples.reshape(2, 2, 3), samples.view("<u2").reshape(3, 2)
    ]  # fmt: skip
    assert len({pixels_sha256(pixels) for pixels in same_bytes}) == len(same_bytes)


def test_threads_share_the_codec() -> None:
    batch = [speckled(64, 64 + i, *((3,) if i % 2 else ())) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        backs = list(pool.map(lambda pixels: verified(encode_pixels(pixels), pixels), batch))
    for pixels, back in zip(batch, backs, strict=True):
        np.testing.assert_array_equal(back, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(480, 640), (240, 320, 3)])
def test_noise_that_codes_to_more_than_its_pixels_round_trips(shape: tuple[int, ...], dtype: type) -> None:
    noise = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)
    data = encode_pixels(noise)
    channels, bits = 1 if len(shape) == 2 else 3, 8 * noise.itemsize
    assert len(data) > noise.nbytes
    decoded = decode_pixels(data, codec=DEFAULT_CODEC, rows=shape[0], columns=shape[1], channels=channels, bits=bits)
    assert np.array_equal(decoded, noise)
