"""The pattern language of the content folder, in which staff describe words to look for.

A pattern is words in order: `a|b` is either word, `breath*` is any word that begins so, `@cannot` is any word of the
group of that name. Case, accents and apostrophes do not count, so "can't", "cant" and "CAN´T" are one word. Up to three
other words may stand between two of a loose pattern (up to fifteen where it has `..`), never the end of a sentence. A
strict one has its words side by side, or up to three apart where it has `..`.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from bot.text import bare

Word = tuple[str, ...]  # a word of a message: as it was typed, then what it may have been meant to be
Groups = Mapping[str, str]  # the words of a group by its name
Read = Callable[[str], Word]

WIDE = ".."
WORD = re.compile("[a-z0-9]+|,|[\U0001f000-\U0001faff\u2600-\u27bf]")  # a picture is a word
COMMA: Word = (",",)
COMMAS = -1  # the number of what only a comma fits
KEPT = 20_000  # words of messages that need not be looked at anew
LABEL = TypeVar("LABEL")


@dataclass(frozen=True)
class Reach:
    """How many other words may stand between two of a pattern's own.

    Attributes:
        narrow: Between words that stand beside each other in the pattern.
        wide: Where it has `..`.
        commas: Whether a comma may stand between; it counts as a word.
    """

    narrow: int
    wide: int
    commas: bool


LOOSE = Reach(3, 15, commas=True)  # as signs of danger are looked for
STRICT = Reach(0, 3, commas=False)  # as contexts that take a sign back are looked for


class _Step(NamedTuple):
    """A word of a pattern."""

    fits: int  # the number of what fits there
    gap: int  # how many words may stand before it


@dataclass(frozen=True)
class _Pattern(Generic[LABEL]):
    label: LABEL
    steps: tuple[_Step, ...]
    needs: frozenset[int]  # the numbers of what must fit somewhere


class _Seen(NamedTuple, Generic[LABEL]):
    """What a word of a message is to the patterns: the numbers of what it fits, and the patterns that begin with it."""

    fits: frozenset[int]
    begins: tuple[_Pattern[LABEL], ...]


class Patterns(Generic[LABEL]):
    """Patterns that are looked for together, each with a label; it takes time in proportion to the text."""

    def __init__(
        self,
        patterns: Iterable[tuple[str, LABEL]],
        reach: Reach,
        *,
        spelt: Callable[[str], str] = str,
    ) -> None:
        """Compiles `patterns`.

        Args:
            patterns: Each with its label.
            reach: How far its words may stand apart.
            spelt: How words are written before they are compared.
        """
        self._commas = reach.commas
        numbers: dict[_Options, int] = {}
        self._begins: dict[int, list[_Pattern[LABEL]]] = defaultdict(list)
        for text, label in patterns:
            steps = tuple(
                _Step(numbers.setdefault(options, len(numbers)), gap) for options, gap in _steps(text, reach, spelt)
            )
            self._begins[steps[0].fits].append(_Pattern(label, steps, frozenset(step.fits for step in steps)))
        self.words = frozenset(word for options in numbers for word in options.words)
        self.beginnings = frozenset(beginning for options in numbers for beginning in options.beginnings)
        self._of_word: dict[str, set[int]] = defaultdict(set)
        self._of_beginning: dict[str, set[int]] = defaultdict(set)
        for options, number in numbers.items():
            for word in options.words:
                self._of_word[word].add(number)
            for beginning in options.beginnings:
                self._of_beginning[beginning].add(number)
        self._lengths = sorted({len(beginning) for beginning in self.beginnings})
        self._look_at = lru_cache(maxsize=KEPT)(self._seen)

    def found(self, words: Sequence[Word]) -> Iterator[tuple[LABEL, int, int]]:
        """Where patterns stand in a sentence: the label, the first word, and the one behind the last."""
        seen = [self._look_at(word) for word in words]
        there = frozenset[int]().union(*(each.fits for each in seen))
        for at, each in enumerate(seen):
            for pattern in each.begins:
                if pattern.needs <= there:
                    end = self._end(pattern, seen, at)
                    if end is not None:
                        yield pattern.label, at, end

    def places(self, words: Sequence[Word]) -> set[int]:
        """The places of all words of a sentence in which a pattern stands."""
        return {at for _, begin, end in self.found(words) for at in range(begin, end)}

    def _seen(self, word: Word) -> _Seen[LABEL]:
        fits: set[int] = set()
        for form in word:
            fits |= self._of_word.get(form, set())
            for length in self._lengths[: bisect_right(self._lengths, len(form))]:
                fits |= self._of_beginning.get(form[:length], set())
        comma = {COMMAS} if word == COMMA else set()
        begins = tuple(pattern for number in sorted(fits) for pattern in self._begins.get(number, ()))
        return _Seen(frozenset(fits | comma), begins)

    def _end(self, pattern: _Pattern[LABEL], seen: Sequence[_Seen[LABEL]], at: int) -> int | None:
        """Behind the nearest place where `pattern` ends if it begins at `at`; None if it does not stand there."""
        ends = [at + 1]
        for step in pattern.steps[1:]:
            reached: dict[int, None] = {}
            for end in ends:
                for place in range(end, min(end + step.gap + 1, len(seen))):
                    if step.fits in seen[place].fits:
                        reached[place + 1] = None
                    elif not self._commas and COMMAS in seen[place].fits:
                        break
            if not reached:
                return None
            ends = sorted(reached)
        return ends[0]


def sentences(text: str, read: Read = lambda word: (word,)) -> list[list[Word]]:
    """The words, pictures and commas of each sentence, bare and in lower case; `read` tells what each may mean."""
    plain = bare(re.sub(r"['’‘´`]", "", text))  # first the apostrophes: bare letters have none to find
    parts = re.split(r"(?<!\d)\.|\.(?!\d)|[!?;\n¡¿]", plain)  # the point of "40.3" ends no sentence
    return [[COMMA if word == "," else read(word) for word in WORD.findall(part)] for part in parts]


def parts_without(sentence: Sequence[Word], places: Collection[int]) -> Iterator[list[Word]]:
    """What is left of a sentence when the words at `places` are cut out of it: nothing reaches over a cut."""
    part: list[Word] = []
    for at, word in enumerate(sentence):
        if at not in places:
            part.append(word)
        elif part:
            yield part
            part = []
    if part:
        yield part


class _Options(NamedTuple):
    """What fits one word of a pattern: any of `words`, or what begins with any of `beginnings`."""

    words: frozenset[str]
    beginnings: frozenset[str]


def _steps(text: str, reach: Reach, spelt: Callable[[str], str]) -> Iterator[tuple[_Options, int]]:
    """What fits each word of a pattern, and how many words may stand before it."""
    gap = 0
    for part in text.split():
        if part == WIDE:
            gap = reach.wide
            continue
        options = [bare(re.sub("['’]", "", option)) for option in part.split("|")]
        words = frozenset(spelt(option) for option in options if not option.endswith("*"))
        yield _Options(words, frozenset(begin for option in options for begin in _beginnings(option, spelt))), gap
        gap = reach.narrow


def _beginnings(option: str, spelt: Callable[[str], str]) -> Iterator[str]:
    """How words begin that `option` stands for: what follows may decide how the last letter sounds ("torc*")."""
    if option.endswith("*"):
        yield from {spelt(option[:-1] + vowel)[:-1] for vowel in "ae"}


def spell_out(pattern: str, groups: Groups) -> str:
    """`pattern` with the words of its groups in place of their names.

    Raises:
        ValueError: It names a group that does not exist, or that is part of itself.
    """
    return " ".join("|".join(_options(part, groups)) for part in pattern.split())


def _options(part: str, groups: Groups, within: tuple[str, ...] = ()) -> Iterator[str]:
    for option in part.split("|"):
        name = option.removeprefix("@")
        if name == option:
            yield option
        elif name not in groups or name in within:
            raise ValueError(f"there is no group of words '{name}'" if name not in groups else f"'{name}' holds itself")
        else:
            for each in groups[name].split():
                yield from _options(each, groups, (*within, name))
