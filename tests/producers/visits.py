"""A visit and a van for tests that need one."""

from sonovan.contracts.signatures import generate_key
from sonovan.contracts.van import Consent
from sonovan.producers.items import Signer, Visit

SIGNER = Signer("van-1", generate_key())
VISIT = Visit(subject_key="ab" * 32, site_code="site-1", consent=Consent(screening=True, ai=True))
