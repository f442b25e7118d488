"""Fixed wording: greetings, the honest "I don't know", emergency guidance. Nothing here is written in Python."""

from collections.abc import Sequence

from bot.content import Content, revision_of
from bot.messages import Language, Reply


class Phrases:
    """The phrases and the emergency guidance of the content folder."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def __contains__(self, key: str) -> bool:
        return key in self._content.phrases

    def text(self, key: str, language: Language) -> str:
        return self._content.phrases[key].of(language)

    def title(self, topic: str, language: Language) -> str:
        """The topic as a person would ask for it."""
        return self._content.topics[topic].title.of(language)

    def reply(self, key: str, language: Language, *, choices: Sequence[str] = ()) -> Reply:
        """The phrase as a reply; `choices` are topics to offer above the phrase's own buttons."""
        phrase = self._content.phrases[key]
        keys = dict.fromkeys([*choices, *phrase.buttons])  # each once
        buttons = tuple(self._content.button(each, language) for each in keys)
        return Reply(text=phrase.of(language), buttons=buttons, revision=revision_of(key, phrase))
