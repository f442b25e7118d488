"""Finds the questions in a message: "how much is it and does it hurt?" holds two, a long story often one at its end."""

import re

from bot.text import bare

# Words that begin a question in either language, where no question mark tells it.
# fmt: off
_BEGINNINGS = (
    "how", "what", "whats", "where", "when", "who", "which", "why", "does", "do", "is", "are", "can", "could", "will",
    "would", "should", "did", "has",
    "cuanto", "cuanta", "cuantos", "cuantas", "que", "donde", "cuando", "quien", "quienes", "cual", "cuales", "como",
    "por que", "duele", "sirve", "funciona", "puedo", "puede", "pueden", "tiene", "tienen", "hay", "es", "se puede",
    "necesito", "debo",
)
# fmt: on
_BEGINS = re.compile(rf"^(?:{'|'.join(_BEGINNINGS)})\b")
_ENDS = re.compile(r"(?<=[.?!;\n])\s+|\n+|(?=¿)")
# "... and how ...", "..., y dónde ...": a second question in the same sentence.
_JOINS = re.compile(
    r"\s*(?:,|\b(?:and|also|plus|y|e|tambien|ademas)\b)[\s,]+(?:also |and |y |tambien )?"
    rf"(?=¿?(?:{'|'.join(_BEGINNINGS)})\b)"
)


def questions_in(text: str) -> list[str]:
    """The questions of `text`, in order; none where nothing tells that it asks."""
    sentences = [part for part in _ENDS.split(text) if part.strip(" ¿?¡!.,;")]
    return [part for sentence in sentences for part in _parts(sentence) if _asks(part)]


def _parts(sentence: str) -> list[str]:
    """The sentence, cut where another question begins in it."""
    plain = bare(sentence)
    if len(plain) != len(sentence):  # a letter that is two when bare: places would not fit
        return [sentence]
    cuts = [(found.start(), found.end()) for found in _JOINS.finditer(plain)]
    begins = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(sentence)]
    return [sentence[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]


def _asks(part: str) -> bool:
    words = bare(part).strip(" ¿?¡!.,;")
    return bool(words) and ("?" in part or "¿" in part or bool(_BEGINS.match(words)))
