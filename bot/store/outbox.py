"""What staff must learn: written with the turn that calls for it, tried until it is sent.

Every message is sent at least once. It may come twice if the process dies between sending and noting it; each carries
the same id and code both times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from bot.messages import Language
from bot.store import models

News = Literal["new", "changed", "cancelled", "person", "emergency"]

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
QUIET = timedelta(hours=1)  # so long one danger, or one wait, in a conversation is announced once
LEASE = timedelta(minutes=2)  # so long one process has a message to itself
MOST_AT_ONCE = 6  # fewer than would outlast the lease, should all of them hang


@dataclass(frozen=True)
class Due:
    """A message that is to be sent now.

    Attributes:
        id: Of the message; the same whenever it is tried.
        target: Where it goes: "telegram", "email" or "webhook".
        event: What happened.
        code: Of the request that it is about, where it is about one.
        conversation: The number of the conversation.
        topics: What the conversation was about, the newest first.
    """

    id: int
    target: str
    event: News
    code: str | None
    topic: str | None
    conversation: int
    channel: str
    language: Language | None
    topics: tuple[str, ...]
    at: datetime


def announce(
    session: Session,
    conversation: models.Conversation,
    event: News,
    now: datetime,
    targets: Sequence[str],
    *,
    request: models.Request | None = None,
    topic: str | None = None,
) -> None:
    """Puts a message for each of `targets` into the outbox, in the caller's transaction."""
    for target in targets:
        session.add(
            models.Outbox(
                target=target,
                event=event,
                conversation=conversation,
                request=request,
                topic=topic,
                created_at=now,
                due_at=now,
            )
        )


class Outbox:
    """The messages of one database that have not reached staff yet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self) -> list[Due]:
        """The messages that are due, danger first; nobody else gets them for two minutes."""
        now = datetime.now(UTC)
        query = (
            select(models.Outbox)
            .where(models.Outbox.due_at <= now)
            .order_by(models.Outbox.event != "emergency", models.Outbox.id)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        with Session(self._engine) as session, session.begin():
            rows = list(session.scalars(query))
            for row in rows:
                row.due_at = now + LEASE
            return [_due(session, row) for row in rows]

    def sent(self, message: int) -> None:
        """Notes that a message has arrived."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(models.Outbox)
                .where(models.Outbox.id == message)
                .values(sent_at=datetime.now(UTC), due_at=None, failure=None, attempts=models.Outbox.attempts + 1)
            )

    def failed(self, message: int, reason: str) -> None:
        """Notes that a message could not be sent; it is tried again, each time after twice as long, at most an hour."""
        with Session(self._engine) as session, session.begin():
            row = session.get(models.Outbox, message)
            if row is None:  # the person's data were deleted meanwhile
                return
            row.attempts += 1
            row.failure = reason[:256]
            row.due_at = datetime.now(UTC) + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts - 1, 16))

    def waiting(self) -> tuple[int, str | None]:
        """How many messages have failed so far and wait for another try, and why the newest of them did."""
        query = select(models.Outbox).where(models.Outbox.due_at.is_not(None), models.Outbox.attempts > 0)
        with Session(self._engine) as session:
            number = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            newest = session.scalars(query.order_by(models.Outbox.id.desc()).limit(1)).first()
            return number, newest.failure if newest else None


def _due(session: Session, row: models.Outbox) -> Due:
    latest = (
        select(models.Turn.topics)
        .where(models.Turn.conversation_id == row.conversation_id)
        .order_by(models.Turn.id.desc())
        .limit(10)
    )
    topics = dict.fromkeys(str(topic) for topics in session.scalars(latest) for topic in topics)
    return Due(
        id=row.id,
        target=row.target,
        event=cast(News, row.event),
        code=row.request.code if row.request else None,
        topic=row.topic,
        conversation=row.conversation_id,
        channel=row.conversation.channel,
        language=cast(Language | None, row.conversation.language),
        topics=tuple(topics),
        at=row.created_at,
    )
