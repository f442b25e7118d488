"""The chat's interface for programs: the widget on the clinic's pages, and widgets made for Rasa. See /openapi.json."""

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.plain import lines_of
from bot.channels.web.routes import FOR_PROGRAMS, Chat, Session, problem, session_of
from bot.messages import LANGUAGES, Decision, Incoming, Language, Reply, Turn
from bot.store.transcripts import REASONS, Said

T = TypeVar("T")
log = structlog.get_logger(__name__)

FRESH = 60 * 15  # seconds after which a token is replaced by a new one with the next answer
GOOD = 60 * 60 * 12  # seconds after which a token no longer opens anything ...
RENEWED = 60 * 60 * 24 * 30  # ... and after which it is not exchanged for a new one either
MOST_LETTERS = 20_000  # of a message: so many are looked through for danger, fewer are read
MOST_TURN = 2**53 - 1  # the greatest number that a browser reads rightly
PATIENCE = 1.0  # seconds for what only helps, such as which field to show
AFTER = 0.1  # seconds after an answer, when streams of the same conversation are told
LOOK = 3.0  # seconds after which a stream looks for what another process has added
PING = 15.0  # seconds of silence, after which a stream shows that it lives
LONGEST_STREAM = 600.0  # seconds; the browser goes on with a new one
MOST_STREAMS = 500
MOST_OF_ONE = 5
RASA = "/webhooks/rest/webhook"
MOST_BYTES = 64 * 1024  # of a request


class ApiError(Exception):
    """What a program has done wrong, in a word for the program and a sentence for who wrote it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


class Problem(BaseModel):
    """Every error: a word for the program, a sentence for who wrote it."""

    error: str
    message: str


class NewSession(BaseModel):
    """What a session is asked for with. `token`: an earlier one, to go on with its conversation."""

    lang: Language | None = None
    token: str | None = Field(None, max_length=1000)


class SessionOut(BaseModel):
    """A session. `continued` tells whether it goes on with an earlier conversation."""

    token: str
    language: Language
    continued: bool


class NewMessage(BaseModel):
    """What a person writes or presses.

    `id` is made by the browser, once for each message: the same id and words again are the same message, answered once.
    `lang` is the language that was chosen by hand.
    """

    id: str = Field(min_length=8, max_length=40, pattern=r"^[\w-]+$")
    text: str = Field("", max_length=MOST_LETTERS)
    button: str | None = Field(None, max_length=1000)
    lang: Language | None = None


class TurnOut(BaseModel):
    """A message and what was said to it. `id` is None where it could not be kept."""

    id: int | None
    at: datetime
    said: str
    language: Language
    decision: Decision
    replies: tuple[Reply, ...]


class Turns(BaseModel):
    """Turns, oldest first; the step of a request for a call that is asked now; and the token to use next."""

    turns: list[TurnOut]
    asking: str | None
    token: str


class Feedback(BaseModel):
    """Whether a reply helped, and if not, why."""

    turn: int = Field(ge=0, le=MOST_TURN)
    helpful: bool
    reason: Literal[REASONS] | None = None  # type: ignore[valid-type]  # the words stand in one place


class RasaMessage(BaseModel):
    """As Rasa's REST channel takes it, but `sender` must be a token of `/api/session`."""

    sender: str = Field(max_length=1000)
    message: str = Field(max_length=MOST_LETTERS)


