"""The overview of the staff: what it counts, on a real database; and its page and files, over the real application."""

import csv
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from bot.app import create_app
from bot.settings import Settings
from bot.store import migrate, models, open_database
from bot.store.overview import BATCH, Overview, Part, Period, Waits
from bot.store.staff import ROLES, Deeds, Role
from tests.console import Browser, browser, logged_in

HOME = ZoneInfo("America/Bogota")
MONDAY = datetime(2025, 3, 3, tzinfo=HOME)
WEEK = Period(MONDAY, MONDAY + timedelta(days=7))
NOON = MONDAY + timedelta(hours=12)
MINUTE = timedelta(minutes=1)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
QUERY = "since=2025-03-03&until=2025-03-09"
TABLES = [
    "totals", "per_day", "questions", "topics", "waits", "requests", "opinions", "by_channel", "by_language",
    "decisions", "failures", "conversations",
]  # fmt: skip
numbers = count(1)


class Past:
    """Writes what has happened into a database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def person(self, channel: str = "web", **more: Any) -> int:
        """The number of somebody's new conversation."""
        with Session(self.engine) as session, session.begin():
            row = models.Conversation(
                channel=channel, sender=f"sender-{next(numbers)}", created_at=NOON, updated_at=NOON, **more
            )
            session.add(row)
            session.flush()
            return row.id

    def row(
        self, person: int, at: datetime = NOON, decision: str = "answer", text: str = "", **more: Any
    ) -> dict[str, Any]:
        """A new turn, as it is kept."""
        return {
            "id": int(at.timestamp() * 1_000_000) + next(numbers),
            "conversation_id": person,
            "created_at": at,
            "decision": decision,
            "text": text,
            "channel": "web",
            "language": "es",
            "topics": [],
            "candidates": [],
            "replies": [],
            "revisions": [],
            "latency_ms": 5.0,
            **more,
        }

    def turn(self, person: int, *what: Any, **more: Any) -> int:
        """The number of a new turn, see `row`."""
        row = self.row(person, *what, **more)
        with Session(self.engine) as session, session.begin():
            session.add(models.Turn(**row))
        return int(row["id"])

    def turns(self, rows: list[dict[str, Any]]) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(insert(models.Turn), rows)

    def request(self, person: int, state: str, *events: str, at: datetime = NOON, **draft: str) -> None:
        with Session(self.engine) as session, session.begin():
            row = models.Request(
                code=f"M{next(numbers):06}", conversation_id=person, state=state, language="es", contact="x",
                draft=draft, created_at=at, updated_at=at,
            )  # fmt: skip
            row.events = [models.RequestEvent(event=event, by="ana", created_at=at) for event in events]
            session.add(row)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    engine = open_database(f"sqlite:///{tmp_path / 'past.db'}")
    migrate(engine)
    yield Past(engine)
    engine.dispose()


# --- what is counted --------------------------------------------------------------------------------------------------


def test_only_what_people_wrote_in_the_period_is_counted(past: Past) -> None:
    old, new, silent = past.person(), past.person("telegram"), past.person()
    past.turn(old, NOON - timedelta(days=5))
    past.turn(old, NOON, topics=["cost", "book"])
    past.turn(new, NOON, "silent", channel="telegram", language="en")
    past.turn(new, NOON, "fallback", channel="telegram", language="en")
    past.turn(silent, NOON, "staff")
    past.turn(silent, NOON, "talk", delivery="waiting")  # news that nobody had asked for
    past.turn(silent, NOON + timedelta(days=7))
    figures = Overview(past.engine).figures(WEEK)
    assert figures.now.whole == Part(messages=3, people=2, new_people=1)
    assert figures.before.whole == Part(messages=1, people=1, new_people=1)
    assert figures.now.channels == {"telegram": Part(2, 1, 1), "web": Part(1, 1, 0)}
    assert figures.now.languages == {"en": Part(2, 1, 1), "es": Part(1, 1, 0)}
    assert figures.now.decisions == {"answer": 1, "silent": 1, "fallback": 1}
    assert figures.now.topics == {"cost": 1, "book": 1}
    assert (figures.now.callers, figures.before.callers) == (1, 0)
    assert sum(sum(day.values()) for day in figures.days.values()) == 3


