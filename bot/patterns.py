"""The pattern language of the content folder, in which staff describe words to look for.

A pattern is words in order: `a|b` is either word, `breath*` is any word that begins so. Case, accents and apostrophes
do not count, so "can't", "cant" and "CAN´T" are one word. A loose pattern lets up to three other words stand between
two of its own (up to fifteen where it has `..`), never the end of a sentence. A strict one has its words side by side,
or up to three apart where it has `..`.
"""

import re
from collections.abc import Iterable

from bot.text import bare

# What may stand between two words of a pattern, and where it has `..`. Commas are words of their own: a loose pattern
# may span one, a strict one may not.
_LOOSE = (r"(?: [a-z0-9,]+){0,3} ", r"(?: [a-z0-9,]+){0,15} ")
_STRICT = (" ", r"(?: [a-z0-9]+){0,3} ")
_NOTHING = re.compile(r"(?!)")


def loose(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression that finds any of `patterns`, as signs of danger are looked for."""
    return _compile(patterns, *_LOOSE)


def strict(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression that finds any of `patterns`, as contexts that take a sign back are looked for."""
    return _compile(patterns, *_STRICT)


def sentences(text: str) -> list[str]:
    """Bare lower-case words and commas of each sentence, with a space at both ends; twice where letters repeat."""
    plain = bare(re.sub(r"['’‘´`]", "", text))
    once, twice = (re.sub(r"([a-z])\1{2,}", again, plain) for again in (r"\1", r"\1\1"))  # "heeelp", "ahogooo"
    variants = [once] if once == twice else [once, twice]
    parts = (part for variant in variants for part in re.split(r"[.!?;\n¡¿]+", variant))
    return [f" {' '.join(re.findall('[a-z0-9]+|,', part))} " for part in parts]


def _compile(patterns: Iterable[str], gap: str, wide_gap: str) -> re.Pattern[str]:
    expressions = [_expression(pattern, gap, wide_gap) for pattern in patterns]
    return re.compile("|".join(expressions)) if expressions else _NOTHING


def _expression(pattern: str, gap: str, wide_gap: str) -> str:
    parts = re.sub(r"['’]", "", bare(pattern)).split(" .. ")
    return " " + wide_gap.join(gap.join(_word(word) for word in part.split()) for part in parts) + " "


def _word(word: str) -> str:
    options = (re.escape(option).replace(r"\*", "[a-z0-9]*") for option in word.split("|"))
    return f"(?:{'|'.join(options)})"
