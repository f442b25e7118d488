"""The chat for programs, over the real application: sessions that nobody can choose, messages answered once."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.app import create_app
from bot.channels.web import api
from bot.settings import Settings

SITE = "https://clinic.example"


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'api.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40, web_origins=(SITE,))


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as found:
        yield found


@pytest.fixture
def rows(settings: Settings) -> Iterator[Any]:
    """Asks the database itself."""
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as connection:
        yield lambda query: connection.execute(query).fetchall()


async def opened(client: httpx.AsyncClient, **wanted: str) -> dict[str, str]:
    """The headers of a new session."""
    token = (await client.post("/api/session", json={"lang": "en", **wanted})).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def message(text: str = "", **more: Any) -> dict[str, Any]:
    return {"id": "message-1", "text": text, **more}


async def test_a_message_is_answered_with_its_sources(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    answer = await client.post("/api/messages", json=message("will I walk again?"), headers=mine)
    (turn,) = answer.json()["turns"]
    assert turn["said"] == "will I walk again?"
    assert turn["language"] == "en"
    (reply,) = turn["replies"]
    assert "not a cure" in reply["text"]
    assert reply["claims"][0]["citations"][0]["url"].startswith("https://doi.org/")
    assert reply["unknown"]
    assert reply["evidence"]


async def test_the_same_message_is_answered_once_however_often_it_is_sent(client: httpx.AsyncClient, rows: Any) -> None:
    mine = await opened(client)
    sent = [
        client.post("/api/messages", json=message("how much is it?", id="sent-often"), headers=mine) for _ in range(6)
    ]
    answers = [each.json()["turns"][0] for each in await asyncio.gather(*sent)]
    assert len({each["id"] for each in answers}) == 1
    assert all(each["replies"] == answers[0]["replies"] for each in answers)
    other = await client.post("/api/messages", json=message("where is it?", id="sent-often"), headers=mine)
    assert other.json()["turns"][0]["id"] != answers[0]["id"], "other words under an old id are another message"
    turns = (await client.get("/api/turns", headers=mine)).json()["turns"]
    assert [each["said"] for each in turns] == ["how much is it?", "where is it?"]


async def test_nobody_reads_writes_or_rates_in_anothers_conversation(client: httpx.AsyncClient) -> None:
    mine, other = await opened(client), await opened(client)
    turn = (await client.post("/api/messages", json=message("hello"), headers=mine)).json()["turns"][0]
    assert (await client.get("/api/turns", headers=other)).json()["turns"] == []
    rated = await client.post("/api/feedback", json={"turn": turn["id"], "helpful": True}, headers=other)
    assert (rated.status_code, rated.json()["error"]) == (400, "no_turn")
    again = (await client.post("/api/messages", json=message("hello"), headers=other)).json()["turns"][0]
    assert again["id"] != turn["id"], "an id that another person has used opens nothing"
    await client.delete("/api/conversation", headers=other)
    assert len((await client.get("/api/turns", headers=mine)).json()["turns"]) == 1


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer web-1", "Basic abc", "Bearer eyJ.eyJ.x", "Bearer " + "x" * 5000]
)
async def test_a_session_that_we_did_not_give_opens_nothing(client: httpx.AsyncClient, authorization: str) -> None:
    for method, path in [("GET", "/api/turns"), ("GET", "/api/stream"), ("DELETE", "/api/conversation")]:
        answer = await client.request(method, path, headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()["error"]) == (401, "no_session")
    answer = await client.post("/api/messages", json=message("hello"), headers={"Authorization": authorization})
    assert answer.status_code == 401


async def test_the_cookie_of_the_plain_page_is_no_token(client: httpx.AsyncClient) -> None:
    cookie = (await client.get("/chat")).cookies["musebot"]
    assert (await client.get("/api/turns", headers={"Authorization": f"Bearer {cookie}"})).status_code == 401


async def test_a_token_ages_is_replaced_and_goes_on(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = await opened(client)
    await client.post("/api/messages", json=message("hello"), headers=mine)
    kept = (await client.get("/api/turns", headers=mine)).json()["token"]
    assert mine["Authorization"] == f"Bearer {kept}"
    monkeypatch.setattr(api, "FRESH", -1)
    await asyncio.sleep(1.1)  # a token knows the second in which it was made
    fresh = (await client.get("/api/turns", headers=mine)).json()["token"]
    assert mine["Authorization"] != f"Bearer {fresh}"
    monkeypatch.setattr(api, "GOOD", -1)
    expired = await client.get("/api/turns", headers=mine)
    assert (expired.status_code, expired.json()["error"]) == (401, "expired")
    old = mine["Authorization"].removeprefix("Bearer ")
    renewed = (await client.post("/api/session", json={"token": old})).json()
    assert renewed["continued"] is True
    monkeypatch.undo()
    turns = await client.get("/api/turns", headers={"Authorization": f"Bearer {renewed['token']}"})
    assert [each["said"] for each in turns.json()["turns"]] == ["hello"]
    monkeypatch.setattr(api, "RENEWED", -1)
    assert (await client.post("/api/session", json={"token": old})).json()["continued"] is False


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b'{"id": "short", "text": "x"}', 400, "malformed"),
        (b'{"id": "../../etc", "text": "x"}', 400, "malformed"),
        (b'{"id": "message-1", "text": 7}', 400, "malformed"),
        (b'{"id": "message-1", "text": "x", "lang": "fr"}', 400, "malformed"),
        (b'{"id": "message-1", "text": "' + b"x" * 4001 + b'"}', 400, "malformed"),
        (b'{"id": "message-1", "text": "  "}', 400, "empty"),
        (b'{"id": "message-1", "text": "' + b"x" * 70_000 + b'"}', 413, "too_large"),
    ],
)
async def test_what_is_no_message_gets_an_error_that_says_why_and_quotes_nothing(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    headers = {**await opened(client), "Content-Type": "application/json"}
    answer = await client.post("/api/messages", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["message"]
    assert "xxxx" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("PUT", "/api/messages", 405), ("GET", "/webhooks/x", 404)],
)
async def test_errors_are_json_where_programs_ask(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 200), ("http://clinic.test", 200), (SITE, 200), ("https://evil.example", 403), ("null", 403)],
)
async def test_only_the_clinics_sites_may_use_it(client: httpx.AsyncClient, origin: str | None, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = await client.post("/api/session", json={}, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (SITE if origin == SITE else None)


async def test_browsers_are_told_what_the_clinics_sites_may_send(client: httpx.AsyncClient) -> None:
    asked = {"Origin": SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = await client.options("/api/messages", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == SITE
    refused = await client.options("/api/messages", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


async def test_feedback_is_kept_with_the_turn_and_may_change(client: httpx.AsyncClient, rows: Any) -> None:
    mine = await opened(client)
    turn = (await client.post("/api/messages", json=message("how much is it?"), headers=mine)).json()["turns"][0]["id"]
    for given, kept in [
        ({"helpful": True}, (1, None)),
        ({"helpful": False}, (0, None)),
        ({"helpful": False, "reason": "too_long"}, (0, "too_long")),
        ({"helpful": True, "reason": "too_long"}, (1, None)),
    ]:
        assert (await client.post("/api/feedback", json={"turn": turn, **given}, headers=mine)).status_code == 204
        assert rows(f"SELECT helpful, reason FROM turn WHERE id = {turn}") == [kept]
    bad = await client.post("/api/feedback", json={"turn": turn, "helpful": False, "reason": "no"}, headers=mine)
    assert bad.status_code == 400


async def test_deleting_leaves_nothing_of_the_conversation(client: httpx.AsyncClient, rows: Any) -> None:
    mine = await opened(client)
    said = [
        "I want an appointment",
        "yes",
        "me",
        "Wilhelmina Oddname",
        "+57 321 555 0199",
        "tuesday morning",
        "skip",
        "send it",
    ]
    for number, text in enumerate(said):
        await client.post("/api/messages", json=message(text, id=f"booking-{number}"), headers=mine)
    everywhere = [
        f"SELECT count(*) FROM {table} WHERE {column} LIKE '%Oddname%' OR {column} LIKE '%5550199%'"
        for table, column in [("turn", "text"), ("turn", "replies"), ("request", "draft"), ("conversation", "dialogue")]
    ]
    assert sum(rows(query)[0][0] for query in everywhere[:3]) >= 3, "it was kept before"
    assert (await client.delete("/api/conversation", headers=mine)).status_code == 204
    assert [rows(query)[0][0] for query in everywhere] == [0, 0, 0, 0]
    assert (await client.get("/api/turns", headers=mine)).json()["turns"] == []
    assert (await client.delete("/api/conversation", headers=mine)).status_code == 204, "twice is no error"


async def test_the_step_that_is_asked_is_told(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    for number, (text, asking) in enumerate(
        [("hello", None), ("I want an appointment", "consent"), ("yes", "for_whom")]
    ):
        answer = await client.post("/api/messages", json=message(text, id=f"asking-{number}"), headers=mine)
        assert answer.json()["asking"] == asking


async def test_danger_is_answered_while_the_database_is_away(
    client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await opened(client)
    from bot.store.transcripts import Transcripts

    for name in ("memory", "record", "seen", "turn"):
        monkeypatch.setattr(Transcripts, name, lambda *_: 1 / 0)
    turn = (await client.post("/api/messages", json=message("I can't breathe"), headers=mine)).json()["turns"][0]
    assert turn["id"] is None
    assert turn["replies"][0]["urgent"] is True
    assert turn["replies"][0]["text"].startswith("Call now")


# --- streams ----------------------------------------------------------------------------------------------------------


async def events(chat: api.Api, token: str, after: int, count: int) -> list[dict[str, Any]]:
    """The next turns of a stream, read as the server writes them: the test client waits for an answer's end."""
    found: list[dict[str, Any]] = []
    stream = chat.stream(chat.session(token)[0], token, after)
    async for part in stream.body_iterator:
        data = [line.removeprefix("data: ") for line in str(part).splitlines() if line.startswith("data: ")]
        found += [json.loads(each)["turns"][0] for each in data]
        if len(found) >= count:
            break
    await stream.body_iterator.aclose()  # type: ignore[attr-defined]  # it is a generator
    return found