@pytest.mark.parametrize(
    ("hour", "day"),
    [
        ("2025-03-03 00:00", "2025-03-03"),
        ("2025-03-03 23:59", "2025-03-03"),  # already the 4th in UTC
        ("2025-03-04 00:00", "2025-03-04"),
        ("2025-03-09 23:59", "2025-03-09"),
        ("2025-03-10 00:00", None),
        ("2025-03-02 23:59", None),
    ],
)
def test_days_are_those_of_the_clinic(past: Past, hour: str, day: str | None) -> None:
    past.turn(past.person(), datetime.fromisoformat(hour).replace(tzinfo=HOME))
    days = Overview(past.engine).figures(WEEK).days
    assert [str(each) for each, decisions in days.items() if decisions] == ([day] if day else [])
    assert len(days) == 7


def test_days_of_23_and_25_hours_lose_nothing() -> None:
    zone = ZoneInfo("America/New_York")
    for first in (datetime(2025, 3, 8, tzinfo=zone), datetime(2025, 11, 1, tzinfo=zone)):
        days = Period(first, first + timedelta(days=3)).days
        assert [day.day - first.day for day, _ in days] == [0, 1, 2]
        assert [hours.until for _, hours in days[:-1]] == [hours.since for _, hours in days[1:]]


def test_a_day_that_is_not_over_is_compared_with_its_like() -> None:
    before = Period(MONDAY, NOON).before
    assert (before.since, before.until) == (MONDAY - timedelta(days=1), NOON - timedelta(days=1))


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("¿Venden pizza?", "hola, vendén PIZZA por favor!!", True),
        ("¿Venden pizza?", "pizza venden", True),
        ("¿Venden pizza?", "¿Venden pizzas congeladas?", False),
        ("¿qué duele?", "¿por qué duele?", False),
        ("Do you sell the pizza?", "good morning, do you sell pizza please", True),
        ("Do you sell pizza?", "Do you sell pizza ovens?", False),
        ("how much pain", "how pain", False),
        ("gracias", "hola", False),  # nothing but fillers
        ("", "", True),
        ("", "pizza", False),
    ],
)
def test_messages_that_ask_the_same_are_one_question(past: Past, one: str, other: str, are_one: bool) -> None:
    person = past.person()
    past.turn(person, NOON, "fallback", one)
    newest = past.turn(person, NOON + MINUTE, "clarify", other)
    past.turn(person, NOON + MINUTE, "answer", one)  # was answered
    found = Overview(past.engine).figures(WEEK).questions
    assert [each.count for each in found] == ([2] if are_one else [1, 1])
    assert (found[0].text, found[0].turn, found[0].conversation) == (other, newest, person)


def test_the_staff_answer_once_or_not_at_all(past: Past) -> None:
    seen, again, unseen = past.person(), past.person(), past.person()
    past.turn(seen, NOON - MINUTE, "staff")  # before
    past.turn(seen, NOON, "emergency")
    past.turn(seen, NOON + MINUTE, "emergency")  # still waits
    past.turn(seen, NOON + 2 * MINUTE, "staff", delivery="failed")
    past.turn(seen, NOON + 10 * MINUTE, "staff", delivery="sent")
    past.turn(again, NOON, "emergency")
    past.turn(again, NOON + 20 * MINUTE, "staff")
    past.turn(again, NOON + 30 * MINUTE, "emergency")
    past.turn(again, NOON + 31 * MINUTE, "staff")
    past.turn(unseen, NOON, "emergency")
    past.turn(unseen, NOON, "action", topics=["human"], revisions=["says.human@1"])
    past.turn(unseen, NOON, "action", topics=["humanity"])
    past.turn(again, NOON + 40 * MINUTE, "action", topics=["human"], revisions=["says.waiting@1"])
    past.turn(again, NOON + 43 * MINUTE, "staff")
    waits = Overview(past.engine).figures(WEEK).waits
    danger = waits["emergency"]
    assert (danger.cases, [round(minutes) for minutes in danger.minutes]) == (4, [1, 10, 20])
    assert danger.median == pytest.approx(10, abs=0.01)
    assert danger.longest == pytest.approx(20, abs=0.01)
    assert (waits["person"].cases, len(waits["person"].minutes)) == (2, 1)
    assert (waits["waiting"].cases, len(waits["waiting"].minutes)) == (1, 1)
    assert (Waits(0, ()).median, Waits(0, ()).longest) == (None, None)


