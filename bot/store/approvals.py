"""What clinicians decided on the wording of answers; and how often each wording was shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock

from sqlalchemy import ColumnElement, Engine, String, cast, func, select, true
from sqlalchemy.orm import Session

from bot.content import Review
from bot.store import models


@dataclass(frozen=True)
class Decision:
    """What somebody decided on a wording: it is approved until `due`, or sent back.

    Attributes:
        topic: Of the answer, or `bot.content.COMPARISON`.
        revision: Of the wording that was read; it counts for no other.
        by: The login of who decided.
    """

    topic: str
    revision: str
    approved: bool
    by: str
    note: str
    due: date | None
    at: datetime


@dataclass(frozen=True)
class Shown:
    """How often a wording was shown, from when to when, and what people thought of it.

    Attributes:
        times: Messages of ours that held it.
        helped: How many of them people called helpful; `not_helped` how many not.
        reasons: Why not, where they said so: how often each of `bot.store.transcripts.REASONS`.
    """

    times: int
    helped: int
    not_helped: int
    reasons: Mapping[str, int]
    first: datetime
    last: datetime


class Approvals:
    """The decisions of one database. The newest on each wording are held in memory: no reply waits for the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._newest: Mapping[str, Review] = {}
        self._one_at_a_time = Lock()

    def review(self, revision: str) -> Review | None:
        """What counts for this very wording, as far as it was read; None where nobody has decided on it."""
        return self._newest.get(revision)

    def read(self) -> Sequence[Decision]:
        """Every decision, the newest first; from now on this process goes by them, whoever has decided."""
        with self._one_at_a_time:  # or what was read before a decision could take its place
            with Session(self._engine) as session:
                rows = session.scalars(select(models.Approval).order_by(models.Approval.id.desc()))
                decisions = [Decision(r.topic, r.revision, r.approved, r.by, r.note, r.due, r.at) for r in rows]
            self._newest = {decision.revision: _review(decision) for decision in reversed(decisions)}
        return decisions

    def approve(self, topic: str, revision: str, by: str, due: date, note: str = "") -> None:
        """Notes that a clinician has approved a wording; this process goes by it at once."""
        self._decide(topic, revision, by, note, due)

    def send_back(self, topic: str, revision: str, by: str, note: str) -> None:
        """Notes that a wording must be changed; an earlier approval of it no longer counts."""
        self._decide(topic, revision, by, note, None)

    def _decide(self, topic: str, revision: str, by: str, note: str, due: date | None) -> None:
        decision = Decision(topic, revision, due is not None, by, note, due, datetime.now(UTC))
        with self._one_at_a_time:
            with Session(self._engine) as session, session.begin():
                session.add(models.Approval(**vars(decision)))
            self._newest = {**self._newest, revision: _review(decision)}


class Wordings:
    """How often each wording was shown, by its revision, and what people thought of the messages that held it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, moment: datetime) -> Mapping[str, Shown]:
        """Of all that were shown since then."""
        return self._shown(models.Turn.id >= int(moment.timestamp() * 1_000_000))

    def rated(self) -> Mapping[str, Shown]:
        """Of all on which somebody has given an opinion; messages without one are not counted."""
        return self._shown(models.Turn.helpful.is_not(None))

    def of(self, topic: str) -> Mapping[str, Shown]:
        """Of all that a topic ever had."""
        held = cast(models.Turn.revisions, String).contains(f'"{topic}@', autoescape=True)
        return {key: shown for key, shown in self._shown(held).items() if key.startswith(f"{topic}@")}

    def _shown(self, which: ColumnElement[bool]) -> Mapping[str, Shown]:
        turn = models.Turn
        is_sqlite = self._engine.dialect.name == "sqlite"
        members = func.json_each if is_sqlite else func.json_array_elements_text
        revision = members(turn.revisions).table_valued("value", name="revision")
        query = (
            select(
                revision.c.value,
                turn.helpful,
                turn.reason,
                func.count(turn.id.distinct()),
                func.min(turn.id),
                func.max(turn.id),
            )
            .select_from(turn)
            .join(revision, true())
            .where(which)
            .group_by(revision.c.value, turn.helpful, turn.reason)
        )
        found: dict[str, Shown] = {}
        with Session(self._engine) as session:
            for key, helpful, reason, times, first, last in session.execute(query):
                why = {reason: times} if helpful is False and reason else {}
                part = Shown(
                    times, times * (helpful is True), times * (helpful is False), why, _moment(first), _moment(last)
                )
                found[key] = _together(found[key], part) if key in found else part
        return found


def _together(one: Shown, other: Shown) -> Shown:
    return Shown(
        times=one.times + other.times,
        helped=one.helped + other.helped,
        not_helped=one.not_helped + other.not_helped,
        reasons=Counter(one.reasons) + Counter(other.reasons),
        first=min(one.first, other.first),
        last=max(one.last, other.last),
    )


def _moment(turn: int) -> datetime:
    """When a turn was: its number is the microsecond."""
    return datetime.fromtimestamp(turn / 1_000_000, UTC)


def _review(decision: Decision) -> Review:
    """The decision as it would stand in a file, but that a wording which was sent back tells by whom and when."""
    return Review(
        state="approved" if decision.approved else "draft",
        by=decision.by,
        on=decision.at.astimezone().date(),
        due=decision.due,
        revision=decision.revision,
    )
