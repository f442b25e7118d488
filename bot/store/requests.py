"""Requests for a call: kept with the turn that sends them, read by the person who made them and by staff."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Engine, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.errors import RequestError
from bot.messages import REQUEST_STATES, Effect, Language, RequestState
from bot.store import forget_words, models
from bot.store.outbox import QUIET, announce

OPEN: tuple[RequestState, ...] = ("new", "contacted", "scheduled")
PERSON = "person"  # in the history: the person who made the request
OF_REQUESTS = frozenset({"book", "change_booking", "booking_status"})  # topics
TAKEN_FOR = timedelta(days=1)  # so long a number or address is good for one request
PAGE = 50
# By what those in each state are ordered: who waits longest, or is to be called first, comes first; of those that are
# over, the newest.
ORDER: Mapping[RequestState, str] = {
    "new": "created_at",
    "contacted": "updated_at",
    "scheduled": "agreed_at",
    "closed": "updated_at",
    "cancelled": "updated_at",
}


@dataclass(frozen=True)
class Wanted:
    """What requests to show: those for which everything that is given is true.

    Attributes:
        country: Two capital letters.
        code: A part of the code, with or without its dash.
        since: The first moment at which one was made; `until` the first that is too late.
    """

    states: Sequence[RequestState] = REQUEST_STATES
    language: Language | None = None
    country: str = ""
    code: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where a page ends, so that the next one goes on there whatever has come in meanwhile."""

    state: RequestState
    at: datetime
    id: int


@dataclass(frozen=True)
class Request:
    """A request as it stands.

    Attributes:
        sender: Who made it, as "channel:sender".
        draft: What the person has told; `bot.booking.read_draft` reads it.
        agreed_at: The time that was agreed, where one was.
        history: What became of it: event, by whom, when.
    """

    id: int
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

    @property
    def place(self) -> Place:
        return Place(self.state, getattr(self, ORDER[self.state]), self.id)


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

    def page(self, wanted: Wanted, after: Place | None = None, most: int = PAGE) -> list[Request]:
        """Those that are wanted, state by state as `REQUEST_STATES` has them, beginning behind a place."""
        states = [state for state in REQUEST_STATES if state in wanted.states]
        if after:
            states = [state for state in states if REQUEST_STATES.index(state) >= REQUEST_STATES.index(after.state)]
        found: list[Request] = []
        with Session(self.engine) as session:
            for state in states:
                if len(found) < most:
                    query = _in_order(state, after if after and after.state == state else None)
                    query = query.where(*_true_of(wanted)).limit(most - len(found))
                    found += [_request(row) for row in session.scalars(query)]
        return found

    def count(self, wanted: Wanted) -> dict[RequestState, int]:
        """How many of those that are wanted are in each state."""
        state = models.Request.state
        query = select(state, func.count()).where(state.in_(wanted.states), *_true_of(wanted)).group_by(state)
        with Session(self.engine) as session:
            found = dict(session.execute(query).tuples().all())
        return {each: found.get(each, 0) for each in wanted.states}

    def countries(self) -> list[str]:
        """The countries that people told, two capital letters each."""
        with Session(self.engine) as session:
            return sorted(region for region in session.scalars(select(_REGION).distinct()) if region)

    def move(
        self,
        code: str,
        state: RequestState,
        by: str,
        agreed_at: datetime | None = None,
        seen: datetime | None = None,
    ) -> Request:
        """Notes what the clinic did about a request.

        Args:
            code: Of the request.
            state: How it stands now.
            by: Who of the staff says so.
            agreed_at: The time that was agreed; "scheduled" needs it.
            seen: When the request had last changed as far as `by` knows; None to overwrite whatever came since.

        Raises:
            RequestError: There is no such request, it has changed since, or no time was given for "scheduled".
        """
        if state == "scheduled" and agreed_at is None:
            raise RequestError("'scheduled' needs the time that was agreed.")
        with Session(self.engine) as session, session.begin():
            now = datetime.now(UTC)
            # One statement, so that of two who send the same form only one moves it.
            moved = update(models.Request).where(models.Request.code == code).values(state=state, updated_at=now)
            if state == "scheduled":
                moved = moved.values(agreed_at=agreed_at)
            if seen:
                moved = moved.where(models.Request.updated_at == seen)
            changed = cast(Any, session.execute(moved)).rowcount
            row = session.scalar(select(models.Request).where(models.Request.code == code))
            if row is None:
                raise RequestError(f"There is no request {code}.")
            if not changed:
                raise RequestError(f"The request {code} has changed meanwhile.")
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
        if old:
            forget_words(self.engine)
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


_REGION = models.Request.draft["region"].as_string()


def _true_of(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """What is true of the requests that are wanted, apart from their states."""
    row = models.Request
    if wanted.language:
        yield row.language == wanted.language
    if wanted.country:
        yield wanted.country == _REGION
    if code := wanted.code.strip().upper().replace("-", ""):
        # Looked for in the index of the codes, since the rows are wide.
        yield row.code.in_(select(row.code).where(func.replace(row.code, "-", "").contains(code, autoescape=True)))
    if wanted.since:
        yield row.created_at >= wanted.since
    if wanted.until:
        yield row.created_at < wanted.until


def _in_order(state: RequestState, after: Place | None) -> Select[models.Request]:
    """Those in one state, with what is read of them, behind a place in it."""
    row = models.Request
    at = getattr(row, ORDER[state])
    query = select(row).where(row.state == state).options(selectinload(row.events))
    query = query.options(
        joinedload(row.conversation).load_only(models.Conversation.channel, models.Conversation.sender)
    )
    if state in OPEN:
        query = query.order_by(at, row.id)
        return query.where(or_(at > after.at, and_(at == after.at, row.id > after.id))) if after else query
    query = query.order_by(at.desc(), row.id.desc())
    return query.where(or_(at < after.at, and_(at == after.at, row.id < after.id))) if after else query


def _request(row: models.Request) -> Request:
    return Request(
        id=row.id,
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