def test_requests_are_told_by_how_far_they_have_come(past: Past) -> None:
    person = past.person()
    past.request(person, "new", "new")
    past.request(person, "scheduled", "new", "scheduled")  # who agreed on a time was reached
    past.request(person, "closed", "new", "contacted", "closed")
    past.request(person, "cancelled", "new", "cancelled")
    past.request(person, "closed", "new", "contacted", at=NOON - timedelta(days=7))
    assert Overview(past.engine).figures(WEEK).requests == {
        "sent": 4, "contacted": 2, "scheduled": 1, "closed": 1, "cancelled": 1,
    }  # fmt: skip


def test_opinions_belong_to_the_wording_that_was_shown(past: Past) -> None:
    person = past.person()
    past.turn(person, revisions=["in_case@9", "cost@1"], helpful=False, reason="wrong")
    past.turn(person, revisions=["cost@1"], helpful=False)
    past.turn(person, revisions=["cost@2"], helpful=True)
    past.turn(person, revisions=["cost@2"])
    figures = Overview(past.engine).figures(WEEK)
    found = [(each.revision, each.helped, each.not_helped, each.reasons) for each in figures.opinions]
    assert found == [("cost@1", 0, 2, {"wrong": 1}), ("cost@2", 1, 0, {})]
    assert (figures.now.helped, figures.now.not_helped) == (1, 2)


def test_latency_and_failures(past: Past) -> None:
    person = past.person()
    past.turns([past.row(person, latency_ms=float(milliseconds)) for milliseconds in range(1, 101)])
    past.turn(person, decision="staff", latency_ms=10_000.0)
    past.turn(person, decision="error", failure="answer: TimeoutError; record: OperationalError", latency_ms=0.0)
    figures = Overview(past.engine).figures(WEEK)
    assert (figures.now.median_ms, figures.now.slow_ms) == (50, 95)
    assert figures.failures == {"answer: TimeoutError": 1, "record: OperationalError": 1}
    assert (figures.before.median_ms, figures.before.slow_ms) == (None, None)


def test_figures_are_kept_for_a_moment(past: Past) -> None:
    person, kept, at_once = past.person(), Overview(past.engine), Overview(past.engine, fresh_for=-1)
    for overview in (kept, at_once):
        assert overview.figures(WEEK).now.whole.messages == 0
    past.turn(person)
    assert kept.figures(WEEK).now.whole.messages == 0
    assert kept.figures(Period(MONDAY, NOON + MINUTE)).now.whole.messages == 1, "another period is counted anew"
    assert at_once.figures(WEEK).now.whole.messages == 1


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('overview') / 'overview.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="module")
def engine(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url)
    fill(Past(engine))
    yield engine
    engine.dispose()


