"""What a van is told of where findings lie, so that whoever scans her the next time looks there again: places alone."""

from collections.abc import Mapping

from sonovan.contracts.answers import Pointed, PointedPlace
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.limits import MAX_POINTED, MAX_POINTED_CORNERS
from sonovan.contracts.results import Finding
from sonovan.stream_apps.assess.answering import answer_on
from sonovan.stream_apps.assess.revise import Revision
from sonovan.stream_apps.stage import Outgoing


def places_told(revision: Revision) -> tuple[Outgoing, ...]:
    """The answer that tells the van the places of a revision, to be sent before it; nothing where there are none.

    Whoever takes over after a crash tells of a revision again by what stands in its topic, and outlines do not stand
    there. So they are told before it, by an answer of their own that has no status: the van waits for the report.
    """
    found = pointed(revision)
    if found is None:
        return ()
    return (answer_on(revision.assessed, "pointed", findings=len(revision.assessed.findings), pointed=found),)


def pointed(revision: Revision) -> Pointed | None:
    """The places of a revision's findings; None for a preliminary one, and where nothing is said of the pictures.

    Of more than MAX_POINTED findings the most suspicious ones are told, in an order that does not say so.
    """
    assessed = revision.assessed
    if assessed.silenced or assessed.status == "preliminary":
        return None
    places = [_place(each, revision.results) for each in assessed.findings[:MAX_POINTED]]
    return Pointed(
        examined_on=assessed.examined_on,
        places=tuple(sorted(places, key=_by_place)),
        more=max(0, len(assessed.findings) - MAX_POINTED),
        amended=revision.amended or None,
    )


def _place(finding: Finding, results: Mapping[str, FrameSegmented]) -> PointedPlace:
    best = finding.best
    result = results.get(best.key_frame_id)
    regions = () if result is None else result.regions
    polygon = next((each.polygon for each in regions if each.ordinal == best.key_ordinal), None)
    return PointedPlace(
        finding_id=finding.finding_id,
        organ=finding.organ,
        laterality=finding.laterality,
        location=finding.location,
        key_frame_id=best.key_frame_id,
        outline=None if polygon is None else thinned(polygon),
    )


def thinned(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Every so manieth corner of an outline, so that at most MAX_POINTED_CORNERS are left."""
    return polygon[:: -(-len(polygon) // MAX_POINTED_CORNERS)]


def _by_place(place: PointedPlace) -> tuple[str, str, int, str, str]:
    location = place.location
    hour = 0 if location is None else location.hour or 0
    return place.organ, place.laterality or "", hour, str(location and location.region), place.finding_id
