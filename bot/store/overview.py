"""What happened in a period, counted, for the overview of the staff; and one row a conversation, without a word of it.

Turns are found by their number, the microsecond at which they were said. Counting is left to the database, but for what
only few turns hold, which are looked at one by one.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, Text, and_, case, exists, func, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session, aliased, defer

from bot.messages import Decision
from bot.store import models
from bot.store.reviews import known_in
from bot.text import bare

NOT_ANSWERED: tuple[Decision, ...] = ("clarify", "fallback")
SEEN_TO = ("contacted", "scheduled")  # events of a request to which the clinic has reached the person
FRESH_FOR = 60.0  # seconds; a long period takes a moment to count
MOST_QUESTIONS = 500
BATCH = 500  # conversations that are read at once
ON_TOP = "in_case"  # the line that may stand above any answer; what helped or did not is the answer
TOLD_TO_WAIT = "says.waiting"  # said to who would rather wait for a person here than call
# Without these, and in whatever order, messages of the same words ask the same.
FILLERS = re.compile(
    r"\b(?:a|an|the|please|pls|plz|hello|hi|hey|good (?:morning|afternoon|evening|day)"
    r"|thanks|thank you(?: (?:so|very) much)?|ok|okay|well|el|la|los|las|un|una|por favor|porfa(?:vor)?|hola"
    r"|buen(?:as?|os)? (?:dias?|tardes|noches)|buenas|saludos|(?:(?:muchas|mil) )?gracias|pues|disculpen?)\b"
)

T = TypeVar("T")
Turn = models.Turn
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Period:
    """From `since` on, which is the midnight of a day, up to `until`; both in the zone in which days are counted."""

    since: datetime
    until: datetime

    @property
    def before(self) -> "Period":
        """As many days right before, up to the same time of day: a day that is not over is compared with its like."""
        length = timedelta(days=len(self.days))
        return Period(self.since - length, self.until - length)

    @property
    def days(self) -> list[tuple[date, "Period"]]:
        """Each of its days; one at least."""
        found: list[tuple[date, Period]] = []
        midnight = self.since
        while midnight < self.until or not found:
            following = midnight + timedelta(days=1)
            found.append((midnight.date(), Period(midnight, min(following, self.until))))
            midnight = following
        return found


@dataclass(frozen=True)
class Part:
    """How much of a period belongs to a channel, to a language, or to all."""

    messages: int = 0
    people: int = 0
    new_people: int = 0

    def __add__(self, other: "Part") -> "Part":
        return Part(self.messages + other.messages, self.people + other.people, self.new_people + other.new_people)


@dataclass(frozen=True)
class Counts:
    """What is compared with the period before.

    Attributes:
        decisions: How many messages the assistant took how.
        topics: How many messages were about what; one may be about several.
        callers: How many people asked for a call.
        median_ms: What half of the messages were answered within; None where there is none. `slow_ms`: 19 of 20.
    """

    whole: Part
    channels: Mapping[str, Part]
    languages: Mapping[str, Part]
    decisions: Mapping[str, int]
    topics: Mapping[str, int]
    helped: int
    not_helped: int
    callers: int
    median_ms: float | None
    slow_ms: float | None


@dataclass(frozen=True)
class Question:
    """Messages of nearly the same words that were not answered; all but `count` is of the newest of them."""

    count: int
    text: str
    decision: Decision
    conversation: int
    turn: int
    at: datetime


@dataclass(frozen=True)
class Waits:
    """How long people waited until somebody of the staff wrote to them, in minutes.

    Who asks again before that is waiting still, and counts once.
    """

    cases: int
    minutes: tuple[float, ...]

    @property
    def median(self) -> float | None:
        return median(self.minutes) if self.minutes else None

    @property
    def longest(self) -> float | None:
        return max(self.minutes, default=None)


@dataclass(frozen=True)
class Opinion:
    """What people thought of one wording, `key@hash`."""

    revision: str
    helped: int
    not_helped: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Figures:
    """All that the overview tells.

    Attributes:
        days: The decisions of each day.
        questions: Those not answered, the most frequent first; `kinds_of_questions`: how many there are in all.
        waits: By whom: "emergency", "person" (asked for one) and "waiting" (chose to wait for one in the chat).
        requests: How far the requests of the period have come by now.
        failures: By the part that failed and its error.
    """

    period: Period
    counted_at: datetime
    now: Counts
    before: Counts
    days: Mapping[date, Mapping[str, int]]
    questions: tuple[Question, ...]
    kinds_of_questions: int
    waits: Mapping[str, Waits]
    requests: Mapping[str, int]
    opinions: tuple[Opinion, ...]
    failures: Counter[str]


@dataclass(frozen=True)
class Summary:
    """A conversation, without what was said and by whom. `request` is the state of its newest request."""

    number: int
    channel: str
    language: str | None
    created_at: datetime
    updated_at: datetime
    state: str
    flags: tuple[str, ...]
    topics: tuple[str, ...]
    length: int
    confidence: float | None
    decisions: Mapping[str, int]
    helped: int
    not_helped: int
    request: str | None


class Overview:
    """The figures of one database."""

    def __init__(self, engine: Engine, fresh_for: float = FRESH_FOR) -> None:
        """The figures. `fresh_for`: seconds for which what was counted is not counted again."""
        self._engine = engine
        self._fresh_for = fresh_for
        self._kept: dict[tuple[datetime, date], tuple[float, Figures]] = {}

    def figures(self, period: Period) -> Figures:
        """What happened in the period, and in the one before."""
        key, now = (period.since, period.days[-1][0]), monotonic()
        at, figures = self._kept.get(key, (0.0, None))
        if figures is None or now - at > self._fresh_for:
            figures = self._count(period)
            fresh = {of: kept for of, kept in self._kept.items() if now - kept[0] <= self._fresh_for}
            self._kept = {**fresh, key: (now, figures)}
        return figures

    def known(self, conversations: Collection[int]) -> Mapping[int, tuple[str, ...]]:
        """Personal data that people have told in forms, by conversation: to be hidden in what they wrote."""
        with Session(self._engine) as session:
            return known_in(session, conversations)

    def conversations(self, period: Period) -> Iterator[Summary]:
        """Each conversation in which somebody wrote in the period, in the order of their numbers."""
        numbers = select(Turn.conversation_id).where(_written_in(period)).distinct().order_by(Turn.conversation_id)
        with Session(self._engine) as session:
            wanted = list(session.scalars(numbers))
        for start in range(0, len(wanted), BATCH):
            with Session(self._engine) as session:
                found = _summaries(session, wanted[start : start + BATCH])
            yield from found

    def _count(self, period: Period) -> Figures:
        with ThreadPoolExecutor(4) as pool:  # the database counts several things at once
            now = pool.submit(self._read, _counts, period)
            before = pool.submit(self._read, _counts, period.before)
            days = pool.submit(self._read, _days, period)
            requests = pool.submit(self._read, _requests, period)
            rare = self._read(_rare, period)
            questions = _questions(rare)
            return Figures(
                period=period,
                counted_at=datetime.now(UTC),
                now=now.result(),
                before=before.result(),
                days=days.result(),
                questions=tuple(questions[:MOST_QUESTIONS]),
                kinds_of_questions=len(questions),
                waits={
                    "emergency": _waits(row for row in rare if row.decision == "emergency"),
                    "person": _waits(row for row in rare if '"human"' in row.topics),
                    "waiting": _waits(row for row in rare if f'"{TOLD_TO_WAIT}@' in row.revisions),
                },
                requests=requests.result(),
                opinions=tuple(_opinions(rare)),
                failures=Counter(part for row in rare for part in (row.failure or "").split("; ") if part),
            )

    def _read(self, what: Callable[[Session, Period], T], period: Period) -> T:
        with Session(self._engine) as session:
            return what(session, period)


def _number(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _moment(turn: int) -> datetime:
    return datetime.fromtimestamp(turn / 1_000_000, UTC)


def _written_in(period: Period) -> ColumnElement[bool]:
    """Turns that somebody wrote: not those of the staff, and no news that nobody had asked for."""
    return and_(
        Turn.id >= _number(period.since),
        Turn.id < _number(period.until),
        Turn.decision != "staff",
        func.coalesce(Turn.delivery, "") == "",  # as "is NULL" it would be looked up in an index that holds nearly all
    )


def _about(topic: str) -> ColumnElement[bool]:
    return sql_cast(Turn.topics, Text).like(f'%"{topic}"%')


def _kinds(session: Session, period: Period) -> Sequence[Any]:
    """How many messages were alike in all that is told of a single one."""
    columns = (
        Turn.channel,
        Turn.language,
        Turn.decision,
        sql_cast(Turn.topics, Text).label("topics"),
        Turn.helpful,
    )
    query = select(*columns, func.count().label("number")).where(_written_in(period)).group_by(*columns)
    return session.execute(query).all()


def _tally(counted: Iterable[tuple[Any, int]]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for key, number in counted:
        found[key] += number
    return found


def _days(session: Session, period: Period) -> dict[date, dict[str, int]]:
    """The decisions of each day."""
    found = {}
    for day, hours in period.days:
        query = select(Turn.decision, func.count()).where(_written_in(hours)).group_by(Turn.decision)
        found[day] = dict(session.execute(query).tuples().all())
    return found


def _counts(session: Session, period: Period) -> Counts:
    kinds = _kinds(session, period)
    people, callers = _people(session, period)
    median_ms, slow_ms = _latency(session, period)
    helpful = _tally((kind.helpful, kind.number) for kind in kinds)
    channels = _parts(
        _tally((kind.channel, kind.number) for kind in kinds), ((channel, part) for (channel, _), part in people)
    )
    return Counts(
        whole=sum(channels.values(), Part()),
        channels=channels,
        languages=_parts(
            _tally((kind.language, kind.number) for kind in kinds), ((language, part) for (_, language), part in people)
        ),
        decisions=_tally((kind.decision, kind.number) for kind in kinds),
        topics=_tally((topic, kind.number) for kind in kinds for topic in json.loads(kind.topics)),
        helped=helpful[True],
        not_helped=helpful[False],
        callers=callers,
        median_ms=median_ms,
        slow_ms=slow_ms,
    )


def _parts(messages: Mapping[str, int], people: Iterable[tuple[str, Part]]) -> dict[str, Part]:
    found = {key: Part(number) for key, number in messages.items()}
    for key, part in people:
        found[key] = found.get(key, Part()) + part
    return dict(sorted(found.items(), key=lambda item: -item[1].messages))


def _people(session: Session, period: Period) -> tuple[list[tuple[tuple[str, str], Part]], int]:
    """People by channel and language, and how many asked for a call. Who wrote in both languages counts as Spanish."""
    who = (
        select(
            Turn.conversation_id,
            Turn.channel,
            func.max(Turn.language).label("language"),
            func.max(case((_about("book"), 1), else_=0)).label("calls"),
        )
        .where(_written_in(period))
        .group_by(Turn.conversation_id, Turn.channel)
        .subquery()
    )
    earlier = aliased(Turn)
    came_before = exists().where(earlier.conversation_id == who.c.conversation_id, earlier.id < _number(period.since))
    kinds = (who.c.channel, who.c.language)
    numbers = (func.count(), func.sum(case((came_before, 0), else_=1)), func.sum(who.c.calls))
    found = session.execute(select(*kinds, *numbers).group_by(*kinds)).all()
    people = [((channel, language), Part(0, number, new)) for channel, language, number, new, _ in found]
    return people, sum(calls for *_, calls in found)


def _latency(session: Session, period: Period) -> tuple[float | None, float | None]:
    """What half of the messages were answered within, and 19 of 20; to a tenth of a millisecond."""
    tenths = func.round(Turn.latency_ms * 10)
    query = (
        select(tenths, func.count()).where(_written_in(period), Turn.latency_ms > 0).group_by(tenths).order_by(tenths)
    )
    found = [(float(value) / 10, number) for value, number in session.execute(query)]
    return _percentile(found, 0.5), _percentile(found, 0.95)


def _percentile(counted: Sequence[tuple[float, int]], share: float) -> float | None:
    """The least of the values, each with its number, that so many are not above."""
    wanted = share * sum(number for _, number in counted)
    for value, number in counted:
        wanted -= number
        if wanted <= 0:
            return value
    return None


def _rare(session: Session, period: Period) -> Sequence[Any]:
    """The turns that need a look: not answered, in danger, asked for a person, told whether they helped, or failed.

    `seen` is the next turn of the staff, where the person waits for one.
    """
    answer = aliased(Turn)
    next_of_staff = (
        select(func.min(answer.id))
        .where(
            answer.conversation_id == Turn.conversation_id,
            answer.id > Turn.id,
            answer.decision == "staff",
            func.coalesce(answer.delivery, "") != "failed",
        )
        .scalar_subquery()
    )
    waits = or_(Turn.decision == "emergency", _about("human"))
    needs_a_look = or_(waits, Turn.decision.in_(NOT_ANSWERED), Turn.helpful.is_not(None), Turn.failure.is_not(None))
    query = select(
        Turn.id,
        Turn.conversation_id,
        Turn.decision,
        Turn.text,
        sql_cast(Turn.topics, Text).label("topics"),
        sql_cast(Turn.revisions, Text).label("revisions"),
        Turn.helpful,
        Turn.reason,
        Turn.failure,
        case((waits, next_of_staff)).label("seen"),
    )
    return session.execute(query.where(_written_in(period), needs_a_look).order_by(Turn.id)).all()


def _questions(rows: Iterable[Any]) -> list[Question]:
    """The messages that were not answered, those that ask the same together."""
    newest: dict[frozenset[str], Any] = {}
    count: Counter[frozenset[str]] = Counter()
    for row in rows:
        if row.decision in NOT_ANSWERED:
            said = bare(row.text)
            words = frozenset(_WORD.findall(FILLERS.sub(" ", said)) or _WORD.findall(said))
            newest[words] = row
            count[words] += 1
    by_number = sorted(newest.items(), key=lambda item: (-count[item[0]], -item[1].id))
    return [
        Question(count[words], row.text, row.decision, row.conversation_id, row.id, _moment(row.id))
        for words, row in by_number
    ]


def _waits(rows: Iterable[Any]) -> Waits:
    first: dict[tuple[int, int | None], int] = {}
    for row in rows:
        first.setdefault((row.conversation_id, row.seen), row.id)
    minutes = sorted((seen - asked) / 60_000_000 for (_, seen), asked in first.items() if seen)
    return Waits(len(first), tuple(minutes))


def _opinions(rows: Iterable[Any]) -> list[Opinion]:
    """What people thought of each wording, the least liked first."""
    helped: Counter[str] = Counter()
    not_helped: dict[str, Counter[str]] = {}
    for row in rows:
        if row.helpful is None:
            continue
        for revision in set(json.loads(row.revisions)):
            if revision.split("@")[0] == ON_TOP:
                continue
            if row.helpful:
                helped[revision] += 1
            else:
                not_helped.setdefault(revision, Counter())[row.reason or ""] += 1
    found = [
        Opinion(each, helped[each], sum(reasons.values()), {reason: n for reason, n in reasons.items() if reason})
        for each in sorted({*helped, *not_helped})
        for reasons in [not_helped.get(each, Counter())]
    ]
    return sorted(found, key=lambda each: (-each.not_helped, -each.helped))


def _requests(session: Session, period: Period) -> dict[str, int]:
    """How far the requests that were sent in the period have come, whenever that was."""
    query = (
        select(models.Request.id, models.Request.state, models.RequestEvent.event)
        .outerjoin(models.RequestEvent)
        .where(models.Request.created_at >= period.since, models.Request.created_at < period.until)
    )
    states: dict[int, str] = {}
    events: dict[int, set[str]] = {}
    for number, state, event in session.execute(query):
        states[number] = state
        events.setdefault(number, set()).add(event)
    return {
        "sent": len(states),
        "contacted": sum(not known.isdisjoint(SEEN_TO) for known in events.values()),
        "scheduled": sum("scheduled" in known for known in events.values()),
        "closed": sum(state == "closed" for state in states.values()),
        "cancelled": sum(state == "cancelled" for state in states.values()),
    }


def _summaries(session: Session, numbers: Sequence[int]) -> list[Summary]:
    decisions: dict[int, Counter[str]] = {number: Counter() for number in numbers}
    helpful: dict[int, Counter[bool | None]] = {number: Counter() for number in numbers}
    kinds = (Turn.conversation_id, Turn.decision, Turn.helpful)
    turns = select(*kinds, func.count()).where(Turn.conversation_id.in_(numbers)).group_by(*kinds)
    for number, decision, helped, count in session.execute(turns):
        decisions[number][decision] += count
        helpful[number][helped] += count
    states = (
        select(models.Request.conversation_id, models.Request.state)
        .where(models.Request.conversation_id.in_(numbers))
        .order_by(models.Request.id)
    )
    requests = dict(session.execute(states).tuples().all())
    query = (
        select(models.Conversation)
        .options(defer(models.Conversation.dialogue, raiseload=True), defer(models.Conversation.buttons))
        .where(models.Conversation.id.in_(numbers))
        .order_by(models.Conversation.id)
    )
    return [
        Summary(
            number=row.id,
            channel=row.channel,
            language=row.language,
            created_at=row.created_at,
            updated_at=row.updated_at,
            state=row.state,
            flags=row.flags,
            topics=row.topics,
            length=row.length,
            confidence=row.confidence,
            decisions=decisions[row.id],
            helped=helpful[row.id][True],
            not_helped=helpful[row.id][False],
            request=requests.get(row.id),
        )
        for row in session.scalars(query)
    ]