def fill(past: Past) -> None:
    """A week in which everything happens that the page tells of."""
    ana = past.person(flags=("emergency", "person"), topics=("cost",), length=3, confidence=0.417, language="es")
    past.turn(ana, text="¿cuánto cuesta?", topics=["cost"], revisions=["cost@1"], helpful=False, reason="wrong")
    past.turn(ana, decision="fallback", text="soy Ana Ruiz, mi número es 300 123 4567, ¿venden pizza?")
    past.turn(ana, decision="fallback", text="pregunta zoraida kwon por la pizza")
    past.turn(ana, decision="emergency", topics=["emergency_breathing"])
    past.turn(ana, NOON + 5 * MINUTE, "staff")
    past.turn(ana, decision="error", failure="answer: TimeoutError")
    past.request(ana, "contacted", "new", "contacted", name="Zoraida Kwon", phone="+573001234567")
    bob = past.person("telegram", language="en")
    past.turn(bob, decision="clarify", text=EVIL, language="en", channel="telegram", topics=["gone_topic", "thanks"])
    past.turn(bob, decision="clarify", text="=2+5*cmd|' /C calc'!A0", language="en", channel="telegram")


@pytest.fixture(scope="module")
async def people(app: FastAPI, engine: Engine) -> AsyncIterator[dict[Role, Browser]]:
    """One of each role, whose pages are in English."""
    async with (
        logged_in(app, engine, "viewer") as viewer,
        logged_in(app, engine, "reviewer") as reviewer,
        logged_in(app, engine, "clinician") as clinician,
        logged_in(app, engine, "admin") as admin,
    ):
        yield {"viewer": viewer, "reviewer": reviewer, "clinician": clinician, "admin": admin}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_sees_it(people: dict[Role, Browser], role: Role) -> None:
    page = await people[role].read(f"/staff/overview?{QUERY}")
    assert page.count("<h1") == 1
    assert "2025-03-03 to 2025-03-09" in page


async def test_a_stranger_sees_nothing(app: FastAPI, people: dict[Role, Browser]) -> None:
    async with browser(app) as stranger:
        assert (await stranger.get("/staff/overview")).headers["location"].startswith("/staff/login")
        sent = await stranger.post("/staff/overview/export", data={"table": "conversations"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/staff/login")


async def test_the_page_in_both_languages(people: dict[Role, Browser]) -> None:
    viewer = people["viewer"]
    page = await viewer.read(f"/staff/overview?{QUERY}")
    for words in ("Messages per day", "How much does it cost?", "web chat", "did not know", "answer: TimeoutError"):
        assert words in unescape(page), words
    assert "gone_topic" in page, "a topic that is no more is named by its key"
    assert ">Thanks<" not in page, "small talk is no question"
    await viewer.submit("/staff/language", language="es")
    page = await viewer.read(f"/staff/overview?{QUERY}")
    await viewer.submit("/staff/language", language="en")
    for words in ("Mensajes por día", "¿Cuánto cuesta?", "chat web", "no supo", "5 min"):
        assert words in unescape(page), words
    assert not re.findall(r'style="|<script>', page), "the policy of the pages forbids them"


async def test_what_people_wrote_is_shown_as_text_without_personal_data(people: dict[Role, Browser]) -> None:
    page = await people["admin"].read(f"/staff/overview?{QUERY}")
    shown = unescape(page)
    for secret in ("Ruiz", "300 123", "zoraida", "kwon", "sender-"):
        assert secret not in shown.casefold(), secret
    assert "venden pizza" in shown
    assert EVIL in shown
    assert EVIL not in page
    assert re.search(r'href="/staff/conversations/\d+#t\d+"', page)


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("", 200, "Last 30 days"),
        ("days=7", 200, "Nothing in this period."),
        ("days=90&since=&until=", 200, "Nothing in this period."),
        ("since=2025-03-09", 400, "at most 366 days"),
        ("until=2025-03-09", 200, "2025-02-08 to 2025-03-09"),
        ("since=2025-03-09&until=2025-03-03", 400, "at most 366 days"),
        ("since=2024-03-09&until=2025-03-09", 200, "2024-03-09 to 2025-03-09"),
        ("since=2024-03-08&until=2025-03-09", 400, "at most 366 days"),
        ("since=2199-01-01&until=2199-01-02", 400, "at most 366 days"),
        ("days=8", 400, "cannot be read"),
        ("since=yesterday", 400, "cannot be read"),
    ],
)
async def test_the_period_that_is_asked_for(people: dict[Role, Browser], query: str, status: int, told: str) -> None:
    assert told in await people["viewer"].read(f"/staff/overview?{query}", status)


