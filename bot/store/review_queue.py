"""What to review next: what nobody has judged, in the order in which judging it teaches most.

Messages that are the same give or take order and small words, and that the assistant took for the same, are one group.
What pressed a button or filled in a form is not reviewed: nothing had to be understood there.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import ColumnElement, Engine, Text, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from bot.messages import Language
from bot.store import models
from bot.store.requests import OF_REQUESTS
from bot.store.reviews import NOTED, Message, Opinion, known_in, message_of, opinions_in
from bot.text import gist_of

# Why a group is in the queue. Those of the first line come before all others, the most urgent first.
Reason = Literal[
    "unsafe", "emergency",
    "unfinished", "contested", "thumbs_down", "nets_differ", "asked_back", "at_a_loss", "close", "frequent",
    "spot_check",
]  # fmt: skip
Standing = Literal["open", "unsafe", "unfinished", "contested", "judged"]

NEWEST = 5_000  # messages that are looked at
LONGEST = timedelta(days=30)
MOST_GROUPS = 20  # on a page
CLOSE = 0.3  # a topic that is less far ahead of the next one
OFTEN = 3  # messages of a group
_DISAGREE = frozenset({"unfinished", "contested", "thumbs_down", "nets_differ"})
_UNDERSTOOD = ("answer", "clarify", "fallback", "emergency", "action", "talk")
_NO_SUBJECT = frozenset({"affirm", "deny"})
_LISTS = ("topics", "candidates")  # columns of a turn


@dataclass(frozen=True)
class Group:
    """Messages that are judged together.

    Attributes:
        message: The newest of them.
        places: Of each the conversation and the turn, the newest first.
        languages: The commonest first.
        reasons: Why it is in the queue.
        opinions: On the newest.
    """

    message: Message
    places: tuple[tuple[int, int], ...]
    languages: tuple[Language, ...]
    reasons: tuple[Reason, ...]
    opinions: tuple[Opinion, ...]

    @property
    def turns(self) -> tuple[int, ...]:
        return tuple(turn for _, turn in self.places)


class _Turn(NamedTuple):
    """What the queue must know of a turn. `margin`: of its likeliest topics; None where rules alone decided."""

    id: int
    conversation: int
    text: str
    language: Language
    decision: str
    topics: tuple[str, ...]
    margin: float | None
    is_choice: bool
    asks_for_step: bool
    is_in_case: bool
    is_unhelpful: bool


@dataclass(frozen=True)
class _Asked:
    """Turns of a group, the newest first, and how they stand."""

    standing: Standing
    turns: tuple[_Turn, ...]


class ReviewQueue:
    """The queue of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next(self, most: int = MOST_GROUPS) -> tuple[list[Group], int]:
        """The groups to look at next, the first one first; and how many there are in all."""
        with Session(self._engine) as session:
            undone, newest = _undone(session), _newest(session)
            opinions = _opinions(session, [*newest, *undone])
            groups = sorted(_groups(newest, undone, opinions), key=_rank, reverse=True)
            return _told(session, groups[:most], opinions), len(groups)

    def group(self, turns: Collection[int]) -> Group | None:
        """These turns as a group, whatever was said of them; None where they are gone."""
        with Session(self._engine) as session:
            found = _read(session, models.Turn.id.in_(turns))
            told = _told(session, [_Asked("judged", tuple(found))], _opinions(session, found)) if found else []
            return told[0] if told else None


# --- reading ----------------------------------------------------------------------------------------------------------


def _newest(session: Session) -> list[_Turn]:
    """The newest messages of people, the newest first. A turn's number is its microsecond."""
    since = int((datetime.now(UTC) - LONGEST).timestamp() * 1_000_000)
    return _read(session, models.Turn.id >= since, models.Turn.text != "", models.Turn.decision.in_(_UNDERSTOOD))


def _undone(session: Session) -> list[_Turn]:
    """The turns that somebody finds unsafe, with no later note that tells what was done; however old."""
    unsafe = select(models.Turn.id).join(models.Review).where(models.Review.verdict == "unsafe", ~NOTED)
    return _read(session, models.Turn.id.in_(unsafe))


def _read(session: Session, *conditions: ColumnElement[bool]) -> list[_Turn]:
    turn = models.Turn
    as_text = {name: getattr(turn, name) for name in (*_LISTS, "revisions")}
    query = (
        select(turn.id, turn.conversation_id, turn.text, turn.button, turn.language, turn.decision, turn.helpful)
        .add_columns(*(sql_cast(column, Text).label(name) for name, column in as_text.items()))
        .where(*conditions)
        .order_by(turn.id.desc())
        .limit(NEWEST)
    )
    rows = session.execute(query).all()
    # Read as one list each: thousands of small ones would take most of the time.
    topics, candidates = (json.loads(f"[{','.join(getattr(row, name) for row in rows)}]") for name in _LISTS)
    return list(map(_turn, rows, topics, candidates))


def _turn(row: Any, topics: list[str], candidates: list[dict[str, Any]]) -> _Turn:
    by_rule = not candidates and row.decision != "emergency"
    # A number or the words of a button, typed, are certain; "yes" and "no" only answer what was asked.
    typed = len(candidates) == 1 or (bool(topics) and _NO_SUBJECT.issuperset(topics))
    return _Turn(
        id=row.id,
        conversation=row.conversation_id,
        text=row.text,
        language=row.language,
        decision=row.decision,
        topics=tuple(topics),
        margin=_margin([each["confidence"] for each in candidates]),
        is_choice=row.button is not None or by_rule or typed,
        asks_for_step='"steps.' in row.revisions,
        is_in_case='["in_case@' in row.revisions,
        is_unhelpful=row.helpful is False,
    )


