"""What to do when the message was not understood: offer what it may have meant, or admit it."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

MOST_CHOICES = 3
LIKELY_ENOUGH = 0.03  # a choice less likely than this would only confuse
OFFERED = ("answer", "clinic", "action")


class Unsure(Action):
    """Asks "did you mean", at most three choices; says "I don't know" when nothing is likely, or the second time.

    Who says so has the choices as well, in case one is right after all.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """`kinds`: the kind of each topic in the catalogue."""
        self._kinds = kinds

    def name(self) -> str:
        return "action_unsure"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        ranking = {each["name"]: each["confidence"] for each in tracker.latest_message.get("intent_ranking") or ()}
        likely = [t for t, p in ranking.items() if self._kinds.get(t) in OFFERED and p >= LIKELY_ENOUGH][:MOST_CHOICES]
        lost = tracker.latest_message.get("intent", {}).get("lost", False)
        before = float(tracker.get_slot("unsure") or 0)
        if before >= 1:
            dispatcher.utter_message(response="fallback_again", choices=likely)
        elif not likely:
            dispatcher.utter_message(response="fallback")
        else:
            dispatcher.utter_message(response="fallback_perhaps" if lost else "clarify", choices=likely)
        return [SlotSet("unsure", before + 1)]
