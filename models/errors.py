"""The errors of this room. It imports no other room, so that callers turn them into the three errors of contracts."""


class ModelError(Exception):
    """Whatever this room says went wrong. Catch one of the three below."""


class WrongWeights(ModelError):
    """The weights are not those that the registry names: no such model, no file, or a file with another sha256."""


class ProviderNotGiven(ModelError):
    """The runtime, device or precision that was asked for is not to be had on this machine."""


class UnusablePicture(ModelError):
    """These pixels can never be segmented.

    reason: a code for machines, one of `dtype`, `shape`, `panel_outside`, `too_large`, `organ_unknown`, `mask_corrupt`,
    `not_finite`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def in_one_line(error: Exception) -> str:
    """The message of a runtime's error, cut to what fits a line: some runtimes write pages."""
    return " ".join(str(error).split())[:200]
