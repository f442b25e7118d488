"""Changing the language of the conversation."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

OTHER = {"en": "es", "es": "en"}


class ChangeLanguage(Action):
    """Switches to the language that was named; to the other one when none was."""

    def name(self) -> str:
        return "action_change_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        current = (tracker.latest_message.get("metadata") or {}).get("language", "es")
        named = list(tracker.get_latest_entity_values("language"))
        if named and not set(named) & OTHER.keys():
            dispatcher.utter_message(response="language_only_two")
            return []
        # "I don't speak English, Spanish please": of two named, the one that is not spoken now is the one wanted.
        wanted = OTHER[current] if not named or OTHER[current] in named else current
        dispatcher.utter_message(response="language_changed")
        return [SlotSet("language", wanted)]
