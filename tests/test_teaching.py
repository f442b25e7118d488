"""Adding a training message where it belongs."""

import shutil
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.messages import Language
from bot.nlu.examples import read_examples
from bot.settings import Settings
from bot.teaching import add_example


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().nlu_folder, tmp_path / "nlu_data"))


@pytest.mark.parametrize(
    ("topic", "language", "text", "english"),
    [
        ("cost", "en", 'what is the "damage" for all this', None),
        ("cost", "es", "¿cuánto me sale el chistecito?", "how much does the little joke cost me?"),
        ("out_of_scope", "es", "una 'prueba' con\\barra", "a test with a backslash"),  # the last of its file
    ],
)
def test_a_message_is_added_and_nothing_else_changes(
    folder: Path, topic: str, language: Language, text: str, english: str | None
) -> None:
    before = read_examples(folder)
    file = add_example(folder, topic, language, text, english)
    after = read_examples(folder)
    added = list(set(after) - set(before))
    assert [(e.topic, e.language, e.text, e.translation) for e in added] == [(topic, language, text, english)]
    assert len(after) == len(before) + 1
    assert file.parent == folder / language


@pytest.mark.parametrize(
    ("topic", "language", "english", "problem"),
    [("cost", "es", None, "needs its English"), ("price", "en", None, "no file holds messages about 'price'")],
)
def test_what_cannot_be_added_is_told(
    folder: Path, topic: str, language: Language, english: str | None, problem: str
) -> None:
    with pytest.raises(ContentError, match=problem):
        add_example(folder, topic, language, "a message", english)
