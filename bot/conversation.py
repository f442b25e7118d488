"""THE MAIN PATH: every message, from every channel, goes through `Conversation.handle`. Read this file first."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import structlog

from bot.answers import Answers
from bot.booking_texts import BookingTexts
from bot.eligibility import TOPIC, Eligibility
from bot.emergency import NOT_SAFE, SAFE, Emergency
from bot.errors import RequestError
from bot.language import DEFAULT_LANGUAGE, Languages
from bot.messages import Button, Incoming, Language, Memory, Reply, Say, Turn, Understanding
from bot.phrases import Phrases
from bot.questions import questions_in
from bot.queues import Queues
from bot.text import bare, shortened
from bot.triage import Alarm, Triage

log = structlog.get_logger(__name__)

MOST_CHARACTERS = 4_000  # of a message that is answered and kept
MOST_ASSESSED = 20_000  # looked through for danger
# Seconds, with any one part: a person who waits longer is better served by the contact line.
PATIENCE = 5.0
PATIENCE_IN_DANGER = 1.0
MOST_QUESTIONS = 6  # of one message that are looked at
MOST_ANSWERS = 3  # to one message; what else was asked is offered
MOST_WORDS_OF_A_FOLLOW_UP = 6
LIKELY = 0.3  # as likely as this, a short message has a subject of its own
WORDS_OF_A_STORY = 20
SURELY_STRANGE = 0.9  # as likely as this out of scope, a message is not searched for a part that is in scope
DANGER_IN_A_PART = 0.6  # taken out of its message, a part must sound more dangerous than a whole one
SURE_OF_A_PART = 0.6  # a part of a message is a guess more, so it must be surer than a whole one

# Danger less likely than this: a sign is no alarm. Chosen with `musebot evaluate safety`.
OUT_OF_THE_QUESTION: Mapping[Language, float] = {"en": 0.025, "es": 0.03}
NOT_IMPOSSIBLE = 0.05  # as likely as this, whom to call is told above the answer
WORDS_WITHOUT_CONTEXT = 5
WORDS_THAT_HIDE = 40  # in a longer story the model may not see what one sentence says
BLIND = Alarm("emergency_other", None)  # what is told when the rules fail

T = TypeVar("T")


class Dialogue(Protocol):
    """The dialogue engine, as far as the main path needs it."""

    async def respond(self, message: Incoming, language: Language, memory: Memory) -> Understanding:
        """What the message means and what is to be said."""

    async def danger(self, text: str) -> float:
        """How likely it is that a message tells of danger, 0 to 1."""

    def subject(self, memory: Memory) -> str | None:
        """The topic that the last answer was about, None when there was none."""


class Transcripts(Protocol):
    """What was said, as far as the main path needs it. Its verbs may block: they are called in a thread."""

    def seen(self, message: Incoming) -> bool:
        """Whether this very message has been recorded before."""

    def memory(self, message: Incoming) -> Memory:
        """What is remembered of the conversation that the message belongs to."""

    def record(self, message: Incoming, turn: Turn, memory: Memory | None) -> None:
        """Keeps the turn and, where there is one, the new memory, in one transaction."""


@dataclass
class Conversation:
    """Turns a message into a turn. The person always gets a reply that helps, whatever breaks on the way."""

    triage: Triage
    emergency: Emergency
    languages: Languages
    dialogue: Dialogue
    answers: Answers
    eligibility: Eligibility
    booking: BookingTexts
    phrases: Phrases
    transcripts: Transcripts

    def __post_init__(self) -> None:
        self._queues = Queues()

    async def handle(self, message: Incoming) -> Turn:
        """Answers one message. Messages of one person are taken one after the other, in the order of arrival."""
        started = time.perf_counter()
        async with self._queues.in_turn((message.channel, message.sender)):
            try:
                return await self._handle(message, started)
            except Exception as error:  # a mistake of ours: the person gets the contact line all the same
                failures: list[str] = []
                self._note("handle", error, failures)
                turn = self._failure(message.language or message.hint or DEFAULT_LANGUAGE)
                return replace(turn, failure=failures[0], recorded=False)

    def in_turn(self, channel: str, sender: str) -> AbstractAsyncContextManager[None]:
        """Waits until everything that this person has written before is answered; what follows waits."""
        return self._queues.in_turn((channel, sender))

    async def reply_to_no_words(self, message: Incoming, said: Callable[[Language], Reply]) -> Turn:
        """Answers what is no words: a voice message, a picture. What is remembered stays, but for the choices.

        Args:
            message: Who sent it; its text is empty.
            said: The reply, in the language of the conversation.
        """
        async with self._queues.in_turn((message.channel, message.sender)):
            failures: list[str] = []
            if await self._try("seen", asyncio.to_thread(self.transcripts.seen, message), failures, PATIENCE):
                return Turn(message.hint or DEFAULT_LANGUAGE, "silent", ())
            found = await self._try("memory", asyncio.to_thread(self.transcripts.memory, message), failures, PATIENCE)
            language = (found.language if found else None) or message.hint or DEFAULT_LANGUAGE
            held = found is not None and found.held
            reply = self.phrases.reply("person_no_words", language) if held else said(language)
            turn = Turn(language, "fallback", (reply,), failure="; ".join(failures) or None)
            kept = replace(found, language=language, buttons=_choices(turn.replies)) if found else None
            so_far = len(failures)
            await self._try(
                "record", asyncio.to_thread(self.transcripts.record, message, turn, kept), failures, PATIENCE
            )
            return replace(turn, failure="; ".join(failures) or None, recorded=len(failures) == so_far)

    async def _handle(self, message: Incoming, started: float) -> Turn:
        failures: list[str] = []

        # Safety needs no model, no database and no guess about the language, so it does not wait for any of them.
        alarm = self.alarm_in(message.text, failures)
        patience = PATIENCE_IN_DANGER if alarm else PATIENCE

        # A message already seen gets no second reply and no second effect.
        seen = asyncio.to_thread(self.transcripts.seen, message)
        if await self._try("seen", seen, failures, patience):
            return Turn(message.language or DEFAULT_LANGUAGE, "silent", ())

        found = None
        if not failures:
            found = await self._try("memory", asyncio.to_thread(self.transcripts.memory, message), failures, patience)
        memory = self._situated(message, found or Memory())
        language = self._language(message, memory, alarm, failures)
        harmless = alarm is not None and await self._is_harmless(message, alarm, memory, failures)
        danger = alarm if alarm and not harmless else None
        if memory.held and (danger is None or danger.topic == memory.alarm):  # what was said once is not said again
            return await self._left_to_staff(message, language, danger, started, failures)
        if alarm and not harmless:
            turn = self.guide(alarm, language, memory.country)
        else:
            answer = await self._try("answer", self._answer(message, language, memory), failures, patience)
            turn, memory = answer or (self._failure(language), memory)
            if harmless and turn.decision != "emergency":
                turn = self._in_case(turn, memory)

        elapsed = (time.perf_counter() - started) * 1000
        turn = replace(turn, failure="; ".join(failures) or None, milliseconds=elapsed)
        alarmed = turn.topics[0] if turn.decision == "emergency" else None
        kept_language = memory.language if alarm and memory.chosen else turn.language
        memory = replace(memory, language=kept_language, buttons=_choices(turn.replies), alarm=alarmed)
        # What could not be read is not written over: the next message may find it again.
        kept = memory if found else None
        so_far = len(failures)
        message = replace(message, text=message.text[:MOST_CHARACTERS])
        recording = asyncio.to_thread(self.transcripts.record, message, turn, kept)
        await self._try("record", recording, failures, patience)
        recorded = len(failures) == so_far
        if turn.effect and not recorded:  # nothing may be said to be sent that is not kept
            turn = await self._not_done(message, turn, kept, failures)
            recorded = turn.decision != "error"
        return replace(turn, failure="; ".join(failures) or None, recorded=recorded)

    async def _left_to_staff(
        self, message: Incoming, language: Language, danger: Alarm | None, started: float, failures: list[str]
    ) -> Turn:
        """Keeps the message for the person of the clinic who talks here; of danger they are told once more."""
        elapsed = (time.perf_counter() - started) * 1000
        topics = (danger.topic,) if danger else ()
        turn = Turn(language, "silent", (), topics, failure="; ".join(failures) or None, milliseconds=elapsed)
        message = replace(message, text=message.text[:MOST_CHARACTERS])
        so_far = len(failures)
        await self._try("record", asyncio.to_thread(self.transcripts.record, message, turn, None), failures, PATIENCE)
        if len(failures) > so_far:  # nobody of the staff will see it
            return replace(self._failure(language), failure="; ".join(failures), recorded=False)
        return turn

    async def _not_done(self, message: Incoming, turn: Turn, memory: Memory | None, failures: list[str]) -> Turn:
        """What is said where a request could not be kept: that it is closed or one too many, else the contact line."""
        effect = turn.effect
        if effect is None or not failures[-1].endswith(RequestError.__name__):
            return replace(self._failure(turn.language), topics=turn.topics, milliseconds=turn.milliseconds)
        key = "says.taken" if effect.kind == "new" else "says.too_late"
        reply = self.booking.reply(key, {"code": effect.code, "draft": effect.draft}, turn.language)
        told = replace(turn, replies=(reply,), effect=None, failure=None)
        recording = asyncio.to_thread(self.transcripts.record, message, told, memory)
        await self._try("record", recording, failures, PATIENCE)
        return told

    def _language(self, message: Incoming, memory: Memory, alarm: Alarm | None, failures: list[str]) -> Language:
        """In danger the language of the words that raised the alarm; else the choice made, or what the text tells."""
        if alarm and alarm.language:
            return alarm.language
        if memory.language and memory.asking and not memory.chosen:
            return memory.language  # a name or an address is of no language
        try:  # not in a thread: all threads may be waiting for a database that hangs
            return self.languages.of(message.text, memory, message.hint)
        except Exception as error:
            self._note("language", error, failures)
            return memory.language or message.hint or DEFAULT_LANGUAGE

    def alarm_in(self, text: str, failures: list[str] | None = None) -> Alarm | None:
        """The alarm that the words raise. If the rules fail, nobody can know: that counts as danger."""
        try:
            return self.triage.assess(text[:MOST_ASSESSED])
        except Exception as error:
            self._note("triage", error, failures if failures is not None else [])
            return BLIND

    def _in_case(self, turn: Turn, memory: Memory) -> Turn:
        """The turn under a line that tells whom to call, in case somebody is in danger after all."""
        line = self.emergency.in_case(turn.language, memory.country)
        return turn if turn.replies[0].revision == line.revision else replace(turn, replies=(line, *turn.replies))

    async def _is_harmless(self, message: Incoming, alarm: Alarm, memory: Memory, failures: list[str]) -> bool:
        """Whether a sign means nothing ("no fever, thank God"): only where the model finds danger out of the question.

        Any failure and any doubt let the alarm stand; so do few words, a sign that is certain, an alarm a message ago.
        """
        few = len(message.text.split()) <= WORDS_WITHOUT_CONTEXT  # "I can't breathe": nothing else explains it
        if alarm is BLIND or alarm.certain or memory.alarm:
            return False
        if memory.asking == "name" and self.booking.names.holds_danger(message.text):
            return True
        if few:
            return False
        likely = await self._try("second look", self._danger(message.text), failures, PATIENCE_IN_DANGER)
        return likely is not None and likely < OUT_OF_THE_QUESTION[alarm.language or "en"]

    async def _danger(self, text: str) -> float:
        """How likely danger is in `text`, or in any sentence of a long story that has a sign."""
        parts = re.split(r"[.!?\n]+", text) if len(text.split()) > WORDS_THAT_HIDE else []
        signs = [part for part in parts if self.triage.assess(part)]
        return max([await self.dialogue.danger(part) for part in [text, *signs[:MOST_QUESTIONS]]])

    def guide(self, alarm: Alarm, language: Language, country: str | None = None) -> Turn:
        """The fixed guidance for someone in danger; with the contact line too where the rules failed."""
        replies = self.emergency.guidance(alarm.topic, language, country)
        if alarm is BLIND:
            replies += (self.phrases.reply("failure", language),)
        return Turn(language, "emergency", replies, topics=(alarm.topic,))

    def _situated(self, message: Incoming, memory: Memory) -> Memory:
        """The memory with what the message itself tells: the language that was chosen, the country that is named."""
        country = self.emergency.country_in(message.text[:MOST_CHARACTERS])
        memory = replace(memory, country=country or memory.country)
        return replace(memory, language=message.language, chosen=True) if message.language else memory

    def _checked(self, message: Incoming, language: Language, memory: Memory) -> Turn | None:
        """The reply to someone who was in danger a message ago and says that it has passed, or has not; else None."""
        if not memory.alarm:
            return None
        passed = {SAFE: True, NOT_SAFE: False}.get(message.button or "")
        if not message.button:
            passed = self.emergency.has_passed(message.text)
        if passed is None:
            return None
        if passed:
            return self._passed(memory.alarm, language, memory)
        return self.guide(Alarm(memory.alarm, None), language, memory.country)

    def _passed(self, topic: str, language: Language, memory: Memory) -> Turn:
        """What is said once it has passed; a request that was being filled in is offered, not pushed."""
        told = self.emergency.afterwards(topic, language, memory.country)
        go_on = (self.booking.go_on(language),) if memory.asking else ()
        return Turn(language, "talk", (replace(told, buttons=(*told.buttons, *go_on)),), topics=(topic,))

    def _still_open(self, understood: Understanding, topic: str, language: Language, memory: Memory) -> Turn | None:
        """What someone who was in danger a message ago gets, as long as they do not change the subject; else None."""
        said = set(understood.topics)
        if said == {"affirm"} or said == {"deny"}:
            if self.emergency.is_safe(topic, yes=said == {"affirm"}):
                return self._passed(topic, language, memory)
        elif said and said <= _COURTESIES:  # nobody who says thanks wants to read it all again
            question = self.emergency.question(topic, language)
            return Turn(language, "emergency", (question,), topics=(topic,))
        elif not _leaves_open(understood):
            return None
        return self.guide(Alarm(topic, None), language, memory.country)

    async def _answer(self, message: Incoming, language: Language, memory: Memory) -> tuple[Turn, Memory]:
        """The ordinary way: understand the message, then say what the content folder holds for it."""
        if not message.text.strip() and not message.button:
            return Turn(language, "fallback", (self.phrases.reply("empty", language),)), memory
        if len(message.text) > MOST_CHARACTERS:
            return Turn(language, "fallback", (self.phrases.reply("too_long", language),)), memory
        # Someone new has the greeting's choices before them.
        new = not memory.dialogue and not memory.buttons
        choices = self.phrases.reply("greet", language).buttons if new else memory.buttons
        message = _typed_choice(message, choices)
        if checked := self._checked(message, language, memory):
            return checked, memory
        if not message.button and not memory.asking and self.languages.is_other(message.text):
            if memory.alarm:  # whatever it says, the danger may not be over
                return self.guide(Alarm(memory.alarm, None), language, memory.country), memory
            reply = self.phrases.reply("language_only_two", language)
            return Turn(language, "talk", (reply,), topics=("change_language",)), memory
        # In danger no form goes on: "yes" answers whether somebody is in danger, and nothing else.
        asleep = memory.asking if memory.alarm and not message.button else None
        understood = await self._understand(message, language, replace(memory, asking=None) if asleep else memory)
        first, last = understood[0], [each for each in understood if each is understood[0] or not _in_doubt(each)][-1]
        if first.language:
            language = first.language
            memory = replace(memory, chosen=True)
        memory = memory if asleep else replace(memory, dialogue=last.dialogue, asking=last.asking)
        if first.decision == "emergency":
            guided = self.guide(Alarm(first.topics[0], None), language, memory.country)
            return replace(guided, candidates=first.candidates, slots=last.slots), memory
        if memory.alarm and (still := self._still_open(first, memory.alarm, language, memory)):
            return still, memory
        topics = tuple(dict.fromkeys(topic for each in understood for topic in each.topics))
        replies = self._all_replies(understood, language)
        effect = next((say.effect for each in understood for say in each.says if say.effect), None)
        turn = Turn(language, first.decision, replies, topics, first.candidates, slots=last.slots, effect=effect)
        # What was asked for, word for word, sounds like many things and means one.
        perhaps = first.danger >= NOT_IMPOSSIBLE and not first.certain
        return (self._in_case(turn, memory) if perhaps else turn), memory

    async def _understand(self, message: Incoming, language: Language, memory: Memory) -> list[Understanding]:
        """What the message means: one thing, or several questions in order. Danger in any part is all that counts."""
        message = replace(message, text=shortened(message.text))
        whole = await self.dialogue.respond(message, language, memory)
        if message.button or whole.decision == "emergency" or _is_of_a_request(whole):
            return [whole]
        parts = questions_in(message.text)[:MOST_QUESTIONS]
        # A long story is read for its question; in a short message each part would only be another guess.
        story = _in_doubt(whole) and len(message.text.split()) >= WORDS_OF_A_STORY
        if not _is_strange(whole) and (len(parts) > 1 or (parts and story)):
            told = await self._each(parts, message, language, replace(memory, dialogue=whole.dialogue))
            if told and told[-1].decision == "emergency":
                return told[-1:]
            answered = [whole if each.topics == whole.topics else each for each in told if not _in_doubt(each)]
            if len(answered) > 1 or (answered and story):
                return [*answered, *(each for each in told if _in_doubt(each))]
        if _in_doubt(whole):
            return [await self._followed_up(message, language, memory, whole) or whole]
        return [whole]

    async def _each(
        self, parts: Sequence[str], message: Incoming, language: Language, memory: Memory
    ) -> list[Understanding]:
        """What each part means, each topic once, in order; ends with the first sign of danger."""
        told: list[Understanding] = []
        for part in parts:
            each = await self.dialogue.respond(replace(message, text=part), language, memory)
            if each.decision == "emergency":
                if each.danger >= DANGER_IN_A_PART:
                    return [*told, each]
                continue
            sure = each.decision in ("answer", "action") and each.candidates[0].confidence >= SURE_OF_A_PART
            new = sure and all(each.topics != other.topics for other in told)
            if new or (_in_doubt(each) and any(say.choices for say in each.says)):
                told.append(each)
            if each.decision in ("answer", "action"):
                memory = replace(memory, dialogue=each.dialogue)
        return told

    async def _followed_up(
        self, message: Incoming, language: Language, memory: Memory, whole: Understanding
    ) -> Understanding | None:
        """A short message read as going on with the topic before it: "and the legs?", "really?"."""
        subject = self.dialogue.subject(memory)
        if subject is None or len(message.text.split()) > MOST_WORDS_OF_A_FOLLOW_UP:
            return None
        asked = f"{self.phrases.title(subject, language)} {message.text}"
        again = await self.dialogue.respond(replace(message, text=asked), language, memory)
        if again.decision not in ("answer", "action"):
            return None
        if again.topics != (subject,):
            return again
        if whole.candidates and whole.candidates[0].confidence >= LIKELY:
            return None  # it has a subject of its own, so ask which
        # It was answered already: what is left lies behind "more".
        return replace(again, says=tuple(replace(say, part="more") for say in again.says))

    def _all_replies(self, understood: Sequence[Understanding], language: Language) -> tuple[Reply, ...]:
        """The replies to each thing that was asked; to what is more than a person reads at once, a choice."""
        if len(understood) == 1:
            told = tuple(r for say in understood[0].says for r in self._replies(say, language, understood[0].slots))
            return self.booking.joined(told) if _is_of_a_request(understood[0]) else told
        answered = [each for each in understood if not _in_doubt(each)]
        replies: list[Reply] = []
        for each in answered[:MOST_ANSWERS]:
            several = [reply for say in each.says for reply in self._replies(say, language, each.slots)]
            # Of an answer only the first choice, which is "more": else nobody could choose. A question keeps its own.
            replies += [replace(reply, buttons=reply.buttons[:1]) if reply.claims else reply for reply in several]
        rest = [topic for each in answered[MOST_ANSWERS:] for topic in each.topics]
        rest += [choice for each in understood if _in_doubt(each) for say in each.says for choice in say.choices]
        rest = [
            topic for topic in dict.fromkeys(rest) if all(topic not in each.topics for each in answered[:MOST_ANSWERS])
        ]
        if rest:
            replies.append(self.phrases.reply("also_asked", language, choices=rest))
        return tuple(replies)

    def _replies(self, say: Say, language: Language, slots: Mapping[str, Any]) -> tuple[Reply, ...]:
        """The wording for what the dialogue wants said."""
        if say.part in ("compare", "ask"):
            return self._comparison(say, language, slots)
        if say.part == "booking":
            return (self.booking.reply(say.line, say.values, language),)
        return (self._reply(say, language),)

    def _comparison(self, say: Say, language: Language, slots: Mapping[str, Any]) -> tuple[Reply, ...]:
        """The person beside the study, and the question for what is missing; the study alone while nothing is known."""
        general = self.answers.main(TOPIC, language)
        if self.answers.is_withheld(TOPIC) or self.eligibility.is_withheld():
            return (general,)
        question = self.eligibility.question(say.ask, language)
        if say.part == "ask":
            return (question,)
        compared = self.eligibility.compare(slots, say.only, language)
        # One list of choices, under the question.
        return (compared or replace(general, buttons=()), question)

    def _reply(self, say: Say, language: Language) -> Reply:
        if say.key in self.answers:
            if say.part == "sources":
                return self.answers.sources(say.key, language)
            if say.part == "more":
                return self.answers.more(say.key, language) or self.phrases.reply("more_nothing", language)
            return self.answers.main(say.key, language)
        return self.phrases.reply(say.key, language, choices=say.choices)

    def _failure(self, language: Language) -> Turn:
        """The fixed sentence that tells how to reach a person."""
        return Turn(language, "error", (self.phrases.reply("failure", language),))

    async def _try(self, part: str, work: Awaitable[T], failures: list[str], patience: float) -> T | None:
        """The result of `work`, or None with the failure noted: nothing that breaks may leave a person unanswered."""
        try:
            async with asyncio.timeout(patience):
                return await work
        except Exception as error:  # the outermost edge of a message
            self._note(part, error, failures)
            return None

    def _note(self, part: str, error: Exception, failures: list[str]) -> None:
        """Keeps which part failed and the error's name; never its text, which may quote what the person wrote."""
        failures.append(f"{part}: {type(error).__name__}")
        log.error("message.failed", part=part, error=type(error).__name__)


