"""What was said: one verb for each thing that callers need, and plain values out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from bot.errors import RequestError
from bot.messages import Button, Citation, Claim, Decision, Incoming, Language, Memory, Reply, Turn
from bot.store import forget_words, models
from bot.store.outbox import QUIET, announce
from bot.store.requests import apply

# Why staff should look at a conversation, the most urgent first.
FLAGS = ("emergency", "perhaps_emergency", "person", "failure")
URGENT = frozenset({"emergency", "person"})  # somebody waits for a person of the clinic, or should have one
MOST_TOPICS = 30  # of a conversation that the inbox filters by, the newest

REASONS = ("not_asked", "unclear", "too_long", "wrong", "other")  # why a reply did not help


@dataclass(frozen=True)
class Said:
    """One message and its replies, as the person saw them. `id` is its number, None where it was not kept.

    `delivery` is how far a turn of the staff has come: "waiting", "sent" or "failed"; None for all others.
    """

    text: str
    button: str | None
    language: Language
    decision: Decision
    replies: tuple[Reply, ...]
    at: datetime
    id: int | None = None
    delivery: str | None = None

    @classmethod
    def now(cls, message: Incoming, turn: Turn) -> "Said":
        """A turn that has just happened, recorded or not."""
        return cls(message.text, message.button, turn.language, turn.decision, turn.replies, datetime.now(UTC))


@dataclass(frozen=True)
class Outgoing:
    """A turn of the staff on its way. `sender` is whom it goes to, as the channel names people."""

    turn: int
    sender: str
    said: Said


class Transcripts:
    """The transcripts of one database."""

    def __init__(self, engine: Engine, targets: Sequence[str] = ()) -> None:
        """The transcripts. `targets`: where staff learn of what concerns them, see `bot.store.outbox`."""
        self._engine = engine
        self._targets = tuple(targets)

    def seen(self, message: Incoming) -> bool:
        """Whether this very message, by its channel and update id, has been recorded."""
        if message.update_id is None:
            return False
        query = select(models.Turn.id).where(
            models.Turn.channel == message.channel, models.Turn.update_id == message.update_id
        )
        with Session(self._engine) as session:
            return session.scalar(query) is not None

    def memory(self, message: Incoming) -> Memory:
        """What is remembered of the sender's conversation."""
        now = datetime.now(UTC)
        with Session(self._engine) as session:
            found = session.scalar(_conversation(message.channel, message.sender))
            if found is None:
                return Memory()
            return Memory(
                language=cast(Language | None, found.language),
                chosen=found.language_chosen,
                buttons=tuple(Button(**button) for button in found.buttons),
                alarm=found.alarm,
                country=found.country,
                asking=found.asking,
                dialogue=found.dialogue,
                held=found.state == "held" and (found.held_until or now) > now,
            )

    def record(self, message: Incoming, turn: Turn, memory: Memory | None) -> None:
        """Keeps the turn, what it does, and the memory for the next one, in one transaction, or nothing of it.

        Without a memory the old one stays.

        Raises:
            RequestError: The turn changes a request that is closed.
        """
        now = datetime.now(UTC)
        with Session(self._engine) as session, session.begin():
            found = session.scalar(_conversation(message.channel, message.sender))
            if found is None:
                found = models.Conversation(
                    id=_new_number(session),
                    channel=message.channel,
                    sender=message.sender,
                    created_at=now,
                    **_remembered(Memory()),
                )
                session.add(found)
            said = message.text or _title(found.buttons, message.button)
            if memory is not None:
                for name, value in _remembered(memory).items():
                    setattr(found, name, value)
            found.updated_at = now
            if turn.effect:
                apply(session, found, turn.effect, turn.language, now, self._targets)
            flag = _flag(turn)
            if flag and FLAGS.index(flag) <= FLAGS.index(found.flag or flag):  # nothing less urgent takes its place
                news = found.flag != flag or found.flagged_at is None or now - found.flagged_at > QUIET
                if flag == "emergency" and news:
                    announce(session, found, "emergency", now, self._targets, topic=turn.topics[0])
                found.flag, found.flagged_at = flag, now if news else found.flagged_at
            _tell(found, turn, now)
            session.flush()
            session.add(_row(found.id, message, said, turn, now, _number(session, now)))

    def turn(self, channel: str, update_id: str) -> tuple[int, Said] | None:
        """The turn of one message, with its number; None where it was not kept."""
        query = select(models.Turn).where(models.Turn.channel == channel, models.Turn.update_id == update_id)
        with Session(self._engine) as session:
            row = session.scalar(query)
            return (row.id, said_in(row)) if row else None

    def replies(self, channel: str, sender: str, turn: int) -> tuple[Reply, ...]:
        """What was said in a turn of this very conversation; nothing where it has no such turn."""
        query = (
            select(models.Turn)
            .join(models.Conversation)
            .where(
                models.Turn.id == turn,
                models.Conversation.channel == channel,
                models.Conversation.sender == sender,
            )
        )
        with Session(self._engine) as session:
            row = session.scalar(query)
            return said_in(row).replies if row else ()

    def of(self, channel: str, sender: str, after: int = 0) -> list[Said]:
        """The conversation, oldest first; all of it, or what came after a turn."""
        query = (
            select(models.Turn)
            .join(models.Conversation)
            .where(models.Conversation.channel == channel, models.Conversation.sender == sender)
            .where(models.Turn.id > after)
            .order_by(models.Turn.id)
        )
        with Session(self._engine) as session:
            return [said_in(row) for row in session.scalars(query)]

    def rate(self, channel: str, sender: str, turn: int, helpful: bool, reason: str | None) -> bool:
        """Notes whether a turn helped, in place of what was noted before; False where the sender has no such turn."""
        query = (
            select(models.Turn)
            .join(models.Conversation)
            .where(models.Turn.id == turn)
            .where(models.Conversation.channel == channel, models.Conversation.sender == sender)
        )
        with Session(self._engine) as session, session.begin():
            row = session.scalar(query)
            if row is None:
                return False
            row.helpful, row.reason = helpful, reason
            if not helpful:
                row.conversation.flags = _with(row.conversation.flags, "negative")
            return True

    def say(self, conversation: int, text: str, by: str = "") -> None:
        """Adds what a person of the staff writes; the channel brings it to the person in a moment.

        Args:
            conversation: Its number.
            text: What is written.
            by: The first name of who writes it.

        Raises:
            RequestError: There is no such conversation.
        """
        with Session(self._engine) as session, session.begin():
            found = session.get(models.Conversation, conversation)
            if found is None:
                raise RequestError(f"There is no conversation {conversation}.")
            append(session, found, "staff", Reply(text, revision="staff", by=by))

    def undelivered(self, channel: str) -> list[Outgoing]:
        """What staff have written, and the channel has not brought to the person yet; oldest first."""
        query = (
            select(models.Turn)
            .where(models.Turn.delivery == "waiting", models.Turn.channel == channel)
            .order_by(models.Turn.id)
        )
        with Session(self._engine) as session:
            return [Outgoing(row.id, row.conversation.sender, said_in(row)) for row in session.scalars(query)]

    def delivered(self, turn: int, *, well: bool = True) -> None:
        """Notes that the person has been given a turn of the staff, or cannot be."""
        with Session(self._engine) as session, session.begin():
            query = update(models.Turn).where(models.Turn.id == turn, models.Turn.delivery == "waiting")
            session.execute(query.values(delivery="sent" if well else "failed"))
            row = session.get(models.Turn, turn)
            if row and not well:
                row.conversation.flags = _with(row.conversation.flags, "failure")

    def delete(self, channel: str, sender: str) -> None:
        """Deletes a conversation with all that belongs to it: turns, requests, and what staff were to be told."""
        with Session(self._engine) as session, session.begin():
            found = session.scalar(_conversation(channel, sender))
            if found:
                session.delete(found)
        forget_words(self._engine)


