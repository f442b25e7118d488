"""What staff think of what the assistant did with a message, and the training messages that come of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy import ColumnElement, Engine, and_, exists, func, select
from sqlalchemy.orm import Session, joinedload

from bot.errors import StaffError
from bot.messages import Candidate, Decision, Language
from bot.store import models

Verdict = Literal["right", "wrong_topic", "dont_know", "unsafe", "missing", "needs_work"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)  # in the order of the buttons

# How far a training message has come ...
State = Literal["draft", "accepted", "exported", "dismissed"]
STATES: tuple[State, ...] = get_args(State)
# ... or why there is none: the model knows it, it stands in the training data, or the evaluation asks it.
NoLesson = Literal["known", "there", "held_out"]

MOST_SHOWN = 200  # training messages, or remarks, on one page
_IN_FORM = ("name", "phone", "email")  # what a request tells of a person


@dataclass(frozen=True)
class Opinion:
    """What one of the staff thinks of a turn.

    Attributes:
        turn: Its number.
        by: The login of who thinks so.
        topic: The right one, where they say that it was wrong.
        state: What became of it as a training message; None where it is none.
        needs_deed: Whether they find it unsafe, and nobody has noted since what was done about it.
    """

    id: int
    turn: int
    by: str
    verdict: Verdict
    topic: str | None
    note: str
    state: State | NoLesson | None
    needs_deed: bool
    at: datetime

    @property
    def is_whole(self) -> bool:
        """Whether it says all that is needed: the right topic, or what answer is missing."""
        return bool({"wrong_topic": self.topic, "missing": self.note}.get(self.verdict, True))


@dataclass(frozen=True)
class Message:
    """A message with what the assistant made of it. `known`: personal data of the person, to be hidden in its text."""

    id: int
    conversation: int
    text: str
    language: Language
    decision: Decision
    topics: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    known: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Correction:
    """A training message that comes of an opinion. `english` is its translation, empty while there is none."""

    id: int
    turn: int
    conversation: int
    by: str
    topic: str
    language: Language
    text: str
    english: str
    state: State
    known: tuple[str, ...]
    at: datetime


class Reviews:
    """The opinions of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- opinions -----------------------------------------------------------------------------------------------------

    def of_conversation(self, conversation: int) -> Mapping[int, tuple[Opinion, ...]]:
        """The opinions on the turns of a conversation, by turn; a turn without one is missing."""
        with Session(self._engine) as session:
            return opinions_in(session, models.Turn.conversation_id == conversation)

    def of_turn(self, turn: int) -> tuple[Opinion, ...]:
        """The opinions on a turn."""
        with Session(self._engine) as session:
            return opinions_in(session, models.Review.turn_id == turn).get(turn, ())

    def message(self, turn: int) -> Message | None:
        """What was asked in a turn; None where there is no such turn."""
        with Session(self._engine) as session:
            row = session.get(models.Turn, turn)
            return message_of(row, known_in(session, [row.conversation_id])) if row else None

    def together(self, turn: int, by: str) -> tuple[int, ...]:
        """The turns that `by` judged together with this one, the newest first; this one alone if they did not."""
        with Session(self._engine) as session:
            own = session.scalar(select(models.Review).where(models.Review.turn_id == turn, models.Review.by == by))
            if own is None:
                return (turn,)
            query = select(models.Review.turn_id).where(
                models.Review.by == by, models.Review.created_at == own.created_at
            )
            return tuple(session.scalars(query.order_by(models.Review.turn_id.desc())))

    def judge(
        self,
        turns: Collection[int],
        by: str,
        verdict: Verdict,
        *,
        topic: str | None = None,
        note: str = "",
        example: str | None = None,
        state: State | NoLesson | None = None,
    ) -> int:
        """Keeps somebody's opinion on these turns in place of their older one; on how many, since some may be gone.

        Args:
            turns: Their numbers; one lesson is enough, so it goes with the highest.
            by: The login of who thinks so.
            verdict: What they think.
            topic: The right one, where it was wrong.
            note: What they say to it.
            example: The training message that comes of it, without personal data.
            state: How far it has come, or why there is none.
        """
        now = datetime.now(UTC)
        with Session(self._engine) as session, session.begin():
            rows = list(session.scalars(select(models.Turn).where(models.Turn.id.in_(turns)).order_by(models.Turn.id)))
            older = {review.turn_id: review for review in session.scalars(_own(turns, by))}
            for row in rows:
                review = older.get(row.id) or models.Review(turn_id=row.id, by=by, verdict="")
                review.note = note
                if (review.verdict, review.topic) != (verdict, topic):  # for a new note nothing begins anew
                    review.verdict, review.topic, review.created_at = verdict, topic, now
                    review.example, review.state = (example, state) if row is rows[-1] else (None, None)
                    review.language, review.english = row.language if review.example else None, None
                session.add(review)
            session.flush()
            conversations = {row.conversation_id for row in rows}
            _flag(session, conversations) if verdict == "unsafe" else _unflag(session, conversations)
            return len(rows)

    def withdraw(self, turns: Collection[int], by: str) -> None:
        """Takes back somebody's opinion on these turns, with the training message that came of it."""
        with Session(self._engine) as session, session.begin():
            own = list(session.scalars(_own(turns, by)))
            conversations = {review.turn.conversation_id for review in own}
            for review in own:
                session.delete(review)
            session.flush()
            _unflag(session, conversations)

    def remarks(self) -> list[tuple[Opinion, Message]]:
        """What answers are missing or need work, the newest first; of turns judged together one only."""
        query = (
            select(models.Review)
            .where(models.Review.verdict.in_(("missing", "needs_work")))
            .options(joinedload(models.Review.turn))
            .order_by(models.Review.created_at.desc(), models.Review.turn_id.desc())
            .limit(MOST_SHOWN)
        )
        with Session(self._engine) as session:
            found = list({(row.by, row.created_at): row for row in reversed(list(session.scalars(query)))}.values())
            known = known_in(session, [row.turn.conversation_id for row in found])
            return [(opinion_of(row), message_of(row.turn, known)) for row in reversed(found)]

    # --- training messages --------------------------------------------------------------------------------------------

    def corrections(self, state: State, most: int | None = MOST_SHOWN) -> list[Correction]:
        """The training messages that have come so far, the newest first."""
        query = (
            select(models.Review)
            .where(models.Review.state == state)
            .options(joinedload(models.Review.turn))
            .order_by(models.Review.created_at.desc(), models.Review.id.desc())
            .limit(most)
        )
        with Session(self._engine) as session:
            rows = list(session.scalars(query))
            known = known_in(session, [row.turn.conversation_id for row in rows])
            return [_correction(row, known) for row in rows]

    def correction(self, number: int) -> Correction | None:
        """One of them; None where there is no such training message."""
        with Session(self._engine) as session:
            row = session.get(models.Review, number)
            if row is None or row.state not in STATES:
                return None
            return _correction(row, known_in(session, [row.turn.conversation_id]))

    def count(self) -> Mapping[State, int]:
        """How many there are of each state."""
        with Session(self._engine) as session:
            query = select(models.Review.state, func.count()).group_by(models.Review.state)
            found: dict[str | None, int] = dict(session.execute(query).tuples().all())
            return {state: found.get(state, 0) for state in STATES}

    def proposed(self) -> Mapping[int, str]:
        """The texts of those that may come to stand in the training data, by their number."""
        query = select(models.Review.id, models.Review.example).where(models.Review.state.in_(("draft", "accepted")))
        with Session(self._engine) as session:
            return {number: text or "" for number, text in session.execute(query)}

    def word(self, number: int, text: str, language: Language, english: str) -> None:
        """Another wording of a training message that is a draft.

        Raises:
            StaffError: It is no draft any more.
        """
        with Session(self._engine) as session, session.begin():
            row = _in_state(session, number, ("draft",))
            row.example, row.language, row.english = text, language, english or None

    def move(self, number: int, state: State) -> None:
        """How far a training message has come.

        Raises:
            StaffError: It is gone, or stands in the training data already.
        """
        with Session(self._engine) as session, session.begin():
            _in_state(session, number, ("draft", "accepted", "dismissed")).state = state

    def export(self, numbers: Sequence[int], write: Callable[[], None]) -> None:
        """Notes that accepted training messages are exported, and does it: both or neither.

        Args:
            numbers: Theirs.
            write: Puts them into the training data. Nobody else can write to the database meanwhile: it must be quick.

        Raises:
            StaffError: One of them is not accepted any more.
        """
        with Session(self._engine) as session, session.begin():
            for number in numbers:
                _in_state(session, number, ("accepted",)).state = "exported"
            session.flush()
            write()


