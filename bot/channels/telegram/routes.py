"""The address that Telegram calls."""

import json

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from bot.channels.telegram.service import Telegram

MOST_BYTES = 1024 * 1024
SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header


def mount(app: FastAPI, telegram: Telegram) -> None:
    """Adds the webhook to `app`: an update is kept before Telegram is told that it has arrived."""

    @app.post("/telegram")
    async def webhook(request: Request) -> Response:
        if not telegram.is_telegram(request.headers.get(SECRET)):
            return PlainTextResponse("not from Telegram", status_code=401)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse("too large", status_code=413)
        try:
            payload = json.loads(body)
        except ValueError:
            return PlainTextResponse("not JSON", status_code=400)
        if not isinstance(payload, dict) or not await telegram.take(payload):
            return PlainTextResponse("not an update", status_code=400)
        return PlainTextResponse("kept")
