"""Mark a moment of a screening: the operator saw something there. It is kept as a record and takes nothing away."""

from sonovan.contracts.amendments import Mark, ScreeningAmended, SeenMarked
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.limits import MAX_BEFORE_MARKS_END
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import PlannedRegion
from sonovan.producers.amend import spool_amendment
from sonovan.producers.items import Signer, Visit
from sonovan.producers.spool import Spool


def spool_mark(
    spool: Spool,
    signer: Signer,
    screening_id: str,
    visit: Visit,
    place: PlannedRegion | None = None,
    *,
    by: str | None = None,
) -> Mark:
    """Put a mark at the newest frame of a screening into the spool, durable when it returns; as the page shows it.

    visit: opens the screening where nothing of it has come yet. place: where, as the operator says; None leaves that to
    the frame's sweep. by: the code of who marks.
    Raises InvalidRecord `option_invalid` unless `may_mark`, and as `Spool.begun_screening`.
    """
    if not may_mark(spool, screening_id):
        detail = f"after {MAX_BEFORE_MARKS_END} amendments a screening is marked no more"
        raise InvalidRecord("option_invalid", detail)
    spool.begun_screening(visit, signer, screening_id).open()
    frame_id = spool.newest_frame(screening_id)
    said = SeenMarked(frame_id=frame_id) if place is None else SeenMarked(
        frame_id=frame_id, organ=place.organ, laterality=place.side, region=place.region
    )  # fmt: skip
    item = spool_amendment(spool, signer, screening_id, said, "operator_saw_something", by=by)
    at = ScreeningAmended.decode(open_envelope(item.value).header).amended_at
    return _shown(spool, screening_id, said, Mark(frame_id=frame_id, marked_at=at))


def may_mark(spool: Spool, screening_id: str) -> bool:
    """Whether a screening takes another mark: some numbers are kept for what must be put right."""
    return (spool.newest(screening_id, Topic.SCREENING_AMENDED) or 0) < MAX_BEFORE_MARKS_END


def _shown(spool: Spool, screening_id: str, said: SeenMarked, mark: Mark) -> Mark:
    """The mark with its sweep's number and place, as far as this van knows them."""
    sweeps = {each.sequence_id: each for each in spool.sweeps(screening_id)}
    sweep = None if said.frame_id is None else sweeps.get(split_frame_id(said.frame_id)[0])
    number = None if sweep is None else 1 + sorted(sweeps).index(sweep.sequence_id)
    if said.organ is not None:
        place = {"organ": said.organ, "laterality": said.laterality, "region": said.region}
    else:
        place = {} if sweep is None else {"organ": sweep.organ, "laterality": sweep.side}
    return mark.model_copy(update={"sweep": number, **place})
