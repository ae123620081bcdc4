"""What a scanner may offer: every storage class, in every transfer syntax; and what it may ask."""

from typing import Final

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    MPEGTransferSyntaxes,
    RLELossless,
)
from pynetdicom import AE, AllStoragePresentationContexts
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    Verification,
)

RETIRED_ULTRASOUND: Final = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3")
WORKLIST: Final = ModalityWorklistInformationFind
COMMITMENT: Final = StorageCommitmentPushModel
STEP: Final = ModalityPerformedProcedureStep

STORED: Final[tuple[UID, ...]] = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
    JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, HTJ2KLosslessRPCL, JPEGLosslessSV1, JPEGLossless, RLELossless,
    JPEGLSNearLossless, JPEG2000, HTJ2K, JPEGBaseline8Bit, JPEGExtended12Bit,
    *MPEGTransferSyntaxes,
)  # fmt: skip
"""In the order of preference, where a scanner offers several for one class: without loss first."""


def support(entity: AE) -> None:
    """Say what is taken: C-ECHO, C-STORE of every storage class, worklist, commitment, performed steps."""
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), list(STORED))
    for sop_class in RETIRED_ULTRASOUND:
        entity.add_supported_context(sop_class, list(STORED))
    entity.add_supported_context(Verification)
    entity.add_supported_context(WORKLIST)
    entity.add_supported_context(COMMITMENT)
    entity.add_supported_context(STEP)
