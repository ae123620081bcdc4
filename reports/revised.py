"""What a report says of why it was made again from the same frames: another network's results count."""

from sonovan.contracts.promotions import PromotionInForce
from sonovan.reports.words import Words


def promoted_words(promoted: PromotionInForce, model_id: str, words: Words) -> str:
    """One sentence: whose results count now, on which network's an earlier revision rests, and why that changed."""
    said = words.text("promoted", model=model_id, before=promoted.instead_of[:16])
    return words.text("amended_because", amended=said, reason=words.reason(promoted.because))