class Api:
    """Sessions, streams, and turns as JSON."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._signer = URLSafeTimedSerializer(chat.secret, salt="widget-session")
        self._bells: dict[str, asyncio.Event] = {}
        self._streams: Counter[str] = Counter()

    def token(self, session: Session) -> str:
        signed = self._signer.dumps([session.sender, session.language, session.chosen])
        return signed.decode() if isinstance(signed, bytes) else signed

    def session(self, token: str) -> tuple[Session, str]:
        """The session of a token, and the token to use from now on.

        Raises:
            ApiError: It is none of ours, or too old.
        """
        session, age = self._read(token, GOOD)
        return session, token if age < FRESH else self.token(session)

    def renew(self, token: str) -> Session | None:
        """The session of a token that may be too old to be used, but not to go on with; None else."""
        try:
            return self._read(token, RENEWED)[0]
        except ApiError:
            return None

    def _read(self, token: str, seconds: int) -> tuple[Session, float]:
        try:
            (sender, language, chosen), made = self._signer.loads(token, max_age=seconds, return_timestamp=True)
        except SignatureExpired:
            _refuse(401, "expired", "The session has expired. Post its token to /api/session to go on with it.")
        except (BadSignature, ValueError, TypeError):
            _refuse(401, "no_session", "This is no token of ours. Post to /api/session to get one.")
        if language not in LANGUAGES:
            _refuse(401, "no_session", "This is no token of ours. Post to /api/session to get one.")
        return Session(sender, language, bool(chosen)), datetime.now(made.tzinfo).timestamp() - made.timestamp()

    async def delete(self, session: Session) -> None:
        """Deletes the conversation, after what is being answered: else the answer would bring some of it back."""
        async with self.chat.conversation.in_turn("web", session.sender):
            await asyncio.to_thread(self.chat.transcripts.delete, "web", session.sender)

    async def turns(self, session: Session, token: str, after: int) -> Turns:
        """What was said after a turn."""
        found = await self.chat.history(session, after)
        return Turns(turns=[self._turn(said) for said in found], asking=await self._asking(session), token=token)

    async def take(self, session: Session, token: str, message: NewMessage) -> Turns:
        """Answers a message; one that was answered before gets the same answer.

        Raises:
            ApiError: It was answered before, but the database cannot tell how now.
        """
        if message.lang:
            session = Session(session.sender, message.lang, True)
        incoming = _incoming(session, message)
        turn = await self.chat.conversation.handle(incoming)
        if turn.decision == "emergency" and not turn.recorded:  # the database may hang: nobody waits for it now
            return Turns(turns=[self._turn(Said.now(incoming, turn))], asking=None, token=token)
        kept, asking = await asyncio.gather(
            self._patiently(self.chat.transcripts.turn, "web", incoming.update_id or ""), self._asking(session)
        )
        if kept is None and turn.decision == "silent":
            _refuse(503, "busy", "It was answered, but the answer cannot be read now. Send it again.")
        language = session.language if session.chosen else kept[1].language if kept else turn.language
        session = Session(session.sender, language, session.chosen)
        asyncio.get_running_loop().call_later(AFTER, self._ring, session.sender)  # this answer goes first
        said = kept[1] if kept else Said.now(incoming, turn)
        return Turns(turns=[self._turn(said)], asking=asking, token=self.token(session))

    async def _asking(self, session: Session) -> str | None:
        memory = await self._patiently(self.chat.transcripts.memory, Incoming("web", session.sender))
        if memory is None or memory.alarm or memory.held:  # in danger, and while staff talk, no form is pushed
            return None
        return memory.asking

    async def _patiently(self, read: Callable[..., T], *what: Any) -> T | None:
        """What the database holds; None where it fails or takes long: there is an answer all the same."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(read, *what), PATIENCE)
        except Exception as error:
            log.error("web.not_read", error=type(error).__name__)
            return None

    def _turn(self, said: Said) -> TurnOut:
        return TurnOut(
            id=said.id,
            at=said.at,
            said=self.chat.said(said),
            language=said.language,
            decision=said.decision,
            replies=said.replies,
        )

    # --- streams ------------------------------------------------------------------------------------------------------

    def _ring(self, sender: str) -> None:
        bell = self._bells.pop(sender, None)
        if bell:
            bell.set()

    def stream(self, session: Session, token: str, after: int) -> StreamingResponse:
        """Turns as they come, as server-sent events.

        Raises:
            ApiError: There are too many streams: the browser asks now and then instead.
        """
        if self._streams[session.sender] >= MOST_OF_ONE or self._streams.total() >= MOST_STREAMS:
            _refuse(503, "busy", "There are too many streams. Ask /api/turns every few seconds instead.")
        self._streams[session.sender] += 1
        return StreamingResponse(
            self._events(session, token, after),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
            background=BackgroundTask(self._ended, session.sender),
        )

    def _ended(self, sender: str) -> None:
        self._streams[sender] -= 1
        if self._streams[sender] <= 0:
            del self._streams[sender]
            self._bells.pop(sender, None)

    async def _events(self, session: Session, token: str, after: int) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        end, spoke = clock() + LONGEST_STREAM, clock()
        try:
            yield ": here\n\n"
            while clock() < end:
                bell = self._bells.setdefault(session.sender, asyncio.Event())  # hung up before looking
                found = await self.turns(session, token, after)
                for turn in found.turns:
                    after = turn.id or after
                    alone = Turns(turns=[turn], asking=found.asking, token=token)
                    yield f"id: {after}\nevent: turn\ndata: {alone.model_dump_json()}\n\n"
                    spoke = clock()
                if clock() - spoke > PING:
                    yield ": here\n\n"
                    spoke = clock()
                try:
                    await asyncio.wait_for(bell.wait(), LOOK)
                except TimeoutError:
                    continue
        except Exception as error:  # the browser comes again
            log.error("web.stream_failed", error=type(error).__name__)


