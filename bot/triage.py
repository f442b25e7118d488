"""Red flags, before anything else: plain patterns from `content/safety.yml`, no model, no database, no network.

A pattern is words in order: `a|b` is either word, `breath*` is any word that begins so. In a sign up to three other
words may stand between two of them (up to fifteen where it has `..`), never the end of a sentence. Case, accents
and apostrophes do not count, so "can't", "cant" and "CAN´T" are one word. What a `calm` pattern matches (the past,
a question about, an idiom) is cut out before the signs are looked for; its words stand side by side, or up to three
apart where it has `..`. The rest of the sentence still counts, so that "I had a clot years ago and now I can't
breathe" raises the alarm.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.content import SafetyFile
from bot.messages import LANGUAGES, Language
from bot.text import bare

# What may stand between two words of a pattern, and where it has `..`. Commas are words of their own: a sign may span
# one. A calm pattern may not, and reaches less far: what it swallows is not looked at again.
_SIGN_GAPS = (r"(?: [a-z0-9,]+){0,3} ", r"(?: [a-z0-9,]+){0,15} ")
_CALM_GAPS = (" ", r"(?: [a-z0-9]+){0,3} ")


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
        self._calm = _compile(calm, _CALM_GAPS)

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


def _compile(patterns: Iterable[str], gaps: tuple[str, str] = _SIGN_GAPS) -> re.Pattern[str]:
    return re.compile("|".join(_expression(pattern, *gaps) for pattern in patterns))


def _expression(pattern: str, gap: str, wide_gap: str) -> str:
    parts = re.sub(r"['’]", "", bare(pattern)).split(" .. ")
    return " " + wide_gap.join(gap.join(_word(word) for word in part.split()) for part in parts) + " "


def _word(word: str) -> str:
    options = (re.escape(option).replace(r"\*", "[a-z0-9]*") for option in word.split("|"))
    return f"(?:{'|'.join(options)})"
