"""Splits a message into words with spaCy, by the rules of its language."""

from typing import Any

import spacy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import METADATA
from rasa.shared.nlu.training_data.message import Message

from bot.messages import LANGUAGES, Language
from bot.text import bare


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BilingualTokenizer(Tokenizer):
    """spaCy's own tokenizers for English ("can't" is two words) and Spanish; nothing to download.

    A token's lemma is its bare form: lower case, no accents, so that "información" and "informacion" are one word.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What Rasa's tokenizers must have; topics are never split into parts."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._spacy = {language: spacy.blank(language) for language in LANGUAGES}

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The words of the message, in the language that its metadata names."""
        document = self._spacy[language_of(message)](message.get(attribute) or "")
        return [
            Token(token.text, token.idx, lemma=bare(token.norm_ or token.text))
            for token in document
            if not token.is_space
        ]


def language_of(message: Message) -> Language:
    """The language that a message is marked with: by the conversation, or by its training file."""
    metadata = message.get(METADATA) or {}
    marked = metadata.get("language") or (metadata.get("intent") or {}).get("language")
    return "es" if marked == "es" else "en"
