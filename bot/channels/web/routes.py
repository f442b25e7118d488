"""The plain chat page: HTML forms, no JavaScript, for old devices and whenever scripts fail. And the probes."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from hmac import new as new_mac
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException

from bot.channels.calendars import Calendars
from bot.content import Content
from bot.conversation import Conversation
from bot.language import DEFAULT_LANGUAGE
from bot.messages import LANGUAGES, Incoming, Language, citations_of
from bot.phrases import Phrases
from bot.sources import notes_on_sources
from bot.store.transcripts import Said, Transcripts

log = structlog.get_logger(__name__)

COOKIE = "musebot"
COOKIE_SECONDS = 60 * 60 * 24 * 30
LONGEST_ID = 64  # of a message; ours have 22 characters
MOST_BYTES = 64 * 1024  # of a form
FOLDER = Path(__file__).parent
FOR_PROGRAMS = ("/api/", "/webhooks/")  # where answers are JSON, errors too
ERRORS = {
    400: ("malformed", "The body is no JSON that can be read."),
    404: ("not_found", "There is nothing here. See /openapi.json."),
    405: ("method", "This address is not asked in this way. See /openapi.json."),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
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
        self._sources_page = environment.get_template("sources.html")
        self.home = environment.get_template("home.html")

    def session(self, signed: str) -> Session | None:
        """The session that a cookie or a form carries; None when there is none, or not one of ours."""
        try:
            sender, language, chosen = self._signer.loads(signed)
        except (BadSignature, ValueError, TypeError):
            return None
        return Session(sender, language, bool(chosen)) if language in LANGUAGES else None

    def signed(self, session: Session) -> str:
        signed = self._signer.dumps([session.sender, session.language, session.chosen])
        return signed.decode() if isinstance(signed, bytes) else signed

    def remember(self, response: Response, session: Session) -> None:
        response.set_cookie(
            COOKIE,
            self.signed(session),
            max_age=COOKIE_SECONDS,
            httponly=True,
            secure=self.https,
            samesite="lax",
        )

    def form_token(self, session: Session) -> str:
        """What a form of this session carries, so that another site cannot send it."""
        return new_mac(self.secret.encode(), f"form:{session.sender}".encode(), sha256).hexdigest()

    async def show(
        self, session: Session, *, notice: str = "", draft: str = "", status: int = 200, only: Said | None = None
    ) -> Response:
        """The page with the whole conversation.

        Args:
            session: Whose conversation.
            notice: What went wrong, shown above it.
            draft: Text to put back into the message box, so that nothing typed is lost.
            status: Of the HTTP response.
            only: Shown instead of the transcript: a turn that it could not keep, or guidance in danger.
        """
        turns = [only] if only else await self._history(session)
        if turns is None:
            turns, notice = [], notice or self.phrases.text("failure", session.language)
        return self._response(session, turns, notice=notice, draft=draft, status=status)

    async def _history(self, session: Session) -> list[Said] | None:
        try:
            return await self.history(session)
        except Exception as error:  # without its past the page still takes a message
            log.error("web.history_failed", error=type(error).__name__)
            return None

    def _response(
        self, session: Session, turns: list[Said], *, notice: str = "", draft: str = "", status: int = 200
    ) -> Response:
        html = self._page.render(
            language=session.language,
            other="es" if session.language == "en" else "en",
            word=lambda key: self.phrases.text(key, session.language),
            turns=turns,
            start=self.phrases.reply("greet", session.language),
            said=self.said,
            who=lambda turn: self.who(turn, session.language),
            citations_of=citations_of,
            form_token=self.form_token(session),
            signed=self.signed(session),
            draft=draft,
            message_id=secrets.token_urlsafe(16),
            notice=notice,
        )
        response = HTMLResponse(html, status_code=status, headers=HEADERS)
        self.remember(response, session)
        return response

    def sources(self, session: Session) -> Response:
        """The page of everything that is cited."""
        html = self._sources_page.render(
            language=session.language,
            other="es" if session.language == "en" else "en",
            word=lambda key: self.phrases.text(key, session.language),
            sources=notes_on_sources(self.content, session.language),
        )
        response = HTMLResponse(html, headers=HEADERS)
        self.remember(response, session)
        return response

    def who(self, turn: Said, language: Language) -> str:
        """Who says what is said in a turn."""
        if turn.decision != "staff":
            return self.phrases.text("web_bot", language)
        says, name = self.content.widget.says, turn.replies[0].by
        return says["staff_name"].of(language).format(name=name) if name else says["staff"].of(language)

    async def history(self, session: Session, after: int = 0) -> list[Said]:
        """What was said after a turn. What staff have written counts as delivered by it."""
        turns = await run_in_threadpool(self.transcripts.of, "web", session.sender, after)
        for turn in turns:
            if turn.id and turn.delivery == "waiting":
                try:
                    await run_in_threadpool(self.transcripts.delivered, turn.id)
                except Exception as error:  # it is read all the same
                    log.error("web.not_noted", error=type(error).__name__)
        return turns

    def said(self, turn: Said) -> str:
        """What the person wrote, or the words of the button that was pressed."""
        if turn.text or not turn.button:
            return turn.text
        choice = self.conversation.eligibility.choice(turn.button, turn.language)
        choice = choice or self.conversation.booking.option(turn.button, turn.language)
        if choice:
            return choice
        topic = self.content.topics.get(turn.button.lstrip("/").partition("{")[0])
        return topic.title.of(turn.language) if topic else turn.text


def mount(app: FastAPI, chat: Chat, *, ready: Callable[[], None], calendars: Calendars, encoder: str) -> None:
    """Adds the page and the probes to `app`.

    Args:
        app: What is served.
        chat: The page.
        ready: Raises when the database cannot be used.
        calendars: The agreed times, as files.
        encoder: The name of the sentence model in use, for those who watch the server.
    """

    @app.api_route("/chat", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, lang: str = "") -> Response:
        return await chat.show(session_of(chat, request, lang))

    @app.api_route("/sources", methods=["GET", "HEAD"], include_in_schema=False)
    async def sources(request: Request, lang: str = "") -> Response:
        return chat.sources(session_of(chat, request, lang))

    @app.get("/calendar/{signed}.ics", include_in_schema=False)
    async def calendar(signed: str) -> Response:
        found = await run_in_threadpool(calendars.file, signed)
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="text/calendar", headers={"Cache-Control": "no-store"})

    @app.post("/chat", include_in_schema=False)
    async def post(request: Request) -> Response:
        return await _take(chat, request)

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith(FOR_PROGRAMS):
            code, said = ERRORS.get(error.status_code, ERRORS[404])
            return problem(error.status_code, code, said, error.headers)
        session = session_of(chat, request)
        notice = chat.phrases.text("web_missing", session.language)
        return await chat.show(session, notice=notice, status=error.status_code)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("web.failed", error=type(error).__name__)
        if request.url.path.startswith(FOR_PROGRAMS):
            return problem(500, "failed", chat.phrases.text("failure", DEFAULT_LANGUAGE))
        session = session_of(chat, request)
        return await chat.show(session, notice=chat.phrases.text("failure", session.language), status=500)

    @app.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    async def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
    async def readyz() -> Response:
        try:
            await run_in_threadpool(ready)
        except Exception as error:  # whatever is wrong, a probe wants to know that it is
            return JSONResponse({"ready": False, "database": type(error).__name__}, status_code=503)
        return JSONResponse({"ready": True, "database": "ok", "encoder": encoder})

    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as programs get it: a word for the program, a sentence for who wrote it."""
    return JSONResponse({"error": code, "message": message}, status, {**(headers or {}), "Cache-Control": "no-store"})


