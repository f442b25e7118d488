"""What the clinic's staff learn, as real local servers receive it; nothing that fails is lost."""

import asyncio
import base64
import email
import hmac
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from sqlalchemy import text as sql

from bot.app import Parts
from bot.channels.staff import StaffNews, ways
from bot.errors import SettingsError
from bot.messages import Incoming, Turn
from bot.settings import Settings
from bot.store.outbox import Outbox
from bot.store.transcripts import Transcripts

KEY = "w" * 32
REQUEST = ["quiero una cita", "sí", "de mí", "Ana Ruiz", "321 519 7850", "el martes por la tarde", "nada", "envíelo"]


@dataclass
class Server:
    """A server on this machine that keeps what it receives; `status` is what it answers."""

    url: str
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            chat = {"id": -5, "type": "group", "title": "Staff"}
            user = {"id": 1, "is_bot": True, "first_name": "musebot", "username": "musebot"}
            sent = {"message_id": 1, "date": 1, "chat": chat, "text": "x"}
            answer = json.dumps({"ok": True, "result": user if self.path.endswith("getMe") else sent}).encode()
            self.send_response(found.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Server(f"http://127.0.0.1:{http.server_port}")
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield found
    http.shutdown()
    http.server_close()


@dataclass
class Mailbox:
    port: int = 0
    got: list[Message] = field(default_factory=list)

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - the name is aiosmtpd's
        self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found.port = free.getsockname()[1]
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()


@pytest.fixture
def staffed(parts: Parts, settings: Settings, server: Server, mailbox: Mailbox) -> Parts:
    """The assistant of a clinic that wants to learn of everything in all three ways."""
    chosen = settings.model_copy(
        update={
            "telegram_bot_token": SecretStr("1:token"),
            "telegram_api": server.url,
            "staff_telegram_chat": "-5",
            "staff_email": "staff@example.com",
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{mailbox.port}"),
            "staff_webhook": f"{server.url}/hook",
            "staff_webhook_key": SecretStr(KEY),
        }
    )
    found = ways(chosen)
    transcripts = Transcripts(parts.engine, tuple(found))
    news = StaffNews(Outbox(parts.engine), parts.requests, parts.conversation.booking, parts.content, "es", found)
    conversation = replace(parts.conversation, transcripts=transcripts)
    return replace(parts, transcripts=transcripts, news=news, conversation=conversation)


async def say(parts: Parts, text: str = "", **options: Any) -> Turn:
    return await parts.conversation.handle(Incoming("terminal", "anna", text, **options))


async def ask_for_a_call(parts: Parts) -> str:
    for words in REQUEST:
        await say(parts, words)
    return parts.requests.of("terminal:anna")[0].code


def hooks(server: Server) -> list[tuple[dict[str, str], Any]]:
    return [(headers, json.loads(body)) for path, headers, body in server.got if path == "/hook"]


async def test_a_request_reaches_staff_in_all_three_ways(staffed: Parts, server: Server, mailbox: Mailbox) -> None:
    code = await ask_for_a_call(staffed)
    assert await staffed.news.send_due() == 3
    assert await staffed.news.send_due() == 0

    (telegram,) = [parse_qs(body.decode()) for path, _, body in server.got if path.endswith("sendMessage")]
    assert telegram["chat_id"] == ["-5"]
    for told in (telegram["text"][0], mailbox.got[0]["subject"] + mailbox.got[0].get_content()):  # type: ignore[attr-defined]
        assert f"Nueva solicitud {code}" in told
        assert all(word in told for word in ("Ana Ruiz", "+57 321 5197850", "martes"))
    assert "Se trata de: quien escribe" in telegram["text"][0]

    ((headers, data),) = hooks(server)
    assert data["type"] == "new"
    assert (data["data"]["request"]["code"], data["data"]["request"]["phone"]) == (code, "+573215197850")
    body = next(body for path, _, body in server.got if path == "/hook")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(KEY.encode(), signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"


async def test_changes_and_cancellations_are_told_too(staffed: Parts, server: Server) -> None:
    code = await ask_for_a_call(staffed)
    await say(staffed, "cambiar mi solicitud")
    await say(staffed, "mejor el jueves")
    await say(staffed, button='/book{"choice": "send"}')
    await say(staffed, button=f'/change_booking{{"choice": "withdraw", "code": "{code}"}}')
    await say(staffed, button='/book{"choice": "yes"}')
    while await staffed.news.send_due():
        pass
    assert [data["type"] for _, data in hooks(server)] == ["new", "changed", "cancelled"]


async def test_danger_is_told_at_once_but_once_and_without_the_words(staffed: Parts, server: Server) -> None:
    for _ in range(3):
        await say(staffed, "no puedo respirar, soy Ana de Envigado")
    await staffed.news.send_due()
    ((_, data),) = hooks(server)
    assert (data["type"], data["data"]["topic"]) == ("emergency", "emergency_breathing")
    assert "Envigado" not in " ".join(body.decode() for _, _, body in server.got)


async def test_who_waits_for_a_person_is_told_with_what_was_asked(staffed: Parts, server: Server) -> None:
    await say(staffed, "¿cuánto cuesta el tratamiento?")
    await say(staffed, "mi lesión es C5")
    await say(staffed, button='/human{"choice": "wait"}')
    await staffed.news.send_due()
    (text,) = [parse_qs(body.decode())["text"][0] for path, _, body in server.got if path.endswith("sendMessage")]
    assert "Alguien espera" in text
    assert "cuesta" in text
    assert "C5" not in text  # nobody has agreed that it be sent


async def test_what_fails_is_tried_again_later_and_visible(staffed: Parts, server: Server, mailbox: Mailbox) -> None:
    await ask_for_a_call(staffed)
    server.status = 500
    assert await staffed.news.send_due() == 1  # the mail
    waiting, reason = Outbox(staffed.engine).waiting()
    assert waiting == 2
    assert reason in ("webhook: answered 500", "Telegram: NetworkError")
    assert await staffed.news.send_due() == 0  # not yet due again
    server.status = 200
    _make_due(staffed)
    assert await staffed.news.send_due() == 2
    assert Outbox(staffed.engine).waiting() == (0, None)
    assert len(mailbox.got) == 1
    first, second = (headers["webhook-id"] for headers, _ in hooks(server))
    assert first == second  # so that the receiver knows it for the same


async def test_each_failure_waits_longer_up_to_an_hour(staffed: Parts, server: Server) -> None:
    await ask_for_a_call(staffed)
    server.status = 500
    waits = []
    for _ in range(12):
        _make_due(staffed)
        await staffed.news.send_due()
        with staffed.engine.connect() as connection:
            query = "SELECT (julianday(due_at) - julianday('now')) * 86400 FROM outbox WHERE target = 'webhook'"
            waits.append(round(connection.execute(sql(query)).scalar() or 0))
    assert waits[:4] == pytest.approx([10, 20, 40, 80], abs=3)
    assert waits[-1] == pytest.approx(3600, abs=3)


async def test_a_place_that_is_no_longer_named_loses_nothing(staffed: Parts, server: Server) -> None:
    await ask_for_a_call(staffed)
    alone = StaffNews(Outbox(staffed.engine), staffed.requests, staffed.conversation.booking, staffed.content, "es", {})
    assert await alone.send_due() == 0
    _make_due(staffed)
    assert await staffed.news.send_due() == 3


async def test_data_that_were_deleted_are_sent_to_nobody(staffed: Parts, server: Server, mailbox: Mailbox) -> None:
    await ask_for_a_call(staffed)
    with staffed.engine.begin() as connection:
        connection.execute(sql("PRAGMA foreign_keys=ON"))
        connection.execute(sql("DELETE FROM conversation"))
        for table in ("request", "request_event", "outbox", "turn"):
            assert connection.execute(sql(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert await staffed.news.send_due() == 0
    assert not server.got
    assert not mailbox.got


def test_a_process_that_dies_after_sending_sends_again_and_never_nothing(staffed: Parts, server: Server) -> None:
    asyncio.run(ask_for_a_call(staffed))
    staffed.engine.dispose()
    child = os.fork()
    if child == 0:
        outbox = staffed.news._outbox
        outbox.sent = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment]
        try:
            asyncio.run(staffed.news.send_due())
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    _make_due(staffed)
    assert asyncio.run(staffed.news.send_due()) == 3
    ids = {headers["webhook-id"] for headers, _ in hooks(server)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"staff_telegram_chat": "-5"}, "TELEGRAM_BOT_TOKEN"),
        ({"staff_email": "a@example.com"}, "SMTP_URL"),
        ({"staff_email": "a@example.com", "smtp_url": "http://x"}, "SMTP_URL"),
        ({"staff_webhook": "https://example.com"}, "STAFF_WEBHOOK_KEY"),
        ({"staff_webhook": "https://example.com", "staff_webhook_key": "short"}, "STAFF_WEBHOOK_KEY"),
    ],
)
def test_half_a_setting_is_refused_with_its_name(values: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        ways(Settings(**values))


def _make_due(parts: Parts) -> None:
    with parts.engine.begin() as connection:
        connection.execute(sql("UPDATE outbox SET due_at = '2026-01-01 00:00:00' WHERE due_at IS NOT NULL"))
