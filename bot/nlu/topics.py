"""Which topic is a message about? Two linear classifiers agree on it: one of its words, one of what it means."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
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
from scipy.special import expit, logit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from bot.errors import ModelError
from bot.nlu.encoder.sentences import encoder_name
from bot.nlu.features import Reader, Reading, build_features, forget_rare_pairs
from bot.nlu.featurizer import vector_of
from bot.nlu.lexicon import read_lexicon
from bot.nlu.tokenizer import bare_words, english_of, language_of
from bot.nlu.translations import FEWEST, learn_translations
from bot.settings import ROOT, read_settings

FILE = "topics.joblib"
TOLERANCE = 0.01  # finer takes longer and tells nothing better
MOST_ROUNDS = 200  # of learning from what messages mean
FINE = 1e-5  # coarser stops before anything is learnt, where there are many topics
LEAST = 1e-6  # nothing is less likely, nor likelier than all but this
MOST_STEPS = 127  # to either side of nothing, in a byte
MOST_KNOWN_WORDS = 8  # of a message that may be said again word for word
KNOWN = 0.95  # what such a message is about is as likely as this at least


@dataclass(frozen=True)
class Meaning:
    """What was learnt of the vectors of one sentence model: with those of another it tells nothing.

    Attributes:
        encoder: The name of the sentence model.
        weights: Numbers of a vector by topics.
        offsets: The score of a vector of zeros, for each topic. Scores are logarithms of how likely a topic is.

    The last column is no topic but danger of any kind, where there are topics of danger.
    """

    encoder: str
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def scores(self, message: Message) -> NDArray[np.float32] | float:
        """A score for each topic; nothing for a message that has no vector of that sentence model."""
        found = vector_of(message)
        if found is None or found[1] != self.encoder:
            return 0.0
        return np.asarray(found[0] @ self.weights + self.offsets, dtype=np.float32)


@dataclass(frozen=True)
class TopicModel:
    """What was learnt: how to read a message, and what each feature speaks for.

    Attributes:
        topics: In the order of the scores.
        weights: Features by topics, in steps of a size of their own for each topic. A byte each: the whole matrix is a
            quarter of what it would be, and what is lost is far less than one example changes.
        steps: The size of a step, for each topic.
        offsets: The score of a message without any feature, for each topic.
        known: What short messages that were learnt are about: who says the same gets the same.
        meaning: What the vectors of messages speak for; None where there was no sentence model.
        dangers: Which of the topics are dangers. If any is, one column more tells danger of any kind from all else.
    """

    reader: Reader
    features: FeatureUnion
    topics: NDArray[np.str_]
    weights: NDArray[np.int8]
    steps: NDArray[np.float32]
    offsets: NDArray[np.float32]
    known: Mapping[str, str]
    meaning: Meaning | None
    dangers: NDArray[np.bool_]

    def meanings(self, messages: Sequence[Message]) -> NDArray[np.float32]:
        """A row of scores for each message, of what it means: the topics, then danger."""
        rows = np.zeros((len(messages), len(self.offsets)), dtype=np.float32)
        if self.meaning:
            for row, message in zip(rows, messages, strict=True):
                row += self.meaning.scores(message)
        return rows

    def scores(self, messages: Sequence[Message]) -> NDArray[np.float32]:
        """A row of scores for each message, of its words: the topics, then danger."""
        readings = [reading_of(message, self.reader) for message in messages]
        scores = np.zeros((len(messages), len(self.offsets)), dtype=np.float32)
        first = 0
        # What FeatureUnion.transform would do, without joining the parts: that took a third of the time of a message.
        for name, part in self.features.transformer_list:
            found = part.transform(readings)
            weight = (self.features.transformer_weights or {}).get(name, 1.0)
            for row, (begin, end) in enumerate(zip(found.indptr, found.indptr[1:], strict=False)):
                # Only the rows of the features that the message has are looked at.
                weights = self.weights[found.indices[begin:end] + first]
                scores[row] += weight * found.data[begin:end].astype(np.float32) @ weights.astype(np.float32)
            first += found.shape[1]
        return scores * self.steps + self.offsets


def learn(examples: Sequence[Message], reader: Reader, config: dict[str, Any], *, bilingual: bool) -> TopicModel:
    """The model of `examples`, which carry tokens and a topic. `bilingual`: whether there are translations to use."""
    features = build_features(things=config["lexicon_weight"], english=config["english_weight"] if bilingual else 0)
    numbers = features.fit_transform([reading_of(example, reader) for example in examples])
    topics = np.array([example.get(INTENT) for example in examples])
    machine = LinearSVC(C=config["strength"], tol=TOLERANCE, random_state=0).fit(numbers, topics)
    weights, offsets = _columns(machine)
    kept = forget_rare_pairs(features, numbers)
    weights = weights[kept]
    dangers = np.array([topic.startswith(tuple(config["dangers"])) for topic in machine.classes_])
    if dangers.any() and not dangers.all():
        of_danger = np.isin(topics, machine.classes_[dangers])
        alone = LinearSVC(C=config["danger_strength"], tol=TOLERANCE, random_state=0).fit(numbers, of_danger)
        weights, offsets = np.hstack([weights, alone.coef_.T[kept]]), np.append(offsets, alone.intercept_)
    steps = np.abs(weights).max(axis=0) / MOST_STEPS
    return TopicModel(
        reader,
        features,
        machine.classes_,
        np.rint(weights / steps).astype(np.int8),
        steps.astype(np.float32),
        offsets.astype(np.float32),
        {key: example.get(INTENT) for example in examples if (key := _key_of(example))},
        _learn_meaning(examples, machine.classes_, dangers, config["meaning_strength"]),
        dangers,
    )


def _learn_meaning(
    examples: Sequence[Message], topics: NDArray[np.str_], dangers: NDArray[np.bool_], strength: float
) -> Meaning | None:
    found = [(found, example.get(INTENT)) for example in examples if (found := vector_of(example))]
    if {topic for _, topic in found} != set(topics):
        return None
    vectors, wanted = np.array([vector for (vector, _), _ in found]), np.array([topic for _, topic in found])
    machine = LogisticRegression(C=strength, max_iter=MOST_ROUNDS, tol=FINE).fit(vectors, wanted)
    weights, offsets = _columns(machine, apart=0.5)
    if dangers.any() and not dangers.all():
        of_danger = np.isin(wanted, topics[dangers])
        alone = LogisticRegression(C=strength, max_iter=MOST_ROUNDS, tol=FINE).fit(vectors, of_danger)
        weights, offsets = np.hstack([weights, alone.coef_.T]), np.append(offsets, alone.intercept_)
    return Meaning(found[0][0][1], weights.astype(np.float32), offsets.astype(np.float32))


def _columns(machine: Any, apart: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and offsets of a linear classifier, a column for each class: of two it has only the second's."""
    weights, offsets = machine.coef_.T, machine.intercept_
    if weights.shape[1] > 1:
        return weights, offsets
    return np.hstack([-weights, weights]) * apart, np.hstack([-offsets, offsets]) * apart


