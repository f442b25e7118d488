"""The plain chat page: HTML forms, no JavaScript, for old devices and whenever scripts fail. And the probes."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import structlog
from fastapi import FastAPI, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.content import Content
from bot.conversation import DEFAULT_LANGUAGE, Conversation
from bot.messages import LANGUAGES, Incoming, Language, citations_of
from bot.phrases import Phrases
from bot.store.transcripts import Said, Transcripts

log = structlog.get_logger(__name__)

COOKIE = "musebot"
COOKIE_SECONDS = 60 * 60 * 24 * 30
LONGEST_ID = 64  # of a message; ours have 22 characters
FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Session:
    """One browser: `sender` is issued by us and signed, never chosen by the client.

    `chosen` tells whether the person picked the language; until then it is only what the browser asked for.
    """

    sender: str
    language: Language
    chosen: bool = False


@dataclass
class Chat:
    """The page and what it needs."""

    conversation: Conversation
    transcripts: Transcripts
    phrases: Phrases
    content: Content
    secret: str
    https: bool

    def __post_init__(self) -> None:
        self._signer = URLSafeSerializer(self.secret, salt="web-session")
        environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self._page = environment.get_template("chat.html")

    def session(self, request: Request) -> Session | None:
        """The session that the browser's cookie names; None when there is none, or not one of ours."""
        try:
            sender, language, chosen = self._signer.loads(request.cookies.get(COOKIE, ""))
        except (BadSignature, ValueError, TypeError):
            return None
        return Session(sender, language, bool(chosen)) if language in LANGUAGES else None

    def remember(self, response: Response, session: Session) -> None:
        response.set_cookie(
            COOKIE,
            self._signer.dumps([session.sender, session.language, session.chosen]),
            max_age=COOKIE_SECONDS,
            httponly=True,
            secure=self.https,
            samesite="lax",
        )

    def form_token(self, session: Session) -> str:
        """What a form of this session carries, so that another site cannot send it."""
        return hmac.new(self.secret.encode(), f"form:{session.sender}".encode(), sha256).hexdigest()

    async def show(
        self, session: Session, *, notice: str = "", status: int = 200, only: Said | None = None
    ) -> Response:
        """The page with the whole conversation; with `only` just that turn, when the transcript could not keep it."""
        turns = [only] if only else []
        if not only:
            try:
                turns = await run_in_threadpool(self.transcripts.of, "web", session.sender)
            except Exception as error:  # without its past the page still takes a message
                log.error("web.history_failed", error=type(error).__name__)
                notice = notice or self.phrases.text("failure", session.language)
        html = self._page.render(
            language=session.language,
            other="es" if session.language == "en" else "en",
            word=lambda key: self.phrases.text(key, session.language),
            other_word=lambda key: self.phrases.text(key, "es" if session.language == "en" else "en"),
            turns=turns,
            start=self.phrases.reply("greet", session.language),
            said=self._said,
            citations_of=citations_of,
            form_token=self.form_token(session),
            message_id=secrets.token_urlsafe(16),
            notice=notice,
        )
        response = HTMLResponse(html, status_code=status, headers=HEADERS)
        self.remember(response, session)
        return response

    def _said(self, turn: Said) -> str:
        """What the person wrote, or the words of the button that was pressed."""
        if not turn.button:
            return turn.text
        topic = self.content.topics.get(turn.button.lstrip("/").partition("{")[0])
        return topic.title.of(turn.language) if topic else turn.text


def mount(app: FastAPI, chat: Chat, *, ready: Callable[[], None]) -> None:
    """Adds the page and the probes to `app`. `ready` raises when the database cannot be used."""

    @app.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("/chat", status_code=307)

    @app.get("/chat")
    async def page(request: Request, lang: str | None = None) -> Response:
        session = _session(chat, request, lang)
        return await chat.show(session)

    @app.post("/chat")
    async def post(
        request: Request,
        token: Annotated[str, Form()] = "",
        message_id: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        button: Annotated[str | None, Form()] = None,
    ) -> Response:
        session = chat.session(request)
        if session is None or not hmac.compare_digest(token, chat.form_token(session)):
            session = session or _session(chat, request, None)
            return await chat.show(session, notice=chat.phrases.text("web_expired", session.language), status=403)
        update_id = message_id if 0 < len(message_id) <= LONGEST_ID else None
        language = session.language if session.chosen else None
        message = Incoming("web", session.sender, text, button or None, update_id, language)
        turn = await chat.conversation.handle(message)
        if turn.decision != "silent":
            session = replace(session, language=turn.language)
        if turn.recorded:
            response: Response = RedirectResponse("/chat#last", status_code=303, headers=HEADERS)
            chat.remember(response, session)
            return response
        return await chat.show(session, only=Said.now(message, turn))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("web.failed", error=type(error).__name__)
        session = _session(chat, request, None)
        return await chat.show(session, notice=chat.phrases.text("failure", session.language), status=500)

    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    async def readyz() -> Response:
        try:
            await run_in_threadpool(ready)
        except Exception as error:  # whatever is wrong, a probe wants to know that it is
            return JSONResponse({"ready": False, "database": type(error).__name__}, status_code=503)
        return JSONResponse({"ready": True, "database": "ok", "model": "ok"})

    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


def _session(chat: Chat, request: Request, chosen: str | None) -> Session:
    """The browser's session, or a new one in the language that was chosen or that the browser asks for first."""
    found = chat.session(request)
    sender = found.sender if found else secrets.token_urlsafe(24)
    wished = chosen or (found.language if found else request.headers.get("accept-language", "")[:2].lower())
    language: Language = "en" if wished == "en" else "es" if wished == "es" else DEFAULT_LANGUAGE
    return Session(sender, language, chosen=chosen in LANGUAGES or bool(found and found.chosen))
