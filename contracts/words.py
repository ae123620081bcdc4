"""Words that a van writes, each so narrow that neither a name nor a number of a person fits.

A word that is not known here is read as `unnamed` or `other`: a newer van's record stays usable, and a name does not
get through.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, TypeAdapter

_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_SLIP: Final = 9_999_999
UNNAMED: Final = "unnamed"
OTHER: Final = "other"

NOTES: Final = frozenset(
    {
        "alpha_dropped",
        "burned_in_annotation",
        "codec_unknown",
        "copy_left_out",
        "cut_short",
        "decimal_comma",
        "frame_count_contradicted",
        "frame_dropped",
        "frame_unreadable",
        "instance_repeated",
        "length_contradicted",
        "no_contact",
        "no_gel",
        "number_unreadable",
        "picture_blank",
        "picture_frozen",
        "picture_repeated",
        "pixels_made_square",
        "pixels_may_be_oblong",
        "pixels_not_supported",
        "place_unknown",
        "region_covered",
        "region_left_out",
        "region_scale_unreadable",
        "regions_not_declared",
        "regions_uncertain",
        "samples_signed",
        "sequence_cut_short",
        "side_both",
        "signal_lost",
        "size_contradicts_stream",
        "spacing_contradicts_itself",
        "spacing_contradicts_regions",
        "spacing_contradicts_ruler",
        "time_gap",
        "too_large",
        "too_small",
        "text_uncertain",
        "tracks_left_out",
        "truncated",
        "unreadable",
    }
)
"""Why a frame was set aside, and what was odd about what a van read."""

MANUFACTURERS: Final = frozenset(
    {
        "acuson",
        "aloka",
        "alpinion",
        "atl",
        "bk",
        "butterfly",
        "canon",
        "chison",
        "clarius",
        "edan",
        "esaote",
        "fujifilm",
        "ge",
        "hitachi",
        "kontron",
        "medison",
        "mindray",
        "philips",
        "samsung",
        "siemens",
        "simulated",
        "sonoscape",
        "sonosite",
        "supersonic",
        "telemed",
        "toshiba",
        "ultrasonix",
        "vinno",
        "wisonic",
        "zonare",
    }
)
"""Makers of scanners."""


def check_sign(body: str) -> str:
    """The check character of a slip number: it finds every wrong character and nearly every swap of two neighbours.

    body: digits and capital letters; ValueError for others. Source: ISO/IEC 7064, MOD 37,36.
    """
    rest = 36
    for sign in body:
        rest = 2 * ((rest + _SIGNS.index(sign)) % 36 or 36) % 37
    return _SIGNS[(37 - rest) % 36]


def slip_number(series: str, number: int) -> str:
    """The slip number of a series (one or two capital letters) and a number of 1 to MAX_SLIP.

    Raises ValueError for others.
    """
    body = f"{series}{number}"
    return TypeAdapter(SlipNumber).validate_python(body + check_sign(body))


def _checked(slip: str) -> str:
    if check_sign(slip[:-1]) != slip[-1]:
        raise ValueError("the check character does not fit")
    return slip


def _known_note(word: str) -> str:
    return word if word in NOTES else UNNAMED


def _known_maker(word: str) -> str:
    return word if word in MANUFACTURERS else OTHER


SlipNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9]{1,7}[0-9A-Z]$"), AfterValidator(_checked)]
"""What is printed on a woman's slip: a series, a number, and `check_sign` of both."""
OperatorCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,3}-[0-9]{1,4}$")]
"""Who does something at a site, by the site's own list: letters and a number (`op-7`), too short for a name."""
SiteCode = Annotated[str, StringConstraints(pattern=r"^(site-[0-9]{1,6}|embedded|simulated)$")]
"""The site's number; what the site is called stands in its own list."""
Note = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,63}$"), AfterValidator(_known_note)]
"""One of NOTES, or `unnamed`."""
Manufacturer = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,16}$"), AfterValidator(_known_maker)]
"""One of MANUFACTURERS, or `other`."""
ScannerModel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{0,8}-?[A-Za-z]{0,2}[0-9]{1,4}[A-Za-z]{0,2}$")]
"""A scanner's model: it has a number, of four digits at most (`LOGIQ-E9`, `EPIQ-7G`, `RS85`)."""
ConsentText = Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,4}(\.[0-9]{1,3})?$")]
"""Which edition of the site's text on consent she was given (`v3`, `v2026.2`); the text itself stays with the site."""
Version = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){1,3}((\.?(dev|post)|a|b|rc)[0-9]{1,3})?$")
]
"""Of a program: numbers with points between them."""
CodecName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,6}$")]
"""How a frame's pixels are coded; a name that this centre does not know is `codec_unknown`."""

ModelName = Annotated[
    str,
    StringConstraints(
        pattern=r"^none$|^[a-z]{2,12}[0-9]{0,2}(-[a-z]{1,12}[0-9]{0,2}){0,2}-([0-9]{1,3}|x[0-9a-f]{8})(-[a-z]{2,12})?$"
    ),
]
"""A network's name: words, and a number of three digits at most or the beginning of its hash (`lite2-unet-3`); `none`
where no network looked at anything. The registry of networks takes the same names (`models/registry.py`)."""
ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,12}/[a-z0-9]{2,6}$")]
"""What ran a network, and in which precision: `openvino/bf16`."""


def maker_of(text: str) -> str | None:
    """The maker that a DICOM file's Manufacturer names, by its first word; `other` for one not known here."""
    words = "".join(each if each.isalnum() else " " for each in text.lower()).split()
    return None if not words else next((word for word in words if word in MANUFACTURERS), OTHER)
