"""The register's form: from its fields to a visit. Nothing here writes anything."""

from collections.abc import Callable
from typing import Any, Final, cast, get_args

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.amendments import Purpose
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Position, Side, sides_of
from sonovan.contracts.van import Consent, PlannedRegion
from sonovan.contracts.words import SlipNumber, slip_number
from sonovan.producers.gateway.matching import slip_of
from sonovan.producers.items import Visit
from sonovan.producers.page.asked import Form, Refused

ORGANS: Final[tuple[Organ, ...]] = get_args(Organ)
DETAILS: Final = ("side", "regions")
"""How fine the checklist is: a side as a whole, or each of its regions."""
REGIONS: Final[dict[Organ, tuple[Position, ...]]] = {
    "breast": ("upper_outer", "upper_inner", "lower_outer", "lower_inner", "subareolar", "axilla"),
    "thyroid": ("upper", "middle", "lower"),
}
HOURS: Final = cast("tuple[Position, ...]", tuple(f"{hour}h" for hour in range(1, 13)))
LUMP_PLACES: Final[tuple[Position, ...]] = (*HOURS, "subareolar", "axilla")
"""Where a lump may be marked on the drawing of a breast."""
MOST_LUMPS: Final = 8
ASKED_NONE: Final = "none_of_them"
"""The value of a group's box "asked, none"."""

WORDS: Final = ("sex", "menopause", "brca", "neck_radiation", "nipple_discharge", "skin_or_nipple_change")
NUMBERS: Final = ("age_years", "menarche_age_years", "menopause_age_years", "parity", "tsh_miu_per_l")
SEVERAL: Final = ("symptoms", "discharge", "hormones")
ROWS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "family": (("cancer", "degree", "age_years"), 3),
    "biopsies": (("organ", "side", "result"), 2),
    "earlier_cancer": (("cancer", "side", "age_years"), 1),
}
"""Answers of several parts: the parts, and how many rows the form has."""

_SLIP: Final[TypeAdapter[str]] = TypeAdapter(SlipNumber)


def typed_slip(text: str) -> str:
    """A slip number as it was typed or scanned. Raises Refused `slip_wrong`."""
    try:
        return _SLIP.validate_python(slip_of(text))
    except ValidationError:
        raise Refused("slip_wrong") from None


def next_slip(slip: str | None) -> str:
    """The slip after this one, as a proposal; empty where there is none."""
    if slip is None:
        return ""
    series = "".join(each for each in slip[:2] if each.isalpha())
    try:
        return slip_number(series, int(slip[len(series) : -1]) + 1)
    except (ValueError, ValidationError):
        return ""


def visit_of(
    form: Form, key_of: Callable[[str | None], str], site_code: str, consent_text: str | None
) -> tuple[Visit, str | None]:
    """The visit that a filled-in form describes, and the person id that was typed.

    key_of: gives the subject key of a person id. Raises Refused.
    """
    slip = typed_slip(form.get("slip"))
    agreed = {purpose: form.has("consent", purpose) for purpose in get_args(Purpose)}
    consent = Consent(**agreed)
    if not consent.to_analysis:
        raise Refused("consent_missing")
    if consent_text is None:
        raise Refused("consent_text_missing")
    clinical = clinical_fields(form)
    planned = planned_of(form)
    person = form.get("person") or None
    try:
        key = key_of(person)
    except InvalidRecord:
        raise Refused("person_wrong") from None
    return Visit(key, site_code, consent, slip, planned, clinical or None, consent_text), person


def planned_of(form: Form) -> tuple[PlannedRegion, ...]:
    """The checklist: each ticked side, whole or by its regions, then each place where she feels a lump.

    Raises Refused `plan_empty`, `detail_unknown`.
    """
    fine = form.get("detail") == "regions"
    planned: list[PlannedRegion] = []
    for organ in ORGANS:
        for side in sides_of(organ):
            if not form.has("plan", f"{organ}.{side}"):
                continue
            regions = REGIONS[organ] if fine and side != "isthmus" else (None,)
            planned += [PlannedRegion(organ=organ, side=side, region=region) for region in regions]
    if not planned:
        raise Refused("plan_empty")
    planned += [PlannedRegion(organ="breast", side=side, region=place) for side, place in lumps_of(form)]
    return tuple(dict.fromkeys(planned))


def lumps_of(form: Form) -> list[tuple[Side, Position]]:
    """The places that were marked on the drawing: side and hour or region. Raises Refused `too_many_lumps`."""
    sides: tuple[Side, ...] = ("left", "right")
    found = [(side, place) for side in sides for place in LUMP_PLACES if form.has(f"lump_{side}", place)]
    if len(found) > MOST_LUMPS:
        raise Refused("too_many_lumps", most=MOST_LUMPS)
    return found


def clinical_fields(form: Form) -> dict[str, Any]:
    """The clinical record's fields that were answered; what was left alone is not asked. Raises Refused."""
    fields: dict[str, Any] = {name: form.get(name) for name in (*WORDS, *NUMBERS) if form.get(name)}
    for name in SEVERAL:
        chosen = [each for each in form.all(name) if each != ASKED_NONE]
        if chosen or form.has(name, ASKED_NONE):
            fields[name] = chosen
    for name, (parts, rows) in ROWS.items():
        found = [{part: form.get(f"{name}.{row}.{part}") for part in parts} for row in range(rows)]
        answers = [{part: value for part, value in row.items() if value} for row in found]
        answers = [row for row in answers if row]
        if answers or form.has(name, ASKED_NONE):
            fields[name] = answers
    places = lumps_of(form)
    lump = _lump(form.get("palpable_lump"), {side for side, _ in places})
    if lump is not None:
        fields["palpable_lump"] = lump
        fields["lump_places"] = [{"side": side, "position": place} for side, place in places]
    try:
        ClinicalRecord.model_validate(fields)
    except ValidationError as error:
        names = dict.fromkeys(str(each["loc"][0]) if each["loc"] else "palpable_lump" for each in error.errors())
        raise Refused("clinical_wrong", fields=tuple(names)) from None
    return fields


def _lump(told: str, marked: set[Side]) -> str | None:
    """On which sides a lump is felt: what was chosen, and what was marked on the drawing beside it."""
    sides = {"both": {"left", "right"}, "left": {"left"}, "right": {"right"}}.get(told, set()) | set(marked)
    if len(sides) == 2:
        return "both"
    return next(iter(sides), told or None)
