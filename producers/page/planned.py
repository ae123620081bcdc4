"""The lines of a checklist, as forms name them."""

from sonovan.contracts.van import PlannedRegion
from sonovan.producers.gateway.register import Expected
from sonovan.producers.lights import region_key
from sonovan.producers.page.asked import Refused


def planned_of(entry: Expected, name: str) -> PlannedRegion:
    """The planned region of this name, as `region_key` spells it. Raises Refused `unknown`."""
    found = next((each for each in entry.visit.planned or () if region_key(each) == name), None)
    if found is None:
        raise Refused("unknown")
    return found
