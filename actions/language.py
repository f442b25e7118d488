"""Changing the language of the conversation."""

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

OTHER = {"en": "es", "es": "en"}
NOT = re.compile(r"\b(no|not|don'?t|can'?t|cannot|ni)\b", re.IGNORECASE)


class ChangeLanguage(Action):
    """Switches to the language that was named; to the other one when none was."""

    def name(self) -> str:
        return "action_change_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        before = (tracker.latest_message.get("metadata") or {}).get("before", "es")
        named = set(tracker.get_latest_entity_values("language"))
        if named and not named & OTHER.keys():
            dispatcher.utter_message(response="language_only_two")
            return []
        dispatcher.utter_message(response="language_changed")
        return [SlotSet("language", _wanted(before, named, str(tracker.latest_message.get("text"))))]


def _wanted(before: str, named: set[str], text: str) -> str:
    """The language to go on in. Of two named ("no English, Spanish please") it is the one not spoken so far."""
    if not named or OTHER[before] in named:
        return OTHER[before]
    return OTHER[before] if NOT.search(text) else before  # "I don't speak English" names only what is not wanted