def _new_number(session: Session) -> int:
    """The number of a new conversation. That of a deleted one never comes again: staff may have it before them."""
    query = update(models.Counter).values(value=models.Counter.value + 1).returning(models.Counter.value)
    return session.scalars(query).one()


def append(
    session: Session, conversation: models.Conversation, decision: Decision, reply: Reply, update_id: str | None = None
) -> None:
    """Adds a turn that nobody has asked for, in the caller's transaction; the channel brings it to the person."""
    now = datetime.now(UTC)
    turn = Turn(cast(Language, conversation.language or "es"), decision, (reply,))
    message = Incoming(conversation.channel, "", update_id=update_id)
    row = _row(conversation.id, message, "", turn, now, _number(session, now))
    row.delivery = "waiting"
    session.add(row)
    conversation.updated_at = now
    conversation.length += 1


def _tell(found: models.Conversation, turn: Turn, now: datetime) -> None:
    """Keeps with the conversation what the inbox shows of it."""
    found.length = (found.length or 0) + 1
    found.topics = _with(found.topics or (), *turn.topics)[-MOST_TOPICS:]
    if turn.candidates and turn.decision in ("answer", "clarify", "fallback", "action"):
        found.confidence = min(1.0 if found.confidence is None else found.confidence, turn.candidates[0].confidence)
    flags = _flags(turn)
    found.flags = _with(found.flags or (), *flags)
    if found.state == "closed":
        found.state = "bot"
    if _flag(turn) in URGENT and found.state != "held":
        found.state = "waiting"
    if found.state in ("waiting", "held"):
        found.waiting_since = found.waiting_since or now


