"""The stored report of a revision, as the console reads it."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.concluded import Reported
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import get_named

if TYPE_CHECKING:
    from sonovan.console.world import Console


def report_of(console: "Console", revision: Reported) -> ScreeningReport | None:
    """The stored report of a revision, checked against its record; None where it is of another version or gone."""
    try:
        stored = get_named(console.images, Bucket.REPORTS, revision.report_json_key, revision.report_json_sha256)
        return ScreeningReport.model_validate_json(stored)
    except (KeyError, ValidationError):
        return None
