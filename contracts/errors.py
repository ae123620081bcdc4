"""The three kinds of error, and what each of them makes a process do."""


class SonovanError(Exception):
    """Whatever the pipeline says went wrong. Catch one of the three below."""


class InvalidRecord(SonovanError):
    """This input is wrong and always will be: reject it, keep it in quarantine, go on.

    reason: one of `sonovan.contracts.reasons.REASONS`, what machines count.
    message: one line for the person who has to mend it; it never reaches a service log or a topic.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Transient(SonovanError):
    """The world is not ready (broker, MinIO, database, disk): try again with backoff, drop nothing."""


class Fatal(SonovanError):
    """This process cannot be trusted (wrong weights, wrong provider): stop with a non-zero exit."""