def _with(words: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """The words with more at their end, each once."""
    return (*(word for word in words if word not in more), *dict.fromkeys(more))


def _conversation(channel: str, sender: str) -> Any:
    return select(models.Conversation).where(
        models.Conversation.channel == channel, models.Conversation.sender == sender
    )


def _remembered(memory: Memory) -> dict[str, Any]:
    """A memory as columns of `conversation`."""
    return {
        "language": memory.language,
        "language_chosen": memory.chosen,
        "buttons": [asdict(button) for button in memory.buttons],
        "alarm": memory.alarm,
        "country": memory.country,
        "asking": memory.asking,
        "dialogue": dict(memory.dialogue),
    }


def _flag(turn: Turn) -> str | None:
    """Why staff should look at the conversation now, one of `FLAGS`; None where nothing calls for it."""
    if turn.decision == "emergency" or (turn.decision == "silent" and turn.topics):  # danger, while staff talk
        return "emergency"
    if turn.replies and turn.replies[0].revision.startswith("in_case@"):
        return "perhaps_emergency"
    if turn.effect and turn.effect.kind == "person":
        return "person"
    return "failure" if turn.failure else None


def _flags(turn: Turn) -> list[str]:
    """What somebody who looks through the inbox may look for, each one of `bot.store.inbox.FLAGS`."""
    urgent = _flag(turn)
    found = [urgent] if urgent else []
    if turn.failure and "failure" not in found:
        found.append("failure")
    if turn.decision in ("clarify", "fallback") and turn.candidates:
        found.append("unsure")
    if turn.effect and turn.effect.kind != "person":
        found.append("booking")
    if "complaint" in turn.topics:
        found.append("complaint")
    if "human" in turn.topics and "person" not in found:  # who was told how to reach one does not wait here
        found.append("person")
    return found


def _title(buttons: Sequence[Mapping[str, str]], pressed: str | None) -> str:
    """The words on a button that was pressed, among those that were offered last."""
    return next((button["title"] for button in buttons if button["payload"] == pressed), "")


def _number(session: Session, now: datetime) -> int:
    """The number of a new turn: the microsecond, or the next that is free. That of a deleted turn never comes again."""
    newest = session.scalar(select(func.max(models.Turn.id))) or 0
    return max(int(now.timestamp() * 1_000_000), newest + 1)


def _row(conversation: int, message: Incoming, said: str, turn: Turn, now: datetime, number: int) -> models.Turn:
    return models.Turn(
        id=number,
        conversation_id=conversation,
        channel=message.channel,
        update_id=message.update_id,
        text=said,
        button=message.button,
        language=turn.language,
        decision=turn.decision,
        topics=list(turn.topics),
        candidates=[asdict(candidate) for candidate in turn.candidates],
        replies=[asdict(reply) for reply in turn.replies],
        revisions=[reply.revision for reply in turn.replies],
        failure=turn.failure,
        latency_ms=round(turn.milliseconds, 2),
        created_at=now,
    )


def said_in(row: models.Turn) -> Said:
    """A turn as the person saw it."""
    return Said(
        text=row.text,
        button=row.button,
        language=cast(Language, row.language),
        decision=cast(Decision, row.decision),
        replies=tuple(_reply(reply) for reply in cast(Sequence[dict[str, Any]], row.replies)),
        at=row.created_at,
        id=row.id,
        delivery=row.delivery,
    )


def _reply(kept: dict[str, Any]) -> Reply:
    claims = tuple(Claim(c["text"], tuple(Citation(**each) for each in c["citations"])) for c in kept["claims"])
    buttons = tuple(Button(**button) for button in kept["buttons"])
    return Reply(**{**kept, "claims": claims, "buttons": buttons, "notes": tuple(kept["notes"])})
