"""The classifier on a handful of examples: what it ranks, what it forgets, what its weights of a byte lose."""

from typing import Any

import numpy as np
import pytest
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message
from sklearn.svm import LinearSVC

from bot.nlu.examples import Example
from bot.nlu.features import Reader, build_features, forget_rare_pairs
from bot.nlu.importer import message_of
from bot.nlu.lexicon import Lexicon
from bot.nlu.tokenizer import BilingualTokenizer
from bot.nlu.topics import TOLERANCE, TopicClassifier

SAID = {
    "cost": ("how much is it", "what is the price", "is it expensive"),
    "place": ("where is the clinic", "what is the address", "how do I get there"),
    "greet": ("hello", "good morning", "hi there"),
    "out_of_scope": ("who won the match", "tell me a joke", "will it rain"),
}


def messages(texts: list[tuple[str, str]]) -> list[Message]:
    found = [message_of(Example(topic, "en", text, None, "")) for topic, text in texts]
    BilingualTokenizer(BilingualTokenizer.get_default_config()).process(found)
    return found


@pytest.fixture(scope="module")
def classifier() -> TopicClassifier:
    config = {**TopicClassifier.get_default_config(), "candidates": 2}
    component = TopicClassifier(config, None, Resource("test"))
    component.learn(messages([(topic, text) for topic, texts in SAID.items() for text in texts]))
    return component


def ranked(classifier: TopicClassifier, text: str) -> list[dict[str, Any]]:
    [message] = classifier.process(messages([("", text)]))
    ranking: list[dict[str, Any]] = message.get(INTENT_RANKING_KEY)
    assert message.get(INTENT) == ranking[0]
    return ranking


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("the price?", "cost"),
        ("is it far to the clinic, where is it", "place"),
        ("hello!", "greet"),
        ("hello, how much is it", "cost"),  # what is asked, not the courtesy around it
    ],
)
def test_the_likeliest_topic(classifier: TopicClassifier, text: str, topic: str) -> None:
    assert ranked(classifier, text)[0]["name"] == topic


def test_what_was_learnt_is_known_word_for_word(classifier: TopicClassifier) -> None:
    known, other = ranked(classifier, "How do I get there?")[0], ranked(classifier, "how do I get where?")[0]
    assert (known["name"], other["name"]) == ("place", "place")
    assert known["confidence"] > other["confidence"]


def test_being_out_of_scope_is_always_a_candidate(classifier: TopicClassifier) -> None:
    for text in ("how much is it", "where is the clinic", "hello"):
        assert "out_of_scope" in [each["name"] for each in ranked(classifier, text)]


def test_a_byte_for_a_weight_loses_next_to_nothing(classifier: TopicClassifier) -> None:
    examples = messages([(topic, text) for topic, texts in SAID.items() for text in texts])
    model = classifier.learn(examples)
    reader = Reader(model.reader._lexicon, {})
    features = build_features(things=0.3, english=0)
    readings = [reader.read([token.lemma for token in each.get("text_tokens")], "en") for each in examples]
    numbers = features.fit_transform(readings)
    machine = LinearSVC(C=0.6, tol=TOLERANCE, random_state=0).fit(numbers, [each.get(INTENT) for each in examples])
    machine.coef_ = machine.coef_[:, forget_rare_pairs(features, numbers)]
    machine.n_features_in_ = machine.coef_.shape[1]
    exact = machine.decision_function(features.transform(readings))
    assert np.abs(exact - model.scores(examples)).max() < 0.01


def test_pairs_of_words_that_one_message_has_are_forgotten() -> None:
    reader = Reader(Lexicon({"price": "price"}), {})
    features = build_features(things=1, english=0)
    readings = [reader.read(text.split(), "en") for text in ("the low price", "the low ceiling", "a price")]
    stays = forget_rare_pairs(features, features.fit_transform(readings))
    words = set(features.transformer_list[0][1].vocabulary_)
    assert words == {"a", "ceiling", "low", "price", "the", "the low"}
    assert features.transform(readings).shape[1] == stays.sum()
