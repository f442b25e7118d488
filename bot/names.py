"""Names, as people answer "what is your name?": which words are one, and when words of danger are."""

import re

from bot.questions import questions_in
from bot.text import bare

LONGEST = 80  # letters
MOST_WORDS = 12
_LEAD_IN = re.compile(
    r"^(?:hola,? |hi,? |hello,? |no,? )?(?:yo )?"
    r"(?:me llamo|mi nombre es|el nombre es|my name is|the name is|my name ?s|i am called|call me|i ?am|i[’' ]?m|soy"
    r"|it[’' ]?s|es) +(?:spell?ed |spelt )?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:me llamo|mi nombre es|el nombre es|my name is|the name is)\s+(?:spell?ed |spelt )?(.+)", re.IGNORECASE
)
_PARTICLES = frozenset(["de", "del", "la", "las", "los", "y", "von", "van", "der", "den", "da", "dos", "di", "el", "o"])
# Answers that are no names, whoever gives them.
_NO_NAMES = frozenset(
    "no si yes yeah hola hello hi hey gracias thanks ok okay vale bueno nada nothing none que what who quien "  # noqa: SIM905
    "por porque why help ayuda auxilio emergency emergencia wrong mal atras back".split()
)


def name_in(text: str) -> str:
    """The name in an answer to "your name?"; empty where there is none."""
    name = _LEAD_IN.sub("", " ".join(text.split())).strip(" .,;:!¡¿?")
    words = [bare(word) for word in re.findall(r"\w+", name)]
    if not words or not any(each.isalpha() for each in name) or words[0] in _NO_NAMES:
        return ""
    if re.search(r"[\d@/\\<>{}\[\]]", name) or len(name) > LONGEST or len(words) > MOST_WORDS:
        return ""
    return name


def name_told(text: str) -> str:
    """The name that somebody gives in so many words, anywhere: "no, my name is Eva"; empty where nobody does."""
    found = _NAMED.search(text)
    return name_in(found[1]) if found else ""


class GivenNames:
    """Names that are also words of danger: Socorro, Dolores, Faith."""

    def __init__(self, names: str) -> None:
        """`names`: told apart by spaces, without accents."""
        self._names = frozenset(names.split())

    def looks_like_one(self, text: str) -> bool:
        """Whether words are written as a name: each begins with a capital, joins others, or is a name of danger."""
        name = name_in(text)
        if not name or questions_in(text):
            return False
        words = name.split()
        return all(self._is_name(word) for word in words) and not (len(words) > 1 and name.isupper())

    def holds_danger(self, text: str) -> bool:
        """Whether such a name is all that makes the words sound like danger.

        A lone word in small letters may be a cry for help; with a capital, or after "my name is", it is an answer.
        """
        words = [bare(word) for word in re.findall(r"\w+", name_in(text))]
        alone = len(words) == 1 and name_in(text).islower() and not _LEAD_IN.match(" ".join(text.split()))
        return self.looks_like_one(text) and not self._names.isdisjoint(words) and not alone

    def _is_name(self, word: str) -> bool:
        plain = bare(word.strip(".,-'"))
        return plain in self._names or plain in _PARTICLES or (word[0].isupper() and not plain.isdigit())
