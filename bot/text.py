"""Text as it is compared: what people leave out when they type does not count."""

import unicodedata


def bare(text: str) -> str:
    """`text` in lower case and without accents: "Información" and "informacion" are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