def mount(app: FastAPI, chat: Chat) -> None:
    """Adds the interface to `app`."""
    app.state.api = api = Api(chat)

    bearer = HTTPBearer(auto_error=False, description="The token of /api/session.")

    def opened(found: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> tuple[Session, str]:
        if found is None:
            _refuse(401, "no_session", "Send the token of /api/session: Authorization: Bearer TOKEN.")
        return api.session(found.credentials)

    Opened = Annotated[tuple[Session, str], Depends(opened)]  # noqa: N806 - a type
    problems: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (400, 401, 403, 413, 503)}

    @app.post("/api/session", responses=problems)
    async def new_session(wanted: NewSession) -> SessionOut:
        """Opens a conversation, or goes on with an earlier one. The server makes its name; nobody can choose one."""
        found = api.renew(wanted.token) if wanted.token else None
        session = found or Session(secrets.token_urlsafe(24), wanted.lang or "es")
        if wanted.lang and found:
            session = Session(found.sender, wanted.lang, found.chosen)
        return SessionOut(token=api.token(session), language=session.language, continued=found is not None)

    @app.post("/api/messages", responses=problems)
    async def new_message(message: NewMessage, session: Opened) -> Turns:
        """Answers one message. Send it again, with the same id, as often as needed: it is answered once."""
        if not message.text.strip() and not message.button:
            _refuse(400, "empty", "A message needs text or a button.")
        return await api.take(*session, message)

    @app.get("/api/turns", responses=problems)
    async def turns(session: Opened, after: Annotated[int, Query(ge=0, le=MOST_TURN)] = 0) -> Turns:
        """The conversation, or what came after a turn."""
        return await api.turns(*session, after)

    events: dict[int | str, dict[str, Any]]
    events = {200: {"description": "The stream", "content": {"text/event-stream": {}}}}

    @app.get("/api/stream", response_class=StreamingResponse, responses={**problems, **events})
    async def stream(
        session: Opened,
        after: Annotated[int, Query(ge=0, le=MOST_TURN)] = 0,
        last_event_id: Annotated[str, Header()] = "",
    ) -> Response:
        """Turns as they come, as server-sent events named `turn`, each like the answer of /api/turns with one turn."""
        last = int(last_event_id) if re.fullmatch(r"[0-9]{1,16}", last_event_id) else 0
        return api.stream(*session, max(after, min(last, MOST_TURN)))

    @app.post("/api/feedback", status_code=204, responses=problems)
    async def feedback(given: Feedback, session: Opened) -> None:
        """Notes whether a reply helped; given again, it takes the place of what was given before."""
        sender = session[0].sender
        known = await run_in_threadpool(
            chat.transcripts.rate, "web", sender, given.turn, given.helpful, None if given.helpful else given.reason
        )
        if not known:
            _refuse(400, "no_turn", "This conversation has no such turn.")

    @app.delete("/api/conversation", status_code=204, responses=problems)
    async def delete(session: Opened) -> None:
        """Deletes the conversation with all that belongs to it, also requests for a call that were made in it."""
        await api.delete(session[0])

    @app.post(RASA, responses=problems)
    async def rasa(message: RasaMessage) -> list[dict[str, Any]]:
        """For widgets made for Rasa's REST channel: plain texts with their sources, and buttons."""
        session, _ = api.session(message.sender)
        pressed = message.message if re.fullmatch(r"/[a-z_]+(\{.{0,900}\})?", message.message) else None
        sent = NewMessage(id=secrets.token_urlsafe(16), text="" if pressed else message.message, button=pressed)
        turn = await chat.conversation.handle(_incoming(session, sent))
        return _as_rasa(chat, turn, message.sender)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        # Where, and what was expected; never what was sent.
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        return problem(400, "malformed", wrong)

    @app.exception_handler(SQLAlchemyError)
    async def away(request: Request, error: SQLAlchemyError) -> Response:
        log.error("web.database_failed", error=type(error).__name__)
        if request.url.path.startswith(FOR_PROGRAMS):
            return problem(503, "busy", "The database cannot be reached. Try again.")
        return await chat.show(session_of(chat, request), notice=chat.phrases.text("failure", "es"), status=500)

    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> Response:
        return problem(error.status, error.code, error.message)


