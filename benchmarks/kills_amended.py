"""What is amended of the sweeps of `benchmarks.kills`, and the revisions that the embedded run makes of them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sonovan.analysis import anonymous_visit, load_segmenter
from sonovan.contracts.amendments import REASONS_OF, AmendmentKind, ScreeningAmended
from sonovan.contracts.envelope import header_sha256, seal_header
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.embedded import EmbeddedCentre, screened_by
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Ids, Item, Signer
from sonovan.producers.screening import compose
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.site import visit_key
from sonovan.producers.vault import Vault
from sonovan.scratch import Scratch
from sonovan.storage.folder_store import FolderStore

KINDS: Final[tuple[AmendmentKind, ...]] = ("side", "consent", "void", "woman")
"""Of sweep n the amendment is the one at n modulo four."""

FELT: Final = {"age_years": 52, "palpable_lump": "right"}
"""What she told, sent as a correction: she feels a lump where nothing is scanned."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A sweep that was sent: the names that the van gave, and the revision that it was told of before amendments."""

    ids: Ids
    seed: int
    frame_ids: frozenset[str]
    revision_id: str

    @property
    def kind(self) -> AmendmentKind:
        """How it is amended."""
        return KINDS[self.seed % len(KINDS)]

    @property
    def person(self) -> str:
        """Whose it is after an amendment of the kind `woman`."""
        return f"person-{self.seed}"


def amend(state: Path, van: str, sent: Sent, give_up_s: float) -> list[str]:
    """Correct her clinical record and amend the screening by commands; what they said where one went wrong."""
    words = {
        "side": ["--to", "right"],
        "consent": ["--withdraw", "ai"],
        "void": ["--because", REASONS_OF["void"][0]],
        "woman": ["--person", sent.person, "--because", REASONS_OF["woman"][0]],
    }
    wrong = []
    with tempfile.TemporaryDirectory(prefix="sonovan-kills-") as folder:
        record = Path(folder) / "record.json"
        record.write_text(json.dumps(FELT))
        correct = ["van", "correct", sent.ids.screening_id, "--features", str(record)]
        for command in (correct, ["van", "amend", sent.kind, sent.ids.screening_id, *words[sent.kind]]):
            more = ["--van", van, "--give-up-s", f"{give_up_s:g}", "--state", str(state)]
            ran = subprocess.run(
                [sys.executable, "-m", "sonovan", *command, *more], capture_output=True, text=True, check=False
            )
            if ran.returncode != 0:
                wrong.append(f"{command[1]} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return wrong


def embedded(sent: Sent, frames: int, vault: Vault) -> tuple[str, str]:
    """The revisions that the embedded run makes of the same sweep under the same names, before and after amendments.

    vault: of the van that sent it.
    """
    signer, scratch, now = Signer("embedded", generate_key()), Scratch(), datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="sonovan-kills-") as folder:
        centre = EmbeddedCentre(load_segmenter(None), scratch, signer, store=FolderStore(Path(folder)))
        sources = simulated_sources("breast", 1, frames, sent.seed)
        composed = compose(sources, anonymous_visit(None), signer, centre.put, ids=sent.ids, leaves=False)
        screened_by(centre, composed, scratch)
        before = centre.revisions[-1].revision_id
        screening_id = sent.ids.screening_id
        told = features_recorded(FELT, screening_id=screening_id, van_id=signer.van_id, recorded_at=now)
        made = ScreeningAmended.model_validate(
            {
                "screening_id": screening_id,
                "van_id": signer.van_id,
                "amendment_number": 1,
                "amendment": {"kind": sent.kind, **_fields(sent, vault)},
                "because": REASONS_OF[sent.kind][0],
                "amended_at": now,
            }
        )
        for topic, record in ((Topic.FEATURES_RECORDED, told), (Topic.SCREENING_AMENDED, made)):
            header = record.encode()
            value = seal_header(header, signer.private_key)
            centre.put(Item(record.item_id, topic, screening_id.encode(), value, header_sha256(header), screening_id))
    return before, centre.revisions[-1].revision_id


def _fields(sent: Sent, vault: Vault) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = {
        "side": {"sequence_ids": sent.ids.sequence_ids, "laterality": "right"},
        "consent": {"withdrawn": ("ai",)},
        "woman": {"subject_key": visit_key(vault, sent.person)},
    }
    return fields.get(sent.kind, {})


def kinds_of(sent: Sequence[Sent]) -> dict[str, int]:
    """How many sweeps were amended in each way."""
    return {kind: sum(one.kind == kind for one in sent) for kind in KINDS}
