"""Red flags, before anything else: plain patterns from `content/signs`, no model, no database, no network.

Signs are loose patterns and `calm` ones strict (see `bot.patterns`). A sign does not count where a calm pattern (the
past, a question about, an idiom) stands in it: one of the same file, or of `common.yml`. The rest of the sentence still
counts, so that "I had a clot years ago and now I can't breathe" raises the alarm. Every word may also be what it was
meant to be (see `bot.spelling`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.content import COMMON, SignsFile
from bot.messages import LANGUAGES, Language
from bot.patterns import LOOSE, STRICT, Patterns, Word, sentences, spell_out
from bot.spelling import Spelling, by_ear


@dataclass(frozen=True)
class Alarm:
    """A sign of danger.

    Attributes:
        topic: The safety topic.
        language: Of its words; None where they are the same in both.
        certain: Whether one of the signs is never to be doubted.
    """

    topic: str
    language: Language | None
    certain: bool = field(default=False, compare=False)


class Triage:
    """Holds the compiled signs of every danger, the first in order being told first."""

    def __init__(self, signs: Mapping[str, SignsFile], order: Sequence[str], known: Iterable[str] = ()) -> None:
        """Compiles the signs.

        Args:
            signs: The files of `content/signs`.
            order: The safety topics; of several that raise an alarm the first wins.
            known: Words that are spelt well, so that they mean nothing but themselves.
        """
        self._order = list(order)
        self._readers = {language: _Reader(signs, language, set(known)) for language in LANGUAGES}

    def assess(self, text: str) -> Alarm | None:
        """The alarm that `text` raises in either language, or None."""
        found: dict[str, set[Language]] = defaultdict(set)
        any_certain = False
        read = {language: reader.sentences(text) for language, reader in self._readers.items()}
        for several in zip(*read.values(), strict=True):  # a sentence, read in each language
            sentence = dict(zip(read, several, strict=True))
            calm: dict[str, set[int]] = defaultdict(set)
            for language, reader in self._readers.items():
                for danger, places in reader.calm(sentence[language]):
                    calm[danger].update(places)
            for language, reader in self._readers.items():
                for danger, certain, places in reader.signs(sentence[language]):
                    if calm[COMMON].isdisjoint(places) and calm[danger].isdisjoint(places):
                        found[danger].add(language)
                        any_certain |= certain
        for danger in self._order:
            if languages := found.get(danger):
                return Alarm(danger, languages.pop() if len(languages) == 1 else None, any_certain)
        return None


class _Reader:
    """What is looked for in one language."""

    def __init__(self, files: Mapping[str, SignsFile], language: Language, known: set[str]) -> None:
        spelt = by_ear if language == "es" else str
        shared = files[COMMON].words.of(language)
        groups = {danger: {**shared, **file.words.of(language)} for danger, file in files.items()}
        signs = [
            (spell_out(pattern, groups[key]), (key, certain))
            for key, file in files.items()
            for certain, several in ((False, file.signs), (True, file.certain))
            for pattern in several.of(language)
        ]
        calm = [(spell_out(p, groups[key]), key) for key, file in files.items() for p in file.calm.of(language)]
        self._signs = Patterns(signs, LOOSE, spelt=spelt)
        self._calm = Patterns(calm, STRICT, spelt=spelt)
        self._spelling = Spelling(
            language,
            words=self._signs.words | self._calm.words,
            beginnings=self._signs.beginnings | self._calm.beginnings,
            known=known,
            short={written: meant for file in files.values() for written, meant in file.spellings.of(language).items()},
        )

    def sentences(self, text: str) -> list[list[Word]]:
        return sentences(text, self._spelling.read)

    def signs(self, sentence: Sequence[Word]) -> Iterator[tuple[str, bool, range]]:
        """The dangers that there are signs of, whether the sign is certain, and where it stands."""
        return ((danger, sure, range(begin, end)) for (danger, sure), begin, end in self._signs.found(sentence))

    def calm(self, sentence: Sequence[Word]) -> Iterator[tuple[str, range]]:
        """Where signs do not count: the danger, or all of them by the name of their common file."""
        return ((danger, range(begin, end)) for danger, begin, end in self._calm.found(sentence))
