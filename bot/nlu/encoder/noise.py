"""What hurried fingers, dictation and chat make of a sentence."""

import random
import re
from collections.abc import Callable

# What sounds or looks alike in Spanish, as people mistype it, and how chats shorten words.
_ALIKE = (("v", "b"), ("b", "v"), ("h", ""), ("z", "s"), ("c", "s"), ("s", "c"), ("ll", "y"), ("y", "ll"), ("qu", "k"))
_SHORT = {"que": "q", "por": "x", "porque": "xq", "también": "tb", "para": "pa", "you": "u", "are": "r", "your": "ur"}
_NEIGHBOURS = {
    letter: row[max(at - 1, 0) : at] + row[at + 1 : at + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for at, letter in enumerate(row)
}


def typed(text: str, chance: random.Random) -> str:
    """`text` as somebody may type it: half of the time as it is. Accents need no noise: nothing reads them."""
    if chance.random() < 0.5:
        return text
    for change, share in ((_dictated, 0.3), (_shortened, 0.25), (_misspelt, 0.35), (_slipped, 0.5), (_slipped, 0.2)):
        if chance.random() < share:
            text = change(text, chance)
    return text


def _dictated(text: str, chance: random.Random) -> str:
    """Without any sign between the words."""
    return re.sub(r"[^\w\s']+", " ", text).strip() or text


def _shortened(text: str, chance: random.Random) -> str:
    return " ".join(_SHORT.get(word.casefold(), word) for word in text.split(" "))


def _misspelt(text: str, chance: random.Random) -> str:
    """One sound written as another that is like it."""
    possible = [(sound, other) for sound, other in _ALIKE if sound in text]
    if not possible:
        return text
    sound, other = chance.choice(possible)
    return re.sub(re.escape(sound), other, text, count=1)


def _slipped(text: str, chance: random.Random) -> str:
    """A letter lost, doubled, swapped with the next or hit beside, somewhere."""
    if len(text) < 8:
        return text
    at = chance.randrange(1, len(text) - 2)
    letter = text[at]
    slips: tuple[Callable[[], str], ...] = (
        lambda: "",
        lambda: letter * 2,
        lambda: text[at + 1] + letter,
        lambda: chance.choice(_NEIGHBOURS.get(letter) or letter),
    )
    which = chance.randrange(len(slips))
    return text[:at] + slips[which]() + text[at + (2 if which == 2 else 1) :]