def _margin(confidences: Sequence[float]) -> float | None:
    """How far the likeliest topic was ahead of the next."""
    ordered = sorted(confidences)
    return ordered[-1] - sum(ordered[-2:-1]) if ordered else None


def _opinions(session: Session, turns: Sequence[_Turn]) -> Mapping[int, tuple[Opinion, ...]]:
    """The opinions on these turns, and on others."""
    return opinions_in(session, models.Review.turn_id >= min(turn.id for turn in turns)) if turns else {}


def _told(session: Session, groups: Sequence[_Asked], opinions: Mapping[int, tuple[Opinion, ...]]) -> list[Group]:
    """The groups as they are shown."""
    newest = [group.turns[0].id for group in groups]
    rows = {row.id: row for row in session.scalars(select(models.Turn).where(models.Turn.id.in_(newest)))}
    known = known_in(session, {row.conversation_id for row in rows.values()})
    return [
        Group(
            message=message_of(rows[group.turns[0].id], known),
            places=tuple((turn.conversation, turn.id) for turn in group.turns),
            languages=tuple(language for language, _ in Counter(turn.language for turn in group.turns).most_common()),
            reasons=_reasons(group),
            opinions=opinions.get(group.turns[0].id, ()),
        )
        for group in groups
    ]


# --- grouping ---------------------------------------------------------------------------------------------------------


def _groups(
    newest: Sequence[_Turn], undone: Sequence[_Turn], opinions: Mapping[int, tuple[Opinion, ...]]
) -> Iterator[_Asked]:
    """What somebody should judge. What was judged is not asked again when it comes again, unless it went wrong."""
    found: defaultdict[tuple[Standing, tuple[str, ...]], list[_Turn]] = defaultdict(list)
    judged = set()
    unsafe = {turn.id for turn in undone}
    for turn in (*undone, *(turn for turn in _understood(newest) if turn.id not in unsafe)):
        said = (gist_of(turn.text) or turn.text.strip(), turn.decision, *turn.topics)
        standing = "unsafe" if turn.id in unsafe else _standing(opinions.get(turn.id, ()))
        if standing == "judged":
            judged.add(said)
        else:
            found[standing, said].append(turn)
    for (standing, said), turns in found.items():
        known = standing == "open" and said in judged
        left = [turn for turn in turns if not known or turn.decision == "emergency" or turn.is_unhelpful]
        if left:
            yield _Asked(standing, tuple(left))


def _understood(newest: Sequence[_Turn]) -> list[_Turn]:
    """The messages that the assistant had to make something of, the newest first."""
    before: dict[int, _Turn] = {}
    found: list[_Turn] = []
    for turn in reversed(newest):
        earlier = before.get(turn.conversation)
        before[turn.conversation] = turn
        if not turn.is_choice and not (earlier and _answers(earlier, turn)):
            found.append(turn)
    return found[::-1]


def _answers(earlier: _Turn, turn: _Turn) -> bool:
    """Whether it only answers the one before: a step of a request, or "no" to whether danger has passed."""
    if earlier.asks_for_step and turn.topics and OF_REQUESTS.issuperset(turn.topics):
        return True
    goes_on = earlier.decision == turn.decision == "emergency" and turn.margin is None
    return goes_on and len(turn.text.split()) == 1


def _standing(opinions: Sequence[Opinion]) -> Standing:
    if not opinions:
        return "open"
    whole = [opinion for opinion in opinions if opinion.is_whole]
    if not whole:
        return "unfinished"
    (_, most), *_ = Counter((each.verdict, each.topic) for each in whole).most_common()
    return "judged" if most * 2 > len(whole) else "contested"


# --- ordering ---------------------------------------------------------------------------------------------------------


def _rank(group: _Asked) -> tuple[int, float, int]:
    """Danger first; then how much is likely misunderstood; then the newest."""
    reasons = _reasons(group)
    urgency = 2 if "unsafe" in reasons else 1 if "emergency" in reasons else 0
    doubt = max(map(_doubt, group.turns)) + len(_DISAGREE.intersection(reasons))
    return urgency, doubt * log2(1 + len(group.turns)), group.turns[0].id


def _doubt(turn: _Turn) -> float:
    """How unsure the assistant was, 0 to 1."""
    return 0.0 if turn.margin is None else 1.0 - turn.margin if turn.topics else 1.0


def _reasons(group: _Asked) -> tuple[Reason, ...]:
    newest = group.turns[0]
    # Where the rules raise the alarm, the model is not asked. A line that tells whom to call stands above an answer
    # where either of them saw some danger, and the other did not.
    only_the_model = newest.decision == "emergency" and newest.margin is not None
    why: Iterable[tuple[Reason, bool]] = (
        ("unsafe", group.standing == "unsafe"),
        ("emergency", newest.decision == "emergency"),
        ("unfinished", group.standing == "unfinished"),
        ("contested", group.standing == "contested"),
        ("thumbs_down", any(turn.is_unhelpful for turn in group.turns)),
        ("nets_differ", only_the_model or newest.is_in_case),
        ("asked_back", newest.decision == "clarify"),
        ("at_a_loss", newest.decision == "fallback" and not newest.topics),
        ("close", bool(newest.topics) and newest.margin is not None and newest.margin < CLOSE),
        ("frequent", len(group.turns) >= OFTEN),
    )
    return tuple(reason for reason, is_so in why if is_so) or cast("tuple[Reason, ...]", ("spot_check",))
