"""Comparing the person with those who took part in the study, as far as they have told of themselves."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.eligibility import SLOTS, TOPIC, missing


class CompareWithStudy(Action):
    """Compares what is known, and asks for one thing more, for nothing twice. Going on, it shows only what is new."""

    def name(self) -> str:
        return "action_compare_with_study"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        asked = list(tracker.get_slot("asked") or [])
        feature = missing(tracker.current_slot_values(), asked)
        told = [name for name, slot in SLOTS.items() if next(tracker.get_latest_entity_values(slot), None) is not None]
        goes_on = bool(asked) and tracker.get_slot("last_topic") == TOPIC and feature is not None
        if goes_on and not told:
            dispatcher.utter_message(response=TOPIC, part="ask", ask=feature)
        else:
            dispatcher.utter_message(response=TOPIC, part="compare", ask=feature, only=told if goes_on else [])
        return [
            SlotSet("asked", [*asked, feature] if feature else asked),
            SlotSet("pending", feature),
            SlotSet("last_topic", TOPIC),
            SlotSet("unsure", 0.0),
        ]