# Whether somebody has noted in the conversation what was done, after a review found a turn of it unsafe.
NOTED = exists().where(
    models.Note.conversation_id == models.Turn.conversation_id, models.Note.created_at > models.Review.created_at
)


def opinions_in(session: Session, which: ColumnElement[bool]) -> dict[int, tuple[Opinion, ...]]:
    """The opinions for which a condition is true, by the turn that they are about."""
    needs_deed = and_(models.Review.verdict == "unsafe", ~NOTED)
    query = select(models.Review, needs_deed).join(models.Turn).where(which).order_by(models.Review.id)
    found: dict[int, tuple[Opinion, ...]] = {}
    for row, is_open in session.execute(query):
        found[row.turn_id] = (*found.get(row.turn_id, ()), opinion_of(row, needs_deed=is_open))
    return found


def known_in(session: Session, conversations: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    """What people have told of themselves in the forms of requests, by conversation: sent, or still being filled in."""
    found: dict[int, set[str]] = {number: set() for number in conversations}
    drafts: list[tuple[int, Mapping[str, Any]]] = [
        (request.conversation_id, request.draft)
        for request in session.scalars(
            select(models.Request).where(models.Request.conversation_id.in_(found)).order_by(models.Request.id)
        )
    ]
    states = select(models.Conversation.id, models.Conversation.dialogue).where(models.Conversation.id.in_(found))
    for number, dialogue in session.execute(states):
        drafts.append((number, (dialogue.get("slots") or {}).get("booking") or {}))
    for number, draft in drafts:
        found[number] |= {str(draft[name]) for name in _IN_FORM if draft.get(name)}
    return {number: tuple(sorted(values)) for number, values in found.items()}


def message_of(row: models.Turn, known: Mapping[int, tuple[str, ...]]) -> Message:
    """A turn as it is reviewed."""
    return Message(
        id=row.id,
        conversation=row.conversation_id,
        text=row.text,
        language=cast(Language, row.language),
        decision=cast(Decision, row.decision),
        topics=tuple(row.topics),
        candidates=tuple(Candidate(**each) for each in row.candidates),
        known=known.get(row.conversation_id, ()),
        at=row.created_at,
    )


def opinion_of(row: models.Review, *, needs_deed: bool = False) -> Opinion:
    """A row as others see it."""
    return Opinion(
        id=row.id,
        turn=row.turn_id,
        by=row.by,
        verdict=cast(Verdict, row.verdict),
        topic=row.topic,
        note=row.note,
        state=cast("State | NoLesson | None", row.state),
        needs_deed=needs_deed,
        at=row.created_at,
    )


def _own(turns: Collection[int], by: str) -> Any:
    return select(models.Review).where(models.Review.turn_id.in_(turns), models.Review.by == by)


def _flag(session: Session, conversations: Collection[int]) -> None:
    """The staff must look at these conversations: somebody finds a turn unsafe."""
    for found in session.scalars(select(models.Conversation).where(models.Conversation.id.in_(conversations))):
        if "unsafe" not in found.flags:
            found.flags = (*found.flags, "unsafe")


def _unflag(session: Session, conversations: Collection[int]) -> None:
    """Takes the flag from those of these conversations in which nobody finds a turn unsafe any more."""
    unsafe = (
        select(models.Turn.conversation_id)
        .join(models.Review)
        .where(models.Turn.conversation_id.in_(conversations), models.Review.verdict == "unsafe")
    )
    left = set(conversations) - set(session.scalars(unsafe))
    for found in session.scalars(select(models.Conversation).where(models.Conversation.id.in_(left))):
        found.flags = tuple(flag for flag in found.flags if flag != "unsafe")


def _in_state(session: Session, number: int, states: Sequence[State]) -> models.Review:
    row = session.get(models.Review, number, with_for_update=True)
    if row is None or row.state not in states:
        raise StaffError("no_example", f"The training message {number} is gone, or was changed by somebody else.")
    return row


def _correction(row: models.Review, known: Mapping[int, tuple[str, ...]]) -> Correction:
    return Correction(
        id=row.id,
        turn=row.turn_id,
        conversation=row.turn.conversation_id,
        by=row.by,
        topic=row.topic or "",
        language=cast(Language, row.language),
        text=row.example or "",
        english=row.english or "",
        state=cast(State, row.state),
        known=known.get(row.turn.conversation_id, ()),
        at=row.created_at,
    )
