"""Which topic is a message about? Words and character n-grams with a linear classifier: nothing to download."""

from typing import Any

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

FILE = "topics.joblib"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """Ranks the topics by probability. One model reads both languages."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `strength`: inverse regularisation; higher is surer. `candidates`: how many topics are kept, best first.
        `courtesy`: topics that people wrap around a question; they do not count once another reaches `asked`.
        """
        return {"strength": 30.0, "candidates": 10, "courtesy": ["greet", "thanks", "goodbye"], "asked": 0.2}

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Pipeline | None = None
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "TopicClassifier":
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "TopicClassifier":
        with model_storage.read_from(resource) as folder:
            model: Pipeline = joblib.load(folder / FILE)
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from every example that has a topic, and keeps the result in the model."""
        examples = training_data.intent_examples
        self._model = build_model(self._config["strength"])
        self._model.fit([words_of(example) for example in examples], [example.get(INTENT) for example in examples])
        # Laid out as prediction reads it, or each message would copy the whole matrix: 6 ms for nothing.
        self._model[-1].coef_ = np.asfortranarray(self._model[-1].coef_)
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / FILE, compress=3)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets `intent` and `intent_ranking` of each message."""
        if self._model is not None:
            for message, probabilities in zip(messages, self._probabilities(messages), strict=True):
                found = {str(t): float(p) for t, p in zip(self._model.classes_, probabilities, strict=True)}
                best = sorted(self._asked(found).items(), key=lambda pair: pair[1], reverse=True)
                ranking = [{"name": topic, "confidence": p} for topic, p in best[: self._config["candidates"]]]
                message.set("intent", ranking[0], add_to_output=True)
                message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _asked(self, found: dict[str, float]) -> dict[str, float]:
        """The probabilities without the courtesies around a question: "good morning, how much is it? thanks"."""
        rest = {topic: p for topic, p in found.items() if topic not in self._config["courtesy"]}
        if max(rest.values(), default=0.0) < self._config["asked"]:
            return found
        return {topic: p / sum(rest.values()) for topic, p in rest.items()}

    def _probabilities(self, messages: list[Message]) -> Any:
        assert self._model is not None
        return self._model.predict_proba([words_of(message) for message in messages])


def build_model(strength: float) -> Pipeline:
    """The classifier, untrained."""
    return make_pipeline(
        make_union(
            TfidfVectorizer(
                analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
            ),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2, dtype=np.float32),
        ),
        LogisticRegression(C=strength, max_iter=1000),
    )


def words_of(message: Message) -> str:
    """The bare words of a message, in order, with a space between."""
    return " ".join(token.lemma for token in message.get(TOKENS_NAMES[TEXT]) or ())
