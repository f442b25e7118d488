"""Requests for a call: begun, filled in step by step, changed, cancelled, asked about. `bot.booking` judges."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Events, entity, topic_of
from bot.booking import SURELY_DANGER, TOPIC, BookingForm, Draft, Heard, Line, code_in, draft_as_json, read_draft
from bot.booking_texts import INJURY
from bot.messages import Effect
from bot.store.requests import Request

FORM = "booking_form"
MOST_SHOWN = 3  # requests of one person


class Book(Protocol):
    """The requests that were sent, as far as the actions need them. Its verbs may block."""

    def of(self, sender: str) -> list[Request]: ...

    def find(self, code: str) -> Request | None: ...

    def is_taken(self, contact: str, besides: str) -> bool: ...


class BeginRequest(Action):
    """Says once what to know before money changes hands, then begins the form."""

    def name(self) -> str:
        return "action_begin_request"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if entity(tracker, "choice"):  # a button of a form that is over
            _say(dispatcher, Line("says.over"))
            return []
        if not tracker.get_slot("warned"):
            dispatcher.utter_message(response=TOPIC)
        return [
            SlotSet("warned", True),
            SlotSet("last_topic", TOPIC),
            SlotSet("unsure", 0.0),
            *_open(Draft()),
        ]


class TakeAnswer(Action):
    """Reads what was said to the form. Nothing is noted where it was no answer: then Rasa lets another rule reply."""

    def __init__(self, form: BookingForm, book: Book, kinds: Mapping[str, str]) -> None:
        self._form = form
        self._book = book
        self._kinds = kinds

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        draft = read_draft(tracker.get_slot("booking") or {})
        taken = self._form.take(draft, await self._heard(tracker, draft))
        if taken is None:
            return []
        for number, line in enumerate(taken.lines, 1):
            _say(dispatcher, line, taken.effect if number == len(taken.lines) else None)
        kept = [SlotSet("unsure", 0.0), SlotSet("last_topic", TOPIC)]
        if taken.draft is None:
            return [*kept, SlotSet("booking", None), SlotSet("requested_slot", None)]
        return [*kept, SlotSet("booking", draft_as_json(taken.draft))]

    async def _heard(self, tracker: Tracker, draft: Draft) -> Heard:
        latest = tracker.latest_message
        ranking = [(each["name"], float(each["confidence"])) for each in latest.get("intent_ranking") or ()]
        danger = sum(sure for name, sure in ranking if self._kinds.get(name) == "safety")
        known = [(name, sure) for name, sure in ranking if self._kinds.get(name, "safety") != "safety"]
        topic, sure = topic_of(tracker), 1.0
        if ranking and (danger < SURELY_DANGER or topic not in self._kinds):  # a guess at danger is none in a form
            topic, sure = known[0] if known else ("", 0.0)
        slots = {name: tracker.get_slot(name) for name in INJURY.values()}
        told = {"for_whom": next(tracker.get_latest_entity_values("for_whom"), None)}
        sending = draft.step == "confirm"
        text = str(latest.get("text") or "")
        made = await asyncio.to_thread(self._book.of, tracker.sender_id) if sending else []
        return Heard(
            text="" if text.startswith("/") else text,
            option=entity(tracker, "choice") if topic_of(tracker) == TOPIC else None,
            topic=topic,
            kind=self._kinds.get(topic, ""),
            sure=sure,
            danger=danger,
            language=(latest.get("metadata") or {}).get("language", "es"),
            injury={name: value for name, value in {**slots, **told}.items() if value is not None},
            open=sum(each.is_open for each in made),
            today=sum(each.created_at > datetime.now(UTC) - timedelta(days=1) for each in made),
            taken=sending and await asyncio.to_thread(self._book.is_taken, draft.phone or draft.email, draft.changes),
        )


class AskStep(Action):
    """Puts the form's question, unless it has been put with the last answer."""

    def __init__(self, form: BookingForm) -> None:
        self._form = form

    def name(self) -> str:
        return f"action_ask_{FORM}_booking_done"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        draft = read_draft(tracker.get_slot("booking") or {})
        if not draft.asked:
            _say(dispatcher, self._form.question(draft))
        return [SlotSet("booking", draft_as_json(replace(draft, asked=False)))]


