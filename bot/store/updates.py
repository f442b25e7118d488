"""What Telegram has handed over: kept before it is worked on, so that nothing is lost or done twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.store import models

KEPT_FOR = timedelta(days=2)  # Telegram itself tries for a day


@dataclass(frozen=True)
class Received:
    """An update that waits.

    Attributes:
        id: Telegram's own number of it.
        payload: As Telegram sent it.
        sent: How many messages of its reply Telegram has taken already.
    """

    id: int
    payload: Mapping[str, Any]
    sent: int


class Updates:
    """The updates of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, update_id: int, chat: int | None, message: int | None, payload: Mapping[str, Any]) -> bool:
        """Keeps an update; False if it was kept before."""
        row = models.TelegramUpdate(
            id=update_id, chat=chat, message=message, payload=dict(payload), sent=0, received_at=datetime.now(UTC)
        )
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
        except IntegrityError:
            return False
        return True

    def waiting(self) -> Sequence[Received]:
        """What is not done yet, in the order in which Telegram sent it."""
        query = (
            select(models.TelegramUpdate)
            .where(models.TelegramUpdate.done_at.is_(None))
            .order_by(models.TelegramUpdate.id)
        )
        with Session(self._engine) as session:
            return [Received(row.id, row.payload, row.sent) for row in session.scalars(query)]

    def sent(self, update_id: int, number: int) -> None:
        """Notes that Telegram has taken so many messages of the reply."""
        self._set(update_id, sent=number)

    def done(self, update_id: int) -> None:
        """Notes that there is nothing more to do, and deletes the words."""
        self._set(update_id, done_at=datetime.now(UTC), payload={})

    def newest(self, chat: int) -> int | None:
        """The number of the newest message of a chat."""
        query = select(func.max(models.TelegramUpdate.message)).where(models.TelegramUpdate.chat == chat)
        with Session(self._engine) as session:
            return session.scalar(query)

    def is_answered(self, chat: int) -> bool:
        """Whether anything was ever said in a chat."""
        query = select(func.count()).where(models.TelegramUpdate.chat == chat, models.TelegramUpdate.sent > 0)
        with Session(self._engine) as session:
            return bool(session.scalar(query))

    def forget(self) -> None:
        """Deletes what was done days ago; Telegram does not send it again. That a group was answered is kept."""
        before = datetime.now(UTC) - KEPT_FOR
        with Session(self._engine) as session, session.begin():
            told = (models.TelegramUpdate.chat < 0) & (models.TelegramUpdate.sent > 0)
            session.execute(delete(models.TelegramUpdate).where(models.TelegramUpdate.done_at < before, ~told))

    def _set(self, update_id: int, **values: Any) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(models.TelegramUpdate).where(models.TelegramUpdate.id == update_id).values(**values))
