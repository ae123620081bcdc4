"""The version of the clinical rules: linking, adequacy, category and advice together.

Raise it with every change that can give another finding, level, category or advice for the same frames: it goes into
each revision's id. A test holds it against the rules' default numbers. The rules of alerts have a version of their own,
for each site sets them.
"""

from typing import Final

RULES_VERSION: Final = "1.17"
