"""Builds everything; the only module that knows every part."""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from sqlalchemy import Engine, text
from starlette.middleware.cors import CORSMiddleware

from actions import all_actions
from bot.answers import Answers
from bot.booking import BookingForm
from bot.booking_texts import BookingTexts
from bot.channels.calendars import Calendars
from bot.channels.staff import StaffNews, ways
from bot.channels.telegram import routes as telegram_routes
from bot.channels.telegram.service import Telegram, secret_of
from bot.channels.telegram.setup import telegram_application
from bot.channels.web import api, embed
from bot.channels.web import routes as web
from bot.console import answers as answer_pages
from bot.console import inbox, people
from bot.console import models as model_pages
from bot.console import overview as overview_pages
from bot.console import requests as request_pages
from bot.console import review as review_pages
from bot.console import routes as console
from bot.console.pages import Pages
from bot.console.words import Words
from bot.content import Content
from bot.content_reader import read_content
from bot.conversation import Conversation
from bot.dialogue import RasaDialogue
from bot.eligibility import Eligibility
from bot.emergency import Emergency
from bot.errors import SettingsError
from bot.language import Languages, read_other_languages
from bot.lean import refuse_tensorflow
from bot.messages import Incoming, Language, Memory
from bot.nlu.encoder.sentences import encoder_name, read_encoder
from bot.nlu.examples import common_words, language_pairs, read_examples
from bot.phrases import Phrases
from bot.settings import ROOT, Settings
from bot.store import migrate, open_database
from bot.store.approvals import Approvals, Wordings
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.overview import Overview
from bot.store.requests import Requests
from bot.store.review_queue import ReviewQueue
from bot.store.reviews import Reviews
from bot.store.staff import Deeds, Staff
from bot.store.transcripts import Transcripts
from bot.store.updates import Updates
from bot.teaching import Teaching
from bot.text import shortened
from bot.triage import Triage
from bot.versions import Versions
from bot.voice import Voice

log = structlog.get_logger(__name__)

SHORTEST_KEY = 32  # characters
TELEGRAM_PORTS = (None, 443, 80, 88, 8443)
LOOK = 5.0  # seconds between two looks for conversations that nobody of the staff has written in for too long
DAYS_A_MONTH = timedelta(days=30.5)


@dataclass(frozen=True)
class Parts:
    """The parts that commands and channels need by name."""

    content: Content
    engine: Engine
    transcripts: Transcripts
    requests: Requests
    updates: Updates
    targets: tuple[str, ...]
    calendars: Calendars
    news: StaffNews
    approvals: Approvals
    dialogue: RasaDialogue
    conversation: Conversation


def build(settings: Settings) -> Parts:
    """Every part, wired.

    Raises:
        ContentError: The content cannot be used.
        ModelError: There is no model, its recipe cannot run here, or the sentence model cannot be used.
        SettingsError: A setting is wrong.
    """
    refuse_tensorflow(settings.config_file)
    read_encoder(settings.encoder_folder)  # what is wrong with its files is told before Rasa hides it
    content = read_content(settings.content_folder)
    if settings.home_country not in content.safety.countries:
        known = ", ".join(content.safety.countries)
        raise SettingsError(f"HOME_COUNTRY: content/safety.yml has no emergency numbers for it, only for {known}.")
    phrases = Phrases(content)
    kinds = {key: topic.kind for key, topic in content.topics.items()}
    engine = open_database(settings.database_url)
    approvals = Approvals(engine)
    answers = Answers(
        content,
        show_draft_effects=settings.show_draft_effects,
        grace=timedelta(days=settings.review_grace_days),
        decided=approvals.review,
    )
    staff = ways(settings)
    transcripts, requests = Transcripts(engine, tuple(staff)), Requests(engine)
    calendars = Calendars(content, requests, secret_key(settings), settings.address)
    eligibility = Eligibility(content, answers.notes, answers.is_unbacked)
    emergency = content.safety.countries[settings.home_country].emergency
    texts = BookingTexts(content, eligibility.named, emergency, settings.request_months)
    form = BookingForm(content.booking, settings.home_country.upper(), content.clinic.zone)
    examples = read_examples(settings.nlu_folder)
    dialogue = RasaDialogue(settings.model_file, all_actions(answers, kinds, form, requests, calendars.link), kinds)
    conversation = Conversation(
        triage=Triage(content.signs, tuple(content.safety.topics), common_words(examples)),
        emergency=Emergency(content, settings.home_country),
        languages=Languages(
            language_pairs(examples),
            read_other_languages(settings.nlu_folder / "languages.yml"),
        ),
        dialogue=dialogue,
        answers=answers,
        eligibility=eligibility,
        booking=texts,
        phrases=phrases,
        transcripts=transcripts,
    )
    news = StaffNews(Outbox(engine), requests, texts, content, settings.staff_language, staff)
    return Parts(
        content,
        engine,
        transcripts,
        requests,
        Updates(engine),
        tuple(staff),
        calendars,
        news,
        approvals,
        dialogue,
        conversation,
    )