async def _take(chat: Chat, request: Request) -> Response:
    """Takes a form that was sent: answers its text, then its button."""
    fallback = session_of(chat, request)
    form = await _form(request)
    if form is None:
        return await chat.show(fallback, notice=chat.phrases.text("too_long", fallback.language), status=413)
    text = form.get("text", "")
    cookie = request.cookies.get(COOKIE)
    # A browser that refuses cookies still has the session of the page that it was given.
    session = chat.session(cookie if cookie is not None else form.get("session", ""))
    token = form.get("token", "").encode()
    if session is None or _from_elsewhere(request) or not compare_digest(token, chat.form_token(session).encode()):
        return await _refuse(chat, session or fallback, text)

    button = form.get("button")
    told: list[tuple[str, str | None]] = [(text, None)] if text.strip() or not button else []
    told += [("", button)] if button else []
    for words, pressed in told:
        message = _message(session, words, pressed, form.get("message_id", ""))
        turn = await chat.conversation.handle(message)
        if turn.decision != "silent" and not session.chosen:  # a choice is never overruled
            session = replace(session, language=turn.language)
        # Guidance in danger shows at once, at the top of the page, without another request that could fail.
        if turn.decision == "emergency" or not turn.recorded:
            return await chat.show(session, only=Said.now(message, turn))
    if cookie is None:
        return await chat.show(session)
    response = RedirectResponse("/chat#last", status_code=303, headers=HEADERS)
    chat.remember(response, session)
    return response


async def _refuse(chat: Chat, session: Session, text: str) -> Response:
    """What a form gets that we cannot trust: its text back, and guidance first if someone is in danger."""
    alarm = chat.conversation.alarm_in(text)
    if alarm:
        turn = chat.conversation.guide(alarm, alarm.language or session.language)
        return await chat.show(session, only=Said.now(Incoming("web", session.sender, text), turn), status=403)
    notice = chat.phrases.text("web_expired", session.language)
    return await chat.show(session, notice=notice, draft=text, status=403)


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of the form, texts only; None when there is more than a person types."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
    return {name: values[0] for name, values in fields.items()}


def _message(session: Session, text: str, button: str | None, message_id: str) -> Incoming:
    """The form as a message. Its id holds its words: the same form sent again with other words is another message."""
    digest = sha256(f"{text}|{button or ''}".encode()).hexdigest()[:16]
    known = 0 < len(message_id) <= LONGEST_ID
    return Incoming(
        "web",
        session.sender,
        text,
        button,
        f"{message_id}:{digest}" if known else None,
        session.language if session.chosen else None,
        session.language,
    )


def _from_elsewhere(request: Request) -> bool:
    """Whether another site sent the form, as far as the browser tells."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def session_of(chat: Chat, request: Request, chosen: str = "") -> Session:
    """The browser's session, or a new one in the language that was chosen or that the browser asks for first."""
    found = chat.session(request.cookies.get(COOKIE, ""))
    session = found or Session(secrets.token_urlsafe(24), _preferred(request))
    for language in LANGUAGES:
        if chosen == language:
            return replace(session, language=language, chosen=True)
    return session


def _preferred(request: Request) -> Language:
    """The first of our languages that the browser asks for."""
    for wish in request.headers.get("accept-language", "").split(","):
        for language in LANGUAGES:
            if wish.strip().lower().startswith(language):
                return language
    return DEFAULT_LANGUAGE
