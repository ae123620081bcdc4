"""Tell frames with colour over the echoes, of Doppler or elastography, from grey ones, and do not segment them.

A share of coloured pixels decides (`sonovan.models.heads.trust.coloured`). Of 1,400 grey pictures of the public sets,
some with coloured text, the most coloured one has .009. The bound between both kinds is the project's own: an
elastogram colours a whole box, vessels a part of it; a photograph is coloured all over, so that `trust` is asked before
a picture is called an elastogram. A Doppler frame with next to no flow and a small scale bar may pass as grey.
"""

from typing import Final

COLOURED: Final = 0.012
"""From this share on, a panel has colour over its echoes."""
FILLED: Final = 0.2
"""From this share on, the colour fills a box, as of an elastogram."""
DOPPLER: Final = "doppler_frame"
ELASTOGRAPHY: Final = "elastography_frame"


def colour_reason(share: float) -> str | None:
    """Why a panel with this share of coloured pixels is not segmented; None where it is grey."""
    if share < COLOURED:
        return None
    return ELASTOGRAPHY if share >= FILLED else DOPPLER
