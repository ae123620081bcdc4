"""Why an input is refused or warned of: every reason, and what the person at the keyboard can do about it."""

import os
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources.origin import Address, Device, Origin

SOURCE_REASONS: Final[dict[str, str]] = {
    "not_found": "check the path",
    "no_permission": "let this account read it, or copy it to a folder that it may read",
    "empty": "copy it from the scanner again",
    "empty_folder": "name a folder that holds DICOM files, clips or pictures",
    "not_a_picture": "name a DICOM file, a clip (mp4, mov, mpeg, avi) or a picture (png, jpg, webp, bmp, tiff)",
    "not_a_file": "name a file or a folder",
    "unreadable": "copy it from the scanner again; if it stays broken, export it anew",
    "truncated": "the copy stopped early: copy it from the scanner again",
    "cut_short": "what it gave is used; copy it from the scanner again, or export it anew",
    "no_frames": "export it again with its pictures",
    "not_ultrasound": "send ultrasound only",
    "transfer_syntax_unknown": "export it as uncompressed, RLE, JPEG, JPEG-LS, JPEG 2000, MPEG-2, H.264 or HEVC",
    "pixels_not_supported": "export it as 8- or 16-bit grey, RGB, YBR or palette",
    "size_contradicts_stream": "the file contradicts itself: export it anew",
    "too_small": "no lesion can be seen in it: send the full picture",
    "too_large": "send it in smaller pieces, or export it at the scanner's own size",
    "several_pictures": "save its pictures singly in one folder, or export it as a clip",
    "format_not_read": "export it as DICOM, a clip (mp4, mov, mpeg, avi) or a picture (png, jpg, webp, bmp, tiff)",
    "organ_missing": "say --organ breast or --organ thyroid",
    "organ_unknown": "say --organ breast or --organ thyroid",
    "option_invalid": "correct the option",
    "side_contradicts_file": "correct --side, or the laterality at the scanner",
    "side_unreadable": "correct the laterality at the scanner: L or R",
    "dicomdir": "name the folder that it stands in, or the files that it lists",
    "spacing_contradicts_itself": "the file contradicts itself: export it anew",
    "organ_contradicts_file": "correct --organ, or the body part at the scanner",
    "spacing_contradicts_file": "leave --pixel-spacing-mm away: the file knows its scale",
    "features_invalid": "correct the clinical record and send again",
    "burned_in_annotation": "the file says that text is burned into the picture: it is held on this van",
    "frame_unreadable": "export the sweep again if this frame matters",
    "regions_uncertain": "where the text lies is not known: it is held on this van",
    "no_signal": "look at the cable, at the scanner's video output and at [[capture]] of van.toml",
    "signal_lost": "look at the cable and at the scanner's video output, then scan the rest as another sweep",
    "frame_dropped": "it was lost between the scanner and this disk: scan the place again if it matters",
    "text_uncertain": "there may be text in it: it is held on this van until somebody looks",
}

SOURCE_WARNINGS: Final[dict[str, str]] = {
    "side_both": "make sure that it shows the side that --side says, and say --side if none was said",
    "place_unknown": "check that it shows the organ that was said",
    "number_unreadable": "it is left out",
    "decimal_comma": "it is read with a decimal point",
    "region_left_out": "outside the other regions the picture is black",
    "region_scale_unreadable": "nothing in this region is measured, unless another field has its scale",
    "region_covered": "what lies beside the inset outside of the largest free part is not looked at",
    "spacing_contradicts_regions": "the scale of the regions is used",
    "frame_count_contradicted": "every frame that is there is read",
    "length_contradicted": "the pixels are read as their length says",
    "samples_signed": "its samples are read as signed, which those of ultrasound never are: look at the greys",
    "copy_left_out": "it is read once",
    "picture_repeated": "both are read",
    "pixels_made_square": "it is read, and a scale that is typed is taken, as a player shows it",
    "pixels_may_be_oblong": "it is read as it is stored: sizes may be wrong along one side",
    "tracks_left_out": "the best of its tracks is read",
    "time_gap": "frames may be lost there: compare with the scanner's own clip",
    "instance_repeated": "both are read: the exporter gave two pictures one name",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """What was odd about an input that is used all the same. reason: a key of SOURCE_WARNINGS; message: one line."""

    reason: str
    message: str


def warned(reason: str, path: Origin, detail: str) -> Warned:
    """A warning with one line for the person who typed the path: the input, what is odd about it, what follows."""
    return Warned(reason, f"{shown(path)}: {_one_line(detail)}; {SOURCE_WARNINGS[reason]}")


def refusal(reason: str, path: Origin, detail: str) -> InvalidRecord:
    """InvalidRecord with one line: the input, what is wrong with it, what to do.

    reason: a key of SOURCE_REASONS. The message names the path, so it is for the person who typed it only.
    """
    return InvalidRecord(reason, f"{shown(path)}: {_one_line(detail)}; {SOURCE_REASONS[reason]}")


def shown(path: Origin) -> str:
    """A path as it may be printed: bytes that are no UTF-8, line ends and control characters are escaped.

    Of an address no account and no password is shown.
    """
    if isinstance(path, Address):
        return printable(path.shown)
    if isinstance(path, Device):
        return printable(path.path)
    return printable(os.fsencode(path).decode("utf-8", "backslashreplace"))


def _one_line(detail: str) -> str:
    """A detail, which may quote what stands in a file, as it may be printed."""
    return printable(" ".join(detail.split()))


def printable(text: str) -> str:
    """A text as it may be printed: line ends and control characters are escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
