"""The version of the clinical rules: linking, adequacy, category, advice and alerts together.

Raise it with every change that can give another finding, level, category, advice or alert for the same frames:
it goes into each revision's id. A test holds it against the rules' default numbers.
"""

from typing import Final

RULES_VERSION: Final = "1.9"
