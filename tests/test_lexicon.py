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


def test_it_survives_being_kept_in_a_model() -> None:
    lexicon = Lexicon({"a": "one two*", "b": "two* three one"})
    again = pickle.loads(pickle.dumps(lexicon))
    words = ["one", "twofold", "three", "four"]
    assert again.of(words) == lexicon.of(words)


@pytest.mark.parametrize("text", ["", "concepts: 5", "- a list", "concepts: {a: [b"])
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lexicon.yml"
    file.write_text(text)
    with pytest.raises(ContentError, match=r"lexicon\.yml: must hold 'concepts'"):
        read_lexicon(file)
