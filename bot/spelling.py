"""What a badly typed word may have been meant to be: by one wrong key, by ear, or as people shorten words in a chat.

Nothing is replaced: a word keeps what was typed, and what it may mean stands beside it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from bot.messages import Language
from bot.patterns import Word

SHORTEST_MENDED = 5  # letters: of shorter words too many are one wrong key apart
KEPT = 20_000  # words whose reading is remembered


class Spelling:
    """Reads the words of one language, looking for the words that matter."""

    def __init__(
        self,
        language: Language,
        words: Iterable[str],
        beginnings: Iterable[str],
        known: Iterable[str],
        short: Mapping[str, str],
    ) -> None:
        """Prepares to read.

        Args:
            language: Spanish is written as it sounds, so a word that sounds the same is the same.
            words: The words that matter, as `by_ear` writes them.
            beginnings: The same, for words of which only the beginning counts.
            known: Words that are spelt well, as `bare` writes them: they mean themselves.
            short: What people write in a chat, and the word it stands for.
        """
        self._spelt = by_ear if language == "es" else str
        self._words, self._beginnings = frozenset(words), frozenset(beginnings)
        self._known = frozenset(map(self._spelt, known))
        self._short = {written: self._spelt(meant) for written, meant in short.items()}
        self._near: dict[str, set[str]] = defaultdict(set)
        for word in self._words | self._beginnings:
            if len(word) >= SHORTEST_MENDED:
                for shorter in _shorter(word):
                    self._near[shorter].add(word)
        self._lengths = sorted({len(word) for word in self._beginnings if len(word) >= SHORTEST_MENDED})
        self._around = sorted({length + more for length in self._lengths for more in (-1, 0, 1)})
        self.read = lru_cache(maxsize=KEPT)(self._read)

    def _read(self, word: str) -> Word:
        forms = dict.fromkeys([self._spelt(word)])
        for again in (r"\1", r"\1\1"):  # "heeelp", "ahogooo"
            forms.setdefault(self._spelt(re.sub(r"(.)\1{2,}", again, word)))
        if word in self._short:
            forms.setdefault(self._short[word])
        for form in list(forms):
            if len(form) >= SHORTEST_MENDED - 1 and form.isalpha() and not self._is_right(form):
                forms.update(dict.fromkeys(sorted(self._mended(form))))
        return tuple(forms)

    def _is_right(self, form: str) -> bool:
        return form in self._known or form in self._words or any(form[:n] in self._beginnings for n in self._lengths)

    def _mended(self, form: str) -> set[str]:
        """The words that matter one wrong key away: a letter too many, too few, another, or two exchanged."""
        found = {word for shorter in _shorter(form) for word in self._near.get(shorter, ()) if _one_key(form, word)}
        for length in self._around:  # words of which only the beginning counts
            if length > len(form):
                break
            begin = form[:length]
            for shorter in _shorter(begin):
                for word in self._near.get(shorter, ()):
                    if word in self._beginnings and _one_key(begin, word):
                        found.add(word)
        return found


def by_ear(word: str) -> str:
    """A Spanish word as it sounds in the Americas, so that "resivir" and "recibir" are one."""
    word = re.sub(r"c(?=[ei])|z", "s", word)
    word = re.sub(r"qu(?=[ei])|q|c(?!h)", "k", word)
    word = re.sub(r"g(?=[ei])", "j", word).replace("gu", "g")
    word = word.replace("x", "ks").replace("ch", "C").replace("h", "").replace("C", "ch")
    word = word.replace("v", "b").replace("ll", "y")
    return re.sub(r"m(?=[bp])", "n", word)


def _shorter(word: str) -> set[str]:
    """The word, and the word less any one letter."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_key(one: str, other: str) -> bool:
    """Whether one wrong key lies between two words; the first is seldom wrong."""
    if one[0] != other[0]:
        return False
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    first = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[first:] == other[first + 1 :]
    exchanged = other[first : first + 2][::-1] + other[first + 2 :]
    return one[first + 1 :] == other[first + 1 :] or one[first:] == exchanged
