"""Tells the clinic's staff what concerns them: to a Telegram chat, by e-mail, or to the clinic's own system."""

import asyncio
import base64
import hmac
import json
import smtplib
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from telegram import Bot
from telegram.error import TelegramError

from bot.booking import read_draft
from bot.booking_texts import BookingTexts
from bot.content import Content
from bot.errors import DeliveryError, SettingsError
from bot.messages import Language
from bot.settings import Settings
from bot.store.outbox import Due, Outbox
from bot.store.requests import Request, Requests

log = structlog.get_logger(__name__)

PATIENCE = 15.0  # seconds, for one message
PAUSE = 2.0  # seconds between two looks into the outbox
SHORTEST_KEY = 24  # characters
MOST_TOPICS = 5


@dataclass(frozen=True)
class News:
    """What is sent: `id` is the same each time that it is tried; `data` is for programs."""

    id: str
    at: datetime
    title: str
    text: str
    data: Mapping[str, Any]


class Way(Protocol):
    """One place where staff learn of things."""

    async def send(self, news: News) -> None:
        """Sends it.

        Raises:
            DeliveryError: It did not arrive, as far as anybody can tell.
        """


class TelegramChat:
    """A chat of the staff in Telegram."""

    def __init__(self, bot: Bot, chat: str) -> None:
        self._bot = bot
        self._chat = chat

    async def send(self, news: News) -> None:
        try:
            async with self._bot:
                await self._bot.send_message(self._chat, f"{news.title}\n{news.text}"[:4096])
        except TelegramError as error:
            raise DeliveryError(f"Telegram: {type(error).__name__}") from error


class Email:
    """An address of the staff, through the clinic's mail server."""

    def __init__(self, url: str, to: str, sender: str) -> None:
        """`url`: smtp://user:password@host:587 (encrypted as soon as the server can), or smtps://host:465."""
        self._server = urlsplit(url)
        self._to = to
        self._sender = sender

    async def send(self, news: News) -> None:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = news.title, self._sender, self._to
        mail["Message-ID"] = f"<{news.id}@musebot>"
        mail["Date"] = news.at
        mail.set_content(news.text)
        try:
            await asyncio.to_thread(self._deliver, mail)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"e-mail: {type(error).__name__}") from error

    def _deliver(self, mail: EmailMessage) -> None:
        server, trusted = self._server, ssl.create_default_context()
        host = server.hostname or "localhost"
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, server.port or 465, timeout=PATIENCE, context=trusted)
        else:
            connection = smtplib.SMTP(host, server.port or 587, timeout=PATIENCE)
        with connection:
            connection.ehlo()
            if server.scheme == "smtp" and connection.has_extn("starttls"):
                connection.starttls(context=trusted)
            elif server.scheme == "smtp" and server.hostname not in ("localhost", "127.0.0.1", "::1"):
                raise smtplib.SMTPException("the server does not encrypt")  # health data do not travel in the open
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(mail)


