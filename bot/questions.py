"""Finds the questions in a message: "how much is it and does it hurt?" holds two, a long story often one at its end."""

import re

from bot.text import bare, shortened

# Words that begin a question in either language, where no question mark tells it.
# fmt: off
_ALWAYS = (
    "how", "what", "whats", "why",
    "cuanto", "cuanta", "cuantos", "cuantas", "por que", "donde", "cual", "cuales", "duele", "sirve", "funciona",
)
# Words that behind a comma only tell more ("my brother, who ..."), and ask elsewhere.
_ASKING = (*_ALWAYS, "where", "when", "which", "que", "cuando", "quien", "quienes", "como", "se puede")
# Words that also begin what is only told ("and is ready to fly", "y tiene 20 años"): in English they ask when a subject
# follows, otherwise they do in a sentence that has a question mark.
_PERHAPS = (
    "who", "does", "do", "is", "are", "can", "could", "will", "would", "should", "did", "has",
    "puedo", "puede", "pueden", "tiene", "tienen", "hay", "es", "necesito", "debo",
)
_SUBJECTS = (
    "i", "you", "he", "she", "it", "we", "they", "there", "this", "that", "these", "the", "a", "an", "my", "your",
    "his", "her", "our", "their", "any", "anyone", "anybody", "someone", "somebody", "people",
)
# fmt: on
_SURELY = rf"(?:{'|'.join(_ASKING)})\b|(?:{'|'.join(_PERHAPS[:12])}) (?:{'|'.join(_SUBJECTS)})\b"
_MAYBE = rf"{_SURELY}|(?:{'|'.join(_PERHAPS)})\b"
_BEGINS = re.compile(rf"^(?:{_SURELY})")
_ENDS = re.compile(r"(?<=[.?!;\n])\s+|\n+|(?=¿)")
# "... and how ...", "..., y dónde ...": a second question in the same sentence.
_AND = r"\s*,?\s*\b(?:and|also|plus|y|e|tambien|ademas)\b[\s,]+(?:also |and |y |tambien )?"
_JOINS = re.compile(rf"{_AND}(?=¿?(?:{_SURELY}))|\s*,\s*(?=(?:{'|'.join(_ALWAYS)})\b)")
_JOINS_IN_A_QUESTION = re.compile(rf"(?:{_AND}|\s*,\s*)(?=¿?(?:{_MAYBE}))")


def questions_in(text: str) -> list[str]:
    """The questions of `text`, in order; none where nothing tells that it asks."""
    sentences = [part for part in _ENDS.split(shortened(text)) if part.strip(" ¿?¡!.,;")]
    return [part for sentence in sentences for part in _parts(sentence) if _asks(part)]


def _parts(sentence: str) -> list[str]:
    """The sentence, cut where another question begins in it."""
    plain = bare(sentence)
    if len(plain) != len(sentence):  # a letter that is two when bare: places would not fit
        return [sentence]
    joins = _JOINS_IN_A_QUESTION if "?" in sentence or "¿" in sentence else _JOINS
    cuts = [(found.start(), found.end()) for found in joins.finditer(plain)]
    begins = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(sentence)]
    return [sentence[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]


def _asks(part: str) -> bool:
    words = bare(part).strip(" ¿?¡!.,;")
    return bool(words) and ("?" in part or "¿" in part or bool(_BEGINS.match(words)))