@pytest.fixture(scope="module")
def chat(app: FastAPI) -> api.Api:
    return app.state.api


async def test_a_stream_tells_what_comes_and_goes_on_where_it_stopped(client: httpx.AsyncClient, chat: api.Api) -> None:
    mine = await opened(client)
    token = mine["Authorization"].removeprefix("Bearer ")
    waiting = asyncio.create_task(events(chat, token, 0, 2))
    await asyncio.sleep(0.05)
    for number, text in enumerate(["hello", "how much is it?"]):
        await client.post("/api/messages", json=message(text, id=f"streamed-{number}"), headers=mine)
    told = await asyncio.wait_for(waiting, 10)
    assert [each["said"] for each in told] == ["hello", "how much is it?"]
    resumed = await asyncio.wait_for(events(chat, token, told[0]["id"], 1), 10)
    assert [each["said"] for each in resumed] == ["how much is it?"]


async def test_too_many_streams_are_refused_so_that_the_browser_asks_instead(
    client: httpx.AsyncClient, chat: api.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await opened(client)
    monkeypatch.setattr(api, "MOST_STREAMS", 0)
    answer = await client.get("/api/stream", headers=mine)
    assert (answer.status_code, answer.json()["error"]) == (503, "busy")


# --- Rasa's own widgets -----------------------------------------------------------------------------------------------


async def test_rasas_widgets_work_with_a_sender_that_we_gave(client: httpx.AsyncClient) -> None:
    token = (await opened(client))["Authorization"].removeprefix("Bearer ")
    (said,) = (await client.post(api.RASA, json={"sender": token, "message": "is it proven?"})).json()
    assert said["recipient_id"] == token
    assert "https://doi.org/" in said["text"]
    assert said["buttons"]
    pressed = await client.post(api.RASA, json={"sender": token, "message": said["buttons"][0]["payload"]})
    assert pressed.json()[0]["text"]
    chosen = await client.post(api.RASA, json={"sender": "user-1", "message": "hello"})
    assert chosen.status_code == 401


async def test_the_interface_is_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert set(described["paths"]) == {
        "/api/session",
        "/api/messages",
        "/api/turns",
        "/api/stream",
        "/api/feedback",
        "/api/conversation",
        api.RASA,
    }
    for path in described["paths"].values():
        for operation in path.values():
            assert operation["description"], "each says what it is for"
            assert {"400", "401", "403", "413", "503"} <= set(operation["responses"])
