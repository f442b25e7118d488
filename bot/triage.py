"""Red flags, before anything else: plain patterns from `content/safety.yml`, no model, no database, no network.

A pattern is words in order: `a|b` is either word, `breath*` is any word that begins so. Between two words up to three
others may stand (up to fifteen where the pattern has `..`), never the end of a sentence. Case, accents and
apostrophes do not count, so "can't", "cant" and "CAN´T" are one word. What a `calm` pattern matches (the past, a
question about, an idiom) is cut out before the signs are looked for; the rest of the sentence still counts, so that
"I had a clot years ago and now I can't breathe" raises the alarm.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.content import SafetyFile
from bot.messages import LANGUAGES, Language
from bot.text import bare

# Commas are words of their own: a sign may span one, a calm pattern, which allows no gap, may not.
_GAP = r"(?: [a-z0-9,]+){0,3} "
_WIDE_GAP = r"(?: [a-z0-9,]+){0,15} "
_NO_GAP = " "


@dataclass(frozen=True)
class Alarm:
    """A sign of danger: the `safety` topic, and the language of its words, None where they are the same in both."""

    topic: str
    language: Language | None


class Triage:
    """Holds the compiled signs of every safety topic, in the order of the file: the first match wins."""

    def __init__(self, safety: SafetyFile) -> None:
        self._signs = [
            (topic, {language: _compile(guidance.signs.of(language)) for language in LANGUAGES})
            for topic, guidance in safety.topics.items()
        ]
        calm = (pattern for language in LANGUAGES for pattern in safety.calm.of(language))
        self._calm = _compile(calm, gap=_NO_GAP)

    def assess(self, text: str) -> Alarm | None:
        """The alarm that `text` raises in either language, or None."""
        sentences = [self._calm.sub(" . ", sentence) for sentence in _sentences(text)]
        for topic, signs in self._signs:
            found = [language for language in LANGUAGES if any(signs[language].search(each) for each in sentences)]
            if found:
                return Alarm(topic, found[0] if len(found) == 1 else None)
        return None


def _sentences(text: str) -> list[str]:
    """Bare lower-case words and commas of each sentence, with a space at both ends; twice where letters repeat."""
    plain = bare(re.sub(r"['’‘´`]", "", text))
    once, twice = (re.sub(r"([a-z])\1{2,}", again, plain) for again in (r"\1", r"\1\1"))  # "heeelp", "ahogooo"
    variants = [once] if once == twice else [once, twice]
    parts = (part for variant in variants for part in re.split(r"[.!?;\n¡¿]+", variant))
    return [f" {' '.join(re.findall('[a-z0-9]+|,', part))} " for part in parts]


def _compile(patterns: Iterable[str], gap: str = _GAP) -> re.Pattern[str]:
    return re.compile("|".join(_expression(pattern, gap) for pattern in patterns))


def _expression(pattern: str, gap: str) -> str:
    parts = re.sub(r"['’]", "", bare(pattern)).split(" .. ")
    return " " + _WIDE_GAP.join(gap.join(_word(word) for word in part.split()) for part in parts) + " "


def _word(word: str) -> str:
    options = (re.escape(option).replace(r"\*", "[a-z0-9]*") for option in word.split("|"))
    return f"(?:{'|'.join(options)})"
