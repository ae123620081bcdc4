"""What a figure of quality is of, in words: network and organ, and perhaps a van and a scanner."""

from sonovan.contracts.quality import Stratum
from sonovan.reports.words import Words


def stratum_words(stratum: Stratum, words: Words) -> str:
    """`Network lite2-unet-3, breast · Van van-1 · mindray DC-70`."""
    organ = words.lexicon(f"organ.{stratum.organ}")
    parts = [words.text("about_network", model_id=stratum.model_id, organ=organ)]
    if stratum.van_id is not None:
        parts.append(words.text("about_van", van_id=stratum.van_id))
    if stratum.level in ("scanner", "source"):
        named = " ".join(part for part in (stratum.manufacturer, stratum.scanner_model) if part is not None)
        parts.append(named or words.text("scanner_unknown"))
    return " · ".join(parts)
