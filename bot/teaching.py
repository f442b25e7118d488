"""`musebot teach`: one more training message, put where it belongs in the files that people read."""

import json
import re
from pathlib import Path

from bot.errors import ContentError
from bot.messages import Language


def add_example(folder: Path, topic: str, language: Language, text: str, english: str | None) -> Path:
    """Puts `text` behind the other messages of `topic`, in `folder`/en or es; the file that now holds it.

    Args:
        folder: `nlu_data`.
        topic: What the message is about.
        language: Of the message.
        text: As a person typed it.
        english: Its English translation, which every Spanish one carries.

    Raises:
        ContentError: There is no such topic in that language, or a Spanish message comes without its English.
    """
    if language == "es" and not english:
        raise ContentError(['a Spanish message needs its English beside it: --english "..."'])
    for file in sorted((folder / language).glob("*.yml")):
        before = file.read_text(encoding="utf-8")
        block = re.search(rf"(?ms)^- intent: {re.escape(topic)}\n.*?(?=^- intent: |\Z)", before)
        if block:
            file.write_text(
                before[: block.start()] + block[0].rstrip("\n") + "\n" + _lines(text, english) + before[block.end() :],
                encoding="utf-8",
            )
            return file
    raise ContentError([f"nlu_data/{language}: no file holds messages about '{topic}'"])


def _lines(text: str, english: str | None) -> str:
    """The message as the files write it: JSON's quotes are YAML's, too."""
    line = f"  - text: {json.dumps(text, ensure_ascii=False)}\n"
    return line + (f"    metadata: {{en: {json.dumps(english, ensure_ascii=False)}}}\n" if english else "")