def create_app(settings: Settings) -> FastAPI:
    """The web application: the plain chat page and the two probes. Tables are brought up to date first."""
    parts = build(settings)
    migrate(parts.engine)
    parts.approvals.read()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(parts.news.run()),
            asyncio.create_task(_forget(parts, settings)),
            asyncio.create_task(_give_back(desk)),
            asyncio.create_task(parts.dialogue.watch()),
            asyncio.create_task(_follow(parts.approvals)),
        ]
        if channel:
            await channel.start()
        yield
        if channel:
            await channel.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        parts.engine.dispose()

    channel = telegram_channel(parts, settings)
    desk = inbox.Desk(
        Inbox(parts.engine),
        parts.conversation,
        parts.content,
        Reviews(parts.engine).of_conversation,
        held_for=timedelta(minutes=settings.hold_minutes),
        secret=secret_key(settings),
        words=Words(),
    )

    app = FastAPI(
        title="musebot",
        description="The chat for programs. Every error is {error, message}.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(api.Guard, origins=settings.origins)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.web_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        max_age=3600,
    )

    def ready() -> None:
        with parts.engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM conversation LIMIT 1"))

    if channel and settings.telegram_webhook:
        telegram_routes.mount(app, channel)
    _describe(app)
    chat = web.Chat(
        conversation=parts.conversation,
        transcripts=parts.transcripts,
        phrases=parts.conversation.phrases,
        content=parts.content,
        secret=secret_key(settings),
        https=settings.https,
    )
    web.mount(app, chat, ready=ready, calendars=parts.calendars, encoder=encoder_name(settings.encoder_folder))
    api.mount(app, chat)
    embed.mount(app, chat)
    mount_console(app, parts, settings, desk)
    return app


def mount_console(app: FastAPI, parts: Parts, settings: Settings, desk: inbox.Desk) -> None:
    """Adds the pages of the staff."""
    pages = Pages(
        Staff(parts.engine),
        Deeds(parts.engine),
        secret=secret_key(settings),
        https=settings.https,
        zone=parts.content.clinic.zone,
    )
    routers = [
        inbox.router(pages, desk),
        request_pages.router(pages, parts.requests, parts.conversation.booking, parts.calendars.link),
        answer_pages.router(
            pages, parts.content, settings.content_folder, parts.conversation, parts.approvals, Wordings(parts.engine)
        ),
        review_pages.router(
            pages,
            Reviews(parts.engine),
            ReviewQueue(parts.engine),
            desk.inbox,
            Teaching(settings.nlu_folder, parts.content.topics),
            parts.content.topics,
            understanding(parts.dialogue),
        ),
        overview_pages.router(pages, Overview(parts.engine), parts.content),
        model_pages.router(pages, Versions(settings)),
        people.router(pages, settings.address),
    ]
    console.mount(app, pages, routers)


def understanding(dialogue: RasaDialogue) -> review_pages.Understood:
    """What the model takes a message for, were it the first one; None where it cannot tell."""

    async def understood(text: str, language: Language) -> str | None:
        message = Incoming("review", secrets.token_hex(8), shortened(text))
        told = await dialogue.respond(message, language, Memory())
        return told.topics[0] if told.topics else None

    return understood


