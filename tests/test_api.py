"""The chat for programs, over the real application: sessions that nobody can choose, messages answered once."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

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
        (b'{"id": "message-1", "text": "' + b"x" * 20_001 + b'"}', 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b"[" * 20_000, 400, "malformed"),
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
    assert answer.json()["error"] == {404: "not_found", 405: "method"}[status]
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://clinic.test", 200),
        (SITE, 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
async def test_only_the_clinics_sites_may_use_it(client: httpx.AsyncClient, origin: str | None, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = await client.post("/api/session", json={}, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (SITE if origin == SITE else None)


async def test_a_proxy_that_hides_our_name_changes_nothing(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, asked, status in [
        ("https://Chat.Example:443", "https://chat.example", 200),
        ("https://chat.example/", "https://chat.example", 200),
        ("https://chat.example", "https://chat.example.evil.example", 403),
    ]:
        settings = Settings(public_url=given, secret_key="k" * 40)
        found: list[int] = []

        async def told(message: Any, found: list[int] = found) -> None:
            found.extend([message["status"]] if "status" in message else [])

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def body() -> Any:
            return {"type": "http.request", "body": b"{}"}

        headers = [(b"host", b"127.0.0.1:8000"), (b"origin", asked.encode())]
        scope = {"type": "http", "method": "POST", "path": "/api/session", "headers": headers}
        await api.Guard(app, settings.origins)(scope, body, told)  # type: ignore[arg-type]  # plain dicts do
        assert found == [status]


@pytest.mark.parametrize(
    "wrong", ["clinic.example", "ftp://clinic.example", "https://", "https://x:y", "https://a:b@clinic.example"]
)
def test_a_site_that_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="web_origins"):
        Settings(web_origins=(wrong,))


async def test_no_answer_is_kept_by_a_cache(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    for answer in [
        await client.post("/api/session", json={}),
        await client.post("/api/messages", json=message("hello"), headers=mine),
        await client.get("/api/turns", headers=mine),
    ]:
        assert answer.headers["cache-control"] == "no-store"


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


async def test_what_is_deleted_stays_deleted_and_its_numbers_are_not_given_again(
    client: httpx.AsyncClient, rows: Any
) -> None:
    mine = await opened(client)
    first = (await client.post("/api/messages", json=message("hello"), headers=mine)).json()["turns"][0]["id"]
    sent = asyncio.create_task(
        client.post("/api/messages", json=message("I am Wilhelmina", id="on-its-way"), headers=mine)
    )
    await asyncio.sleep(0.005)  # it is being answered
    assert (await client.delete("/api/conversation", headers=mine)).status_code == 204
    await sent
    assert rows("SELECT count(*) FROM turn WHERE text LIKE '%Wilhelmina%'") == [(0,)]
    again = (await client.post("/api/messages", json=message("hello", id="after-that"), headers=mine)).json()["turns"][
        0
    ]["id"]
    assert again > first
    assert [t["id"] for t in (await client.get(f"/api/turns?after={first}", headers=mine)).json()["turns"]] == [again]


async def test_a_pressed_button_is_shown_by_its_words(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    said = await client.post("/api/messages", json=message("is it proven?"), headers=mine)
    for number in range(4):
        buttons = [
            b for reply in said.json()["turns"][0]["replies"] for b in reply["buttons"] if b["payload"][0] == "/"
        ]
        if not buttons:
            break
        pressed = message(button=buttons[-1]["payload"], id=f"pressed-{number}")
        said = await client.post("/api/messages", json=pressed, headers=mine)
        assert said.json()["turns"][0]["said"] == buttons[-1]["title"]
    assert number
    said = await client.post("/api/messages", json=message("my dad can't breathe", id="in-danger"), headers=mine)
    buttons = [b for reply in said.json()["turns"][0]["replies"] for b in reply["buttons"] if b["payload"][0] == "/"]
    for number, each in enumerate(buttons):
        pressed = message(button=each["payload"], id=f"safe-now-{number}")
        await client.post("/api/messages", json=message("he can't breathe", id=f"again-now-{number}"), headers=mine)
        said = await client.post("/api/messages", json=pressed, headers=mine)
        assert said.json()["turns"][0]["said"] == each["title"]


async def test_a_chosen_language_outlives_an_alarm_in_the_other(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    for number, (text, expected) in enumerate([("hello", "en"), ("no puedo respirar", "es"), ("it passed", "en")]):
        body = message(text, id=f"language-{number}", **({"lang": "en"} if number == 0 else {}))
        answer = (await client.post("/api/messages", json=body, headers=mine)).json()
        mine = {"Authorization": f"Bearer {answer['token']}"}
        assert answer["turns"][0]["language"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 3_000 + "b",
        "how much" + "\u00a0" * 3_000 + "is it?",
        "?!." * 1_300,
        "?" * 3_900,
        "¿" * 3_900,
        "😀" * 3_900,
    ],
)
async def test_a_message_of_blanks_or_signs_does_not_stop_the_server(client: httpx.AsyncClient, text: str) -> None:
    mine = await opened(client)
    answer = await asyncio.wait_for(client.post("/api/messages", json=message(text), headers=mine), 10)
    assert answer.status_code == 200


async def test_danger_in_a_very_long_message_is_seen(client: httpx.AsyncClient) -> None:
    mine = await opened(client)
    text = "I can't breathe, please help. " + "It began when we left the house this morning. " * 200
    answer = await client.post("/api/messages", json=message(text), headers=mine)
    assert answer.json()["turns"][0]["decision"] == "emergency"


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


async def test_danger_is_answered_while_the_database_hangs(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await opened(client)
    from bot.store.transcripts import Transcripts

    for name in ("memory", "record", "seen", "turn"):
        monkeypatch.setattr(Transcripts, name, lambda *_: time.sleep(6))
    begun = time.monotonic()
    turn = (await client.post("/api/messages", json=message("I can't breathe"), headers=mine)).json()["turns"][0]
    assert turn["replies"][0]["text"].startswith("Call now")
    assert time.monotonic() - begun < 5.5, "whoever is in danger does not wait for it"


async def test_a_database_that_fails_is_told_where_programs_can_read_it(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {**await opened(client), "Origin": SITE}
    await client.post("/api/messages", json=message("hello"), headers=mine)
    from bot.store.transcripts import Transcripts

    def locked(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    for name in ("of", "turn", "delete", "rate"):
        monkeypatch.setattr(Transcripts, name, locked)
    for answer in [
        await client.get("/api/turns", headers=mine),
        await client.post("/api/messages", json=message("hello"), headers=mine),  # answered before, but not readable
        await client.post("/api/feedback", json={"turn": 1, "helpful": True}, headers=mine),
        await client.delete("/api/conversation", headers=mine),
    ]:
        assert (answer.status_code, answer.json()["error"]) == (503, "busy")
        assert answer.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize("turn", [-1, 2**53, 2**63])
async def test_numbers_that_no_turn_can_have_are_refused(client: httpx.AsyncClient, turn: int) -> None:
    mine = await opened(client)
    answer = await client.post("/api/feedback", json={"turn": turn, "helpful": True}, headers=mine)
    assert answer.status_code == 400
    assert (await client.get(f"/api/turns?after={turn}", headers=mine)).status_code == 400


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


async def test_a_stream_tells_what_comes_and_goes_on_where_it_stopped(
    client: httpx.AsyncClient, chat: api.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LOOK", 60.0)  # so that nothing comes by looking
    mine = await opened(client)
    token = mine["Authorization"].removeprefix("Bearer ")
    waiting = asyncio.create_task(events(chat, token, 0, 2))
    await asyncio.sleep(0.05)
    for number, text in enumerate(["hello", "how much is it?"]):
        await client.post("/api/messages", json=message(text, id=f"streamed-{number}"), headers=mine)
    told = await asyncio.wait_for(waiting, 2)
    assert [each["said"] for each in told] == ["hello", "how much is it?"]
    resumed = await asyncio.wait_for(events(chat, token, told[0]["id"], 1), 10)
    assert [each["said"] for each in resumed] == ["how much is it?"]


async def test_too_many_streams_are_refused_so_that_the_browser_asks_instead(
    client: httpx.AsyncClient, chat: api.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await opened(client)
    monkeypatch.setattr(api, "LONGEST_STREAM", 0.3)
    monkeypatch.setattr(api, "LOOK", 0.05)
    for last in ("", "7", "9" * 5_000, "x"):
        headers = {**mine, "Last-Event-ID": last}
        answers = await asyncio.gather(
            *(client.get("/api/stream", headers=headers) for _ in range(api.MOST_OF_ONE + 2))
        )
        assert sorted(each.status_code for each in answers) == [200] * api.MOST_OF_ONE + [503] * 2
        assert {each.headers["content-type"] for each in answers if each.status_code == 200} == {
            "text/event-stream; charset=utf-8"
        }
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
    assert "Something failed" not in pressed.json()[0]["text"]
    (danger,) = (await client.post(api.RASA, json={"sender": token, "message": "/no puedo respirar"})).json()
    assert danger["text"].startswith("Llame ya")
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
            assert "422" not in operation["responses"]
    assert list(described["paths"]["/api/stream"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
    assert described["paths"]["/api/turns"]["get"]["security"] == [{"HTTPBearer": []}]
