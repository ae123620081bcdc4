"""DICOM files as sources: one file, one sequence, its frames decoded one at a time from the disk."""

from collections.abc import Iterator
from pathlib import Path

from sonovan.contracts.lexicon import Side
from sonovan.producers.sources.agreement import agreed_organ, agreed_side, check_nipple_distance, check_spacing
from sonovan.producers.sources.bounds import check_frames
from sonovan.producers.sources.decode import DecodeError, decode_frame
from sonovan.producers.sources.dicom_header import DicomHeader, guarded, open_stream, read_header
from sonovan.producers.sources.dicom_moving import moving_frames
from sonovan.producers.sources.dicom_scale import alike
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.regions import Layout, lay_out
from sonovan.producers.sources.source import CapturedFrame, CaptureOptions, LostFrame, Source


def open_dicom(path: Path, options: CaptureOptions) -> Source:
    """The sequence in a DICOM file.

    Raises InvalidRecord with a reason of SOURCE_REASONS: broken, not ultrasound, too large, contradicting.
    """
    with guarded(path), open_stream(path) as stream:
        header = read_header(path, stream)
        check_frames(path, header.frames.count, options.max_frames)
        side = agreed_side(path, header.places.sides, options)
        layout, warnings = _layout(path, header, options, side)
        organ = agreed_organ(path, header.places.organs, header.places.foreign, options)
        check_nipple_distance(path, organ, options)
    return Source(
        path=path,
        organ=organ,
        laterality=side,
        view=options.view,
        position=options.position,
        nipple_distance_mm=options.nipple_distance_mm,
        frame_count=header.frames.count,
        read=lambda: _frames(path, header, layout, options),
        declared=layout.declared,
        burned_in=header.burned_in,
        manufacturer=header.manufacturer,
        model=header.model,
        acquired_on=header.acquired_on,
        notes=layout.notes,
        warnings=(*header.warnings, *warnings),
        instance=header.instance,
        uncertain=layout.uncertain,
    )


def _layout(
    path: Path, header: DicomHeader, options: CaptureOptions, side: Side | None
) -> tuple[Layout, tuple[Warned, ...]]:
    """Panels with the file's scale, or the operator's where the file has none.

    The regions' own scale comes first; PixelSpacing holds where no region has one and their places are certain.
    """
    scales = [region.spacing_mm for region in header.regions if region.spacing_mm]
    lost = not header.regions and header.region_items
    plain = header.spacing_mm if not scales and not lost else None
    layout = lay_out(
        header.regions,
        header.frames.layout.rows,
        header.frames.layout.columns,
        spacing_mm=plain or options.pixel_spacing_mm,
        side=side,
        items=header.region_items,
    )
    told = next((panel.spacing_mm for panel in layout.panels if panel.spacing_mm), None)
    check_spacing(path, told, options)
    warnings = []
    if scales and header.spacing_mm and not any(alike(scale, header.spacing_mm) for scale in scales):
        detail = f"PixelSpacing is {header.spacing_mm[1]:.4g} mm, its regions say {scales[0][1]:.4g} mm"
        warnings.append(warned("spacing_contradicts_regions", path, detail))
    if header.oblong and told is None:
        warnings.append(warned("pixels_may_be_oblong", path, "its pixels are not square and it has no scale"))
    if layout.covered:
        warnings.append(warned("region_covered", path, "a picture with a scale of its own lies within another one"))
    return layout, tuple(warnings)


def _frames(
    path: Path, header: DicomHeader, layout: Layout, options: CaptureOptions
) -> Iterator[CapturedFrame | LostFrame]:
    if header.frames.clip is not None:
        yield from moving_frames(path, header.frames, header.times_ms, layout, options)
        return
    with guarded(path):
        stream = open_stream(path)
    with stream:
        places = header.frames
        parts = places.read(stream)
        for index in range(places.count):
            data = next(parts, b"")
            if not data:
                lost = refusal("truncated", path, f"frame {index + 1} of {places.count} is not in the file")
                yield LostFrame(index, "truncated", lost.message)
                continue
            try:
                pixels = decode_frame(data, places.layout)
            except DecodeError as error:
                lost = refusal("frame_unreadable", path, f"frame {index + 1} cannot be decoded ({error})")
                yield LostFrame(index, "frame_unreadable", lost.message)
                continue
            time_ms = header.times_ms[index] if header.times_ms else None
            yield CapturedFrame(index, time_ms, pixels, layout.panels)
