"""The printed slip: its number, large, and as a QR code. Nothing else of her is in the code."""

import segno


def qr_svg(slip: str, scale: int = 8) -> str:
    """The QR code of a slip number as an SVG element. scale: units for one module.

    Error correction M restores 15 % of it: slips are folded and get wet.
    """
    return str(segno.make(slip, error="m", micro=False).svg_inline(scale=scale, border=4, omitsize=True))
