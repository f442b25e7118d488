"""When the assistant answers, asks, or says that it does not know."""

from typing import Any

import pytest
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, METADATA
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.doubt import UNSURE, Doubt

CONFIG = {
    **Doubt.get_default_config(),
    "threshold": 0.3,
    "margin": 0.1,
    "strange": 0.02,
    "lost": 0.2,
    "danger": 0.1,
    "close": 0.3,
}


def decided(**likely: float) -> dict[str, Any]:
    ranking = [{"name": topic, "confidence": p} for topic, p in likely.items()]
    message = Message(data={INTENT: ranking[0], INTENT_RANKING_KEY: ranking})
    Doubt(CONFIG).process([message])
    intent: dict[str, Any] = message.get(INTENT)
    return intent


@pytest.mark.parametrize(
    ("likely", "topic"),
    [
        ({"cost": 0.31, "hours": 0.2}, "cost"),
        ({"cost": 0.29, "hours": 0.1}, UNSURE),  # not likely
        ({"cost": 0.35, "hours": 0.26}, UNSURE),  # not ahead
        ({"cost": 0.8, "out_of_scope": 0.01}, "cost"),
        ({"cost": 0.8, "out_of_scope": 0.02}, UNSURE),  # a stranger, perhaps
        ({"thanks": 0.8, "out_of_scope": 0.1}, "thanks"),  # "you are welcome" harms nobody
        ({"thanks": 0.4, "out_of_scope": 0.1}, UNSURE),
        ({"out_of_scope": 0.9, "cost": 0.05}, "out_of_scope"),
        ({"out_of_scope": 0.6, "cost": 0.2}, UNSURE),
        ({"cost": 0.4, "crisis_suicide": 0.13}, "crisis_suicide"),
        ({"cost": 0.85, "crisis_suicide": 0.06, "emergency_other": 0.05}, "crisis_suicide"),  # together likely enough
        ({"cost": 0.2, "emergency_other": 0.09}, UNSURE),
        ({"out_of_scope": 0.3, "cost": 0.2, "emergency_other": 0.11}, "emergency_other"),
    ],
)
def test_what_is_decided(likely: dict[str, float], topic: str) -> None:
    assert decided(**likely)["name"] == topic


@pytest.mark.parametrize(
    ("likely", "lost"),
    [
        ({"cost": 0.25, "hours": 0.2, "out_of_scope": 0.04}, False),
        ({"cost": 0.25, "hours": 0.2, "out_of_scope": 0.06}, True),
        ({"out_of_scope": 0.5, "cost": 0.3}, True),
        ({"cost": 0.2, "hours": 0.15}, False),
    ],
)
def test_when_it_does_not_know(likely: dict[str, float], lost: bool) -> None:
    assert decided(**likely)["lost"] is lost


@pytest.mark.parametrize(
    ("language", "topic"), [("en", "emergency_breathing"), ("es", "cost"), (None, "emergency_breathing")]
)
def test_each_language_may_have_its_own_least_danger(language: str | None, topic: str) -> None:
    ranking = [{"name": name, "confidence": p} for name, p in (("cost", 0.8), ("emergency_breathing", 0.1))]
    metadata = {METADATA: {"language": language}} if language else {}
    message = Message(data={INTENT: ranking[0], INTENT_RANKING_KEY: ranking, **metadata})
    Doubt({**CONFIG, "dangers": ["emergency_"], "danger": {"en": 0.09, "es": 0.11}}).process([message])
    assert message.get(INTENT)["name"] == topic
