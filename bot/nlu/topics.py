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
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from bot.nlu.lexicon import Lexicon, read_lexicon
from bot.settings import ROOT

FILE = "topics.joblib"
BETWEEN = "\t"  # a message's words and the things that it names


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """Ranks the topics by probability. One model reads both languages."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `strength`: inverse regularisation. `sharpness`: turns the classifier's scores into probabilities; it makes
        those of five-fold cross-validation fit best. `lexicon`: the file of the field's words, and `lexicon_weight`
        what they count beside the message's own. `candidates`: how many topics are kept, best first. `courtesy`:
        topics that people wrap around a question; they do not count once another reaches `asked`.
        """
        return {
            "strength": 0.3,
            "sharpness": 8.4,
            "lexicon": "nlu_data/lexicon.yml",
            "lexicon_weight": 0.15,
            "candidates": 10,
            "courtesy": ["greet", "thanks", "goodbye"],
            "asked": 0.1,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage | None,
        resource: Resource,
        model: tuple[Lexicon, Pipeline] | None = None,
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
            model: tuple[Lexicon, Pipeline] = joblib.load(folder / FILE)
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from every example that has a topic, and keeps the result in the model."""
        self._model = self.learn(training_data.intent_examples)
        assert self._storage is not None, "a component that is to be kept has its storage"
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / FILE, compress=3)
        return self._resource

    def learn(self, examples: list[Message]) -> tuple[Lexicon, Pipeline]:
        """The lexicon and the classifier trained on `examples`, which carry tokens and a topic."""
        lexicon = read_lexicon(ROOT / self._config["lexicon"])
        model = build_model(self._config["strength"], self._config["lexicon_weight"])
        model.fit([_text_of(example, lexicon) for example in examples], [example.get(INTENT) for example in examples])
        # Halves the model, and laid out as prediction reads it: else each message would copy the whole matrix.
        model[-1].coef_ = np.asfortranarray(model[-1].coef_, dtype=np.float32)
        return lexicon, model

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets `intent` and `intent_ranking` of each message."""
        if self._model is not None:
            scores = scores_of(self._model, messages)
            for message, probabilities in zip(
                messages, softmax(scores * self._config["sharpness"], axis=1), strict=True
            ):
                found = {str(t): float(p) for t, p in zip(self._model[1].classes_, probabilities, strict=True)}
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


def build_model(strength: float, lexicon_weight: float) -> Pipeline:
    """The classifier, untrained: words and pairs of words, pieces of words, and what the lexicon finds.

    It reads texts with the lexicon's findings behind a tab.
    """
    words = TfidfVectorizer(
        preprocessor=_words, token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
    )
    pieces = TfidfVectorizer(
        preprocessor=_words, analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=4, dtype=np.float32
    )
    things = TfidfVectorizer(analyzer=_things, dtype=np.float32)
    features = FeatureUnion(
        [("words", words), ("pieces", pieces), ("things", things)], transformer_weights={"things": lexicon_weight}
    )
    return make_pipeline(features, LinearSVC(C=strength))


def scores_of(model: tuple[Lexicon, Pipeline], messages: list[Message]) -> Any:
    """A row of scores for each message, in the order of the classifier's `classes_`; two classes are two columns."""
    lexicon, pipeline = model
    scores = pipeline.decision_function([_text_of(message, lexicon) for message in messages])
    return scores if scores.ndim == 2 else np.stack([-scores, scores], axis=1)


def _text_of(message: Message, lexicon: Lexicon) -> str:
    words = [token.lemma for token in message.get(TOKENS_NAMES[TEXT]) or ()]
    return f"{' '.join(words)}{BETWEEN}{' '.join(lexicon.of(words))}"


def _words(text: str) -> str:
    return text.partition(BETWEEN)[0]


def _things(text: str) -> list[str]:
    return text.partition(BETWEEN)[2].split()