# What someone who was in danger a message ago may say without having changed the subject.
_COURTESIES = frozenset({"greet", "thanks", "goodbye"})
_NO_NEW_SUBJECT = frozenset({"affirm", "deny", "change_language", "more_detail", "show_source", "menu"})


def _leaves_open(understood: Understanding) -> bool:
    """Whether someone who was in danger a message ago may still be: nothing new was asked, or it was not understood."""
    return _in_doubt(understood) or set(understood.topics) <= _NO_NEW_SUBJECT


def _in_doubt(understood: Understanding) -> bool:
    return understood.decision in ("clarify", "fallback")


def _is_of_a_request(understood: Understanding) -> bool:
    """Whether a request for a call is begun, filled in, or asked about."""
    return any(say.part == "booking" for say in understood.says)


def _is_strange(understood: Understanding) -> bool:
    """Whether it is told as out of scope for certain, and not only for want of a likely topic."""
    told = understood.decision == "fallback" and bool(understood.topics)
    return told and understood.candidates[0].confidence >= SURELY_STRANGE


def _choices(replies: Sequence[Reply]) -> tuple[Button, ...]:
    return tuple(button for reply in replies for button in reply.buttons)


def _typed_choice(message: Incoming, buttons: Sequence[Button]) -> Incoming:
    """A typed "2" presses the second choice, and so do its words; links are no choices and have no number."""
    if message.button:
        return message
    typed = _words(message.text)
    for number, button in enumerate((button for button in buttons if not button.is_link), 1):
        if typed and typed in ([str(number)], _words(button.title)):
            return replace(message, button=button.payload)
    return message


def _words(text: str) -> list[str]:
    """What counts of a typed choice: "(2)", "2️⃣", "option 2" and "la 2" are one."""
    found = re.findall(r"[a-z0-9]+", bare(text))
    return [word for word in found if word not in {"option", "number", "opcion", "numero", "la", "el"}]
