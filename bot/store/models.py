"""The tables. Transcripts are the record; `Conversation.dialogue` is the dialogue engine's working memory."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always in UTC: SQLite forgets the time zone, PostgreSQL keeps it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcDateTime}


class Conversation(Base):
    """One person on one channel."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("channel", "sender"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    sender: Mapped[str] = mapped_column(String(128))
    language: Mapped[str | None] = mapped_column(String(2))
    language_chosen: Mapped[bool] = mapped_column(default=False)
    buttons: Mapped[list[Any]] = mapped_column(default=list)
    alarm: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(16))
    asking: Mapped[str | None] = mapped_column(String(16))
    flag: Mapped[str | None] = mapped_column(String(32))
    flagged_at: Mapped[datetime | None]
    dialogue: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    turns: Mapped[list["Turn"]] = relationship(
        back_populates="conversation", order_by="Turn.id", cascade="all, delete-orphan", passive_deletes=True
    )


class Turn(Base):
    """One message with its replies, and what the assistant made of it.

    `id` is the microsecond of the turn, so that a number is never given twice, also after a deletion.
    `update_id` is the channel's own id of the message: NULL where the channel has none, else unique within the channel.
    `replies` is what the person was shown, as it was; `revisions` names the wording. `helpful` and `reason` are what
    the person thought of it, where they said so.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("channel", "update_id"),
        Index("ix_turn_conversation", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(16))
    update_id: Mapped[str | None] = mapped_column(String(128))
    text: Mapped[str] = mapped_column(Text)
    button: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    decision: Mapped[str] = mapped_column(String(16))
    topics: Mapped[list[Any]]
    candidates: Mapped[list[Any]]
    replies: Mapped[list[Any]]
    revisions: Mapped[list[Any]]
    failure: Mapped[str | None] = mapped_column(String(256))
    latency_ms: Mapped[float] = mapped_column(Float)
    helpful: Mapped[bool | None]
    reason: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]

    conversation: Mapped[Conversation] = relationship(back_populates="turns")


class Request(Base):
    """A request for a call. `draft` is what the person has told, as `bot.booking` writes it.

    `contact` is the phone number or e-mail address, so that one is not used twice a day. `state` is one of
    `bot.messages.REQUEST_STATES`.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_conversation", "conversation_id"),
        Index("ix_request_contact", "contact", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2))
    contact: Mapped[str] = mapped_column(String(254))
    draft: Mapped[dict[str, Any]]
    agreed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    conversation: Mapped[Conversation] = relationship()
    events: Mapped[list["RequestEvent"]] = relationship(
        order_by="RequestEvent.id", cascade="all, delete-orphan", passive_deletes=True
    )


class RequestEvent(Base):
    """What became of a request, and by whom: "person", or a name of the staff."""

    __tablename__ = "request_event"
    __table_args__ = (Index("ix_request_event_request", "request_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class Outbox(Base):
    """Something that staff must learn, on its way to one place. It holds no data of the person: those are read late.

    `due_at` is when it is tried next, NULL once it was sent.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "due_at"), Index("ix_outbox_conversation", "conversation_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"))
    topic: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = mapped_column(String(256))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]

    conversation: Mapped[Conversation] = relationship()
    request: Mapped[Request | None] = relationship()


class TelegramUpdate(Base):
    """Something that Telegram has handed over.

    `sent` is how many messages of its reply Telegram has taken. Its words are deleted once it is done: they are in the
    transcript then.
    """

    __tablename__ = "telegram_update"
    __table_args__ = (
        Index("ix_telegram_update_chat", "chat", "message"),
        Index("ix_telegram_update_done", "done_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chat: Mapped[int | None] = mapped_column(BigInteger)
    message: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]]
    sent: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
