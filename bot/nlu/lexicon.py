"""The field's words in both languages: what a message names, however it names it. They lie in nlu_data/lexicon.yml."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from bot.errors import ContentError

GOES_ON = "for|to|of|por|a|de"  # behind a courtesy these are part of it: "thanks for everything"
FEWEST_LEFT = 2  # words of a question: one alone tells too little to leave the rest away


class Lexicon:
    """Tells which things a message names ("vejiga", "bladder" and "pee" are one), and what is only courtesy in it."""

    def __init__(self, concepts: dict[str, str], courtesies: Sequence[str] = ()) -> None:
        """What it knows.

        Args:
            concepts: The words for each thing, with spaces between; `breath*` is any word that begins so.
            courtesies: Words in order, `a|b` being either.
        """
        self._courtesies = tuple(courtesies)
        longest_first = sorted(self._courtesies, key=lambda phrase: -len(phrase.split()))
        phrases = "|".join(" ".join(f"(?:{word})" for word in phrase.split()) for phrase in longest_first)
        begins = rf"^(?:(?:{phrases}|[^\w\s¿]+) (?!(?:{GOES_ON}) ))+"
        ends = rf"(?: (?:{phrases}|[^\w\s?]+))+$"
        self._around = re.compile(rf"{begins}|{ends}") if phrases else None
        self._words: dict[str, list[str]] = {}
        self._beginnings: list[tuple[str, str]] = []
        for concept, words in concepts.items():
            for word in words.split():
                if word.endswith("*"):
                    self._beginnings.append((word[:-1], concept))
                else:
                    self._words.setdefault(word, []).append(concept)
        self._of = lru_cache(maxsize=20_000)(self._look_up)

    def __reduce__(self) -> tuple[object, ...]:
        """Kept in the model as its words; the cache is not."""
        words = {
            concept: " ".join(w for w, several in self._words.items() if concept in several) for concept in self.all
        }
        for beginning, concept in self._beginnings:
            words[concept] = f"{words[concept]} {beginning}*"
        return Lexicon, (words, self._courtesies)

    @property
    def all(self) -> list[str]:
        """Every thing that has a word, in the order of the file."""
        named = [concept for several in self._words.values() for concept in several]
        return list(dict.fromkeys([*named, *(concept for _, concept in self._beginnings)]))

    def of(self, words: Iterable[str]) -> list[str]:
        """The things that `words`, bare ones, name; each once."""
        return list(dict.fromkeys(concept for word in words for concept in self._of(word)))

    def asked(self, words: Sequence[str]) -> Sequence[str]:
        """`words` without the courtesies around them; as they are where hardly a word would be left."""
        left = self._around.sub("", " ".join(words)).split() if self._around else words
        return left if len(left) >= FEWEST_LEFT else words

    def _look_up(self, word: str) -> tuple[str, ...]:
        begun = (concept for beginning, concept in self._beginnings if word.startswith(beginning))
        return (*self._words.get(word, ()), *begun)


def read_lexicon(file: Path) -> Lexicon:
    """The lexicon in `file`.

    Raises:
        ContentError: It cannot be read, or holds something else.
    """
    try:
        parsed = yaml.safe_load(file.read_text(encoding="utf-8"))
        concepts = {str(concept): str(words) for concept, words in parsed["concepts"].items()}
        return Lexicon(concepts, [str(phrase) for phrase in parsed.get("courtesies") or ()])
    except (OSError, UnicodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ContentError([f"nlu_data/{file.name}: must hold 'concepts' with words for each ({reason})"]) from error
