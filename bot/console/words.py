"""What the staff's pages say, in both languages: `words/PAGE.yml`, each entry `{en: ..., es: ...}`."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.errors import ContentError
from bot.messages import LANGUAGES, Language

FOLDER = Path(__file__).parent / "words"


class Words:
    """The words of all pages: `title` of `inbox.yml` is "inbox.title"."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Reads them.

        Raises:
            ContentError: An entry lacks a language.
        """
        self._words: dict[str, Mapping[str, str]] = {}
        for file in sorted(folder.glob("*.yml")):
            for key, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                self._words[f"{file.stem}.{key}"] = entry
        wrong = [key for key, entry in self._words.items() if not _is_whole(entry)]
        if wrong:
            raise ContentError([f"console/words: {key} needs 'en' and 'es', and nothing else" for key in wrong])

    def __contains__(self, key: object) -> bool:
        return key in self._words

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._words)

    def of(self, key: str, language: Language, **values: object) -> str:
        """The words, with values in their places."""
        return self._words[key][language].format(**values)


def _is_whole(entry: object) -> bool:
    return isinstance(entry, dict) and set(entry) == set(LANGUAGES) and all(isinstance(v, str) for v in entry.values())
