"""Saying what a topic calls for."""

from collections.abc import Container
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

Events = list[dict[str, Any]]


def topic_of(tracker: Tracker) -> str:
    """The topic that the last message was taken to be about."""
    return str(tracker.latest_message["intent"]["name"])


def entity(tracker: Tracker, kind: str) -> str | None:
    """The first entity of a kind in the last message."""
    return next(tracker.get_latest_entity_values(kind), None)


class SayTopic(Action):
    """Answers a question, returns a greeting, gives guidance: whatever the content folder holds for the topic."""

    def __init__(self, answered: Container[str]) -> None:
        self._answered = answered

    def name(self) -> str:
        return "action_say_topic"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        topic = topic_of(tracker)
        dispatcher.utter_message(response=topic)
        remembered = [SlotSet("last_topic", topic)] if topic in self._answered else []
        return [*remembered, SlotSet("unsure", 0.0)]


class MoreDetail(Action):
    """Goes on with the last answer, or with the one whose "more" button was pressed."""

    def __init__(self, answered: Container[str]) -> None:
        self._answered = answered

    def name(self) -> str:
        return "action_more_detail"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return _about_last(dispatcher, tracker, self._answered, part="more", otherwise="more_which")


class ShowSource(Action):
    """Tells where the last answer comes from."""

    def __init__(self, answered: Container[str]) -> None:
        self._answered = answered

    def name(self) -> str:
        return "action_show_source"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return _about_last(dispatcher, tracker, self._answered, part="sources", otherwise="source_which")


def _about_last(
    dispatcher: CollectingDispatcher, tracker: Tracker, answered: Container[str], *, part: str, otherwise: str
) -> Events:
    topic = entity(tracker, "topic") or tracker.get_slot("last_topic")
    if topic not in answered:
        dispatcher.utter_message(response=otherwise)
        return []
    dispatcher.utter_message(response=topic, part=part)
    return [SlotSet("last_topic", topic), SlotSet("unsure", 0.0)]
