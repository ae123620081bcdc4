"""Why a record is rejected: every reason, and whether the same bytes may be tried again."""

from typing import Final

RETRYABLE: Final = frozenset(
    {
        "van_unknown",  # the registry may learn of the van later
        "signature_invalid",  # or of its key
        "van_revoked",  # signed with an earlier key: the van may sign it with its new one
        "schema_from_future",  # this centre may be upgraded
        "codec_unknown",  # likewise
        "opening_missing",  # the opening may still arrive
    }
)

FINAL: Final = frozenset(
    {
        "envelope_corrupt",
        "van_not_opener",
        "consent_refused",  # she did not agree to it: nothing of the record is kept
        "record_invalid",
        "pixels_corrupt",
        "pixels_too_large",
        "record_too_large",
        "result_too_large",  # what the record leads to is larger than a message or a row may be
        "screening_ended",  # its rows were deleted when its time was over
        "skipped_by_operator",  # it ended the worker again and again
        "alert_unknown",  # an answer to an alert that was never raised, or whose outbox is lost
        "screening_too_large",  # more frames, sequences or rows than one screening may have
        "frame_contradicts_stored",
        "object_contradicts_stored",
        "object_contradicts_record",
        "key_contradicts_record",
        "record_contradicts_stored",
    }
)

REASONS: Final = RETRYABLE | FINAL
