"""The table of doors: every area's rows. What stands here is answered; nothing else is."""

from typing import Final

from sonovan.console.doors import Door, checked
from sonovan.console.pages import (
    accounts,
    audit_pages,
    drawing,
    following,
    lag,
    login,
    networks,
    oidc,
    people,
    quality,
    reading,
    rejected,
    sides,
    signing,
    statistics,
    vans,
    worklist,
    worklist_live,
)

AREAS: Final = (
    login, oidc, people, accounts, worklist, worklist_live, reading, drawing, signing, following, statistics, sides,
    quality, networks, vans, lag, rejected, audit_pages,
)  # fmt: skip

DOORS: Final[tuple[Door, ...]] = checked(door for area in AREAS for door in area.DOORS)
