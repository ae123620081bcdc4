"""Closes a screening from the command line without taking back what was said of her on the operator's page."""

from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.screening import Composed, Screening
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault


def close_as_told(vault: Vault, spool: Spool, screening: Screening) -> Composed:
    """As `Screening.close`, with her checklist, whether she stays, and when she left.

    A closing replaces the one before it, so one that says none of this would take it back. Where nothing was said on
    the page, the closing says nothing of it either. Of a plan that the register has forgotten stays what was ticked.
    vault: of the van whose spool this is. Raises as `open_desk` and `Screening.close`.
    """
    with open_desk(vault) as desk:
        entry = desk.register.of_screening(screening.screening_id)
        checklist = desk.checklists.of(screening.screening_id)
    stays = checklist.left_at is None and spool.is_staying(screening.screening_id)
    if not (checklist.ticked or checklist.excused or checklist.left_at or stays):
        return screening.close()
    planned = checklist.ticked if entry is None else entry.visit.planned or ()
    covered, excused = checklist.of_plan(planned)
    return screening.close(covered, excused, stays=stays, left_at=checklist.left_at)