class ChangeRequest(Action):
    """Opens a request again, to be changed or cancelled: by its code, or the newest of this conversation."""

    def __init__(self, form: BookingForm, book: Book) -> None:
        self._form = form
        self._book = book

    def name(self) -> str:
        return "action_change_request"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        code = _code(tracker)
        request, own = await _found(self._book, tracker.sender_id, code)
        if request is None:
            _say(dispatcher, Line("says.unknown_code", {"code": code}) if code else Line("says.no_request"))
            return [SlotSet("unsure", 0.0)]
        if not request.is_open:
            _say(dispatcher, Line("says.too_late", {"code": request.code}))
            return [SlotSet("unsure", 0.0)]
        draft = read_draft(request.draft)
        if entity(tracker, "choice") == "withdraw" or self._form.withdraws(
            str(tracker.latest_message.get("text") or "")
        ):
            return _open(Draft(step="withdraw", changes=request.code))
        if not own:
            _say(dispatcher, Line("says.elsewhere", {"code": request.code}))
            return [SlotSet("unsure", 0.0)]
        return _open(replace(draft, step="change", changes=request.code, changed=False, tries=0))


class TellStatus(Action):
    """How requests stand: the one with the code, or the newest of this conversation."""

    def __init__(self, book: Book, calendar: Callable[[Request], str | None]) -> None:
        """`calendar`: where the appointment of a request can be had as a file; None where there is none."""
        self._book = book
        self._calendar = calendar

    def name(self) -> str:
        return "action_tell_status"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        code = _code(tracker)
        request, own = await _found(self._book, tracker.sender_id, code)
        if request is None:
            _say(dispatcher, Line("says.unknown_code", {"code": code}) if code else Line("says.no_request"))
        elif code:
            self._tell(dispatcher, request, own)
        else:
            for each in (await asyncio.to_thread(self._book.of, tracker.sender_id))[:MOST_SHOWN]:
                self._tell(dispatcher, each, own)
        return [SlotSet("unsure", 0.0)]

    def _tell(self, dispatcher: CollectingDispatcher, request: Request, own: bool) -> None:
        values = {
            "code": request.code,
            "state": request.state,
            "at": request.created_at.isoformat(),
            "agreed_at": request.agreed_at.isoformat() if request.agreed_at else None,
            "zone": read_draft(request.draft).zone if own else None,
            "calendar": self._calendar(request) if own and request.state == "scheduled" else None,
        }
        _say(dispatcher, Line("says.status" if request.is_open else "says.status_closed", values))


class Human(Action):
    """Offers a person; tells staff where someone would rather wait here."""

    def name(self) -> str:
        return "action_human"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if entity(tracker, "choice") == "wait":
            _say(dispatcher, Line("says.waiting"), Effect("person"))
        else:
            _say(dispatcher, Line("says.human"))
        return [SlotSet("unsure", 0.0)]


async def _found(book: Book, sender: str, code: str | None) -> tuple[Request | None, bool]:
    """The request that is meant, and whether this conversation made it: by code, else its newest, open ones first."""
    if code:
        request = await asyncio.to_thread(book.find, code)
        return request, request is not None and request.sender == sender
    made = await asyncio.to_thread(book.of, sender)
    return next((each for each in made if each.is_open), made[0] if made else None), True


def _code(tracker: Tracker) -> str | None:
    return code_in(entity(tracker, "code") or "") or code_in(str(tracker.latest_message.get("text") or ""))


def _open(draft: Draft) -> Events:
    """The form, opened with a draft."""
    return [
        SlotSet("booking", draft_as_json(replace(draft, fresh=True))),
        SlotSet("booking_done", None),
        SlotSet("unsure", 0.0),
        ActiveLoop(FORM),
    ]


def _say(dispatcher: CollectingDispatcher, line: Line, effect: Effect | None = None) -> None:
    dispatcher.utter_message(
        response=TOPIC,
        part="booking",
        line=line.key,
        values=dict(line.values),
        effect=vars(effect) if effect else None,
    )