def first_invitation(settings: Settings) -> str | None:
    """The address where the first admin chooses a password; None where there is an admin already."""
    engine = open_database(settings.database_url)
    migrate(engine)
    token = Staff(engine).invite_first()
    engine.dispose()
    return f"{settings.address}/staff/join/{token}" if token else None


def _describe(app: FastAPI) -> None:
    """What is malformed gets 400 here, so that the 422 which the framework describes never comes."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        found = described()
        for path in found["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        return found

    app.openapi = openapi  # type: ignore[method-assign]  # as its documentation says


def telegram_channel(parts: Parts, settings: Settings) -> Telegram | None:
    """The Telegram bot; None while there is no token."""
    if settings.telegram_bot_token is None:
        return None
    address = urlsplit(settings.public_url)
    if settings.public_url and (address.scheme != "https" or address.port not in TELEGRAM_PORTS):
        raise SettingsError(
            "PUBLIC_URL: Telegram calls https addresses on port 443, 80, 88 or 8443 only. Give such a one, or leave "
            "PUBLIC_URL empty, so that the assistant asks Telegram for messages."
        )
    application = telegram_application(settings.telegram_bot_token.get_secret_value(), settings.telegram_api)
    return Telegram(
        application,
        parts.updates,
        parts.transcripts,
        parts.conversation,
        parts.content,
        webhook=settings.telegram_webhook,
        secret=secret_of(secret_key(settings)),
        staff_chat=settings.staff_telegram_chat,
        voice=Voice(settings.voice_model) if settings.voice_model else None,
    )


async def _give_back(desk: inbox.Desk) -> None:
    """Gives back to the assistant, every few seconds, what staff have taken and left alone."""
    while True:
        try:
            await desk.give_back_late()
        except Exception as error:  # tried again a moment later; meanwhile the assistant answers there all the same
            log.error("staff.not_given_back", error=type(error).__name__)
        await asyncio.sleep(LOOK)


async def _follow(approvals: Approvals) -> None:
    """Learns, once a minute, what clinicians have decided in other processes."""
    while True:
        await asyncio.sleep(60)
        try:
            await asyncio.to_thread(approvals.read)
        except Exception as error:  # tried again a minute later
            log.error("staff.approvals_not_read", error=type(error).__name__)


async def _forget(parts: Parts, settings: Settings) -> None:
    """Deletes old requests, and what Telegram handed over long ago, once an hour."""
    while True:
        try:
            await asyncio.to_thread(parts.requests.forget, datetime.now(UTC) - DAYS_A_MONTH * settings.request_months)
            await asyncio.to_thread(parts.updates.forget)
        except Exception as error:  # tried again an hour later
            log.error("requests.not_forgotten", error=type(error).__name__)
        await asyncio.sleep(3600)


def secret_key(settings: Settings, folder: Path = ROOT / "var") -> str:
    """The key that signs sessions: from the settings, else made once and kept in `folder`, readable by its owner only.

    Raises:
        SettingsError: It cannot be kept, or is too short to protect anything.
    """
    if settings.secret_key is not None:
        key = settings.secret_key.get_secret_value()
        if len(key) < SHORTEST_KEY:
            raise SettingsError(f"SECRET_KEY is too short: give at least {SHORTEST_KEY} random characters.")
        return key
    path = folder / "secret.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _keep_key(path, secrets.token_urlsafe(48))
        key = path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"No SECRET_KEY is set, and {path} cannot be written and read: {error}.") from error
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"{path} holds no key of at least {SHORTEST_KEY} characters: delete it, and one is made.")
    return key


def _keep_key(path: Path, key: str) -> None:
    """Writes the key whole or not at all; of several processes that start at once, the first one's stays."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as fresh:  # readable by its owner only
        fresh.write(key)
        fresh.flush()
        with contextlib.suppress(FileExistsError):
            os.link(fresh.name, path)
