"""The overview: what happened in a period, compared with the one before; as charts, as tables, and to take along."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from babel.numbers import format_decimal
from fastapi import APIRouter, Depends, Form, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel

from bot.console.pages import Pages, RefusedError, Visit
from bot.console.requests import Day
from bot.console.tables import csv_response
from bot.content import Content
from bot.messages import Decision, Language
from bot.redaction import redacted
from bot.store.overview import MOST_QUESTIONS, Counts, Figures, Overview, Part, Period, Question, Summary

DAYS = (7, 30, 90)
USUAL = 30  # days
MOST_DAYS = 366
MOST_SHOWN = 30  # messages that were not answered, on the page
LONGEST_TEXT = 240  # letters of one
LOCALES: Mapping[Language, str] = {"en": "en", "es": "es_CO"}
# What each day's column is made of, from the bottom.
KINDS: Mapping[str, tuple[Decision, ...]] = {
    "answered": ("answer", "action", "talk"),
    "clarify": ("clarify",),
    "fallback": ("fallback",),
    "emergency": ("emergency",),
    "rest": ("silent", "error"),
}
DECISIONS: tuple[Decision, ...] = tuple(each for several in KINDS.values() for each in several)
CONVERSATIONS = "conversations"  # the one file that is no table of the page

Cell = str | int | float | date | None


@dataclass(frozen=True)
class Table:
    """A table of the page and of a file. `charted`: the columns of numbers that a chart shows, one upon the other."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    charted: tuple[str, ...] = ()

    @property
    def highest(self) -> float:
        """The largest sum of what is charted, by which sizes are measured."""
        places = [self.columns.index(column) for column in self.charted]
        return max((sum(row[place] or 0 for place in places) for row in self.rows), default=0)  # type: ignore[misc]  # numbers


class Asked(BaseModel):
    """What the address asks for: some days back from today, or from one day to another."""

    days: Literal["7", "30", "90"] = "30"
    since: Day = None
    until: Day = None

    @property
    def as_query(self) -> str:
        """The address that asks for this, behind its "?"."""
        return urlencode(self.model_dump(mode="json", exclude_defaults=True))


class Names:
    """What things are called in the reader's language; by their key, where they have no name."""

    def __init__(self, pages: Pages, content: Content, language: Language) -> None:
        self._pages, self._content, self.language = pages, content, language

    def of(self, key: str, **values: object) -> str:
        words = self._pages.words
        return words.of(key, self.language, **values) if key in words else key.partition("_")[2]

    def topic(self, key: str) -> str:
        topic = self._content.topics.get(key)
        return topic.title.of(self.language) if topic else key

    def is_small_talk(self, key: str) -> bool:
        topic = self._content.topics.get(key)
        return topic is not None and topic.kind == "talk"


