"""The two lights, each with its sentence and its reasons."""

from typing import TYPE_CHECKING

from sonovan.producers.gateway.standing import still_here, under_way, van_state, woman_state
from sonovan.producers.lights import she_may_leave, van_may_leave
from sonovan.producers.page.asked import Answer, Asked
from sonovan.producers.page.render import rendered

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page


def lights(page: "Page", asked: Asked) -> Answer:
    """Both lights: that of each woman whose screening has begun and is not closed, then who is still here although it
    is, then the van's.
    """
    folder, desk, spool = page.vault.folder, page.desk, page.spool
    women = [(each, she_may_leave(woman_state(folder, desk, spool, each))) for each in under_way(desk, spool)]
    van = van_may_leave(van_state(folder, desk, spool, page.clock(), page.link))
    waiting = still_here(desk, spool, page.clock())
    keys = page.leaving.of([each.screening_id for each in waiting])
    return rendered("lights.html", page.words[asked.language], asked, women=women, waiting=waiting, keys=keys, van=van)
