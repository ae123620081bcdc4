"""How a part of the body is named in words."""

from typing import Final

from sonovan.contracts.record import Organ, Side

_PLACES: Final[dict[Organ, dict[Side | None, str]]] = {
    "breast": {
        "left": "left breast",
        "right": "right breast",
        "isthmus": "breast, side not recorded",
        None: "breast, side not recorded",
    },
    "thyroid": {
        "left": "left thyroid lobe",
        "right": "right thyroid lobe",
        "isthmus": "thyroid isthmus",
        None: "thyroid, side not recorded",
    },
}


def named_place(organ: Organ, side: Side | None, region: str | None) -> str:
    """Organ, side and region in English: "left breast", "right thyroid lobe, upper"."""
    place = _PLACES[organ][side]
    return f"{place}, {region}" if region else place
