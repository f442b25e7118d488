"""The conversations as staff see them: found by what they hold, taken over, given back, closed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args

from sqlalchemy import (
    ColumnElement,
    Engine,
    Text,
    and_,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session, joinedload

from bot.errors import StaffError
from bot.messages import Candidate, Language, Reply
from bot.store import models
from bot.store.requests import OF_REQUESTS
from bot.store.reviews import known_in
from bot.store.staff import Member
from bot.store.transcripts import Said, append, said_in
from bot.text import bare

Notice = Callable[[Language, bool], Reply]  # what the person is told; the bool: their last message has no answer

State = Literal["waiting", "held", "bot", "closed"]
STATES: tuple[State, ...] = get_args(State)
# Why a conversation may need a look, the most urgent first.
FLAGS = (
    "emergency", "unsafe", "person", "perhaps_emergency", "complaint", "failure", "negative", "booking", "unsure",
)  # fmt: skip

PAGE = 50  # conversations
MOST_TURNS = 200  # of a conversation, on one page
MOST_FOUND = 2_000  # messages that a search for words looks at, the newest
MOST_LABELS = 12


@dataclass(frozen=True)
class Wanted:
    """What conversations to show: those for which everything that is given is true.

    Attributes:
        confidence: From and to, 0 to 1, of the least sure turn.
        length: From and to, in turns.
        since: The first moment of the last message; `until` the first that is too late.
        assignee: Of the member of the staff who is to see to it; 0 for nobody.
        words: Somewhere in what the person wrote, in any order, without accents, whole or as beginnings.
    """

    state: State | None = None
    flag: str | None = None
    channel: str | None = None
    language: Language | None = None
    topic: str | None = None
    label: str | None = None
    assignee: int | None = None
    confidence: tuple[float | None, float | None] = (None, None)
    length: tuple[int | None, int | None] = (None, None)
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


@dataclass(frozen=True)
class Place:
    """Where a page of the inbox ends, so that the next one goes on there whatever has come in meanwhile."""

    updated_at: datetime
    id: int


@dataclass(frozen=True)
class Row:
    """A conversation in the inbox.

    Attributes:
        last: What was said last; None for an answer in the form of a request, which may be a name.
        known: Personal data that the person has told there, to be hidden wherever they stand.
    """

    id: int
    channel: str
    language: Language | None
    state: State
    flags: tuple[str, ...]
    labels: tuple[str, ...]
    topics: tuple[str, ...]
    length: int
    confidence: float | None
    waiting_since: datetime | None
    holder: str | None
    assignee: str | None
    assignee_id: int | None
    created_at: datetime
    updated_at: datetime
    last: str | None
    known: tuple[str, ...]

    @property
    def place(self) -> Place:
        return Place(self.updated_at, self.id)


@dataclass(frozen=True)
class Seen:
    """A turn with what the assistant made of it, for staff.

    Attributes:
        said: What the person saw.
        revisions: Which wordings were shown.
        helpful: What the person thought of it; None where they did not say.
    """

    id: int
    said: Said
    topics: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    revisions: tuple[str, ...]
    failure: str | None
    latency_ms: float
    helpful: bool | None
    reason: str | None

    @property
    def margin(self) -> float | None:
        """How much surer it was of its likeliest topic than of the next."""
        if not self.candidates:
            return None
        return self.candidates[0].confidence - (self.candidates[1].confidence if len(self.candidates) > 1 else 0.0)


@dataclass(frozen=True)
class NoteOfStaff:
    """What one of us noted for the others."""

    by: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Whole:
    """A conversation with its newest turns, oldest first.

    `before` is the turn before them, None where there is none. `holder_id` and `held_until`: who talks in it, and until
    when. `known`: personal data that the person has told in the form of a request, to be hidden wherever they stand.
    """

    row: Row
    sender: str
    turns: tuple[Seen, ...]
    before: Seen | None
    notes: tuple[NoteOfStaff, ...]
    held_until: datetime | None
    holder_id: int | None
    known: tuple[str, ...]
    requests: tuple[tuple[str, str], ...] = field(default=())


class Inbox:
    """The inbox of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- finding ------------------------------------------------------------------------------------------------------

    def find(self, wanted: Wanted, after: Place | None = None) -> list[Row]:
        """A page of conversations, the one in which something was said last first.

        Args:
            wanted: Which.
            after: Go on behind this one.
        """
        conversation = models.Conversation
        query = select(conversation.id).where(*self._conditions(wanted))
        if after:
            same = and_(conversation.updated_at == after.updated_at, conversation.id < after.id)
            query = query.where(conversation.updated_at <= after.updated_at)
            query = query.where(or_(conversation.updated_at < after.updated_at, same))
        query = query.order_by(conversation.updated_at.desc(), conversation.id.desc()).limit(PAGE)
        with Session(self._engine) as session:
            # Numbers first: they come out of an index that holds all that is filtered by, without the wide rows.
            return self._rows(session, list(session.scalars(query)))

    def waiting(self) -> list[Row]:
        """Those who need a person now: danger first, then who has waited longest."""
        conversation = models.Conversation
        query = (
            select(conversation.id)
            .where(conversation.state == "waiting")
            .order_by(~_holds(conversation.flags, "emergency"), conversation.waiting_since)  # danger is never cut off
            .limit(PAGE)
        )
        with Session(self._engine) as session:
            return self._rows(session, list(session.scalars(query)))

    def urgent(self) -> tuple[int, datetime | None, datetime | None]:
        """How many need a person now, since when the first of them waits, and when the newest reason to look came up.

        Who writes while one of us talks there counts as a reason, and so does danger.
        """
        conversation = models.Conversation
        waiting = conversation.state == "waiting"
        query = select(func.count(), func.min(conversation.waiting_since)).where(waiting)
        news = select(func.max(conversation.waiting_since), func.max(conversation.flagged_at)).where(
            conversation.state.in_(("waiting", "held"))
        )
        with Session(self._engine) as session:
            number, first = session.execute(query).one()
            moments = [each for each in session.execute(news).one() if each]
            return number, first, max(moments, default=None)

    def labels(self) -> list[str]:
        """All labels in use."""
        query = select(models.Conversation.labels).where(models.Conversation.labels != ()).distinct().limit(1000)
        with Session(self._engine) as session:
            return sorted({label for labels in session.scalars(query) for label in labels})

    def whole(self, number: int, before: int | None = None) -> Whole | None:
        """A conversation, with the turns before a turn or the newest ones; None where there is no such conversation."""
        with Session(self._engine) as session:
            found = session.get(models.Conversation, number)
            if found is None:
                return None
            query = select(models.Turn).where(models.Turn.conversation_id == number)
            if before is not None:
                query = query.where(models.Turn.id < before)
            rows = list(session.scalars(query.order_by(models.Turn.id.desc()).limit(MOST_TURNS + 1)))
            requests = list(session.scalars(select(models.Request).where(models.Request.conversation_id == number)))
            notes = session.scalars(
                select(models.Note).where(models.Note.conversation_id == number).order_by(models.Note.id)
            )
            return Whole(
                row=self._rows(session, [number])[0],
                sender=found.sender,
                turns=tuple(_seen(row) for row in reversed(rows[:MOST_TURNS])),
                before=_seen(rows[MOST_TURNS]) if len(rows) > MOST_TURNS else None,
                notes=tuple(NoteOfStaff(note.by, note.text, note.created_at) for note in notes),
                held_until=found.held_until,
                holder_id=found.holder_id,
                known=known_in(session, [number])[number],
                requests=tuple((request.code, request.state) for request in requests),
            )

    def news(self, number: int, after: int) -> tuple[Seen | None, list[Seen]]:
        """The turn of a conversation that a reader has seen last, and those after it."""
        turns = select(models.Turn).where(models.Turn.conversation_id == number).order_by(models.Turn.id)
        with Session(self._engine) as session:
            found = [_seen(row) for row in session.scalars(turns.where(models.Turn.id > after).limit(MOST_TURNS))]
            seen = session.scalar(turns.where(models.Turn.id == after)) if found else None
            return (_seen(seen) if seen else None, found)

    def is_there(self, number: int) -> bool:
        """Whether there is such a conversation: the person may have had it deleted."""
        with Session(self._engine) as session:
            return session.get(models.Conversation, number) is not None

    def known(self, number: int) -> tuple[str, ...]:
        """What the person of a conversation has told of themselves in the form of a request."""
        with Session(self._engine) as session:
            return known_in(session, [number])[number]

    # --- taking over --------------------------------------------------------------------------------------------------

    def take(self, number: int, member: Member, held_for: timedelta, notice: Reply) -> None:
        """One of the staff talks in the conversation from now on, and the assistant is silent. The person is told.

        Raises:
            StaffError: Somebody else has it, or it is gone.
        """
        now = datetime.now(UTC)
        conversation = models.Conversation
        free = or_(conversation.state != "held", conversation.held_until <= now, conversation.holder_id.is_(None))
        with Session(self._engine) as session, session.begin():
            # One statement, so that of two who press the button at once only one gets it.
            taken = session.execute(
                update(conversation)
                .where(conversation.id == number, free)
                .values(state="held", holder_id=member.id, held_until=now + held_for, assignee_id=member.id)
            )
            found = _one(session, number)
            if not cast(Any, taken).rowcount and found.holder_id != member.id:
                raise StaffError("held", f"Conversation {number} is held by somebody else.")
            if cast(Any, taken).rowcount:
                append(session, found, "talk", notice)

    def say(self, number: int, member: Member, words: str, held_for: timedelta, once: str = "") -> None:
        """Writes to the person. Whoever holds the conversation keeps it for longer by it.

        Args:
            number: Of the conversation.
            member: Who writes.
            words: What.
            held_for: How long they keep it without another word.
            once: Made with the form: what is sent twice is said once.

        Raises:
            StaffError: They do not hold it.
        """
        now = datetime.now(UTC)
        with Session(self._engine) as session, session.begin():
            found = _one(session, number)
            if found.state != "held" or found.holder_id != member.id or (found.held_until or now) <= now:
                raise StaffError("not_held", f"Take conversation {number} before you write in it.")
            update_id = f"staff:{number}:{once}" if once else None
            same = select(models.Turn.id).where(models.Turn.update_id == update_id)
            if update_id and session.scalar(same.where(models.Turn.channel == found.channel)):
                return
            append(session, found, "staff", Reply(words, revision="staff", by=member.name), update_id)
            found.held_until, found.waiting_since = now + held_for, None

    def give_back(self, number: int, member: Member, notice: Notice) -> None:
        """The assistant answers again. The person is told. Who wrote last and got no answer still needs a person.

        Raises:
            StaffError: Somebody else has it.
        """
        with Session(self._engine) as session, session.begin():
            found = _one(session, number)
            if found.state == "held" and found.holder_id != member.id and not member.may("admin"):
                raise StaffError("held", f"Conversation {number} is held by somebody else.")
            if found.state == "held":
                _release(session, found, notice)

    def give_back_late(self, notice: Notice) -> int:
        """Gives back where nobody of us has written for too long; how many. Who still waits needs a person."""
        now = datetime.now(UTC)
        query = select(models.Conversation).where(
            models.Conversation.state == "held", models.Conversation.held_until <= now
        )
        with Session(self._engine) as session, session.begin():
            late = list(session.scalars(query))
            for found in late:
                _release(session, found, notice)
            return len(late)

    def close(self, number: int, seen: int) -> None:
        """Nothing is left to do: its flags are taken away. What the person writes next opens it again.

        Args:
            number: Of the conversation.
            seen: The newest turn that whoever closes it has seen.

        Raises:
            StaffError: Somebody holds it: it is given back first. Or the person has written meanwhile.
        """
        with Session(self._engine) as session, session.begin():
            found = _one(session, number)
            _must_be_seen(session, number, seen)
            if found.state == "held":
                raise StaffError("still_held", f"Give conversation {number} back first.")
            found.state, found.flags, found.waiting_since = "closed", (), None
            found.flag = found.flagged_at = None

    def attend(self, number: int, seen: int) -> None:
        """Somebody has seen to it in another way: nobody waits any more, the flags stay. What comes next is told anew.

        Args:
            number: Of the conversation.
            seen: The newest turn that whoever saw to it has seen.

        Raises:
            StaffError: There is no such conversation, or the person has written meanwhile.
        """
        with Session(self._engine) as session, session.begin():
            found = _one(session, number)
            _must_be_seen(session, number, seen)
            if found.state == "waiting":
                found.state, found.waiting_since = "bot", None
                found.flag = found.flagged_at = None

    def assign(self, number: int, member: int | None) -> None:
        """Who is to see to it; None for nobody."""
        with Session(self._engine) as session, session.begin():
            _one(session, number).assignee_id = member

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Its labels, in place of those before; blanks in them become "-"."""
        words = dict.fromkeys(re.sub(r"\W+", "-", label.casefold()).strip("-")[:32] for label in labels)
        with Session(self._engine) as session, session.begin():
            _one(session, number).labels = tuple(word for word in words if word)[:MOST_LABELS]

    def annotate(self, number: int, by: str, words: str) -> None:
        """Adds a note for the staff."""
        with Session(self._engine) as session, session.begin():
            found = _one(session, number)
            session.add(models.Note(conversation_id=found.id, by=by, text=words, created_at=datetime.now(UTC)))

    # --- how ----------------------------------------------------------------------------------------------------------

    def _conditions(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        conversation = models.Conversation
        found: list[ColumnElement[bool]] = []
        same = {
            conversation.state: wanted.state,
            conversation.channel: wanted.channel,
            conversation.language: wanted.language,
        }
        found += [kept == value for kept, value in same.items() if value is not None]
        among = {
            conversation.flags: wanted.flag,
            conversation.topics: wanted.topic,
            conversation.labels: wanted.label,
        }
        found += [_holds(words, value) for words, value in among.items() if value]
        if wanted.assignee is not None:
            found.append(
                conversation.assignee_id == wanted.assignee if wanted.assignee else conversation.assignee_id.is_(None)
            )
        for measure, (least, most) in (
            (conversation.confidence, wanted.confidence),
            (conversation.length, wanted.length),
        ):
            found += [cast(Any, measure) >= least] if least is not None else []
            found += [cast(Any, measure) <= most] if most is not None else []
        if wanted.since:
            found.append(conversation.updated_at >= wanted.since)
        if wanted.until:
            found.append(conversation.updated_at < wanted.until)
        if words := re.findall(r"\w+", wanted.words):
            found.append(conversation.id.in_(self._with_words(words)))
        return found

    def _with_words(self, words: Sequence[str]) -> Any:
        """The numbers of the conversations in which a person wrote all the words in one message."""
        if self._engine.dialect.name == "sqlite":
            hits = table("turn_text", column("rowid"))
            asked = " ".join(f'"{word}"*' for word in words)
            newest = (
                select(hits.c.rowid)
                .where(text("turn_text MATCH :asked").bindparams(asked=asked))
                .order_by(hits.c.rowid.desc())
                .limit(MOST_FOUND)
            )
        else:
            asked = " & ".join(f"{bare(word)}:*" for word in words)
            vector = func.to_tsvector(literal_column("'simple'"), literal_column(models.LETTERS))
            newest = (
                select(models.Turn.id)
                .where(vector.op("@@")(func.to_tsquery("simple", asked)))
                .order_by(models.Turn.id.desc())
                .limit(MOST_FOUND)
            )
        return select(models.Turn.conversation_id).where(models.Turn.id.in_(newest))

    def _rows(self, session: Session, numbers: Sequence[int]) -> list[Row]:
        """The conversations of these numbers, in this order, each with what was said last."""
        query = (
            select(models.Conversation)
            .where(models.Conversation.id.in_(numbers))
            .options(joinedload(models.Conversation.holder), joinedload(models.Conversation.assignee))
        )
        found = {row.id: row for row in session.scalars(query)}
        last = (
            select(func.max(models.Turn.id))
            .where(models.Turn.conversation_id.in_(numbers))
            .group_by(models.Turn.conversation_id)
        )
        turns = session.scalars(select(models.Turn).where(models.Turn.id.in_(last)))
        said = {turn.conversation_id: _last(turn) for turn in turns}
        known = known_in(session, numbers)
        return [_row(found[number], said.get(number, ""), known[number]) for number in numbers if number in found]


def _holds(words: Any, word: str) -> ColumnElement[bool]:
    """Whether a column of words holds one."""
    literally = word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return type_coerce(words, Text).like(f"% {literally} %", escape="\\")


def _release(session: Session, found: models.Conversation, notice: Notice) -> None:
    """The assistant answers again. What it asked before somebody came is not answered by what is said now."""
    state: State = "waiting" if found.waiting_since else "bot"
    found.state, found.holder_id, found.held_until = state, None, None
    found.buttons, found.alarm, found.asking, found.flag, found.flagged_at = [], None, None, None, None
    append(session, found, "talk", notice(cast(Language, found.language or "es"), state == "waiting"))


def _must_be_seen(session: Session, number: int, seen: int) -> None:
    turn = models.Turn
    query = select(func.count()).where(turn.conversation_id == number, turn.id > seen, turn.decision != "staff")
    if session.scalar(query.where(turn.delivery.is_(None))):
        raise StaffError("new_message", f"The person of conversation {number} has written meanwhile.")


def _one(session: Session, number: int) -> models.Conversation:
    found = session.get(models.Conversation, number)
    if found is None:
        raise StaffError("no_conversation", f"There is no conversation {number}.")
    return found


def _last(turn: models.Turn) -> str | None:
    if turn.text and not OF_REQUESTS.isdisjoint(turn.topics):
        return None
    replies = cast(Sequence[dict[str, Any]], turn.replies)
    return turn.text or (replies[0]["text"] if replies else "")


def _row(found: models.Conversation, last: str | None, known: tuple[str, ...]) -> Row:
    return Row(
        id=found.id,
        channel=found.channel,
        language=cast(Language | None, found.language),
        state=cast(State, found.state),
        flags=tuple(sorted(found.flags, key=lambda flag: FLAGS.index(flag) if flag in FLAGS else len(FLAGS))),
        labels=found.labels,
        topics=found.topics,
        length=found.length,
        confidence=found.confidence,
        waiting_since=found.waiting_since,
        holder=found.holder.name if found.state == "held" and found.holder else None,
        assignee=found.assignee.name if found.assignee else None,
        assignee_id=found.assignee_id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        last=last,
        known=known,
    )


def _seen(row: models.Turn) -> Seen:
    return Seen(
        id=row.id,
        said=said_in(row),
        topics=tuple(row.topics),
        candidates=tuple(Candidate(**each) for each in row.candidates),
        revisions=tuple(row.revisions),
        failure=row.failure,
        latency_ms=row.latency_ms,
        helpful=row.helpful,
        reason=row.reason,
    )
