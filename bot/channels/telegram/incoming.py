"""What Telegram hands over, as a message to the main path or as the reason why it is none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from telegram import Chat, InlineKeyboardButton, Message, Update
from telegram.ext import filters

from bot.content import Content
from bot.messages import LANGUAGES, Incoming, Language

CHANNEL = "telegram"


@dataclass(frozen=True)
class Words:
    """A message that can be answered, with its number.

    `edited`: it takes the place of one that was answered before. `heard`: it was spoken, so what was heard is told.
    """

    message: Incoming
    number: int
    edited: bool = False
    heard: bool = False


@dataclass(frozen=True)
class Tap:
    """A button that was pressed, by the number of its turn and its place there.

    `query` is Telegram's name of the press, `on` the message that the button stands on, `links` what else stands there
    and leads elsewhere.
    """

    message: Incoming
    query: str
    data: str
    on: int | None
    links: tuple[InlineKeyboardButton, ...]


@dataclass(frozen=True)
class Contact:
    """A telephone number that was shared; `own` tells whether it is the person's own."""

    message: Incoming
    number: str
    own: bool


@dataclass(frozen=True)
class Speech:
    """A voice message; `file` is Telegram's name of it, `seconds` how long it is."""

    message: Incoming
    number: int
    file: str
    seconds: int


@dataclass(frozen=True)
class Other:
    """What cannot be read: a picture, a place ...; `said` names the text of `telegram.yml` that tells so."""

    message: Incoming
    said: Literal["picture", "location", "other", "private", "voice", "voice_unclear", "voice_long"]


Read = Words | Tap | Contact | Speech | Other


def place_of(payload: Mapping[str, Any]) -> tuple[int, int | None] | None:
    """Chat and message of an update as Telegram sent it, 0 for one of no chat; None for what is no update.

    It does not ask the library, which knows no kind that is newer than itself.
    """
    bodies = [value for name, value in payload.items() if name != "update_id"]
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        return None
    body = bodies[0]
    message = body if "chat" in body else body.get("message") or {}
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(chat, dict) or not isinstance(chat.get("id"), int):
        return (0, None)
    number = message.get("message_id")
    return chat["id"], number if isinstance(number, int) and "message" in payload else None


def id_of(chat: int, update: int) -> str:
    """The id of an update in our transcripts: Telegram begins anew after a quiet week, so its number alone is none."""
    return f"{chat}:{update}"


def read_unknown(payload: Mapping[str, Any], chat: int) -> Other | None:
    """What is said to something in a private chat that the library cannot read."""
    message = payload.get("message")
    if chat <= 0 or not isinstance(message, dict):
        return None
    user = message.get("from")
    hint = _language(str(user.get("language_code"))) if isinstance(user, dict) else None
    return Other(Incoming(CHANNEL, str(chat), update_id=id_of(chat, payload["update_id"]), hint=hint), "other")


def read_update(update: Update, content: Content) -> Read | None:
    """What an update holds; None where nothing is to be said: members come and go, a bot is blocked."""
    if update.callback_query:
        return _tap(update)
    message = update.effective_message
    chat = update.effective_chat
    if message is None or chat is None:
        return None
    incoming = _incoming(update, chat)
    if filters.StatusUpdate.ALL.check_update(update):  # Telegram's own note: a chat has moved, a message is pinned
        return None
    if chat.type != Chat.PRIVATE:
        return Other(incoming, "private")
    edited = update.edited_message is not None
    if message.caption:  # the words beside a picture or a voice message are a message like any other
        return Words(with_text(incoming, message.caption), message.message_id, edited)
    if message.text:
        return Words(_command(incoming, message.text, content), message.message_id, edited)
    return None if edited else _attached(incoming, message)  # a place that moves is edited every few seconds


def _tap(update: Update) -> Tap | None:
    query, chat = update.callback_query, update.effective_chat
    if query is None or chat is None or chat.type != Chat.PRIVATE:
        return None
    on = query.message.message_id if query.message else None
    shown = query.message.reply_markup if isinstance(query.message, Message) else None
    links = tuple(button for row in (shown.inline_keyboard if shown else ()) for button in row if button.url)
    return Tap(_incoming(update, chat), query.id, query.data or "", on, links)


def _attached(incoming: Incoming, message: Message) -> Read:
    speech = message.voice or message.audio or message.video_note
    if speech:
        length = speech.duration
        seconds = int(length.total_seconds() if isinstance(length, timedelta) else length)
        return Speech(incoming, message.message_id, speech.file_id, seconds)
    if message.contact:
        own = message.from_user is not None and message.contact.user_id == message.from_user.id
        number = message.contact.phone_number
        return Contact(incoming, number if number.startswith("+") else f"+{number}", own)
    if message.photo or message.document or message.video or message.animation:
        return Other(incoming, "picture")
    if message.location or message.venue:
        return Other(incoming, "location")
    return Other(incoming, "other")


def _incoming(update: Update, chat: Chat) -> Incoming:
    user = update.effective_user
    hint = _language(user.language_code) if user and user.language_code else None
    return Incoming(CHANNEL, str(chat.id), update_id=id_of(chat.id, update.update_id), hint=hint)


def _language(code: str) -> Language | None:
    """The language of somebody's Telegram, "es-CO" too, where it is one of ours."""
    return next((language for language in LANGUAGES if code.startswith(language)), None)


def with_text(incoming: Incoming, text: str) -> Incoming:
    """The same message with words."""
    return Incoming(CHANNEL, incoming.sender, text, update_id=incoming.update_id, hint=incoming.hint)


def _command(incoming: Incoming, text: str, content: Content) -> Incoming:
    """A command as the button of its topic: `/start TOPIC` opens an answer; what is no command of ours is text."""
    found = re.fullmatch(r"/(\w+)(?:@\w+)?(?:\s+(.*))?", text.strip(), re.DOTALL)
    if found is None:
        return with_text(incoming, text)
    name, rest = found[1].lower(), (found[2] or "").strip()
    command = content.telegram.commands.get(name)
    if rest and not (name == "start" and re.fullmatch(r"[\w-]{1,64}", rest)):  # what a link may carry
        return with_text(incoming, rest)  # whatever the command is, the words may tell of danger
    if name == "start":
        topic = rest if rest in content.topics else "greet"
    elif name == "cancel":
        return with_text(incoming, "cancelar" if incoming.hint == "es" else "cancel")
    elif command and command.topic:
        topic = command.topic
    else:
        return with_text(incoming, name)
    return Incoming(CHANNEL, incoming.sender, button=f"/{topic}", update_id=incoming.update_id, hint=incoming.hint)
