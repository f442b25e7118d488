"""What a Spanish word is in English, learnt from the translations beside our own messages: nothing to download."""

from collections.abc import Iterable, Sequence

import numpy as np

Translations = dict[str, tuple[tuple[str, float], ...]]

ROUNDS = 6
FEWEST = 2  # messages that a word must be in: from one alone nothing can be told
LEAST = 0.03  # what is less likely is noise
MOST = 6  # translations of one word
NOTHING = ""  # stands in every message, for English words that no Spanish word calls for


def learn_translations(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Translations:
    """The likeliest English words of each Spanish word, with their probabilities, best first.

    The first of IBM's alignment models (Brown and others, 1993): at first each word of a message is as likely to be
    behind each word of its translation; which belong together is learnt from their being together again and again.

    Args:
        pairs: The words of a Spanish message, and those of its English.
    """
    spanish: dict[str, int] = {}
    english: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []  # a Spanish word that may be behind an English one, and where that one stands
    messages: list[int] = []  # that a Spanish word is in
    place = 0
    for theirs, ours in pairs:
        sources = [spanish.setdefault(word, len(spanish)) for word in dict.fromkeys((NOTHING, *theirs))]
        messages += sources
        for word in ours:
            target = english.setdefault(word, len(english))
            rows += [(source, target, place) for source in sources]
            place += 1
    if not rows:
        return {}
    source, target, where = np.array(rows).T
    couples, couple_of = np.unique(source * len(english) + target, return_inverse=True)
    source, target = couples // len(english), couples % len(english)
    likely = np.ones(len(couples))
    for _ in range(ROUNDS):
        share = likely[couple_of]
        share /= np.bincount(where, share)[where]
        counted = np.bincount(couple_of, share)
        likely = counted / np.bincount(source, counted)[source]
    often = np.bincount(messages)[source] >= FEWEST
    kept = (likely >= LEAST) & often & (source != spanish[NOTHING])
    return _by_word(list(spanish), list(english), source[kept], target[kept], likely[kept])


def _by_word(
    spanish: list[str], english: list[str], source: Sequence[int], target: Sequence[int], likely: Sequence[float]
) -> Translations:
    """The couples of words, gathered by their Spanish word."""
    found: dict[str, list[tuple[str, float]]] = {}
    for s, e, p in sorted(zip(source, target, likely, strict=True), key=lambda couple: -couple[2]):
        found.setdefault(spanish[s], []).append((english[e], round(float(p), 3)))
    return {word: tuple(several[:MOST]) for word, several in found.items()}
