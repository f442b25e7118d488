"""English or Spanish: clear on sentences, steady on short words, obedient to the person's choice."""

import pytest

from bot.app import Parts
from bot.messages import Language, Memory


@pytest.mark.parametrize(
    ("text", "before", "expected"),
    [
        ("how much does the treatment cost", None, "en"),
        ("cuanto cuesta el tratamiento", None, "es"),
        ("hola", None, "es"),
        ("hello", None, "en"),
        ("mi hijo se lesiono hace 3 años y quiero saber si sirve", "en", "es"),
        ("my son was injured three years ago, would it help?", "es", "en"),
        # Short words never change the language of a conversation.
        ("ok", "es", "es"),
        ("ok", "en", "en"),
        ("no", "es", "es"),
        ("no", "en", "en"),
        ("Muse", "es", "es"),
        ("Muse", "en", "en"),
        ("dolor", "en", "en"),
        ("FAQ", "es", "es"),
        ("hola", "en", "en"),
        ("🙏", "es", "es"),
    ],
)
def test_language(trained: Parts, text: str, before: Language | None, expected: Language) -> None:
    assert trained.conversation.languages.of(text, Memory(language=before)) == expected


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("", "en", "en"),
        ("muse", "es", "es"),
        ("👍", "es", "es"),
        ("1", "es", "es"),
        ("hola", "en", "es"),
        ("hello", "es", "en"),
        ("how much does it cost", "es", "en"),
        ("", None, "es"),
    ],
)
def test_of_someone_new_the_page_tells_what_to_expect(
    trained: Parts, text: str, hint: Language | None, expected: Language
) -> None:
    assert trained.conversation.languages.of(text, Memory(), hint) == expected


def test_a_choice_is_never_overruled(trained: Parts) -> None:
    chosen = Memory(language="en", chosen=True)
    assert trained.conversation.languages.of("cuanto cuesta el tratamiento completo", chosen) == "en"
