"""Red flags, before anything else: plain patterns from `content/safety.yml`, no model, no database, no network.

Signs are loose patterns and `calm` ones strict (see `bot.patterns`). What a calm pattern matches (the past, a question
about, an idiom) is cut out before the signs are looked for: what it swallows is not looked at again, so it reaches less
far. The rest of the sentence still counts, so that "I had a clot years ago and now I can't breathe" raises the alarm.
"""

from dataclasses import dataclass

from bot.content import SafetyFile
from bot.messages import LANGUAGES, Language
from bot.patterns import loose, sentences, strict


@dataclass(frozen=True)
class Alarm:
    """A sign of danger: the `safety` topic, and the language of its words, None where they are the same in both."""

    topic: str
    language: Language | None


class Triage:
    """Holds the compiled signs of every safety topic, in the order of the file: the first match wins."""

    def __init__(self, safety: SafetyFile) -> None:
        self._signs = [
            (topic, {language: loose(guidance.signs.of(language)) for language in LANGUAGES})
            for topic, guidance in safety.topics.items()
        ]
        calm = (pattern for language in LANGUAGES for pattern in safety.calm.of(language))
        self._calm = strict(calm)

    def assess(self, text: str) -> Alarm | None:
        """The alarm that `text` raises in either language, or None."""
        told = [self._calm.sub(" . ", sentence) for sentence in sentences(text)]
        for topic, signs in self._signs:
            found = [language for language in LANGUAGES if any(signs[language].search(each) for each in told)]
            if found:
                return Alarm(topic, found[0] if len(found) == 1 else None)
        return None
