"""A small Bot API on this machine: it speaks HTTP to the real library, and is strict where Telegram is."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

TOKEN = "123456:test-token"
ME = {"id": 1, "is_bot": True, "first_name": "musebot", "username": "musebot_test"}
MOST_UNITS = 4096


@dataclass
class TelegramServer:
    """What the bot has asked for, and what people write to it.

    Attributes:
        calls: Every call but the polling: method and parameters, in order.
        refusals: Answers to give in place of the next calls of a method, such as (429, {"retry_after": 1}).
        delay: Seconds that sending takes.
        files: What can be fetched, by name.
    """

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusals: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    delay: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    webhook: str = ""
    commands: dict[str, list[Any]] = field(default_factory=dict)
    descriptions: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._updates: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._messages = itertools.count(100)
        self._lock = threading.Lock()

    # --- what people do -----------------------------------------------------------------------------------------------

    def update(self, kind: str = "message", chat: int = 7, language: str = "en", **content: Any) -> dict[str, Any]:
        """An update, not yet handed over. `content` is what the message holds, such as text="hello"."""
        user = {"id": chat, "is_bot": False, "first_name": "A", "language_code": language}
        where = content.pop("where", {"id": chat, "type": "private", "first_name": "A"})
        number = content.pop("message_id", None) or next(self._messages)
        message = {"message_id": number, "date": int(time.time()), "chat": where, "from": user, **content}
        if kind == "callback_query":
            data = message.pop("data")
            body: Any = {"id": str(number), "from": user, "chat_instance": "1", "data": data, "message": message}
        else:
            body = message
        return {"update_id": next(self._ids), kind: body}

    def write(self, *args: Any, **content: Any) -> dict[str, Any]:
        """Hands an update over by polling."""
        update = self.update(*args, **content)
        with self._lock:
            self._updates.append(update)
        return update

    def sent(self, chat: int | None = None) -> list[dict[str, Any]]:
        """The messages that were sent, to one chat or to all."""
        found = [values for method, values in self.calls if method == "sendMessage"]
        return [each for each in found if chat is None or each["chat_id"] == chat]

    # --- the Bot API --------------------------------------------------------------------------------------------------

    def answer(self, method: str, values: dict[str, Any]) -> tuple[int, Any]:
        """Status and result of a call."""
        if method.lower() == "getupdates":
            return 200, self._poll(values)
        if self.refusals.get(method):
            status, more = self.refusals[method].pop(0)
            return status, {"ok": False, "error_code": status, "description": "refused", "parameters": more}
        self.calls.append((method, values))
        match method:
            case "getMe":
                return 200, ME
            case "sendMessage":
                time.sleep(self.delay)
                return self._send(values)
            case "setWebhook":
                self.webhook = values["url"]
            case "deleteWebhook":
                self.webhook = ""
            case "getFile":
                if values["file_id"] not in self.files:
                    return 400, {"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}
                return 200, {"file_id": values["file_id"], "file_unique_id": "u", "file_path": values["file_id"]}
            case "getWebhookInfo":
                return 200, {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 0}
            case "setMyCommands":
                self.commands[values.get("language_code", "")] = values["commands"]
            case "setMyDescription" | "setMyShortDescription":
                key = "short_description" if "Short" in method else "description"
                self.descriptions[key, values.get("language_code", "")] = values[key]
            case "getMyDescription" | "getMyShortDescription":
                key = "short_description" if "Short" in method else "description"
                return 200, {key: self.descriptions.get((key, values.get("language_code", "")), "")}
            case "getMyCommands":
                return 200, self.commands.get(values.get("language_code", ""), [])
        return 200, True

    def _poll(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        end = time.monotonic() + min(float(values.get("timeout", 0)), 0.2)
        while True:
            with self._lock:
                self._updates = [each for each in self._updates if each["update_id"] >= int(values.get("offset", 0))]
                if self._updates or time.monotonic() > end:
                    return self._updates[:100]
            time.sleep(0.005)

    def _send(self, values: dict[str, Any]) -> tuple[int, Any]:
        units = len(values["text"].encode("utf-16-le")) // 2
        wrong = not 0 < units <= MOST_UNITS
        for entity in values.get("entities", []):
            wrong |= entity["length"] < 1 or entity["offset"] + entity["length"] > units
        for row in values.get("reply_markup", {}).get("inline_keyboard", []):
            wrong |= len(row) != 1 or len(row[0].get("callback_data", "").encode()) > 64
            wrong |= not row[0].get("url", "https://x").startswith("http")
        if wrong:
            return 400, {"ok": False, "error_code": 400, "description": "Bad Request: refused"}
        chat = {"id": values["chat_id"], "type": "private", "first_name": "A"}
        return 200, {"message_id": next(self._messages), "date": 1, "chat": chat, "text": values["text"], "from": ME}


@contextmanager
def telegram_server() -> Iterator[TelegramServer]:
    """The server, listening on a free port of this machine."""
    server = TelegramServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length).decode()
            if len(body.encode()) < length:  # who called has died meanwhile
                return
            values = {name: _value(each[0]) for name, each in parse_qs(body).items()}
            _, bot, method = self.path.split("/")
            if bot != f"bot{TOKEN}":
                status, result = 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
            else:
                status, result = server.answer(method, values)
            told = result if status != 200 else {"ok": True, "result": result}
            self._say(status, json.dumps(told).encode())

        def do_GET(self) -> None:
            place, _, name = unquote(self.path).rpartition("/")
            self._say(200, server.files[name] if place == f"/file/bot{TOKEN}" and name in server.files else b"{}")

        def _say(self, status: int, told: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(told)))
            with suppress(BrokenPipeError, ConnectionResetError):
                self.end_headers()
                self.wfile.write(told)

        def log_message(self, *_: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def _value(written: str) -> Any:
    """Numbers and JSON as themselves; a text stays one even where it looks like a number to us alone."""
    try:
        found = json.loads(written)
    except ValueError:
        return written
    return found if isinstance(found, int | list | dict) and not written.startswith('"') else written
