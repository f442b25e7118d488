"""Is the likeliest topic likely enough to answer? If not, the dialogue asks, or says so. Danger wins a close call."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message

UNSURE = "nlu_fallback"  # Rasa's own name for "no topic is likely enough"
STRANGE = "out_of_scope"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Doubt(GraphComponent, IntentClassifier):
    """Puts "unsure" in the first place unless a topic is likely, clearly ahead, and the message is no stranger.

    Before that, a topic of danger that is likely enough comes first, whatever is likelier.

    Rasa's FallbackClassifier looks at the first two only. Much that is out of scope resembles some topic, but nearly
    all of it also leaves some probability for being out of scope: that is asked for, too.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What `config.yml` may set.

        `threshold`: the least probability of an answer. `margin`: the least distance to the next topic. `strange`: the
        highest probability of being out of scope that an answer may leave. `lost`: from this share of the likeliest
        topic's probability on, being out of scope makes "I don't know" of "did you mean". `danger`: the probability
        from which a topic that begins like one of `dangers` is taken for what it is about.
        """
        return {
            "threshold": 0.3,
            "margin": 0.1,
            "strange": 0.012,
            "lost": 0.15,
            "danger": 0.1,
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
            danger = next((each for each in ranking if self._is_danger(each)), None)
            if danger:
                _put_first(message, danger, [each for each in ranking if each is not danger])
            elif ranking and self._is_doubtful(ranking):
                unsure = {"name": UNSURE, "confidence": 1.0 - ranking[0]["confidence"], "lost": self._is_lost(ranking)}
                _put_first(message, unsure, ranking)
        return messages

    def _is_danger(self, candidate: dict[str, Any]) -> bool:
        return candidate["name"].startswith(tuple(self._config["dangers"])) and (
            candidate["confidence"] >= self._config["danger"]
        )

    def _is_doubtful(self, ranking: list[dict[str, Any]]) -> bool:
        first, second = ranking[0]["confidence"], ranking[1]["confidence"] if len(ranking) > 1 else 0.0
        if ranking[0]["name"] == STRANGE:
            return False  # told as such
        return (
            first < self._config["threshold"]
            or first - second < self._config["margin"]
            or _strangeness(ranking) > self._config["strange"]
        )

    def _is_lost(self, ranking: list[dict[str, Any]]) -> bool:
        return bool(_strangeness(ranking) > self._config["lost"] * ranking[0]["confidence"])


def _strangeness(ranking: list[dict[str, Any]]) -> float:
    """The probability of being out of scope; none where that is not among the likeliest."""
    return next((float(each["confidence"]) for each in ranking if each["name"] == STRANGE), 0.0)


def _put_first(message: Message, first: dict[str, Any], others: list[dict[str, Any]]) -> None:
    message.set(INTENT, first, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [first, *others], add_to_output=True)