# --- files ------------------------------------------------------------------------------------------------------------


async def rows(browser: Browser, table: str, query: str = QUERY) -> list[list[str]]:
    sent = await browser.submit(f"/staff/overview/export?{query}", table=table)
    assert sent.status_code == 200, table
    assert sent.headers["content-type"] == "text/csv; charset=utf-8"
    assert sent.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(sent.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("table", TABLES)
async def test_each_table_is_a_file_too_and_that_is_noted(
    people: dict[Role, Browser], engine: Engine, table: str
) -> None:
    page = await people["viewer"].read(f"/staff/overview?{QUERY}")
    assert f'form="export" name="table" value="{table}"' in page
    head, *found = await rows(people["viewer"], table)
    assert found
    assert {len(row) for row in found} == {len(head)}
    (deed, *_) = Deeds(engine).find(subject=f"overview:{table}")
    assert (deed.who, deed.action, deed.detail) == ("viewer", "export", "2025-03-03..2025-03-09")


async def test_a_file_holds_no_formula_and_nobodys_name(people: dict[Role, Browser]) -> None:
    told = [row[0] for row in (await rows(people["viewer"], "questions"))[1:]]
    assert "'=2+5*cmd|' /C calc'!A0" in told
    assert not any("Ruiz" in each or "kwon" in each for each in told)


async def test_the_file_of_conversations_tells_what_happened_and_not_what_was_said(
    people: dict[Role, Browser],
) -> None:
    head, ana, bob = await rows(people["viewer"], "conversations")
    found = dict(zip(head, ana, strict=True))
    assert found["Flags"] == "emergency, asked for a person"
    assert (found["Channel"], found["Language"], found["Topics"]) == ("web chat", "Spanish", "cost")
    assert (found["Turns"], found["Least sure turn (%)"], found["Request"]) == ("3", "42", "Contacted")
    assert (found["Answered"], found["Did not know"], found["Danger"], found["Did not help"]) == ("1", "2", "1", "1")
    assert bob[head.index("Channel")] == "Telegram"
    whole = json.dumps([ana, bob]).casefold()
    assert not any(secret in whole for secret in ("pizza", "ruiz", "zoraida", "300", "sender-", "script"))


async def test_no_other_file_and_no_other_site(people: dict[Role, Browser]) -> None:
    viewer = people["viewer"]
    assert (await viewer.submit(f"/staff/overview/export?{QUERY}", table="staff")).status_code == 404
    assert (await viewer.submit("/staff/overview/export?since=2025-03-09", table="topics")).status_code == 400
    assert (await viewer.post("/staff/overview/export", data={"table": "topics"})).status_code == 403


def test_more_conversations_than_are_read_at_once(past: Past) -> None:
    people = [past.person() for _ in range(BATCH + 1)]
    past.turns([past.row(person) for person in people for _ in range(2)])
    past.turn(past.person(), NOON - timedelta(days=20))
    found = list(Overview(past.engine).conversations(WEEK))
    assert [each.number for each in found] == people
    assert {each.decisions["answer"] for each in found} == {2}
    assert found[0].created_at == NOON.astimezone(UTC)


def test_todays_figures_are_todays(past: Past) -> None:
    now = datetime.now(HOME)
    past.turn(past.person(), now - timedelta(seconds=1))
    days = Overview(past.engine).figures(Period(datetime.combine(now.date(), MONDAY.timetz()), now)).days
    assert {day: sum(decisions.values()) for day, decisions in days.items()} == {now.date(): 1}
