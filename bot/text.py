"""Text as it is compared: what people leave out when they type does not count."""

import re
import unicodedata

_BLANKS = re.compile(r"[^\S\n]+")
_SIGNS = re.compile(r"[^\w\s]{7,}")


def bare(text: str) -> str:
    """`text` in lower case and without accents: "Información" and "informacion" are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def shortened(text: str) -> str:
    """`text` without what says nothing and takes long to read: runs of blanks, and of signs and pictures."""
    return _SIGNS.sub(lambda found: found[0][:6], _BLANKS.sub(" ", text))