def router(pages: Pages, overview: Overview, content: Content) -> APIRouter:
    """The addresses of this page."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Viewer = Annotated[Visit, Depends(pages.open_to("viewer"))]  # noqa: N806 - a type

    def texts(questions: Sequence[Question], names: Names) -> list[str]:
        """What was written, without personal data."""
        known = overview.known({question.conversation for question in questions})
        return [_short(redacted(each.text, names.language, known.get(each.conversation, ()))) for each in questions]

    @routes.get("/overview")
    async def show(visit: Viewer, asked: Annotated[Asked, Query()]) -> Response:
        now = datetime.now(pages.zone)
        period = _period(asked, now)
        figures = await run_in_threadpool(overview.figures, period or _last(USUAL, now))
        names = Names(pages, content, visit.member.language)
        questions = figures.questions[:MOST_SHOWN]
        return pages.show(
            visit,
            "overview.html",
            status=200 if period else 400,
            asked=asked,
            wrong_dates=period is None,
            most_days=MOST_DAYS,
            periods=DAYS,
            figures=figures,
            tables=_tables(figures, names),
            questions=list(zip(questions, await run_in_threadpool(texts, questions, names), strict=True)),
            most_questions=MOST_QUESTIONS,
            number=lambda value: format_decimal(value, locale=LOCALES[names.language]),
            lasting=lambda minutes: pages.ago(names.language, datetime.now(UTC) - timedelta(minutes=minutes)),
            zone=pages.zone.key,
        )

    @routes.post("/overview/export")
    async def export(visit: Viewer, asked: Annotated[Asked, Query()], table: Annotated[str, Form()]) -> Response:
        period = _period(asked, datetime.now(pages.zone))
        if period is None:
            raise RefusedError(400, "malformed")
        names = Names(pages, content, visit.member.language)
        head, rows = await run_in_threadpool(file, table, period, names)
        first, last = period.days[0][0], period.days[-1][0]
        await run_in_threadpool(pages.deeds.note, visit.member.login, "export", f"overview:{table}", f"{first}..{last}")
        return csv_response(f"{table}-{first}-{last}.csv", head, rows)

    def file(table: str, period: Period, names: Names) -> tuple[list[str], Iterable[Sequence[object]]]:
        if table == CONVERSATIONS:
            columns, rows = _COLUMNS_OF_A_CONVERSATION, _conversations(overview.conversations(period), names, pages)
        else:
            figures = overview.figures(period)
            tables = _tables(figures, names)
            tables["questions"] = _questions(figures.questions, texts(figures.questions, names), names, pages)
            if table not in tables:
                raise RefusedError(404, "not_found")
            columns, rows = tables[table].columns, iter(tables[table].rows)
        return [names.of(f"overview.col_{column}", zone=pages.zone.key) for column in columns], rows

    return routes


def _period(asked: Asked, now: datetime) -> Period | None:
    """What is asked for; None where the dates make no period."""
    if asked.since is None and asked.until is None:
        return _last(int(asked.days), now)
    last = asked.until or now.date()
    first = asked.since or last - timedelta(days=USUAL - 1)
    if first > min(last, now.date()) or (last - first).days >= MOST_DAYS:
        return None
    return Period(_midnight(first, now), min(_midnight(last + timedelta(days=1), now), now))


def _last(days: int, now: datetime) -> Period:
    return Period(_midnight(now.date() - timedelta(days=days - 1), now), now)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time.min, now.tzinfo)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT].rstrip() + "…"


def _share(part: float, whole: float) -> float | None:
    """In percent; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


# What each table holds.


def _tables(figures: Figures, names: Names) -> dict[str, Table]:
    tables = (
        _totals(figures, names),
        _days(figures),
        _topics(figures, names),
        _waits(figures, names),
        _requests(figures, names),
        _opinions(figures, names),
        _parts("channel", figures.now.channels, figures.before.channels, "inbox.channel_", names),
        _parts("language", figures.now.languages, figures.before.languages, "requests.language_", names),
        _decisions(figures, names),
        Table("failures", ("failure", "messages"), tuple(figures.failures.most_common())),
    )
    return {table.name: table for table in tables}


def _totals(figures: Figures, names: Names) -> Table:
    now, before = _measures(figures.now), _measures(figures.before)
    rows: list[tuple[Cell, ...]] = []
    for key, value in now.items():
        then = before[key]
        difference = None if value is None or then is None else round(value - then, 1)
        rows.append((names.of(f"overview.{key}"), value, then, difference))
    return Table("totals", ("measure", "now", "before", "difference"), tuple(rows))


def _measures(counts: Counts) -> dict[str, int | float | None]:
    # Where a person of the staff answers, the assistant neither knows nor asks.
    own = counts.whole.messages - counts.decisions.get("silent", 0)
    return {
        "messages": counts.whole.messages,
        "people": counts.whole.people,
        "new_people": counts.whole.new_people,
        "callers": counts.callers,
        "emergencies": counts.decisions.get("emergency", 0),
        "unknown_share": _share(counts.decisions.get("fallback", 0), own),
        "clarify_share": _share(counts.decisions.get("clarify", 0), own),
        "helped_share": _share(counts.helped, counts.helped + counts.not_helped),
        "median_ms": counts.median_ms,
        "slow_ms": counts.slow_ms,
    }


def _days(figures: Figures) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for day, decisions in figures.days.items():
        numbers = [sum(decisions.get(each, 0) for each in several) for several in KINDS.values()]
        rows.append((day, *numbers, sum(numbers)))
    return Table("per_day", ("day", *KINDS, "total"), tuple(rows), charted=tuple(KINDS))