class Webhook:
    """The clinic's own system. Signed as the "Standard Webhooks" convention says, so that libraries can check it."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = base64.b64decode(key.removeprefix("whsec_")) if key.startswith("whsec_") else key.encode()

    async def send(self, news: News) -> None:
        body = json.dumps({"type": news.data["event"], "timestamp": news.at.isoformat(), "data": news.data})
        stamp = str(int(time.time()))  # of this try: receivers refuse what is old
        headers = {
            "content-type": "application/json",
            "webhook-id": news.id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature(self._key, news.id, stamp, body)}",
        }
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
                answer = await client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise DeliveryError(f"webhook: {type(error).__name__}") from error
        if not answer.is_success:
            raise DeliveryError(f"webhook: answered {answer.status_code}")


def signature(key: bytes, message: str, stamp: str, body: str) -> str:
    """HMAC-SHA256 of id, time and body, in base64."""
    return base64.b64encode(hmac.new(key, f"{message}.{stamp}.{body}".encode(), sha256).digest()).decode()


def ways(settings: Settings) -> dict[str, Way]:
    """The places that the settings name, by what the outbox calls them.

    Raises:
        SettingsError: One is named, but not all that it needs.
    """
    found: dict[str, Way] = {}
    if settings.staff_telegram_chat:
        if settings.telegram_bot_token is None:
            raise SettingsError("STAFF_TELEGRAM_CHAT needs TELEGRAM_BOT_TOKEN, the bot that writes there.")
        token = settings.telegram_bot_token.get_secret_value()
        found["telegram"] = TelegramChat(
            Bot(token, base_url=f"{settings.telegram_api}/bot"), settings.staff_telegram_chat
        )
    if settings.staff_email:
        if settings.smtp_url is None:
            raise SettingsError("STAFF_EMAIL needs SMTP_URL, such as smtp://user:password@mail.example.org:587")
        url = settings.smtp_url.get_secret_value()
        if urlsplit(url).scheme not in ("smtp", "smtps"):
            raise SettingsError("SMTP_URL must begin with smtp:// or smtps://")
        found["email"] = Email(url, settings.staff_email, settings.mail_from or settings.staff_email)
    if settings.staff_webhook:
        key = settings.staff_webhook_key.get_secret_value() if settings.staff_webhook_key else ""
        if len(key) < SHORTEST_KEY:
            raise SettingsError(f"STAFF_WEBHOOK needs STAFF_WEBHOOK_KEY, at least {SHORTEST_KEY} random characters.")
        found["webhook"] = Webhook(settings.staff_webhook, key)
    return found


class StaffNews:
    """Empties the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        requests: Requests,
        texts: BookingTexts,
        content: Content,
        language: Language,
        ways: Mapping[str, Way],
    ) -> None:
        self._outbox = outbox
        self._requests = requests
        self._texts = texts
        self._content = content
        self._language = language
        self._ways = ways

    async def run(self) -> None:
        """Sends what is due, until it is cancelled. Whatever goes wrong, it goes on."""
        while True:
            try:
                await self.send_due()
            except Exception as error:
                log.error("outbox.failed", error=type(error).__name__)
            await asyncio.sleep(PAUSE)

    async def send_due(self) -> int:
        """Sends each message that is due, once; how many arrived."""
        due = await asyncio.to_thread(self._outbox.take)
        targets = {each.target for each in due}
        in_order = ([each for each in due if each.target == target] for target in targets)
        return sum(await asyncio.gather(*(self._send_all(each) for each in in_order)))

    async def _send_all(self, due: Sequence[Due]) -> int:
        """Sends to one place, one after the other: what hangs in one holds up no other."""
        return sum([await self._send(each) for each in due])

    async def _send(self, due: Due) -> bool:
        way = self._ways.get(due.target)
        try:
            if way is None:
                raise DeliveryError(f"{due.target}: not in the settings any more")
            async with asyncio.timeout(PATIENCE):
                await way.send(await asyncio.to_thread(self._news, due))
        except Exception as error:
            reason = str(error) if isinstance(error, DeliveryError) else f"{due.target}: {type(error).__name__}"
            log.error("outbox.not_sent", target=due.target, news=due.event, reason=reason)
            await asyncio.to_thread(self._outbox.failed, due.id, reason)
            return False
        await asyncio.to_thread(self._outbox.sent, due.id)
        return True

    def _news(self, due: Due) -> News:
        request = self._requests.find(due.code) if due.code else None
        return News(
            id=f"musebot-{due.id}",
            at=due.at,
            title=self._word(due.event, code=due.code or "", topic=self._title(due.topic) if due.topic else ""),
            text="\n".join(self._lines(due, request)),
            data={
                "event": due.event,
                "conversation": due.conversation,
                "channel": due.channel,
                "language": due.language,
                "topic": due.topic,
                "topics": list(due.topics),
                "request": _as_data(request) if request else None,
            },
        )

    def _lines(self, due: Due, request: Request | None) -> list[str]:
        told = [self._texts.for_staff(read_draft(request.draft), self._language)] if request else []
        if not request and due.event == "person":
            asked = ", ".join(self._title(topic) for topic in due.topics[:MOST_TOPICS] if topic in self._content.topics)
            told += [self._word("asked", topics=asked)] if asked else []
        where = self._word(
            "where", channel=due.channel, conversation=str(due.conversation), language=due.language or "?"
        )
        return [*told, where]

    def _title(self, topic: str) -> str:
        return self._content.topics[topic].title.of(self._language)

    def _word(self, key: str, **values: str) -> str:
        return self._content.booking.staff[key].of(self._language).format(**values)


def _as_data(request: Request) -> dict[str, Any]:
    """A request for a program: what the person has told, nothing of how the form works."""
    draft = read_draft(request.draft)
    return {
        "code": request.code,
        "state": request.state,
        "language": request.language,
        "created_at": request.created_at.isoformat(),
        "for_whom": draft.for_whom,
        "knows": draft.knows or None,
        "name": draft.name,
        "phone": draft.phone or None,
        "email": draft.email or None,
        "country": draft.region or None,
        "zone": draft.zone,
        "when": request.draft["wish"],
        "when_in_words": draft.wish_words or None,
        "note": draft.note or None,
        "injury": dict(draft.injury),
    }
