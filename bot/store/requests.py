"""Requests for a call: kept with the turn that sends them, read by the person who made them and by staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bot.errors import RequestError
from bot.messages import REQUEST_STATES, Effect, Language, RequestState
from bot.store import models
from bot.store.outbox import QUIET, announce

OPEN: tuple[RequestState, ...] = ("new", "contacted", "scheduled")
PERSON = "person"  # in the history: the person who made the request
OF_REQUESTS = frozenset({"book", "change_booking", "booking_status"})  # topics
TAKEN_FOR = timedelta(days=1)  # so long a number or address is good for one request


@dataclass(frozen=True)
class Request:
    """A request as it stands.

    Attributes:
        sender: Who made it, as "channel:sender".
        draft: What the person has told; `bot.booking.read_draft` reads it.
        agreed_at: The time that was agreed, where one was.
        history: What became of it: event, by whom, when.
    """

    code: str
    state: RequestState
    language: Language
    sender: str
    conversation: int
    draft: Mapping[str, Any]
    agreed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    history: tuple[tuple[str, str, datetime], ...]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Requests:
    """The requests of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def of(self, sender: str) -> list[Request]:
        """Those made by a sender, "channel:sender", the newest first."""
        channel, _, name = sender.partition(":")
        query = (
            select(models.Request)
            .join(models.Conversation)
            .where(models.Conversation.channel == channel, models.Conversation.sender == name)
            .order_by(models.Request.id.desc())
        )
        with Session(self.engine) as session:
            return [_request(row) for row in session.scalars(query)]

    def find(self, code: str) -> Request | None:
        """The request with a code."""
        with Session(self.engine) as session:
            row = session.scalar(select(models.Request).where(models.Request.code == code))
            return _request(row) if row else None

    def is_taken(self, contact: str, besides: str = "") -> bool:
        """Whether a number or address was used for a request less than a day ago, whoever made it.

        Args:
            contact: The number or address.
            besides: The code of a request that does not count: the one that is being changed.
        """
        with Session(self.engine) as session:
            return _is_taken(session, contact, besides)

    def all(self, states: Sequence[RequestState] = REQUEST_STATES) -> list[Request]:
        """Those in one of `states`, the newest first."""
        query = select(models.Request).where(models.Request.state.in_(states)).order_by(models.Request.id.desc())
        with Session(self.engine) as session:
            return [_request(row) for row in session.scalars(query)]

    def move(self, code: str, state: RequestState, by: str, agreed_at: datetime | None = None) -> Request:
        """Notes what the clinic did about a request.

        Args:
            code: Of the request.
            state: How it stands now.
            by: Who of the staff says so.
            agreed_at: The time that was agreed; "scheduled" needs it.

        Raises:
            RequestError: There is no such request, or no time was given for "scheduled".
        """
        if state == "scheduled" and agreed_at is None:
            raise RequestError("'scheduled' needs the time that was agreed.")
        with Session(self.engine) as session, session.begin():
            row = session.scalar(select(models.Request).where(models.Request.code == code))
            if row is None:
                raise RequestError(f"There is no request {code}.")
            now = datetime.now(UTC)
            row.state, row.updated_at = state, now
            row.agreed_at = agreed_at if state == "scheduled" else row.agreed_at
            row.events.append(models.RequestEvent(event=state, by=by, created_at=now))
            session.flush()
            return _request(row)

    def forget(self, before: datetime) -> int:
        """Deletes what has not changed since `before`, with its history and what was said to fill it in; how many.

        Of the conversation everything about requests goes; what is newer, and what it was else about, stays.
        """
        with Session(self.engine) as session, session.begin():
            old = list(session.scalars(select(models.Request).where(models.Request.updated_at < before)))
            for request in old:
                for turn in request.conversation.turns:
                    if turn.created_at < before and not OF_REQUESTS.isdisjoint(turn.topics):
                        turn.text, turn.button, turn.replies = "", None, []
                if request.conversation.updated_at < before:
                    request.conversation.dialogue, request.conversation.asking = {}, None
                session.delete(request)
            return len(old)


def _is_taken(session: Session, contact: str, besides: str) -> bool:
    since = datetime.now(UTC) - TAKEN_FOR
    query = select(func.count()).where(
        models.Request.contact == contact,
        models.Request.created_at > since,
        models.Request.state != "cancelled",
        models.Request.code != besides,
    )
    return bool(session.scalar(query))


def apply(
    session: Session,
    conversation: models.Conversation,
    effect: Effect,
    language: Language,
    now: datetime,
    targets: Sequence[str],
) -> None:
    """Does what a turn is to do, in the turn's own transaction.

    Raises:
        RequestError: The request that is to be changed does not exist any more, or is closed.
    """
    if effect.kind == "person":
        if conversation.flag != "person" or conversation.flagged_at is None or now - conversation.flagged_at > QUIET:
            announce(session, conversation, "person", now, targets)
        return
    draft = dict(effect.draft)
    if effect.kind == "new":
        row = models.Request(
            code=effect.code, state="new", language=language, created_at=now, conversation=conversation
        )
        session.add(row)
    else:
        found = session.scalar(select(models.Request).where(models.Request.code == effect.code).with_for_update())
        if found is None or found.state not in OPEN:
            raise RequestError(f"The request {effect.code} is closed.")
        row = found
    row.updated_at = now
    row.events.append(models.RequestEvent(event=effect.kind, by=PERSON, created_at=now))
    if effect.kind == "cancelled":
        row.state = "cancelled"
    else:
        row.draft, row.contact = draft, str(draft["phone"] or draft["email"])
        session.flush()  # whoever comes second with the same number waits here, and then sees the first
        if _is_taken(session, row.contact, effect.code):
            raise RequestError("This number or address has a request already.")
    announce(session, conversation, effect.kind, now, targets, request=row)


def _request(row: models.Request) -> Request:
    return Request(
        code=row.code,
        state=cast(RequestState, row.state),
        language=cast(Language, row.language),
        sender=f"{row.conversation.channel}:{row.conversation.sender}",
        conversation=row.conversation_id,
        draft=row.draft,
        agreed_at=row.agreed_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        history=tuple((event.event, event.by, event.created_at) for event in row.events),
    )
