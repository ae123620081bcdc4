"""What a woman feels and a doctor sees outranks the picture: referral for diagnosis, whatever ultrasound shows.

A step of its own, after everything else is derived: it puts advice on top and takes nothing away, changes no finding,
category or other advice. Its reasons are the signs, coded; nothing else of the clinical record goes into a revision.
Source: Salzman et al., Am Fam Physician 86:343 (2012): a palpable lump, discharge that is bloody, serous, from one duct
or spontaneous, and a change of skin or nipple are evaluated also where imaging is negative.
"""

from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.clinical_record import ClinicalRecord, FeaturesRecorded
from sonovan.contracts.derivation import Advice
from sonovan.contracts.lexicon import Position, Side, WhichSide
from sonovan.contracts.results import ScreeningAssessed

DIAGNOSTIC_REFERRAL: Final = "diagnostic_referral"
SIGN: Final = "reported_sign"
"""The reason of a referral; its value is a word of the lexicon, such as `symptoms.lump`."""

LUMPS: Final = ("lump", "axillary_lump")
PATHOLOGICAL: Final = ("bloody", "serous", "one_duct", "spontaneous")
CHANGES: Final = (
    "nipple_retraction", "skin_retraction", "skin_thickening", "peau_d_orange", "erythema", "nipple_eczema",
    "skin_ulcer",
)  # fmt: skip
"""Symptoms that are a change of skin or nipple."""
DISCHARGE: Final = "bloody_nipple_discharge"

_Signs = dict[Side | None, list[str]]


def referred(assessed: ScreeningAssessed, features: FeaturesRecorded | None) -> ScreeningAssessed:
    """The revision with a referral for each side of which a sign is recorded, on top of its advice; else as it is."""
    return assessed.model_copy(update={"advice": (*referrals(features), *assessed.advice)})


def referrals(features: ClinicalRecord | None) -> tuple[Advice, ...]:
    """One referral for each breast side with a sign, left before right; one without a side for signs of no known side.

    What is reported without a side goes with the sides that are recorded for signs of its kind. `region`: where the one
    lump of a side is felt, if its place is recorded.
    """
    if features is None:
        return ()
    signs: _Signs = {"left": [], "right": [], None: []}
    reported = features.symptoms or ()
    lumps = [f"symptoms.{each}" for each in LUMPS if each in reported]
    _add(signs, features.palpable_lump, lumps, "palpable_lump")
    discharge = [f"discharge.{each}" for each in features.discharge or () if each in PATHOLOGICAL]
    discharge += [f"symptoms.{DISCHARGE}"] if DISCHARGE in reported else []
    _add(signs, features.nipple_discharge, discharge)
    changes = [f"symptoms.{each}" for each in CHANGES if each in reported]
    _add(signs, features.skin_or_nipple_change, changes, "skin_or_nipple_change")
    return tuple(
        Advice(
            rule=DIAGNOSTIC_REFERRAL,
            because=tuple(Because(code=SIGN, value=word) for word in dict.fromkeys(words)),
            organ="breast",
            laterality=side,
            region=_place(features, side),
        )
        for side, words in signs.items()
        if words
    )


def _add(signs: _Signs, sides: WhichSide | None, words: list[str], own: str | None = None) -> None:
    """Signs of one kind to the sides for which they are recorded, else to no side.

    own: the field that says by itself that a side has a sign.
    """
    known: tuple[Side, ...] = ("left", "right") if sides == "both" else (sides,) if sides in ("left", "right") else ()
    for side in known or (None,):
        signs[side] += [*([f"{own}.{side}"] if own is not None and side is not None else []), *words]


def _place(features: ClinicalRecord, side: Side | None) -> Position | None:
    places = {each.position for each in features.lump_places or () if each.side == side}
    return places.pop() if len(places) == 1 else None
