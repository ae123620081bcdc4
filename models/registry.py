"""Which networks there are, what is known of each, and whether the file on disk is the one that was measured.

`weights/registry.json` is written by `training.export`; fields that are not named here are for people. A graph
takes grey 0..255 (N, 1, side, side) float32 and gives lesion probabilities (N, channels, side, side) float32.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from sonovan.models.errors import WrongWeights

Precision = Literal["fp32", "bf16", "fp16", "int8"]
WEIGHTS_DIR: Final = Path(__file__).parent / "weights"

NAME_PATTERN: Final = r"^[a-z]{2,12}[0-9]{0,2}(-[a-z]{1,12}[0-9]{0,2}){0,2}-([0-9]{1,3}|x[0-9a-f]{8})(-[a-z]{2,12})?$"
"""A network's name, as results and reports show it: nobody's name fits. `contracts.words.ModelName` is the same."""


class GraphInput(BaseModel):
    """The graph's one input: a square of `rows` by `columns` pixels.

    corner: oblong pictures lie in the square's top left corner, as SAM learned them, instead of in its middle.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    rows: int = Field(ge=32, le=4096)
    columns: int
    corner: bool = False

    @model_validator(mode="after")
    def _square(self) -> "GraphInput":
        if self.rows != self.columns:
            raise ValueError("the input must be a square: pictures are letterboxed into one")
        return self


class GraphOutput(BaseModel):
    """What the graph gives: probabilities, one channel per organ, and what it knows beside them.

    features: names of further outputs that heads read: `deep` (N, C, side/32, side/32), `fine` (N, C, side/8, side/8),
    `edge` (N, C, side/4, side/4).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    features: tuple[str, ...] = ()


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)+$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Variant(BaseModel):
    """The same network in a file of its own for one precision: int8 is calibrated, not computed from float32."""

    model_config = ConfigDict(frozen=True)

    file: FileName
    sha256: Sha256


class Companion(BaseModel):
    """A small graph that reads a network's features. file: name inside the weights folder.

    settings: what belongs to the file and was chosen with it: thresholds, which of its answers are given at all.
    """

    model_config = ConfigDict(frozen=True)

    file: FileName
    sha256: Sha256
    settings: dict[str, float] = {}


class Entry(BaseModel):
    """One network.

    file: name inside the weights folder. `fingerprint` names the network in results, in whatever precision it ran.
    organs: which output channel answers for which organ.
    threshold: probability from which a pixel counts as lesion.
    mirror_from: where the probability reaches this anywhere, the mirror image is looked at as well, and the masks are
    the mean of both (`sonovan.models.panel.run_network`); at most the threshold, so that what is looked at once has no
    region. None: the file is run once, and what it gives are the masks.
    min_area_px: smaller regions are dropped; in pixels of the network's input: the same on any picture.
    precisions: those that lose next to no Dice on real validation pictures (benchmarks/results/models.json).
    refused: `provider/precision` that loses more than another provider in the same precision, and does not run.
    variants: precisions that have a file of their own; without one, a runtime computes the network's file in it.
    minimum_runtime: by runtime, the version that the network was measured on; an older one is not trusted with it.
    card: path of the model card, relative to the weights folder.
    companions: `trust` (is this what it claims to be), `lesions` (what each region looks like), `prompt` (masks from
    points, boxes and masks).
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
    file: FileName
    sha256: Sha256
    organs: dict[str, Annotated[int, Field(ge=0)]] = Field(min_length=1)
    input: GraphInput
    output: GraphOutput
    threshold: float = Field(gt=0, lt=1)
    mirror_from: float | None = Field(default=None, gt=0, lt=1)
    min_area_px: float = Field(ge=0)
    precisions: tuple[Precision, ...] = Field(min_length=1)
    refused: tuple[str, ...] = ()
    variants: dict[Precision, Variant] = {}
    minimum_runtime: dict[Literal["onnxruntime", "openvino"], Version] = {}
    licence: str
    card: str
    companions: dict[Literal["trust", "lesions", "prompt"], Companion] = {}

    @model_validator(mode="after")
    def _mirrored_before_it_counts(self) -> "Entry":
        if self.mirror_from is not None and self.mirror_from > self.threshold:
            raise ValueError("mirror_from exceeds threshold: a region would be outlined from one look alone")
        return self

    @property
    def side(self) -> int:
        """Rows and columns of the network's input."""
        return self.input.rows

    @property
    def fingerprint(self) -> str:
        """What names the network in results: sha256, 64 hexadecimal digits, over what is trained or chosen for it.

        That is canonical JSON of its file's sha256, each companion's sha256 and settings, `threshold`, `min_area_px`
        and, where it is set, `mirror_from`; what its file fixes (organs, input, outputs) is not repeated.
        """
        parts: dict[str, object] = {
            "sha256": self.sha256,
            "threshold": float(self.threshold),
            "min_area_px": float(self.min_area_px),
            "companions": {
                role: {"sha256": each.sha256, "settings": {key: float(value) for key, value in each.settings.items()}}
                for role, each in self.companions.items()
            },
        }
        if self.mirror_from is not None:
            parts["mirror_from"] = float(self.mirror_from)
        return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Registry(BaseModel):
    """All networks of a weights folder; the first one runs when nobody names one."""

    model_config = ConfigDict(frozen=True)

    models: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "Registry":
        names = [entry.id for entry in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two networks are called {', '.join(twice)}: the second could never be chosen")
        return self

    def entry(self, model_id: str | None = None) -> Entry:
        """The network of this id, or the first one. Raises WrongWeights when there is none."""
        for entry in self.models:
            if model_id in (None, entry.id):
                return entry
        known = ", ".join(entry.id for entry in self.models) or "none"
        raise WrongWeights(f"the registry names no model {model_id or ''!r}; it names: {known}")


def read_registry(folder: Path = WEIGHTS_DIR) -> Registry:
    """The registry of a weights folder. Raises WrongWeights when it is not there or not valid."""
    path = folder / "registry.json"
    try:
        return Registry.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise WrongWeights(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise WrongWeights(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except ValueError:
        raise WrongWeights(f"{path} is not JSON") from None


def read_weights(entry: Entry, folder: Path = WEIGHTS_DIR) -> bytes:
    """The bytes of a network's file, which are those the registry names.

    The caller runs these very bytes: a file that is swapped after the check changes nothing.
    Raises WrongWeights, with both hashes, when they differ.
    """
    return read_verified(entry.id, folder / entry.file, entry.sha256)


def read_variants(entry: Entry, folder: Path = WEIGHTS_DIR) -> dict[Precision, bytes]:
    """The bytes of every file that a network has for a precision of its own, checked like `read_weights`."""
    return {
        precision: read_verified(f"{entry.id}/{precision}", folder / variant.file, variant.sha256)
        for precision, variant in entry.variants.items()
    }


def read_companion(
    entry: Entry, role: Literal["trust", "lesions", "prompt"], folder: Path = WEIGHTS_DIR
) -> bytes | None:
    """The bytes of a companion's file, checked like `read_weights`; None where the network has no such companion."""
    companion = entry.companions.get(role)
    return None if companion is None else read_verified(f"{entry.id}/{role}", folder / companion.file, companion.sha256)


def read_verified(name: str, path: Path, sha256: str, named_by: str = "the registry") -> bytes:
    """The bytes of a file, which are those that `named_by` names. Raises WrongWeights, with both hashes, when not."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WrongWeights(f"the weights of {name} cannot be read: {path}: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise WrongWeights(f"{path} is not the file of {name}: sha256 {found}, {named_by} names {sha256}")
    return data
