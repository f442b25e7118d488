"""Red flags, before anything else: plain patterns from `content/safety.yml`, no model, no database, no network.

Signs are loose patterns and `calm` ones strict (see `bot.patterns`). What a calm pattern matches (the past, a question
about, an idiom) is cut out before the signs are looked for: what it swallows is not looked at again, so it reaches less
far. The rest of the sentence still counts, so that "I had a clot years ago and now I can't breathe" raises the alarm.
Every word may also be what it was meant to be (see `bot.spelling`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.content import SafetyFile
from bot.messages import LANGUAGES, Language
from bot.patterns import LOOSE, STRICT, Patterns, Word, parts_without, sentences
from bot.spelling import Spelling, by_ear


@dataclass(frozen=True)
class Alarm:
    """A sign of danger: the `safety` topic, and the language of its words, None where they are the same in both."""

    topic: str
    language: Language | None


class Triage:
    """Holds the compiled signs of every safety topic, in the order of the file: the first match wins."""

    def __init__(self, safety: SafetyFile, known: Iterable[str] = ()) -> None:
        """Compiles the signs. `known` are words that are spelt well, so that they mean nothing but themselves."""
        self._topics = list(safety.topics)
        self._readers = {language: _Reader(safety, language, set(known)) for language in LANGUAGES}

    def assess(self, text: str) -> Alarm | None:
        """The alarm that `text` raises in either language, or None."""
        found: dict[str, list[Language]] = {}
        read = {language: reader.sentences(text) for language, reader in self._readers.items()}
        for several in zip(*read.values(), strict=True):  # a sentence, read in each language
            sentence = dict(zip(read, several, strict=True))
            calm = {at for language in LANGUAGES for at in self._readers[language].calm(sentence[language])}
            for language in LANGUAGES:
                for topic in self._readers[language].topics(sentence[language], calm):
                    found.setdefault(topic, []).append(language)
        for topic in self._topics:
            if languages := set(found.get(topic, ())):
                return Alarm(topic, languages.pop() if len(languages) == 1 else None)
        return None


class _Reader:
    """What is looked for in one language."""

    def __init__(self, safety: SafetyFile, language: Language, known: set[str]) -> None:
        groups = safety.words.of(language)
        spelt = by_ear if language == "es" else str
        signs = [(sign, topic) for topic, entry in safety.topics.items() for sign in entry.signs.of(language)]
        self._signs = Patterns(signs, LOOSE, groups=groups, spelt=spelt)
        self._calm = Patterns(((each, None) for each in safety.calm.of(language)), STRICT, groups=groups, spelt=spelt)
        self._spelling = Spelling(
            language,
            words=self._signs.words | self._calm.words,
            beginnings=self._signs.beginnings | self._calm.beginnings,
            known=known,
            short=safety.spellings.of(language),
        )

    def sentences(self, text: str) -> list[list[Word]]:
        return sentences(text, self._spelling.read)

    def calm(self, sentence: Sequence[Word]) -> set[int]:
        """The places of the words that mean no danger."""
        return self._calm.places(sentence)

    def topics(self, sentence: Sequence[Word], calm: set[int]) -> Iterator[str]:
        """What the rest of the sentence is a sign of."""
        for part in parts_without(sentence, calm):
            yield from (topic for topic, _, _ in self._signs.found(part))
