"""Hands what a message tells of the injury to the dialogue, as entities; slots remember them."""

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.injury import Injury, injury_in, is_not_known
from bot.questions import questions_in
from bot.text import bare

# The entity for each thing known; a slot of the same name remembers it.
ENTITY_OF = {
    "level": "injury_level",
    "completeness": "completeness",
    "days": "injury_days",
    "age": "age",
    "cause": "cause",
    "illness": "illness",
    "whom": "for_whom",
    "country": "country",
}
_OF_THE_PERSON = frozenset({"whom", "country"})  # of no use to the comparison
# "34", "tiene 34", "34 years old"; not "5 years" nor "hace 5 años", which may be the time since the injury.
_AGE_ALONE = re.compile(r"(?:(?:i am|im|i'm|he is|he's|she is|she's|tengo|tiene|age|edad) )?\d{1,3}(?: years old)?\W*")
_FIELD_ASKED = {"time": "days"}  # where a feature of the comparison has another name than what is known of it


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class InjuryExtractor(GraphComponent, EntityExtractorMixin):
    """Adds an entity for each thing that the message tells.

    When the assistant has just asked for one of them ("how long ago?") and a short message tells it, or says that it
    is not known, the message goes on with the comparison, whatever its words look like to the classifier. So does one
    that tells something else of the injury right after a comparison ("no, it is C6"), unless it is clearly about
    another topic.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `topic`: what a reply to a question of ours is about. `most_words`: of a message that can be such a reply.
        `clear`: from this confidence on, another topic is what the message is about, unless it is a mere statement of
        `brief` words at most.
        """
        return {"topic": "eligibility", "most_words": 12, "clear": 0.5, "brief": 4}

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "InjuryExtractor":
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities, and the topic where the message replies to a question of ours."""
        for message in messages:
            text = message.get(TEXT) or ""
            metadata = message.get(METADATA) or {}
            asked = _asked(metadata, text)
            found = injury_in(text, asked=asked)
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), *_entities(found, text)], add_to_output=True)
            if len(text.split()) <= self._config["most_words"] and (
                (asked and "?" not in text and _replies(text, asked, found))
                or (metadata.get("comparing") and _tells_injury(found) and not self._is_clear(message))
            ):
                self._go_on(message)
        return messages

    def _is_clear(self, message: Message) -> bool:
        text = message.get(TEXT) or ""
        if len(text.split()) <= self._config["brief"] and not questions_in(text):
            return False  # "actually incomplete" corrects what was told, and asks for nothing
        return float((message.get(INTENT) or {}).get("confidence", 0.0)) >= self._config["clear"]

    def _go_on(self, message: Message) -> None:
        topic = {"name": self._config["topic"], "confidence": 1.0}
        others = [each for each in message.get(INTENT_RANKING_KEY) or [] if each["name"] != topic["name"]]
        ranking = [topic, *({**each, "confidence": 0.0} for each in others)]
        message.set(INTENT, topic, add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)


def _asked(metadata: dict[str, Any], text: str) -> str | None:
    """The feature that a message may reply to: the last one asked for; a bare number is the age, if that ever was."""
    asked: str | None = metadata.get("asked")
    before = metadata.get("asked_before") or ()
    return "age" if asked != "time" and "age" in before and _AGE_ALONE.fullmatch(bare(text)) else asked


def _replies(text: str, asked: str, found: Injury) -> bool:
    return getattr(found, _FIELD_ASKED.get(asked, asked)) is not None or is_not_known(text)


def _tells_injury(found: Injury) -> bool:
    return any(value is not None for name, value in vars(found).items() if name not in _OF_THE_PERSON)


def _entities(found: Injury, text: str) -> list[dict[str, Any]]:
    known = {ENTITY_OF[name]: value for name, value in vars(found).items() if value is not None}
    return [
        {"entity": entity, "value": value, "start": 0, "end": len(text), "extractor": "InjuryExtractor"}
        for entity, value in known.items()
    ]
