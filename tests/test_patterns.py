"""The pattern language: what a pattern finds, and what it must not."""

import pytest

from bot.patterns import LOOSE, STRICT, Patterns, Reach, parts_without, sentences, spell_out
from bot.spelling import Spelling, by_ear

GROUPS = {"cannot": "cant|cannot|can't", "family": "dad|mom", "anyone": "he @family"}


def found(pattern: str, text: str, reach: Reach = LOOSE) -> list[str]:
    patterns = Patterns([(spell_out(pattern, GROUPS), None)], reach)
    return [
        " ".join(word[0] for word in sentence[begin:end])
        for sentence in sentences(text)
        for _, begin, end in patterns.found(sentence)
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        ("@cannot breath*", "I CAN´T breathe", True),
        ("@cannot breath*", "I cant really properly, breathe", True),  # three words and signs between
        ("@cannot breath*", "I cant one two three four breathe", False),
        ("@cannot .. breath*", "I cant one two three four breathe", True),
        ("@cannot breath*", "I can't. Breathe deeply", False),  # never over the end of a sentence
        ("@anyone fell", "my dad fell", True),  # a group within a group
        ("@anyone fell", "my aunt fell", False),
        ("no|sin fiebre", "sin fiebre", True),
        ("🆘", "🆘🆘", True),
        ("ano", "39 años", False),  # whole words
        ("ano*", "39 años", True),
    ],
)
def test_a_loose_pattern(pattern: str, text: str, hit: bool) -> None:
    assert bool(found(pattern, text)) is hit


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        ("no fever", "there is no fever", True),
        ("no fever", "no high fever", False),  # side by side
        ("no .. fever", "no very high fever", True),
        ("no .. fever", "no, fever", False),  # never over a comma
        ("no .. fever", "no one two three four fever", False),
    ],
)
def test_a_strict_pattern(pattern: str, text: str, hit: bool) -> None:
    assert bool(found(pattern, text, STRICT)) is hit


def test_a_pattern_ends_as_near_as_it_can() -> None:
    assert found("a .. b", "a x b y b") == ["a x b"]


@pytest.mark.parametrize(("pattern", "problem"), [("@nobody fell", "no group"), ("@self", "holds itself")])
def test_a_group_must_exist(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        spell_out(pattern, {"self": "me|@self"})


def test_nothing_reaches_over_what_was_cut_out() -> None:
    (sentence,) = sentences("a b c d e")
    assert [[word[0] for word in part] for part in parts_without(sentence, {1, 3})] == [["a"], ["c"], ["e"]]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("respriar", "respirar"),
        ("rrespirar", "respirar"),
        ("resbirar", "respirar"),
        ("respirrr", "respirar"),
        ("xq", "porque"),
        ("combulcion", "convulsion"),
        ("aogo", "ahogo"),
        ("ahogoooo", "ahogo"),
        ("sangrando", "sangr"),  # its beginning is right
    ],
)
def test_a_misspelt_word_may_be_what_was_meant(typed: str, meant: str) -> None:
    assert by_ear(meant) in spelling().read(typed) or by_ear(typed).startswith(by_ear(meant))


@pytest.mark.parametrize("typed", ["inspirar", "hogar", "conversion", "suspirar", "trespirar"])
def test_another_word_is_left_alone(typed: str) -> None:
    assert spelling().read(typed) == (by_ear(typed),)


def spelling() -> Spelling:
    words = map(by_ear, ["respirar", "porque", "convulsion", "ahogo"])
    return Spelling("es", words, [by_ear("sangr")], ["inspirar", "suspirar"], {"xq": "porque"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("recibir", "resivir"),
        ("huevo", "uebo"),
        ("queso", "keso"),
        ("lluvia", "yubia"),
        ("gente", "jente"),
        ("caza", "casa"),
    ],
)
def test_what_sounds_alike_is_alike(one: str, other: str) -> None:
    assert by_ear(one) == by_ear(other)
