"""The tables. Transcripts are the record; `Conversation.dialogue` is the dialogue engine's working memory."""

from datetime import UTC, date, datetime
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
    text,
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


class Words(TypeDecorator[tuple[str, ...]]):
    """A few words without blanks, kept as " one two ", so that one of them is found with LIKE '% one %'."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return f" {' '.join(value)} " if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple((value or "").split())


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcDateTime, tuple[str, ...]: Words}


# How PostgreSQL finds words without their accents: exactly what `0006_console.py` has made an index of.
LETTERS = "translate(lower(text), 'áàâäãéèêëíìîïóòôöõúùûüñç', 'aaaaaeeeeiiiiooooouuuunc')"

# What the inbox filters by, all in one index: a hundred thousand conversations are looked through without their rows.
INBOX = (
    "updated_at", "id", "state", "flags", "channel", "language", "assignee_id", "labels", "topics", "length",
    "confidence",
)  # fmt: skip


class Conversation(Base):
    """One person on one channel.

    `flag` is the most urgent reason that staff were told of, and `flagged_at` when; `flags` are all that stand until
    somebody closes the conversation. `state` is one of `bot.store.inbox.STATES`; someone of the staff holds it until
    `held_until`. `topics` (the newest last), `length` (in turns) and `confidence` (the lowest) tell of its turns, so
    that the inbox need not read them.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("channel", "sender"),
        Index("ix_conversation_inbox", *INBOX),
        Index("ix_conversation_waiting", "state", "waiting_since", "flagged_at"),
    )

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
    flags: Mapped[tuple[str, ...]] = mapped_column(default=())
    labels: Mapped[tuple[str, ...]] = mapped_column(default=())
    topics: Mapped[tuple[str, ...]] = mapped_column(default=())
    state: Mapped[str] = mapped_column(String(16), default="bot")
    waiting_since: Mapped[datetime | None]
    holder_id: Mapped[int | None]
    held_until: Mapped[datetime | None]
    assignee_id: Mapped[int | None]
    length: Mapped[int] = mapped_column(default=0)
    confidence: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    # Nobody of the staff is ever deleted, so the numbers need no keys, which SQLite adds to no table that is there.
    holder: Mapped["Staff | None"] = relationship(
        primaryjoin="foreign(Conversation.holder_id) == Staff.id", viewonly=True
    )
    assignee: Mapped["Staff | None"] = relationship(
        primaryjoin="foreign(Conversation.assignee_id) == Staff.id", viewonly=True
    )
    turns: Mapped[list["Turn"]] = relationship(
        back_populates="conversation", order_by="Turn.id", cascade="all, delete-orphan", passive_deletes=True
    )


RATED = text("helpful IS NOT NULL")  # few are


class Turn(Base):
    """One message with its replies, and what the assistant made of it.

    `id` is the microsecond of the turn, so that a number is never given twice, also after a deletion.
    `update_id` is the channel's own id of the message: NULL where the channel has none, else unique within the channel.
    `replies` is what the person was shown, as it was; `revisions` names the wording. `helpful` and `reason` are what
    the person thought of it, where they said so. `delivery` is how far a turn of the staff has come: "waiting", "sent"
    or "failed"; NULL for all others, whose channel answers at once.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("channel", "update_id"),
        Index("ix_turn_conversation", "conversation_id", "id"),
        Index("ix_turn_delivery", "delivery", "channel"),
        Index("ix_turn_helpful", "helpful", sqlite_where=RATED, postgresql_where=RATED),
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
    delivery: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]

    conversation: Mapped[Conversation] = relationship(back_populates="turns")
    reviews: Mapped[list["Review"]] = relationship(
        back_populates="turn", order_by="Review.id", cascade="all, delete-orphan", passive_deletes=True
    )


class Request(Base):
    """A request for a call. `draft` is what the person has told, as `bot.booking` writes it.

    `contact` is the phone number or e-mail address, so that one is not used twice a day. `state` is one of
    `bot.messages.REQUEST_STATES`.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_conversation", "conversation_id"),
        Index("ix_request_contact", "contact", "created_at"),
        Index("ix_request_state", "state", "created_at"),
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


class Counter(Base):
    """The highest number of a conversation so far: SQLite would give that of the newest again, once it is deleted."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[int]


class Staff(Base):
    """Someone of the clinic. `name` is what patients see, a first name; `password` is a hash, NULL until one is chosen.

    `totp` is the secret of an authenticator app, NULL without one; `totp_used` the half minute of its last code.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2))
    password: Mapped[str | None] = mapped_column(String(256))
    totp: Mapped[str | None] = mapped_column(String(64))
    totp_used: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class Guess(Base):
    """Passwords that were tried one after the other. `key` is a hash of the login, or of a browser that once got in."""

    __tablename__ = "guess"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class StaffSession(Base):
    """A browser in which someone is logged in. Only a hash of its token is kept."""

    __tablename__ = "staff_session"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    staff: Mapped[Staff] = relationship()


class Invitation(Base):
    """A link with which someone of the staff chooses a password, once. Only a hash of its token is kept."""

    __tablename__ = "invitation"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]

    staff: Mapped[Staff] = relationship()


class Audit(Base):
    """Who of the staff did or saw what. The database itself refuses to change or delete a row.

    `subject` names what it was about, as "conversation:12"; never what was said in it.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_who", "who", "id"), Index("ix_audit_subject", "subject", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    detail: Mapped[str] = mapped_column(String(256))


class Note(Base):
    """What someone of the staff notes on a conversation, for others of the staff."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    by: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Review(Base):
    """What staff think of a turn, one opinion each: `verdict` is one of `bot.store.reviews.VERDICTS`.

    `topic` is the right one, where it was wrong. `example` is a training message made from it, without personal data,
    in `language`, with its `english` where that is another; `state` is how far the example has come, one of
    `bot.store.reviews.STATES`, or why a correction gave none, one of its `NoLesson`; else NULL.
    """

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("turn_id", "by"), Index("ix_review_state", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turn.id", ondelete="CASCADE"))
    by: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    topic: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text, default="")
    example: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(2))
    english: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]

    turn: Mapped[Turn] = relationship(back_populates="reviews")


class Approval(Base):
    """What a clinician decided on the wording of an answer. It counts for that wording only, see `revision_of`."""

    __tablename__ = "approval"
    __table_args__ = (Index("ix_approval_revision", "revision", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(64))
    revision: Mapped[str] = mapped_column(String(128))
    approved: Mapped[bool]
    by: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text, default="")
    due: Mapped[date | None]
    at: Mapped[datetime]
