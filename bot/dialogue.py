"""Rasa behind one method: a message and what is remembered in, what it means and what is to be said out."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import DEFAULT_INTENTS
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, Event, SlotSet, UserUttered, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.booking import TOPIC as BOOKING
from bot.booking import code_in
from bot.eligibility import TOPIC
from bot.errors import MessageError, ModelError
from bot.messages import Candidate, Decision, Incoming, Language, Memory, Say, Understanding
from bot.nlu.doubt import UNSURE

log = structlog.get_logger(__name__)

MOST_CANDIDATES = 5
MOST_WORDS_BESIDE_A_CODE = 4  # in longer messages the other words tell what is wanted
KEPT_EVENTS = 30  # of the dialogue engine's working memory: about five messages
_OWN_SLOTS = frozenset(
    {
        "asked",
        "booking",
        "booking_done",
        "warned",
        "pending",
        "language",
        "last_topic",
        "unsure",
        "requested_slot",
        "session_started_metadata",
    }
)
_SAID = ("part", "choices", "ask", "only", "line", "values", "effect")
_SAY = TypeAdapter(Say)  # what is to be said travels through Rasa as JSON
_DECISIONS: dict[str, Decision] = {"answer": "answer", "clinic": "answer", "action": "action", "talk": "talk"}


class RasaDialogue:
    """The trained model, loaded as a library. It keeps nothing between messages: what it must know comes with each.

    So another model can take its place at any moment, and conversations go on with it.
    """

    def __init__(self, model_file: Path, actions: Iterable[Action], kinds: Mapping[str, str]) -> None:
        """Loads the model.

        Args:
            model_file: What `musebot train` made.
            actions: The actions, ready to run in this process.
            kinds: The kind of each topic in the catalogue.

        Raises:
            ModelError: There is no model, or it cannot be loaded.
        """
        if not model_file.exists():
            raise ModelError(f"There is no model at {model_file.name}. Make one with: musebot train")
        self._file = model_file
        self._kinds = kinds
        self._actions = _InProcess(actions)
        _trust_own_actions()
        self._stamp = _stamp(model_file)
        self._model = self._load()

    def _load(self) -> "_Model":
        trackers = _Trackers()
        try:
            agent = Agent.load(self._file, generator=_Sayings(), tracker_store=trackers, action_endpoint=self._actions)
        except Exception as error:
            if isinstance(error.__cause__, ModelError):  # a component's own sentence, which Rasa has wrapped
                raise error.__cause__ from error
            raise ModelError(
                f"The model {self._file.name} cannot be loaded. Make it anew with: musebot train"
            ) from error
        return _Model(agent, trackers)

    async def watch(self, seconds: float = 2.0) -> None:
        """Looks every few seconds, until it is cancelled, whether another model was put in the place of this one."""
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    async def refresh(self) -> None:
        """Takes up the model that is there now, if it is another one. Messages being answered finish on the old one.

        What else was learnt from the training data stays as it is until the next start: which words tell English from
        Spanish (`Languages`), and which are spelt well (`Triage`).
        """
        stamp = _stamp(self._file)
        if stamp in (None, self._stamp):  # a file that is gone may be on its way
            return
        self._stamp = stamp
        try:
            model = await asyncio.to_thread(self._load)
            if strange := model.topics - set(self._kinds):
                raise ModelError(f"The model knows topics that the content has no words for: {sorted(strange)}")
        except Exception as error:  # whatever is wrong with it, people are answered by the old one
            log.error("model.not_loaded", error=type(error.__cause__ or error).__name__)
            return
        self._model = model
        log.info("model.loaded")

    async def respond(self, message: Incoming, language: Language, memory: Memory) -> Understanding:
        """What the message means and what is to be said.

        Raises:
            MessageError: The button is none of ours.
        """
        sender = f"{message.channel}:{message.sender}"
        outbox = _Outbox()
        text = self._button(message.button) if message.button else message.text.lstrip("/ ")
        code = None if message.button or memory.asking else code_in(text)
        if code and len(text.split()) <= MOST_WORDS_BESIDE_A_CODE:
            text = f"/booking_status{json.dumps({'code': code})}"
        # `before` is what the person has been reading: "in Spanish, please" is asked in either language.
        metadata = {"language": language, "before": memory.language or language, **_comparison(memory)}
        said = UserMessage(text, outbox, sender, input_channel=message.channel, metadata=metadata)
        # A form that is not asking sleeps: somebody in danger is not asked for a telephone number.
        asleep = {**memory.dialogue, "loop": None, "events": _without_loops(memory.dialogue.get("events", []))}
        model = self._model  # another may take its place while this message is answered
        model.trackers.open(sender, memory.dialogue if memory.asking or message.button else asleep)
        try:
            await model.agent.handle_message(said)
        finally:
            tracker = model.trackers.close(sender)
        return self._understanding(tracker, outbox.says, memory.asking is not None)

    async def danger(self, text: str) -> float:
        """How likely it is that `text` tells of danger: the probability of the safety topics among the candidates."""
        told = await self._model.agent.parse_message(text.lstrip("/ "))
        return self._danger(told.get("intent_ranking") or [])

    def subject(self, memory: Memory) -> str | None:
        """The topic that the last answer was about, None when there was none."""
        subject = memory.dialogue.get("slots", {}).get("last_topic")
        return str(subject) if subject else None

    def _button(self, payload: str) -> str:
        found = re.fullmatch(r"/([a-z_0-9]+)(\{.*\})?", payload)
        if not found or found[1] not in self._kinds:
            raise MessageError("the button is none of ours")
        return payload

    def _understanding(self, tracker: DialogueStateTracker, says: list[Say], filling_in: bool) -> Understanding:
        latest = tracker.latest_message or UserUttered.empty()
        intent = str(latest.intent.get("name"))
        decision = self._decision(says)
        if decision == "emergency":  # also when a safety topic was only a candidate
            intent = says[0].key
        elif says[0].part == "booking" and filling_in:  # whatever the answer sounded like
            intent = BOOKING
        ranking = (latest.parse_data or {}).get("intent_ranking") or []
        likely = [Candidate(each["name"], round(each["confidence"], 4)) for each in ranking if each["name"] != UNSURE]
        slots = {name: value for name, value in tracker.current_slot_values().items() if value is not None}
        return Understanding(
            topics=() if intent == UNSURE else (intent,),
            candidates=tuple(likely[:MOST_CANDIDATES]),
            decision=decision,
            says=tuple(says),
            slots={name: value for name, value in slots.items() if name not in _OWN_SLOTS},
            language=slots.get("language") if any(say.key == "language_changed" for say in says) else None,
            dialogue=_state_of(tracker),
            danger=self._danger(ranking),
            asking=(slots.get("booking") or {}).get("step") if tracker.active_loop_name else None,
            certain=any(say.part == "booking" and say.values.get("certain") for say in says),
        )

    def _danger(self, ranking: Iterable[Mapping[str, Any]]) -> float:
        return sum(float(each["confidence"]) for each in ranking if self._kinds.get(each["name"]) == "safety")

    def _decision(self, says: list[Say]) -> Decision:
        if not says:
            raise RuntimeError("the dialogue said nothing")
        key = says[0].key
        kind = self._kinds.get(key, "")
        if says[0].part == "booking":
            return "action"
        if kind == "safety":
            return "emergency"
        if key == "clarify":
            return "clarify"
        if key in ("out_of_scope", "fallback", "fallback_perhaps", "fallback_again"):
            return "fallback"
        return _DECISIONS.get(kind, "action") if says[0].part in ("main", "compare", "ask") else "action"


def _comparison(memory: Memory) -> dict[str, Any]:
    """Whether the last reply compared the person with the study, the feature that it asked for, and all it ever did."""
    slots = memory.dialogue.get("slots", {})
    comparing = slots.get("last_topic") == TOPIC
    asked = {"asked": slots.get("pending"), "asked_before": slots.get("asked")} if comparing else {}
    return {"comparing": comparing, **asked}


class _Outbox(OutputChannel):
    """Collects what is to be said, in order."""

    def __init__(self) -> None:
        self.says: list[Say] = []

    @classmethod
    def name(cls) -> str:
        return "musebot"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.says.append(_SAY.validate_python(message["custom"]["say"]))


class _Sayings(NaturalLanguageGenerator):
    """Says only what is to be said; its wording comes later, from the content folder."""

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any]:
        key = utter_action.removeprefix("utter_")
        wanted = {name: value for name, value in kwargs.items() if name in _SAID}
        return {"custom": {"say": {"key": key, **wanted}}}


class _InProcess(EndpointConfig):
    """What Rasa takes for the address of an action server: runs the actions right here."""

    def __init__(self, actions: Iterable[Action]) -> None:
        super().__init__(enable_selective_domain=True)
        self._executor = ActionExecutor()
        for action in actions:
            self._executor.register_action(action)

    async def request(self, method: str = "post", json: Any = None, **kwargs: Any) -> Any:
        try:
            return await self._executor.run(json)
        except ActionExecutionRejection as rejection:
            # A form that does not want the message says so by a 400 answer, as the SDK's own server does.
            raise _rejected(rejection) from rejection


def _trust_own_actions() -> None:
    """Spares Rasa's check of what an action server sends: ours is this process.

    Rasa validates the check's own schema each time, which took 25 of the 33 ms that a message took.
    """
    RemoteAction._validate_action_result = lambda self, result: True


def _rejected(rejection: ActionExecutionRejection) -> ClientResponseError:
    body = json.dumps({"action_name": rejection.action_name, "error": rejection.message})
    return ClientResponseError(400, rejection.message, body)


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when another file takes the place; None where there is none."""
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size


