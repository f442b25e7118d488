"""Reading level: syllables as a reader would count them, and levels in the right order."""

import pytest

from bot.messages import Language
from bot.reading import difficulty


def syllables(word: str, language: Language) -> float:
    """Solved from the formula for one word in one sentence."""
    value = difficulty(f"{word}.", language)
    return (value + 15.59 - 0.39) / 11.8 if language == "en" else (206.835 - 1 - value) / 62.3


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("idea", "en", 3),
        ("cell", "en", 1),
        ("ability", "en", 4),
        ("it's", "en", 1),
        ("dysreflexia", "en", 4),  # in no dictionary: its groups of vowels
        ("8.3", "en", 2),
        ("día", "es", 2),
        ("agua", "es", 2),
        ("océano", "es", 4),
        ("médula", "es", 3),
        ("lesión", "es", 2),
        ("FDA", "es", 1),  # not Spanish
    ],
)
def test_syllables(word: str, language: Language, expected: int) -> None:
    assert syllables(word, language) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("easy", "hard", "language"),
    [
        (
            "We do not know. Ask a doctor.",
            "Neurological recovery subsequent to transplantation remains undetermined pending randomised evaluation.",
            "en",
        ),
        (
            "No se sabe. Pregunte a un médico.",
            "La recuperación neurológica posterior al trasplante permanece indeterminada sin evaluación aleatorizada.",
            "es",
        ),
    ],
)
def test_hard_texts_are_told_from_easy_ones(easy: str, hard: str, language: Language) -> None:
    harder = difficulty(hard, language) - difficulty(easy, language)
    assert harder > 8 if language == "en" else harder < -55


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_is_no_difficulty(language: Language) -> None:
    assert difficulty("...", language) == (0.0 if language == "en" else 100.0)
