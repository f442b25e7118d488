"""What was said: one verb for each thing that callers need, and plain values out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from bot.errors import RequestError
from bot.messages import Button, Citation, Claim, Decision, Incoming, Language, Memory, Reply, Turn
from bot.store import models
from bot.store.outbox import QUIET, announce
from bot.store.requests import apply

# Why staff should look at a conversation, the most urgent first.
FLAGS = ("emergency", "perhaps_emergency", "person", "failure")

REASONS = ("not_asked", "unclear", "too_long", "wrong", "other")  # why a reply did not help


@dataclass(frozen=True)
class Said:
    """One message and its replies, as the person saw them. `id` is its number, None where it was not kept."""

    text: str
    button: str | None
    language: Language
    decision: Decision
    replies: tuple[Reply, ...]
    at: datetime
    id: int | None = None

    @classmethod
    def now(cls, message: Incoming, turn: Turn) -> "Said":
        """A turn that has just happened, recorded or not."""
        return cls(message.text, message.button, turn.language, turn.decision, turn.replies, datetime.now(UTC))


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
                    channel=message.channel, sender=message.sender, created_at=now, **_remembered(Memory())
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
                found.flag, found.flagged_at = flag, now
            session.flush()
            session.add(_row(found.id, message, said, turn, now, _number(session, now)))

    def turn(self, channel: str, update_id: str) -> tuple[int, Said] | None:
        """The turn of one message, with its number; None where it was not kept."""
        query = select(models.Turn).where(models.Turn.channel == channel, models.Turn.update_id == update_id)
        with Session(self._engine) as session:
            row = session.scalar(query)
            return (row.id, _said(row)) if row else None

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
            return _said(row).replies if row else ()

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
            return [_said(row) for row in session.scalars(query)]

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
            return True

    def say(self, conversation: int, text: str) -> None:
        """Adds what a person of the staff writes; the chat on web pages shows it in a moment.

        Raises:
            RequestError: There is no such conversation, or it is not on the web, where we cannot bring it to anybody.
        """
        now = datetime.now(UTC)
        with Session(self._engine) as session, session.begin():
            found = session.get(models.Conversation, conversation)
            if found is None:
                raise RequestError(f"There is no conversation {conversation}.")
            if found.channel != "web":
                raise RequestError(f"Conversation {conversation} is on {found.channel}; only the web chat takes this.")
            message = Incoming(found.channel, found.sender)
            said = Turn(cast(Language, found.language or "es"), "staff", (Reply(text, revision="staff"),))
            session.add(_row(found.id, message, "", said, now, _number(session, now)))
            found.updated_at = now

    def delete(self, channel: str, sender: str) -> None:
        """Deletes a conversation with all that belongs to it: turns, requests, and what staff were to be told."""
        with Session(self._engine) as session, session.begin():
            found = session.scalar(_conversation(channel, sender))
            if found:
                session.delete(found)
        if self._engine.dialect.name == "sqlite":  # what was deleted is not left in the file beside the database either
            with self._engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


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
    if turn.decision == "emergency":
        return "emergency"
    if turn.replies and turn.replies[0].revision.startswith("in_case@"):
        return "perhaps_emergency"
    if turn.effect and turn.effect.kind == "person":
        return "person"
    return "failure" if turn.failure else None


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


def _said(row: models.Turn) -> Said:
    return Said(
        text=row.text,
        button=row.button,
        language=cast(Language, row.language),
        decision=cast(Decision, row.decision),
        replies=tuple(_reply(reply) for reply in cast(Sequence[dict[str, Any]], row.replies)),
        at=row.created_at,
        id=row.id,
    )


def _reply(kept: dict[str, Any]) -> Reply:
    claims = tuple(Claim(c["text"], tuple(Citation(**each) for each in c["citations"])) for c in kept["claims"])
    buttons = tuple(Button(**button) for button in kept["buttons"])
    return Reply(**{**kept, "claims": claims, "buttons": buttons, "notes": tuple(kept["notes"])})
