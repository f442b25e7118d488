"""Is the likeliest topic likely enough to answer? If not, the dialogue asks, or says so. Danger wins a close call."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.tokenizer import language_of

UNSURE = "nlu_fallback"  # Rasa's own name for "no topic is likely enough"
STRANGE = "out_of_scope"
LIKELIER_THAN_NOT = 0.5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Doubt(GraphComponent, IntentClassifier):
    """Puts "unsure" in the first place unless a topic is likely, clearly ahead, and the message is no stranger.

    Before that, danger that is likely enough comes first, whatever is likelier.

    Rasa's FallbackClassifier looks at the first two only. Much that is out of scope resembles some topic, but nearly
    all of it also leaves some probability for being out of scope: that is asked for, too.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `threshold`: the least probability of an answer. `margin`: the least distance to the next topic. `strange`: an
        answer must leave being out of scope less than this share of its own probability. `lost`: from this share on,
        "I don't know" takes the place of "did you mean". `harmless`: topics that need not be told from what is out of
        scope, once they are likelier than not. `danger`: the probability of danger, all topics together that begin
        like one of `dangers`, from which the likeliest of them is taken for what the message is about: one number, or
        one for each language.
        """
        return {
            "threshold": 0.3,
            "margin": 0.1,
            "strange": 0.02,
            "lost": 0.15,
            "harmless": ["greet", "goodbye", "thanks", "affirm", "deny"],
            "danger": 0.12,
            "dangers": ["emergency_", "crisis_"],
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Doubt":
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the intent to "unsure" where there is doubt."""
        for message in messages:
            ranking = message.get(INTENT_RANKING_KEY) or []
            dangers = [each for each in ranking if each["name"].startswith(tuple(self._config["dangers"]))]
            if dangers and sum(each["confidence"] for each in dangers) >= self._least_danger(message):
                danger = dangers[0]
                _put_first(message, danger, [each for each in ranking if each is not danger])
            elif ranking and self._is_doubtful(ranking):
                unsure = {"name": UNSURE, "confidence": 1.0 - ranking[0]["confidence"], "lost": self._is_lost(ranking)}
                _put_first(message, unsure, ranking)
        return messages

    def _least_danger(self, message: Message) -> float:
        least: float | dict[str, float] = self._config["danger"]
        return least[language_of(message)] if isinstance(least, dict) else least

    def _is_doubtful(self, ranking: list[dict[str, Any]]) -> bool:
        first, second = ranking[0]["confidence"], ranking[1]["confidence"] if len(ranking) > 1 else 0.0
        if ranking[0]["name"] == STRANGE:
            return bool(second >= self._config["margin"])  # told as such, unless it may be something else
        return (
            first < self._config["threshold"]
            or first - second < self._config["margin"]
            or (_strangeness(ranking) > self._config["strange"] and not self._is_harmless(ranking[0]))
        )

    def _is_harmless(self, likeliest: dict[str, Any]) -> bool:
        return likeliest["name"] in self._config["harmless"] and likeliest["confidence"] > LIKELIER_THAN_NOT

    def _is_lost(self, ranking: list[dict[str, Any]]) -> bool:
        return _strangeness(ranking) > self._config["lost"]


def _strangeness(ranking: list[dict[str, Any]]) -> float:
    """The probability of being out of scope, as a share of the likeliest topic's; nothing where it is no candidate."""
    strange = next((float(each["confidence"]) for each in ranking if each["name"] == STRANGE), 0.0)
    return strange / float(ranking[0]["confidence"])


def _put_first(message: Message, first: dict[str, Any], others: list[dict[str, Any]]) -> None:
    message.set(INTENT, first, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [first, *others], add_to_output=True)
