"""Splits a message into words with spaCy, by the rules of its language."""

from functools import cache
from typing import Any

import spacy
import spacy.language
import spacy.tokens
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import METADATA
from rasa.shared.nlu.training_data.message import Message

from bot.messages import Language
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

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The words of the message, in the language that its metadata names."""
        words = _words(message.get(attribute) or "", language_of(message))
        return [Token(word.text, word.idx, lemma=_bare(word)) for word in words]


def bare_words(text: str, language: Language) -> list[str]:
    """The words of `text` as the lemmas of its tokens would be."""
    return [_bare(word) for word in _words(text, language)]


def language_of(message: Message) -> Language:
    """The language that a message is marked with: by the conversation, or by its training file."""
    metadata = message.get(METADATA) or {}
    marked = metadata.get("language") or (metadata.get("intent") or {}).get("language")
    return "es" if marked == "es" else "en"


def english_of(message: Message) -> str | None:
    """The English that a training file keeps beside a Spanish message."""
    return ((message.get(METADATA) or {}).get("example") or {}).get("en")


def _words(text: str, language: Language) -> list[spacy.tokens.Token]:
    return [word for word in _spacy(language)(text) if not word.is_space]


def _bare(word: spacy.tokens.Token) -> str:
    return bare(word.norm_ or word.text)


@cache
def _spacy(language: Language) -> spacy.language.Language:
    return spacy.blank(language)
