"""The field's words: what a message names, in either language."""

import pickle
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.nlu.lexicon import Lexicon, read_lexicon
from bot.settings import Settings


@pytest.mark.parametrize(
    ("words", "concept"),
    [
        ("control of my bladder", "bladder"),
        ("la vejiga", "bladder"),
        ("pee", "bladder"),
        ("orino mal", "bladder"),
        ("cuanto cuesta", "price"),
        ("how much dollars", "price"),
    ],
)
def test_both_languages_name_one_thing(words: str, concept: str) -> None:
    assert concept in read_lexicon(Settings().nlu_folder / "lexicon.yml").of(words.split())


def test_beginnings_and_whole_words_differ() -> None:
    lexicon = Lexicon({"breath": "breath* air"})
    assert lexicon.of(["breathing", "air"]) == ["breath"]
    assert lexicon.of(["airport", "abreath"]) == []


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("hello there , how much is it ? thank you", "how much is it ?"),
        ("hola buenas tardes cuanto vale", "cuanto vale"),
        ("buenas , disculpe la molestia , no siento las piernas , gracias de antemano", "no siento las piernas"),
        ("um so yeah how much is it", "how much is it"),
        ("hola", "hola"),  # nothing else is said
        ("hola , precio", "hola , precio"),  # one word alone tells too little
        ("thanks for nothing", "thanks for nothing"),
        ("muchas gracias por todo", "muchas gracias por todo"),
        ("gracias a las celulas camino", "gracias a las celulas camino"),
        ("muchas gracias y donde quedan", "y donde quedan"),
        ("so what", "so what"),
        ("¿ cuanto vale ?", "¿ cuanto vale ?"),
    ],
)
def test_courtesies_around_a_question_are_left_away(text: str, asked: str) -> None:
    lexicon = read_lexicon(Settings().nlu_folder / "lexicon.yml")
    assert " ".join(lexicon.asked(text.split())) == asked


@pytest.mark.parametrize("words", [["."] * 1000, ["thank", "you"] * 500, [",", "!", "ok"] * 300, ["x"]])
def test_a_long_run_of_signs_or_courtesies_is_no_trouble(words: list[str]) -> None:
    assert len(read_lexicon(Settings().nlu_folder / "lexicon.yml").asked(words)) >= min(len(words), 2)


def test_it_survives_being_kept_in_a_model() -> None:
    lexicon = Lexicon({"a": "one two*", "b": "two* three one"}, ["good morning|day"])
    again = pickle.loads(pickle.dumps(lexicon))
    assert again.asked(["good", "day", "how", "much"]) == ["how", "much"]
    words = ["one", "twofold", "three", "four"]
    assert again.of(words) == lexicon.of(words)


@pytest.mark.parametrize("text", ["", "concepts: 5", "- a list", "concepts: {a: [b"])
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lexicon.yml"
    file.write_text(text)
    with pytest.raises(ContentError, match=r"lexicon\.yml: must hold 'concepts'"):
        read_lexicon(file)
