"""The inbox and the transcripts of the staff: what they show, what they hide, and who talks to the person."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.app import Parts, create_app
from bot.console.words import Words
from bot.errors import StaffError
from bot.messages import Button, Candidate, Decision, Effect, Incoming, Language, Memory, Reply, Turn
from bot.settings import Settings
from bot.store import migrate, models, open_database
from bot.store.inbox import PAGE, Inbox, Wanted
from bot.store.staff import Deeds, Member, Staff
from bot.store.transcripts import Transcripts
from tests.console import Browser, logged_in

HELD_FOR = timedelta(minutes=30)
SEEN_ALL = 2**60


def farewell(_: Language, is_open: bool) -> Reply:
    return Reply("gone, open" if is_open else "gone")


NOTICE = Reply("somebody is here")


# --- the store ------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'inbox.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def said(
    engine: Engine,
    sender: str,
    text: str,
    decision: Decision = "answer",
    *topics: str,
    sure: float | None = None,
    language: Language = "en",
    channel: str = "web",
    **more: Any,
) -> int:
    """Records a turn; the number of its conversation."""
    candidates = () if sure is None else (Candidate(topics[0] if topics else "cost", sure),)
    turn = Turn(language, decision, (Reply("told"),), topics, candidates, **more)
    Transcripts(engine).record(Incoming(channel, sender, text), turn, Memory(language=language))
    with Session(engine) as session:
        return session.query(models.Conversation.id).filter_by(channel=channel, sender=sender).scalar()


@pytest.fixture
def ana(engine: Engine) -> Member:
    return Staff(engine).add("ana", "Ana", "reviewer", "es")


@pytest.fixture
def eva(engine: Engine) -> Member:
    return Staff(engine).add("eva", "Eva", "reviewer", "es")


@pytest.mark.parametrize(
    ("turn", "state", "flags"),
    [
        ({"decision": "answer"}, "bot", set()),
        ({"decision": "emergency", "topics": ("emergency_clot",)}, "waiting", {"emergency"}),
        ({"decision": "action", "topics": ("human",)}, "bot", {"person"}),  # told how, waits elsewhere
        ({"decision": "action", "topics": ("human",), "effect": Effect("person")}, "waiting", {"person"}),
        ({"decision": "fallback", "candidates": (Candidate("cost", 0.2),)}, "bot", {"unsure"}),
        ({"decision": "fallback"}, "bot", set()),  # a sticker is no question
        ({"decision": "error", "failure": "answer: ValueError"}, "bot", {"failure"}),
        ({"decision": "answer", "topics": ("complaint",)}, "bot", {"complaint"}),
        ({"decision": "answer", "replies": (Reply("x", revision="in_case@1"),)}, "bot", {"perhaps_emergency"}),
    ],
)
def test_what_happens_marks_the_conversation(engine: Engine, turn: dict[str, Any], state: str, flags: set[str]) -> None:
    told = Turn("en", **{"replies": (Reply("x"),), **turn})
    Transcripts(engine).record(Incoming("web", "anna", "words"), told, Memory())
    (row,) = Inbox(engine).find(Wanted())
    assert (row.state, set(row.flags)) == (state, flags)


def test_the_least_sure_turn_counts_also_where_it_was_not_sure_at_all(engine: Engine) -> None:
    for sure in (0.9, 0.0, 0.8):
        said(engine, "anna", "words", "answer", "cost", sure=sure)
    assert [row.confidence for row in Inbox(engine).find(Wanted())] == [0.0]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), {"walk", "danger", "price"}),
        (Wanted(state="waiting"), {"danger"}),
        (Wanted(flag="emergency"), {"danger"}),
        (Wanted(flag="emerg"), set()),
        (Wanted(channel="telegram"), {"price"}),
        (Wanted(language="es"), {"walk"}),
        (Wanted(topic="walk_again"), {"walk"}),
        (Wanted(topic="walk_agai_"), set()),  # no pattern of the database
        (Wanted(topic="%"), set()),
        (Wanted(label="muy-urgente"), {"walk"}),
        (Wanted(assignee=0), {"danger", "price"}),
        (Wanted(assignee=1), {"walk"}),
        (Wanted(confidence=(0.5, None)), {"walk"}),
        (Wanted(confidence=(None, 0.5)), {"price"}),
        (Wanted(length=(2, None)), {"walk"}),
        (Wanted(length=(None, 1)), {"danger", "price"}),
        (Wanted(since=datetime.now(UTC) + timedelta(hours=1)), set()),
        (Wanted(until=datetime.now(UTC) + timedelta(hours=1)), {"walk", "danger", "price"}),
        (Wanted(words="corazon"), {"walk"}),
        (Wanted(words="CORAZÓN volver"), {"walk"}),
        (Wanted(words="camin"), {"walk"}),  # the beginning of a word
        (Wanted(words="aminar"), set()),
        (Wanted(words='"much" OR NEAR( *'), set()),
        (Wanted(words="much"), {"price"}),
        (Wanted(words="corazon", channel="telegram"), set()),
        (Wanted(words="much", state="bot"), {"price"}),
    ],
)
def test_conversations_are_found_by_what_they_hold(
    engine: Engine, ana: Member, wanted: Wanted, found: set[str]
) -> None:
    walk = said(engine, "walk", "¿Volveré a caminar?", "answer", "walk_again", sure=0.9, language="es")
    said(engine, "walk", "mi corazón quiere volver", "talk", language="es")
    said(engine, "danger", "chest pain", "emergency", "emergency_clot")
    said(engine, "price", "how much", "clarify", "cost", sure=0.3, channel="telegram")
    inbox = Inbox(engine)
    inbox.label(walk, ["Muy urgente", "", "muy urgente"])
    inbox.assign(walk, ana.id)
    with Session(engine) as session:
        senders = {row.id: row.sender for row in session.query(models.Conversation)}
    assert {senders[row.id] for row in inbox.find(wanted)} == found


def test_deleted_words_are_found_no_more(engine: Engine) -> None:
    said(engine, "anna", "corazón")
    said(engine, "bob", "hello")
    Transcripts(engine).delete("web", "anna")
    assert Inbox(engine).find(Wanted(words="corazon")) == []
    assert len(Inbox(engine).find(Wanted(words="hello"))) == 1
    assert engine.url.database
    for file in Path(engine.url.database).parent.iterdir():  # also not where the database keeps its index
        assert b"coraz" not in file.read_bytes(), file.name


def test_the_number_of_a_deleted_conversation_goes_to_nobody_else(engine: Engine) -> None:
    first = said(engine, "anna", "hello")
    Transcripts(engine).delete("web", "anna")
    assert said(engine, "bob", "hello") > first


def test_pages_go_on_where_the_last_one_ended_whatever_comes_in(engine: Engine) -> None:
    numbers = [said(engine, f"person {number}", "words") for number in range(PAGE + 10)]
    inbox = Inbox(engine)
    first = inbox.find(Wanted())
    said(engine, "somebody new", "words")
    second = inbox.find(Wanted(), first[-1].place)
    assert [row.id for row in (*first, *second)] == sorted(numbers, reverse=True)


def test_danger_waits_at_the_top_then_who_waits_longest(engine: Engine) -> None:
    first = said(engine, "first", "a person", "action", "human", effect=Effect("person"))
    second = said(engine, "second", "a person", "action", "human", effect=Effect("person"))
    danger = said(engine, "danger", "chest pain", "emergency", "emergency_clot")
    inbox = Inbox(engine)
    assert [row.id for row in inbox.waiting()] == [danger, first, second]
    inbox.attend(first, SEEN_ALL)
    assert [row.id for row in inbox.waiting()] == [danger, second]
    assert inbox.urgent()[0] == 2


def test_of_two_who_take_it_at_once_one_gets_it(engine: Engine, ana: Member, eva: Member) -> None:
    number = said(engine, "anna", "hello")
    inbox = Inbox(engine)
    inbox.take(number, ana, HELD_FOR, NOTICE)
    inbox.take(number, ana, HELD_FOR, NOTICE)  # again, as buttons are pressed twice
    for forbidden in (
        lambda: inbox.take(number, eva, HELD_FOR, NOTICE),
        lambda: inbox.say(number, eva, "hello", HELD_FOR),
        lambda: inbox.give_back(number, eva, farewell),
        lambda: inbox.close(number, SEEN_ALL),
    ):
        with pytest.raises(StaffError):
            forbidden()
    assert Transcripts(engine).memory(Incoming("web", "anna")).held
    assert [each.said.replies[0] for each in Transcripts(engine).undelivered("web")] == [NOTICE]


def test_what_is_held_and_left_alone_is_given_back(engine: Engine, ana: Member, eva: Member) -> None:
    inbox = Inbox(engine)
    asked, content = said(engine, "asked", "hello"), said(engine, "content", "hello")
    for number in (asked, content):
        inbox.take(number, ana, HELD_FOR, NOTICE)
    said(engine, "asked", "are you there?", "silent")
    assert inbox.give_back_late(farewell) == 0
    with Session(engine) as session, session.begin():
        session.query(models.Conversation).update({"held_until": datetime.now(UTC) - timedelta(seconds=1)})
    assert not Transcripts(engine).memory(Incoming("web", "asked")).held  # at once, before anything has looked
    with pytest.raises(StaffError):
        inbox.say(asked, ana, "too late", HELD_FOR)
    assert inbox.give_back_late(farewell) == 2
    assert {row.id: row.state for row in inbox.find(Wanted())} == {asked: "waiting", content: "bot"}
    told = {each.sender: each.said.replies[0].text for each in Transcripts(engine).undelivered("web")}
    assert told == {"asked": "gone, open", "content": "gone"}
    inbox.take(asked, eva, HELD_FOR, NOTICE)


def test_a_closed_conversation_opens_with_the_next_message(engine: Engine) -> None:
    number = said(engine, "anna", "chest pain", "emergency", "emergency_clot")
    inbox = Inbox(engine)
    seen = inbox.whole(number)
    assert seen
    said(engine, "anna", "and now my leg is swollen", "emergency", "emergency_clot")
    for done in (inbox.close, inbox.attend):  # whoever presses the button has not seen it
        with pytest.raises(StaffError) as error:
            done(number, seen.turns[-1].id)
        assert error.value.key == "new_message"
    inbox.close(number, SEEN_ALL)
    assert [(row.state, row.flags) for row in inbox.find(Wanted())] == [("closed", ())]
    said(engine, "anna", "hello")
    assert [(row.state, row.flags) for row in inbox.find(Wanted())] == [("bot", ())]


def test_what_waits_is_told_anew_when_something_new_comes(engine: Engine, ana: Member) -> None:
    inbox = Inbox(engine)
    number = said(engine, "anna", "a person please", "action", "human", effect=Effect("person"))
    heard = [inbox.urgent()[2]]
    said(engine, "anna", "chest pain", "emergency", "emergency_clot")  # who waits already is in danger now
    heard.append(inbox.urgent()[2])
    inbox.take(number, ana, HELD_FOR, NOTICE)
    inbox.say(number, ana, "I am here", HELD_FOR)
    said(engine, "anna", "thank you", "silent")  # to whoever has gone to another page
    heard.append(inbox.urgent()[2])
    assert all(heard)
    assert heard == sorted(set(heard))


def test_what_was_asked_before_somebody_came_is_not_answered_after_they_went(engine: Engine, ana: Member) -> None:
    memory = Memory(language="en", buttons=(Button("Yes", "/affirm"),), alarm="emergency_clot", asking="consent")
    Transcripts(engine).record(Incoming("web", "anna", "x"), Turn("en", "answer", (Reply("x"),)), memory)
    inbox = Inbox(engine)
    inbox.take(1, ana, HELD_FOR, NOTICE)
    inbox.give_back(1, ana, farewell)
    found = Transcripts(engine).memory(Incoming("web", "anna"))
    assert (found.buttons, found.alarm, found.asking, found.language) == ((), None, None, "en")


def test_what_is_sent_twice_is_said_once(engine: Engine, ana: Member) -> None:
    number = said(engine, "anna", "hello")
    inbox = Inbox(engine)
    inbox.take(number, ana, HELD_FOR, NOTICE)
    for once in ("a", "a", "b"):
        inbox.say(number, ana, "hello", HELD_FOR, once)
    assert len(Transcripts(engine).undelivered("web")) == 3  # with the notice


# --- the pages ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('inbox') / 'inbox.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def database(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url)
    yield engine
    with Session(engine) as session, session.begin():
        for table in (models.Conversation, models.StaffSession, models.Staff):
            session.query(table).delete()
    engine.dispose()


@pytest.fixture
async def reviewer(app: FastAPI, database: Engine) -> AsyncIterator[Browser]:
    async with logged_in(app, database, "reviewer") as found:
        yield found


class Patient:
    """Somebody in the web chat."""

    def __init__(self, app: FastAPI) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clinic.test")
        self._token = ""
        self._number = 0

    async def say(self, text: str, language: Language = "en") -> dict[str, Any]:
        if not self._token:
            opened = await self._client.post("/api/session", json={"lang": language})
            self._token = opened.json()["token"]
        self._number += 1
        sent = {"id": f"message-{self._number}", "text": text}
        answer = await self._client.post("/api/messages", json=sent, headers=self._headers)
        self._token = answer.json()["token"]
        return answer.json()["turns"][0]

    async def reads(self) -> list[dict[str, Any]]:
        return (await self._client.get("/api/turns", headers=self._headers)).json()["turns"]

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def newest(database: Engine) -> int:
    return Inbox(database).find(Wanted())[0].id


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", ["me llamo María Gómez, mi número es 310 555 1234", "escríbame a maria.gomez@correo.co"]),
        ("en", ["my name is Mary Gomez and my number is +57 310 555 1234", "mail me at mary.gomez@mail.com"]),
    ],
)
async def test_names_and_numbers_are_hidden_until_somebody_says_why(
    app: FastAPI, database: Engine, reviewer: Browser, language: Language, words: list[str]
) -> None:
    patient = Patient(app)
    for text in words:
        await patient.say(text, language)
    number = newest(database)
    personal = re.compile(r"G[oó]mez|1234|@correo|@mail\.com")
    for page in ("/staff/inbox", f"/staff/conversations/{number}", f"/staff/conversations/{number}/news?after=0"):
        assert not personal.search(await reviewer.read(page)), page
    here = f"/staff/conversations/{number}"
    refused = await reviewer.submit(f"{here}/open", here, reason=" ")
    assert refused.status_code == 409
    opened = await reviewer.submit(f"{here}/open", here, reason="calls her back")
    assert len(personal.findall(await reviewer.read(opened.headers["location"]))) >= 3
    assert not personal.search(await reviewer.read(opened.headers["location"][:-3] + "xxx"))
    deeds = Deeds(database).find(subject=f"conversation:{number}")
    assert ("open", "calls her back") in [(deed.action, deed.detail) for deed in deeds]
    async with logged_in(app, database, "viewer") as viewer:
        assert not personal.search(await viewer.read(opened.headers["location"]))  # the address opens nothing to others
        assert (await viewer.submit(f"{here}/open", reason="curious")).status_code == 403


async def test_what_is_typed_into_the_form_is_hidden_whatever_it_looks_like(
    app: FastAPI, database: Engine, reviewer: Browser
) -> None:
    patient = Patient(app)
    for text in ("I want an appointment", "yes", "for me", "Faith Waters"):
        await patient.say(text)
    assert "Waters" not in await reviewer.read(f"/staff/conversations/{newest(database)}")


async def test_a_transcript_shows_what_was_said_and_what_was_made_of_it(
    app: FastAPI, database: Engine, reviewer: Browser
) -> None:
    patient = Patient(app)
    turn = await patient.say("will I walk again?")
    await patient.say('<img src=x onerror="alert(1)"> & "quotes"')
    page = await reviewer.read(f"/staff/conversations/{newest(database)}")
    assert f'id="t{turn["id"]}"' in page
    assert turn["replies"][0]["text"][:40].replace("'", "&#39;") in page
    assert turn["replies"][0]["claims"][0]["citations"][0]["url"] in page
    assert "walk_again@" in page  # the wording
    assert Words().of("inbox.runner_up", "en") in page
    assert "<img" not in page.replace('<img src="data:', "")
    assert "&lt;img src=x" in page


async def test_a_person_takes_over_is_seen_and_gives_back(app: FastAPI, database: Engine, reviewer: Browser) -> None:
    patient = Patient(app)
    await patient.say("will I walk again?")
    number = newest(database)
    here = f"/staff/conversations/{number}"
    assert (await reviewer.submit(f"{here}/take", here)).status_code == 303
    assert (await patient.say("who is there?"))["decision"] == "silent"
    assert (await patient.say("I have chest pain and cannot breathe"))["decision"] == "emergency"
    assert (await patient.say("I have chest pain and cannot breathe"))["decision"] == "silent"  # it was said
    assert Inbox(database).find(Wanted(flag="emergency"))
    assert (await patient.say("I want to kill myself"))["decision"] == "emergency"  # another danger
    await reviewer.submit(f"{here}/say", here, words="Hello, this is me. <b>How</b> can I help?")
    page = await reviewer.read(here)
    assert Words().of("inbox.delivery_waiting", "en") in page
    assert "&lt;b&gt;How" in page
    told = await patient.reads()
    assert [turn["decision"] for turn in told] == [
        "answer",
        "talk",
        "silent",
        "emergency",
        "silent",
        "emergency",
        "staff",
    ]
    assert told[1]["replies"][0]["text"].startswith("Ana reviewer")
    assert told[-1]["replies"][0]["by"] == "Ana reviewer"
    assert Words().of("inbox.delivery_sent", "en") in await reviewer.read(here)
    assert (await reviewer.submit(f"{here}/give_back", here)).status_code == 303
    assert (await patient.say("how much does it cost?"))["decision"] == "answer"
    assert "+57 321 519 7850" in (await patient.reads())[-2]["replies"][0]["text"]


async def test_reviewers_search_and_it_is_noted_where_viewers_cannot(
    app: FastAPI, database: Engine, reviewer: Browser
) -> None:
    said(database, "anna", "call Mary Smith on 300 555 1234")
    found = await reviewer.submit("/staff/inbox", "/staff/inbox", words="Mary Smith", state="bot")
    address = found.headers["location"]
    assert "state=bot" in address
    assert "Mary" not in address  # proxies write addresses down
    assert "data-item" in await reviewer.read(address)
    nothing = await reviewer.submit("/staff/inbox", "/staff/inbox", words="nobody")
    assert "data-item" not in await reviewer.read(nothing.headers["location"])
    assert ("search", "[name]") in [(deed.action, deed.detail) for deed in Deeds(database).find(who="reviewer")]
    async with logged_in(app, database, "viewer") as viewer:
        for path in (address, nothing.headers["location"]):  # letter by letter, hidden names could be found out
            assert "data-item" in await viewer.read(path)
        tried = await viewer.submit("/staff/inbox", "/staff/inbox", words="nobody")
        assert "sought" not in tried.headers["location"]


async def test_what_could_not_be_sent_is_not_lost(app: FastAPI, database: Engine, reviewer: Browser) -> None:
    number = said(database, "anna", "hello")
    here = f"/staff/conversations/{number}"
    await reviewer.submit(f"{here}/take", here)
    with Session(database) as session, session.begin():
        session.query(models.Conversation).update({"held_until": datetime.now(UTC) - timedelta(seconds=1)})
    late = await reviewer.submit(f"{here}/say", here, words="A long answer")
    assert late.status_code == 409
    assert "A long answer" in late.text


async def test_who_looks_at_a_conversation_that_is_deleted_is_told(
    app: FastAPI, database: Engine, reviewer: Browser
) -> None:
    number = said(database, "anna", "hello")
    Transcripts(database).delete("web", "anna")
    part = {"hx-request": "true"}
    gone = await reviewer.get(f"/staff/conversations/{number}/news?after={SEEN_ALL}", headers=part)
    assert gone.headers["hx-redirect"] == f"/staff/conversations/{number}"
    assert Words().of("problems.no_conversation", "en") in await reviewer.read(f"/staff/conversations/{number}", 404)


@pytest.mark.parametrize("deed", ["take", "say", "give_back", "close", "attend", "annotate", "label", "assign"])
async def test_viewers_only_read(app: FastAPI, database: Engine, deed: str) -> None:
    number = said(database, "anna", "hello")
    async with logged_in(app, database, "viewer") as viewer:
        assert (await viewer.submit(f"/staff/conversations/{number}/{deed}", words="x")).status_code == 403
        page = await viewer.read(f"/staff/conversations/{number}")
        assert f'/{deed}"' not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [("/staff/conversations/99999999", 404), ("/staff/conversations/x", 400), ("/staff/conversations/1/nonsense", 404)],
)
async def test_what_is_not_there_is_told(reviewer: Browser, path: str, status: int) -> None:
    page = await reviewer.read(path, status)
    assert "Traceback" not in page
    assert "<h1>" in page


@pytest.mark.parametrize(
    "asked",
    [
        "state=nonsense&flag=x&channel=y&language=z&assignee=x&surer=-1&longer=99999999999&since=yesterday&until=0000-00-00",
        "sought=%22%27%3B--&topic=%25&label=_&after=nonsense",
        "after=2026-01-01T00:00:00_x",
    ],
)
async def test_filters_that_make_no_sense_are_left_out(reviewer: Browser, asked: str) -> None:
    await reviewer.read(f"/staff/inbox?{asked}")


async def test_the_inbox_sends_nothing_while_nothing_is_new(app: FastAPI, database: Engine, reviewer: Browser) -> None:
    said(database, "anna", "hello")
    page = await reviewer.read("/staff/inbox")
    again = re.findall(r'hx-get="(/staff/inbox[^"]*)"', page)[0].replace("&amp;", "&")
    part = {"hx-request": "true"}
    assert (await reviewer.get(again, headers=part)).status_code == 204
    said(database, "bob", "chest pain", "emergency", "emergency_clot")
    fresh = await reviewer.get(again, headers=part)
    assert fresh.status_code == 200
    assert Words().of("inbox.waiting_title", "en", number=1) in fresh.text
    assert "<html" not in fresh.text
    urgent = await reviewer.get("/staff/urgent", headers=part)
    assert 'data-number="1"' in urgent.text


async def test_notes_labels_and_who_sees_to_it(app: FastAPI, database: Engine, reviewer: Browser) -> None:
    number = said(database, "anna", "hello")
    here = f"/staff/conversations/{number}"
    me = Staff(database).find("reviewer")
    assert me is not None
    await reviewer.submit(f"{here}/annotate", here, words="<i>called</i>")
    await reviewer.submit(f"{here}/label", here, words="Second call, VIP")
    await reviewer.submit(f"{here}/assign", here, member=me.id)
    page = await reviewer.read(here)
    assert "&lt;i&gt;called" in page
    inbox = await reviewer.read(f"/staff/inbox?label=second-call&assignee={me.id}")
    assert f"/staff/conversations/{number}#end" in inbox


async def test_what_is_held_too_long_comes_back_by_itself(settings: Settings, tmp_path: Path) -> None:
    """With the real server: it looks by itself."""
    fresh = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'late.db'}"})
    app = create_app(fresh)
    engine = open_database(fresh.database_url)
    number = said(engine, "anna", "hello")
    Inbox(engine).take(number, Staff(engine).add("ana", "Ana", "reviewer", "es"), timedelta(), NOTICE)
    async with app.router.lifespan_context(app):
        for _ in range(100):
            if Inbox(engine).find(Wanted())[0].state == "bot":
                break
            await asyncio.sleep(0.05)
    assert Inbox(engine).find(Wanted())[0].state == "bot"


async def test_a_message_that_cannot_be_kept_for_the_staff_gets_the_contact_line(parts: Parts) -> None:
    number = said(parts.engine, "nora", "hello")
    Inbox(parts.engine).take(number, Staff(parts.engine).add("nora", "Nora", "reviewer", "es"), HELD_FOR, NOTICE)
    with parts.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER broken BEFORE INSERT ON turn BEGIN SELECT RAISE(ABORT, 'no'); END")
    turn = await parts.conversation.handle(Incoming("web", "nora", "are you there?", language="en"))
    with parts.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER broken")
    assert (turn.decision, turn.recorded) == ("error", False)
    assert "+57 321 519 7850" in turn.replies[0].text