def _refuse(status: int, code: str, message: str) -> NoReturn:
    raise ApiError(status, code, message)


def _incoming(session: Session, message: NewMessage) -> Incoming:
    """The message as the main path takes it. Its id holds its sender and words, so that nobody can take another's."""
    digest = sha256(f"{message.text}|{message.button or ''}".encode()).hexdigest()[:16]
    return Incoming(
        "web",
        session.sender,
        message.text,
        message.button,
        f"{session.sender}:{message.id}:{digest}",
        session.language if session.chosen else None,
        session.language,
    )


def _as_rasa(chat: Chat, turn: Turn, sender: str) -> list[dict[str, Any]]:
    buttons = [button for reply in turn.replies for button in reply.buttons if not button.is_link]
    without = [
        Reply(**{**vars(reply), "buttons": tuple(b for b in reply.buttons if b.is_link)}) for reply in turn.replies
    ]
    text = "\n".join(lines_of(without, chat.content, turn.language))
    said: dict[str, Any] = {"recipient_id": sender, "text": text}
    if buttons:
        said["buttons"] = [{"title": button.title, "payload": button.payload} for button in buttons]
    return [said] if turn.replies else []


class Guard:
    """Keeps what is too large, and pages of other sites than the clinic's, away from the interface for programs."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        """The guard. `origins`: the sites whose pages may use it, beside our own by whatever name it is called."""
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(FOR_PROGRAMS):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("origin"), headers.get("host", "")):
            said = "Pages of this site may not use the chat: the clinic lists them in WEB_ORIGINS."
            return await problem(403, "origin", said)(scope, receive, send)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            if len(body) > MOST_BYTES:
                return await problem(413, "too_large", "That is more than a message.")(scope, receive, send)
        whole: Message | None = {"type": "http.request", "body": bytes(body)}

        async def replay() -> Message:
            nonlocal whole
            told, whole = whole, None
            return told if told is not None else await receive()

        async def unkept(message: Message) -> None:
            if message["type"] == "http.response.start":  # what people ask about their health is for no cache
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        return await self._app(scope, replay, unkept)

    def _is_ours(self, origin: str | None, host: str) -> bool:
        if not origin or origin in self._origins:
            return True
        try:
            return bool(host) and urlsplit(origin).netloc == host
        except ValueError:  # no address at all
            return False
