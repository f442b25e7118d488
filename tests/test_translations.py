"""Spanish words and their English, learnt from pairs; what they add to a message."""

import pytest

from bot.nlu.features import Reader
from bot.nlu.lexicon import Lexicon
from bot.nlu.translations import learn_translations

PAIRS = [
    ("la vejiga", "the bladder"),
    ("la casa", "the house"),
    ("mi vejiga", "my bladder"),
    ("mi casa", "my house"),
    ("una palabra", "one word"),
]


def pairs(texts: list[tuple[str, str]]) -> list[tuple[list[str], list[str]]]:
    return [(spanish.split(), english.split()) for spanish, english in texts]


@pytest.mark.parametrize(
    ("spanish", "english"), [("vejiga", "bladder"), ("casa", "house"), ("mi", "my"), ("la", "the")]
)
def test_words_that_go_together_again_and_again_are_one(spanish: str, english: str) -> None:
    found = learn_translations(pairs(PAIRS))[spanish]
    assert found[0][0] == english
    assert found[0][1] > 0.8


def test_a_word_of_one_message_tells_nothing() -> None:
    assert "palabra" not in learn_translations(pairs(PAIRS))


def test_nothing_to_learn_from() -> None:
    assert learn_translations([]) == {}


def test_a_message_is_read_in_english_too() -> None:
    translations = {"vejiga": (("bladder", 0.9), ("pee", 0.1)), "mi": (("my", 1.0),)}
    reader = Reader(Lexicon({"bladder": "vejiga bladder"}), translations, {"my", "bladder"})
    assert reader.read(["mi", "vejiga"], "es").english == {"my": 1, "bladder": 0.9, "pee": 0.1}
    assert reader.read(["my", "bladder"], "en").english == {"my": 1, "bladder": 1}
    assert reader.read(["my", "vejiga"], "en").english == {"my": 1, "bladder": 0.9, "pee": 0.1}
    assert reader.read(["mi", "bladder"], "es").english == {"my": 1, "bladder": 1}
    assert reader.read(["mi", "vejiga"], "es").things == ["bladder"]
