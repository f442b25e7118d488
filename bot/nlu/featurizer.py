"""Gives each message the vector of its meaning, if there is a sentence model: `encoder/`, or what the settings name."""

import hashlib
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.encoder.sentences import SentenceEncoder, read_encoder
from bot.settings import ROOT, read_settings

CACHE = ROOT / "var" / "vectors"  # of training messages; what patients write is never kept


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(GraphComponent):
    """Sets the sentence features of each message. Without a sentence model messages stay as they are."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Nothing to set in `config.yml`: the sentence model is ENCODER_FOLDER's, so that an operator may change it."""
        return {}

    def __init__(self, encoder: SentenceEncoder | None, cache: Path | None = CACHE) -> None:
        """`cache`: where vectors of training messages are kept, so that the next training is quicker."""
        self._encoder = encoder
        self._cache = cache

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceFeaturizer":
        return cls(read_encoder(read_settings().encoder_folder))

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the features of what somebody writes."""
        if self._encoder:
            for message in messages:
                self._set(message, self._encoder.vector(message.get(TEXT) or ""))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Sets the features of every training message that has a text."""
        self.featurize(training_data.training_examples)
        return training_data

    def featurize(self, examples: list[Message]) -> None:
        """The same for many messages to learn from; their vectors are kept for the next time."""
        with_text = [example for example in examples if example.get(TEXT)]
        if self._encoder and with_text:
            vectors = self._remembered(self._encoder, [example.get(TEXT) for example in with_text])
            for example, vector in zip(with_text, vectors, strict=True):
                self._set(example, vector)

    def _set(self, message: Message, vector: NDArray[np.float32]) -> None:
        assert self._encoder
        if vector.any():
            message.add_features(Features(vector[None], FEATURE_TYPE_SENTENCE, TEXT, self._encoder.name))

    def _remembered(self, encoder: SentenceEncoder, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of `texts`; only those that no training before had are made."""
        if self._cache is None:
            return encoder.vectors(texts)
        file = self._cache / f"{hashlib.sha256(encoder.name.encode()).hexdigest()[:16]}.npz"
        known = _read(file)
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known |= dict(zip(new, encoder.vectors(list(new.values())), strict=True))
            kept = list(dict.fromkeys(keys))  # no others: what is no longer learnt from is forgotten
            _write(file, kept, np.array([known[key] for key in kept]))
        return np.array([known[key] for key in keys])


def vector_of(message: Message) -> tuple[NDArray[np.float32], str] | None:
    """The vector that the featurizer gave `message`, and the name of the sentence model it is from."""
    for each in message.features:
        if each.attribute == TEXT and each.type == FEATURE_TYPE_SENTENCE and each.is_dense():
            return each.features[0], each.origin
    return None


def _read(file: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(file) as kept:
            return dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return {}  # none yet, or half of one: they are made anew


def _write(file: Path, keys: list[str], vectors: NDArray[np.float32]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(fresh, keys=np.array(keys), vectors=vectors)
    fresh.replace(file)
