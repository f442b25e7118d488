"""The addresses under /staff, all in one place."""

from collections.abc import Sequence
from typing import Any, cast

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.console import access
from bot.console.pages import FOLDER, HEADERS, NotLoggedInError, Pages, RefusedError

log = structlog.get_logger(__name__)

MOST_BYTES = 256 * 1024  # of a form


def mount(app: FastAPI, pages: Pages, routers: Sequence[APIRouter]) -> None:
    """Adds the pages of the staff to `app`."""
    app.mount("/staff/static", StaticFiles(directory=FOLDER / "static"), name="staff-static")
    for router in (access.router(pages), *routers):
        app.include_router(router)

    @app.get("/staff", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("/staff/inbox", status_code=303, headers=HEADERS)

    @app.api_route("/staff/{rest:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def missing(rest: str) -> Response:
        raise RefusedError(404, "not_found")

    async def strangers(request: Request, error: Any) -> Response:
        return await access.answer_to_strangers(pages, request, error)

    app.add_exception_handler(NotLoggedInError, strangers)
    app.add_exception_handler(RefusedError, strangers)
    for kind, key in (
        (HTTPException, "not_found"),
        (RequestValidationError, "malformed"),
        (SQLAlchemyError, "failed"),
    ):
        app.add_exception_handler(kind, _instead(app.exception_handlers[kind], pages, key))
    app.add_middleware(_Edge, pages=pages)


def _instead(before: Any, pages: Pages, key: str) -> Any:
    """Answers an error of these pages with one of them; others as before."""

    async def answer(request: Request, error: Any) -> Response:
        if not request.url.path.startswith("/staff"):
            return cast(Response, await before(request, error))
        log.error("staff.refused", error=type(error).__name__)
        status = 400 if key == "malformed" else getattr(error, "status_code", 503)
        return await access.answer_to_strangers(pages, request, RefusedError(status, key))

    return answer


class _Edge:
    """Around the pages of the staff: no form that is too large gets in, no error gets out but as a sentence."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/staff"):
            return await self._app(scope, receive, send)
        taken, begun = 0, False

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise RefusedError(413, "too_large")
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            return await self._app(scope, limited, watched)
        except Exception as error:
            log.error("staff.failed", error=type(error).__name__)
            if begun:
                raise
            answer = await access.answer_to_strangers(self._pages, Request(scope), RefusedError(500, "failed"))
            return await answer(scope, receive, send)
