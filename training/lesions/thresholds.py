"""From which probability each word is given: chosen on training folds, by heads that learnt from nobody of the fold.

The trunk is the registered network itself, so that no checkpoint is needed. Pictures of validation and test are left
out. A word is given from the least probability at which, of at least LEAST_GIVEN lesions, SURE of its answers are
right, and more than the commonest word's share of all lesions. A word for which there is none is off, and so are the
words of a head that is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sonovan.models.engine.runner import Outputs
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.heads.lesions import WORDS
from sonovan.models.picture.letterbox import Gray
from sonovan.models.registry import read_registry, read_weights
from training.heads import Array
from training.lesions.cross import answers, judged_rows
from training.lesions.figures import SURE
from training.lesions.gather import Lesions
from training.lesions.learn import Numbers, space_of
from training.lesions.words import KEYS

LEAST_GIVEN = 10
"""Fewer answers than this say too little of how often a word is right."""


class Registered:
    """The network of the registry, as the heads see it; see `training.heads.Trunk.look`."""

    def __init__(self, weights: Path, model: str | None = None) -> None:
        """Raises WrongWeights where the registry names no such model, or its file is another."""
        entry = read_registry(weights).entry(model)
        module = onnxruntime()
        options = module.SessionOptions()
        options.intra_op_num_threads = 1
        self.sha256 = entry.sha256
        self._session = module.InferenceSession(
            read_weights(entry, weights), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._input = entry.input.name

    def look(self, squares: Sequence[Gray]) -> Iterator[Outputs]:
        """What the network makes of each letterboxed picture (256, 256) uint8, N = 1."""
        for square in squares:
            found = self._session.run(None, {self._input: square.astype(np.float32)[None, None]})
            yield dict(zip(self._names, found, strict=True))


def word_thresholds(shares: Array, truth: Numbers, words: Sequence[str]) -> dict[str, float]:
    """By word, the probability from which it is given; 0 is off. shares: (N, words), of heads of other folds."""
    majority = np.bincount(truth, minlength=len(words)).max() / len(truth)
    said = shares.argmax(1)
    found = dict.fromkeys(words, 0.0)
    for place, word in enumerate(words):
        for least in np.arange(round(1 / len(words), 2), 0.96, 0.01):
            given = (said == place) & (shares[:, place] >= least)
            if given.sum() < LEAST_GIVEN:
                break
            right = float((truth[given] == place).mean())
            if right >= SURE and right > majority:
                found[word] = round(float(least), 2)
                break
    return found


def settings_of(lesions: Lesions, heads: dict[str, float]) -> dict[str, float]:
    """The companion's settings with a threshold for each word. heads: its settings now, which say what is on."""
    train = lesions.where(lesions.split == "train")
    space = space_of(train.values)
    settings = {key: value for key, value in heads.items() if key.count(".") < 2}
    for key in KEYS:
        if heads.get(key, 0.0) <= 0:
            continue
        answered = answers(space, train, key)
        rows = judged_rows(answered.part)
        organ, name = key.split(".")
        found = word_thresholds(answered.shares[rows], answered.truth[rows], WORDS[organ][name])
        settings |= {f"{key}.{word}": least for word, least in found.items()}
    return settings
