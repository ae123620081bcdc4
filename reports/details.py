"""Numbers and derivations of a finding as a person reads them: place, diameters, vessels, risk, points."""

from collections.abc import Iterable

from sonovan.clinical.adequacy import EXCUSED
from sonovan.contracts.derivation import Risk
from sonovan.contracts.description import Extent, Location, Vessels
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.contracts.results import Adequacy, Finding, Sighting
from sonovan.reports.words import Words


def placed(finding: Finding) -> Location | None:
    """Where a finding lies, as far as anybody entered it, for the finding itself or else for the probe.

    An hour that was entered for the probe is the hour; every other position is a region. None if nobody did, and where
    sightings were entered at different places.
    """
    if finding.location is not None:
        return finding.location
    best = finding.best
    entered = {(each.position, each.nipple_distance_mm) for each in finding.sightings}
    if entered == {(None, None)} or len(entered) > 1:
        return None
    hour = hour_of(best.position)
    return Location(hour=hour, region=None if hour else best.position, nipple_distance_mm=best.nipple_distance_mm)


def hour_of(position: Position | None) -> int | None:
    """The hour of a position on the clock face; None for a region."""
    return int(position[:-1]) if position is not None and position[:-1].isdigit() else None


def place(finding: Finding, words: Words) -> str:
    """Organ, side, hour or region, distance to the nipple, or that the place is not known."""
    return place_of(finding.organ, finding.laterality, placed(finding), words)


def place_of(organ: Organ, laterality: Side | None, known: Location | None, words: Words) -> str:
    """As `place`, of a finding of which no more is known than this."""
    side = words.place(organ, laterality)
    if known is None:
        return _list((side, words.text("place_not_known")), words)
    return where(side, known, words)


def where(side: str, known: Location, words: Words) -> str:
    """A side in words with hour or region and the distance to the nipple."""
    hour = words.lexicon(f"position.{known.hour}h") if known.hour else ""
    region = words.lexicon(f"position.{known.region}") if known.region else ""
    far = known.nipple_distance_mm
    return _list((side, hour, region, "" if far is None else words.text("from_nipple", distance=far)), words)


def extent(found: Extent, words: Words) -> str:
    """The three diameters, each or that it was not measured, and the volume where all three are known."""
    names = ("extent_transverse", "extent_depth", "extent_length")
    told = [words.text(name, value=_mm(each, words)) for name, each in zip(names, found.diameters_mm, strict=True)]
    volume = "" if found.volume_ml is None else words.text("extent_volume", value=found.volume_ml)
    return _list((*told, volume), words)


def vessels(found: Vessels | None, organ: Organ, words: Words) -> str:
    """What Doppler frames show, or that software did not read any."""
    if found is None:
        return words.text("vessels_not_examined")
    return words.text(
        "vessels_value",
        flow=words.lexicon(f"{organ}.blood_flow.{found.flow}"),
        inside=words.text("share", share=found.inside_share * 100),
        rim=words.text("share", share=found.rim_share * 100),
        frames=words.counted(found.frames, "frame"),
    )


def excuses(row: Adequacy, words: Words) -> str:
    """Why the operator did not scan what the row is about, in brackets; empty where nobody said."""
    said = [words.reason(code) for code in row.reasons if code in EXCUSED.values()]
    return words.text("brackets", text=words.text("semicolon").join(said)) if said else ""


def shape(sighting: Sighting, words: Words) -> str:
    """The outline's numbers and the contrast to noise, those that are known; empty without any."""
    outline = sighting.outline
    found = {} if outline is None else {name: getattr(outline, name) for name in _SHAPE}
    told = [words.text(name, value=value) for name, value in found.items() if value is not None]
    return _list([*told, "" if sighting.cnr is None else words.text("cnr", value=sighting.cnr)], words)


_SHAPE = ("circularity", "solidity", "angularity", "lobulations")


def risk(found: Risk, words: Words) -> str:
    """The calibrated probability, its interval, the mix behind it, and whether the site's own outcomes shifted it."""
    low, high = found.ci95
    return words.text(
        "risk_shifted" if found.shift else "risk_value",
        share=words.percent(found.probability),
        low=words.percent(low),
        high=words.percent(high),
        lesions=found.lesions,
        malignant=words.text("share", share=found.malignant_share * 100),
    )


def _mm(value: float | None, words: Words) -> str:
    return words.text("not_measured") if value is None else words.text("length_mm", value=value)


def _list(parts: Iterable[str], words: Words) -> str:
    return words.text("comma").join(each for each in parts if each)