def _topics(figures: Figures, names: Names) -> Table:
    now, before = figures.now, figures.before.topics
    rows = [
        (names.topic(key), key, number, _share(number, now.whole.messages), before.get(key, 0))
        for key, number in sorted(now.topics.items(), key=lambda item: (-item[1], item[0]))
        if not names.is_small_talk(key)
    ]
    return Table("topics", ("topic", "key", "messages", "share", "messages_before"), tuple(rows), charted=("messages",))


def _questions(questions: Sequence[Question], texts: Sequence[str], names: Names, pages: Pages) -> Table:
    rows = [
        (
            text or names.of("overview.no_words"),
            each.count,
            names.of(f"inbox.decision_{each.decision}"),
            pages.moment(each.at),
            each.conversation,
        )
        for each, text in zip(questions, texts, strict=True)
    ]
    return Table("questions", ("question", "times", "decision", "newest", "conversation"), tuple(rows))


def _waits(figures: Figures, names: Names) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for who, waits in figures.waits.items():
        answered = len(waits.minutes)
        minutes = [None if value is None else round(value, 1) for value in (waits.median, waits.longest)]
        rows.append((names.of(f"overview.wait_{who}"), waits.cases, answered, waits.cases - answered, *minutes))
    columns = ("who", "cases", "answered_cases", "unanswered_cases", "median_minutes", "longest_minutes")
    return Table("waits", columns, tuple(rows))


def _requests(figures: Figures, names: Names) -> Table:
    sent = figures.requests["sent"]
    asked = (names.of("overview.step_asked"), figures.now.callers, None)
    rows = [
        (names.of(f"overview.step_{step}"), number, _share(number, sent)) for step, number in figures.requests.items()
    ]
    return Table("requests", ("step", "number", "of_sent"), (asked, *rows))


def _opinions(figures: Figures, names: Names) -> Table:
    rows = []
    for each in figures.opinions:
        reasons = sorted(each.reasons.items(), key=lambda item: -item[1])
        why = ", ".join(f"{names.of(f'inbox.reason_{reason}')}: {number}" for reason, number in reasons)
        share = _share(each.helped, each.helped + each.not_helped)
        title = names.topic(each.revision.partition("@")[0])
        rows.append((title, each.revision, each.helped, each.not_helped, share, why))
    columns = ("answer", "revision", "helped", "not_helped", "helped_share", "reasons")
    return Table("opinions", columns, tuple(rows))


def _parts(what: str, now: Mapping[str, Part], before: Mapping[str, Part], prefix: str, names: Names) -> Table:
    whole = sum(part.messages for part in now.values())
    rows = [
        (
            names.of(prefix + key),
            part.messages,
            _share(part.messages, whole),
            before.get(key, Part()).messages,
            part.people,
            part.new_people,
        )
        for key, part in now.items()
    ]
    columns = (what, "messages", "share", "messages_before", "people", "new_people")
    return Table(f"by_{what}", columns, tuple(rows))


def _decisions(figures: Figures, names: Names) -> Table:
    now, before, whole = figures.now.decisions, figures.before.decisions, figures.now.whole.messages
    rows = [
        (names.of(f"inbox.decision_{each}"), now.get(each, 0), _share(now.get(each, 0), whole), before.get(each, 0))
        for each in DECISIONS
        if now.get(each) or before.get(each)
    ]
    return Table("decisions", ("decision", "messages", "share", "messages_before"), tuple(rows))


_COLUMNS_OF_A_CONVERSATION = (
    "conversation", "channel", "language", "created", "updated", "state", "flags", "topics", "length", "confidence",
    *KINDS, "helped", "not_helped", "request",
)  # fmt: skip


def _conversations(found: Iterable[Summary], names: Names, pages: Pages) -> Iterator[tuple[Cell, ...]]:
    for each in found:
        yield (
            each.number,
            names.of(f"inbox.channel_{each.channel}"),
            names.of(f"requests.language_{each.language}") if each.language else "",
            pages.moment(each.created_at),
            pages.moment(each.updated_at),
            names.of(f"inbox.state_{each.state}"),
            ", ".join(names.of(f"inbox.flag_{flag}") for flag in each.flags),
            ", ".join(each.topics),
            each.length,
            None if each.confidence is None else round(100 * each.confidence),
            *(sum(each.decisions.get(decision, 0) for decision in several) for several in KINDS.values()),
            each.helped,
            each.not_helped,
            names.of(f"requests.state_{each.request}") if each.request else "",
        )