def _key_of(message: Message) -> str | None:
    """The words of a short message, without signs; None for a long one."""
    words = [word for word in _words_of(message) if word.isalnum()]
    return " ".join(words) if 0 < len(words) <= MOST_KNOWN_WORDS else None


def reading_of(message: Message, reader: Reader) -> Reading:
    """What there is to see in a message that carries tokens."""
    return reader.read(_words_of(message), language_of(message))


def _words_of(message: Message) -> list[str]:
    return [token.lemma for token in message.get(TOKENS_NAMES[TEXT]) or ()]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """Ranks the topics by probability. One model reads both languages."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `strength` and `meaning_strength`: inverse regularisation of the two classifiers. `sharpness` and `meaning`:
        what the scores of the words, and those of the meaning, count in the logarithm of the probabilities; they make
        those of messages that were not learnt from fit best. `sharpness_alone`: the same where only the words tell.
        `lexicon`: the file of the field's words. `lexicon_weight`
        and `english_weight`: what they, and the English for Spanish words, count beside the message's own words.
        `dangers`: how topics of danger begin. How likely danger of any kind is, is told by classifiers of its own and
        the topics together: `danger_words`, `danger_meaning` and `danger_topics` are what each counts in the logarithm
        of the odds, `danger_offset` is what they begin at, `danger_strength` the inverse regularisation.
        `candidates`: how many topics are kept, best first, and `kept`: one that always is. `courtesy`: topics that
        people wrap around a question; they do not count once another reaches `asked`.
        """
        return {
            "strength": 0.6,
            "sharpness": 3.0,
            "sharpness_alone": 5.7,
            "meaning_strength": 10.0,
            "meaning": 0.7,
            "lexicon": "nlu_data/lexicon.yml",
            "lexicon_weight": 0.3,
            "english_weight": 1.0,
            "dangers": ["emergency_", "crisis_"],
            "danger_strength": 1.0,
            "danger_words": 1.4,
            "danger_meaning": 0.24,
            "danger_topics": 0.47,
            "danger_offset": 0.3,
            "candidates": 10,
            "kept": "out_of_scope",
            "courtesy": ["greet", "thanks", "goodbye"],
            "asked": 0.1,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage | None,
        resource: Resource,
        model: TopicModel | None = None,
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
            model: TopicModel = joblib.load(folder / FILE)
        in_use, learnt = (
            encoder_name(read_settings().encoder_folder),
            model.meaning.encoder if model.meaning else "none",
        )
        if in_use not in ("none", learnt):  # without any, the words alone decide
            raise ModelError(
                f"The model has learnt with this sentence model: {learnt}; in use is {in_use}. Run `musebot train`."
            )
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from every example that has a topic, and keeps the result in the model."""
        self.learn(training_data.intent_examples)
        assert self._storage is not None, "a component that is to be kept has its storage"
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / FILE, compress=3)
        return self._resource

    def learn(self, examples: list[Message]) -> TopicModel:
        """Learns from `examples`, which carry tokens and a topic, and may carry their English."""
        pairs = [(_words_of(each), bare_words(english, "en")) for each in examples if (english := english_of(each))]
        in_english = [_words_of(each) for each in examples if language_of(each) == "en"] + [words for _, words in pairs]
        often = Counter(word for words in in_english for word in set(words))
        of_english = {word for word, messages in often.items() if messages >= FEWEST}
        reader = Reader(read_lexicon(ROOT / self._config["lexicon"]), learn_translations(pairs), of_english)
        self._model = learn(examples, reader, self._config, bilingual=bool(pairs))
        return self._model

    def likely(self, messages: Sequence[Message]) -> NDArray[np.float32]:
        """The probabilities of the model's topics, a row for each message."""
        assert self._model is not None
        model, of = self._model, len(self._model.topics)
        words, meaning = model.scores(messages), model.meanings(messages)
        told = meaning.any(axis=1, keepdims=True)
        sharpness = np.where(told, self._config["sharpness"], self._config["sharpness_alone"])
        likely = softmax(words[:, :of] * sharpness + meaning[:, :of] * self._config["meaning"], axis=1)
        if words.shape[1] > of:
            likely = self._with_danger(likely, words[:, of], meaning[:, of])
        return np.asarray(likely, dtype=np.float32)

    def _with_danger(
        self, likely: NDArray[np.float32], words: NDArray[np.float32], meaning: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The probabilities with as much danger in all as the classifiers of danger and the topics say together."""
        assert self._model is not None
        dangers = self._model.dangers
        before = np.clip(likely[:, dangers].sum(axis=1), LEAST, 1 - LEAST)
        danger = expit(
            words * self._config["danger_words"]
            + meaning * self._config["danger_meaning"]
            + logit(before) * self._config["danger_topics"]
            + self._config["danger_offset"]
        )
        share = np.where(dangers, (danger / before)[:, None], ((1 - danger) / (1 - before))[:, None])
        return np.asarray(likely * share, dtype=np.float32)

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets `intent` and `intent_ranking` of each message."""
        if self._model is not None:
            for message, probabilities in zip(messages, self.likely(messages), strict=True):
                found = {str(t): float(p) for t, p in zip(self._model.topics, probabilities, strict=True)}
                known = self._model.known.get(_key_of(message) or "")
                if known:
                    found = {topic: (1 - KNOWN) * p + KNOWN * (topic == known) for topic, p in found.items()}
                best = sorted(self._asked(found).items(), key=lambda pair: pair[1], reverse=True)
                candidates = best[: self._config["candidates"]]
                candidates += [each for each in best[len(candidates) :] if each[0] == self._config["kept"]]
                ranking = [{"name": topic, "confidence": p} for topic, p in candidates]
                message.set("intent", ranking[0], add_to_output=True)
                message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _asked(self, found: dict[str, float]) -> dict[str, float]:
        """The probabilities without the courtesies around a question: "good morning, how much is it? thanks"."""
        rest = {topic: p for topic, p in found.items() if topic not in self._config["courtesy"]}
        if max(rest.values(), default=0.0) < self._config["asked"]:
            return found
        return {topic: p / sum(rest.values()) for topic, p in rest.items()}
