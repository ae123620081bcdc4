"""What the woman told before the scan, as rows of the page: the signs that outrank the picture come first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.referral import referrals
from sonovan.contracts.clinical_record import ClinicalRecord, LumpPlace, PastBiopsy, PastCancer, Relative
from sonovan.contracts.lexicon import Side
from sonovan.reports.words import Words

_ORDER: Final = (
    "palpable_lump", "lump_places", "nipple_discharge", "discharge", "skin_or_nipple_change", "symptoms", "sex",
    "menarche_age_years", "menopause", "menopause_age_years", "parity", "hormones", "biopsies", "family", "brca",
    "earlier_cancer", "tsh_miu_per_l", "neck_radiation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One row. sign: it is a reason of a referral whatever the picture shows."""

    label: str
    text: str
    sign: bool = False


def answers(record: ClinicalRecord, words: Words) -> list[Answer]:
    """What was asked, in the page's order, with what she answered. The age stands elsewhere."""
    given = ((name, getattr(record, name)) for name in _ORDER)
    signs = {str(each.value).partition(".")[0] for advice in referrals(record) for each in advice.because}
    return [
        Answer(_label(name, words), _told(name, value, words), name in signs)
        for name, value in given
        if value is not None
    ]


def not_asked(record: ClinicalRecord, words: Words) -> str:
    """What nobody asked, in one sentence; empty where everything was asked.

    A place or character is not asked for where there is no lump or discharge.
    """
    idle = {"lump_places"} if record.palpable_lump in (None, "none") else set()
    idle |= {"discharge"} if record.nipple_discharge in (None, "none") else set()
    names = [_within(_label(name, words)) for name in _ORDER if getattr(record, name) is None and name not in idle]
    return words.text("told_not_asked", terms=words.text("comma").join(names)) if names else ""


def _within(label: str) -> str:
    """A label in the middle of a sentence; what is written in capitals, such as BRCA, stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _label(name: str, words: Words) -> str:
    return words.lexicon(name) or words.text(name)


def _told(name: str, value: object, words: Words) -> str:
    if isinstance(value, tuple):
        return words.text("semicolon").join(_one(name, each, words) for each in value) or words.text("told_none")
    return _one(name, value, words)


def _one(name: str, value: object, words: Words) -> str:
    if isinstance(value, LumpPlace):
        return lump_place(value, words)
    if isinstance(value, PastBiopsy):
        return _list([words.place(value.organ, value.side), words.lexicon(f"result.{value.result}")], words)
    if isinstance(value, Relative):
        kin = _list([words.lexicon(f"degree.{value.degree}"), words.lexicon(f"cancer.{value.cancer}")], words)
        return _aged(kin, value.age_years, words)
    if isinstance(value, PastCancer):
        side = words.side_of(value.cancer, value.side) if value.side is not None else ""
        return _aged(_list([words.lexicon(f"cancer.{value.cancer}"), side], words), value.age_years, words)
    if name == "tsh_miu_per_l":
        return words.text("tsh", value=value)
    if name.endswith("_age_years"):
        return words.text("years", years=value)
    return words.lexicon(f"{name}.{value}") or str(value)


def lump_place(value: LumpPlace, words: Words) -> str:
    """Where a lump is felt: "Left breast, 10 o'clock, 30 mm from the nipple"."""
    side: Side = "left" if value.side == "left" else "right"
    place = words.place("breast", side, value.position)
    far = value.nipple_distance_mm
    return place if far is None else _list([place, words.text("from_nipple", distance=far)], words)


def _aged(text: str, years: int | None, words: Words) -> str:
    return text if years is None else words.text("at_age", text=text, years=years)


def _list(parts: Sequence[str], words: Words) -> str:
    return words.text("comma").join(each for each in parts if each)