class _Trackers(TrackerStore):
    """Rasa's working memory for the length of one message. The main path keeps it, with the transcript."""

    def __init__(self) -> None:
        super().__init__(Domain.empty())
        self._open: dict[str, DialogueStateTracker] = {}

    def open(self, sender: str, state: Mapping[str, Any]) -> None:
        tracker = self.init_tracker(sender)
        for event in _events_of(state):
            tracker.update(event)
        self._open[sender] = tracker

    def close(self, sender: str) -> DialogueStateTracker:
        return self._open.pop(sender)

    async def save(self, tracker: DialogueStateTracker) -> None:
        self._open[tracker.sender_id] = tracker

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        return self._open.get(sender_id)

    async def keys(self) -> Iterable[str]:
        return self._open.keys()


@dataclass(frozen=True)
class _Model:
    """A loaded model, with a working memory of its own: the slots in it are those of its domain."""

    agent: Agent
    trackers: _Trackers

    @property
    def topics(self) -> set[str]:
        return {intent for intent in self.agent.domain.intents if intent not in DEFAULT_INTENTS}


def _state_of(tracker: DialogueStateTracker) -> dict[str, Any]:
    """What must be remembered: the slots, the active form, and the last events."""
    slots = {name: value for name, value in tracker.current_slot_values().items() if value is not None}
    return {
        "slots": slots,
        "loop": tracker.active_loop_name,
        "events": [event.as_dict() for event in list(tracker.events)[-KEPT_EVENTS:] if not _is_of_draft(event)],
    }


def _is_of_draft(event: Event) -> bool:
    """Whether an event holds a name or a number: those are kept once, as a slot, and go with it."""
    return isinstance(event, SlotSet) and event.key == "booking"


def _without_loops(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events without those that open a form."""
    return [event for event in events if event.get("event") != "active_loop"]


def _events_of(state: Mapping[str, Any]) -> list[Event]:
    """The events that bring a tracker back to `state`: slots and form first, then the last events as they were."""
    recent = deserialise_events(state.get("events", []))
    older: list[Event] = [SlotSet(name, value) for name, value in state.get("slots", {}).items()]
    if state.get("loop"):
        older.append(ActiveLoop(state["loop"]))
    # The beginning of a session clears what it does not carry over, so the draft comes last.
    draft = state.get("slots", {}).get("booking")
    return older + recent + ([SlotSet("booking", draft)] if draft else [])
