"""Telegram's updates: kept, answered in order, sent once. Polling or webhook: what follows is the same."""

import asyncio
import contextlib
import hmac
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import structlog
from telegram import InlineKeyboardMarkup, Update
from telegram.constants import ChatAction
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError
from telegram.ext import Application

from bot.channels.telegram.incoming import (
    CHANNEL,
    Contact,
    Other,
    Read,
    Speech,
    Tap,
    Words,
    place_of,
    read_unknown,
    read_update,
    with_text,
)
from bot.channels.telegram.render import Message, Renderer, choices_of
from bot.channels.telegram.setup import introduce
from bot.content import Content, PhraseEntry, revision_of
from bot.conversation import Conversation
from bot.messages import Incoming, Language, Reply, Turn
from bot.queues import Queues
from bot.store.transcripts import Outgoing, Transcripts
from bot.store.updates import Received, Updates
from bot.voice import Voice

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 64  # chats that are being answered
GRACE = 5.0  # seconds that are left to answers at the end
MOST_ALBUMS = 1000
LONG_POLL = 25  # seconds
LONGEST_SPEECH = 180  # seconds
SOON = 1.0  # seconds that an answer waits until it is shown that it comes
TYPING = 4.5  # seconds after which Telegram no longer shows that somebody types
BUSY = 30  # updates at work, from which on nobody is shown that we type: it counts among what Telegram allows
LONGEST_WAIT = 60.0  # seconds, between two tries of one message
WANTED = (Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, Update.CHANNEL_POST, Update.MY_CHAT_MEMBER)


class Telegram:
    """The channel."""

    def __init__(
        self,
        application: Application[Any, Any, Any, Any, Any, Any],
        updates: Updates,
        transcripts: Transcripts,
        conversation: Conversation,
        content: Content,
        *,
        webhook: str | None,
        secret: str,
        staff_chat: str | None = None,
        voice: Voice | None = None,
        pause: float = 1.0,
    ) -> None:
        """The channel.

        Args:
            application: The library's application, without an updater: what comes in is kept first.
            updates: Where it is kept.
            transcripts: What was said.
            conversation: The main path.
            content: For labels and the texts of `telegram.yml`.
            webhook: The public address that Telegram calls; None asks Telegram itself.
            secret: What Telegram must say to prove that it is Telegram.
            staff_chat: A chat of the staff, in which the bot only tells what concerns them.
            voice: Listens to voice messages; None asks for words instead.
            pause: Seconds between two answers in one chat where more wait: Telegram wants one a second at most.
        """
        self._application = application
        self._bot = application.bot
        self._updates = updates
        self._transcripts = transcripts
        self._conversation = conversation
        self._content = content
        self._webhook = webhook
        self._secret = secret
        self._staff_chat = staff_chat
        self._voice = voice
        self._pause = pause
        self._albums: dict[str, None] = {}
        self._renderer = Renderer(content)
        self._queues = Queues()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: set[int] = set()  # updates that this process works on
        self._bringing: set[int] = set()  # turns of the staff that are on their way

    async def start(self) -> None:
        """Goes on with what was left, and begins to listen. Returns at once; what fails is tried again."""
        for received in await asyncio.to_thread(self._updates.waiting):
            self._begin(received)
        self._always = [asyncio.create_task(self._listen()), asyncio.create_task(self._bring())]

    async def _bring(self) -> None:
        """Brings what staff have written to whom it is for, in order."""
        while True:
            try:
                busy = set(self._bringing)  # what ends while the database is read is not begun anew
                for outgoing in await asyncio.to_thread(self._transcripts.undelivered, CHANNEL):
                    if outgoing.turn not in busy:
                        self._bringing.add(outgoing.turn)
                        self._run(self._bring_one(outgoing))
            except Exception as error:
                log.error("telegram.not_read", error=type(error).__name__)
            await asyncio.sleep(SOON)

    async def _bring_one(self, outgoing: Outgoing) -> None:
        chat, said = int(outgoing.sender), outgoing.said
        try:
            async with self._queues.in_turn(chat):
                messages = self._renderer.messages(said.replies, said.language, outgoing.turn)
                well = all([await self._send(chat, message) for message in messages])
                await asyncio.to_thread(self._transcripts.delivered, outgoing.turn, well=well)
        except Exception as error:  # brought once more
            log.error("telegram.not_brought", error=type(error).__name__)
        finally:
            self._bringing.discard(outgoing.turn)

    async def stop(self) -> None:
        """Stops listening and finishes what is being said; what is not done then is done after the next start."""
        for task in self._always:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._always, *self._tasks, return_exceptions=True)
        with contextlib.suppress(TelegramError, RuntimeError):
            await self._application.shutdown()

    def is_telegram(self, secret: str | None) -> bool:
        """Whether a call of the webhook comes from Telegram."""
        return secret is not None and hmac.compare_digest(secret.encode(), self._secret.encode())

    async def take(self, payload: Mapping[str, Any]) -> bool:
        """Keeps an update, and answers it after that; False if it is none."""
        update_id = payload.get("update_id")
        if not isinstance(update_id, int) or isinstance(update_id, bool) or not 0 <= update_id < 2**63:
            return False
        place = place_of(payload)
        if place is None:
            return False
        chat, message = place
        if await asyncio.to_thread(self._updates.take, update_id, chat, message, payload):
            self._begin(Received(update_id, payload, 0))
        return True

    # --- listening ----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Prepares the bot at Telegram, then asks for updates where Telegram does not bring them."""
        await self._insist("start", self._application.initialize)
        self._run(self._insist("introduction", lambda: introduce(self._bot, self._content)))
        if self._webhook:
            await self._insist("webhook", self._set_webhook)
            return
        await self._insist("webhook", lambda: self._bot.delete_webhook(drop_pending_updates=False))
        offset = 0
        wait = 1.0
        while True:
            try:
                asked = {"offset": offset, "timeout": LONG_POLL, "allowed_updates": list(WANTED)}
                # As Telegram sent them: the library's own objects do not all come back from what they write. Names of
                # methods have no case; spelt so, the library does not offer its own way.
                found: Any = await self._bot.do_api_request("getupdates", api_kwargs=asked, read_timeout=LONG_POLL + 10)
                for payload in found:
                    await self.take(payload)
                    offset = payload["update_id"] + 1  # told to Telegram by the next call, so only after it was kept
                wait = 1.0
            except Exception as error:
                log.error("telegram.not_reached", error=type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _set_webhook(self) -> None:
        await self._bot.set_webhook(self._webhook or "", secret_token=self._secret, allowed_updates=list(WANTED))

    async def _insist(self, what: str, do: Callable[[], Any]) -> None:
        """Tries until it works; Telegram may be away while the clinic's web page works."""
        wait = 1.0
        while True:
            try:
                await do()
                return
            except BadRequest as error:  # it would be refused again
                log.error("telegram.refused", doing=what, error=type(error).__name__)
                return
            except Exception as error:
                log.error("telegram.not_reached", doing=what, error=type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    # --- answering ----------------------------------------------------------------------------------------------------

    def _begin(self, received: Received) -> None:
        if received.id not in self._known:
            self._known.add(received.id)
            self._run(self._work(received))

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, received: Received) -> None:
        """Answers one update, after those that came before it in the same chat."""
        chat, _ = place_of(received.payload) or (0, None)
        try:
            async with self._queues.in_turn(chat or -received.id), self._room:
                try:
                    await self._answer(received, chat)
                except Exception as error:  # a mistake of ours: the person gets the contact line all the same
                    log.error("telegram.failed", error=type(error).__name__)
                    await self._apologise(chat)
                await self._note(self._updates.done, received.id)
                if self._queues.is_awaited(chat):
                    await asyncio.sleep(self._pause)
        finally:
            self._known.discard(received.id)

    async def _note(self, note: Callable[..., None], *values: int) -> None:
        """Notes how far an answer is. A database that is busy is asked again; what was said stays said."""
        for wait in (0.5, 2.0, 0.0):
            try:
                await asyncio.to_thread(note, *values)
                return
            except Exception as error:
                log.error("telegram.not_noted", error=type(error).__name__)
                await asyncio.sleep(wait)

    async def _apologise(self, chat: int) -> None:
        """Tells how to reach the clinic, where nothing else could be said."""
        failure = self._content.phrases["failure"]
        if chat > 0:
            await self._send(chat, Message(f"{failure.es}\n\n{failure.en}"))

    async def _answer(self, received: Received, chat: int) -> None:
        read = self._read(received, chat)
        if read is None or self._is_of_an_album(read, received.payload):
            return
        if isinstance(read, Other) and read.said == "private" and await self._is_told(chat):
            return
        if isinstance(read, Words) and read.edited and not await self._is_newest(chat, read):
            return
        if isinstance(read, Tap):
            await self._acknowledge(read, chat)
        async with self._typing(chat):
            if isinstance(read, Speech):
                read = await self._listened(read)
            turn = await self._turn(read)
        number, turn = await self._kept(read.message, turn)
        if not turn.replies:  # somebody of the clinic reads it
            return
        messages = [*self._before(read, turn.language), *self._renderer.messages(turn.replies, turn.language, number)]
        for place, message in enumerate(messages[received.sent :], received.sent + 1):
            if not await self._send(chat, message):
                return
            await self._note(self._updates.sent, received.id, place)

    @contextlib.asynccontextmanager
    async def _typing(self, chat: int) -> AsyncIterator[None]:
        """Shows that an answer is being prepared, as long as it is."""

        async def show() -> None:
            with contextlib.suppress(TelegramError, TimeoutError):
                await asyncio.wait_for(self._bot.send_chat_action(chat, ChatAction.TYPING), SOON)

        async def go_on() -> None:
            while True:
                await asyncio.sleep(TYPING)
                await show()

        if len(self._tasks) < BUSY:
            await show()
        shown = asyncio.create_task(go_on())
        try:
            yield
        finally:
            shown.cancel()

    async def _listened(self, speech: Speech) -> Words | Other:
        """What somebody said, as words; or what is told where they cannot be made out. The sound is not kept."""
        if self._voice is None:
            return Other(speech.message, "voice")
        if speech.seconds > LONGEST_SPEECH:
            return Other(speech.message, "voice_long")
        try:
            sound = await self._fetched(speech.file)
            heard = await asyncio.to_thread(self._voice.heard, sound)
        except BadRequest:  # more than the Bot API hands over
            return Other(speech.message, "voice_long")
        except Exception as error:  # Telegram's files or the model: words still can be asked for
            log.error("telegram.not_heard", error=type(error).__name__)
            return Other(speech.message, "voice")
        if not heard.sure and self._conversation.alarm_in(heard.text) is None:
            return Other(speech.message, "voice_unclear")
        return Words(with_text(speech.message, heard.text), speech.number, heard=True)

    async def _fetched(self, file: str) -> bytes:
        for wait in (1.0, 5.0):
            try:
                return bytes(await (await self._bot.get_file(file)).download_as_bytearray())
            except BadRequest:
                raise
            except TelegramError:
                await asyncio.sleep(wait)
        return bytes(await (await self._bot.get_file(file)).download_as_bytearray())

    def _before(self, read: Read, language: Language) -> list[Message]:
        """What is said before the answer: which message it is about."""
        says = self._content.telegram.says
        match read:
            case Words(edited=True):
                return [Message(says["edited"].of(language))]
            case Words(message, heard=True):
                return self._renderer.plain(says["heard"].of(language).format(text=message.text))
        return []

    def _read(self, received: Received, chat: int) -> Read | None:
        try:
            update = Update.de_json(dict(received.payload), self._bot)
        except Exception as error:  # a kind that is newer than the library
            log.error("telegram.unknown_update", error=type(error).__name__)
            return read_unknown(received.payload, chat)
        return read_update(update, self._content)

    async def _turn(self, read: Words | Tap | Contact | Other) -> Turn:
        """What is said to an update."""
        says = self._content.telegram.says
        match read:
            case Words(message, _, edited, _):
                if edited and (await asyncio.to_thread(self._transcripts.memory, message)).asking:
                    return await self._no_words(message, says["edited_late"])
                return await self._conversation.handle(message)
            case Tap(message=message, data=data):
                payload = await asyncio.to_thread(self._payload, message.sender, data)
                if payload:
                    return await self._conversation.handle(replace(message, button=payload))
                return await self._no_words(message, says["old_button"])
            case Contact(message, number, own):
                memory = await asyncio.to_thread(self._transcripts.memory, message)
                if memory.asking != "reach":
                    return await self._no_words(message, says["contact"])
                if not own:
                    return await self._no_words(message, says["contact_of_another"])
                return await self._conversation.handle(replace(message, text=number))
            case Other(message, said):
                return await self._no_words(message, says[said])

    async def _no_words(self, message: Incoming, phrase: PhraseEntry) -> Turn:
        def said(language: Language) -> Reply:
            buttons = tuple(self._content.button(key, language) for key in phrase.buttons)
            return Reply(phrase.of(language), buttons=buttons, revision=revision_of("telegram", phrase))

        return await self._conversation.reply_to_no_words(message, said)

    async def _kept(self, message: Incoming, turn: Turn) -> tuple[int | None, Turn]:
        """The turn as the transcript has it, with its number: also where an earlier process had got so far."""
        if turn.decision != "silent" and not turn.recorded:
            return None, turn
        found = await asyncio.to_thread(self._transcripts.turn, CHANNEL, message.update_id or "")
        if found is None:
            return None, turn
        number, said = found
        return number, replace(turn, language=said.language, replies=said.replies)

    def _payload(self, sender: str, data: str) -> str | None:
        """What a button stands for, found in the turn that it was shown in; None for a button that is none of ours."""
        found = re.fullmatch(r"(\d{1,18})\.(\d{1,3})", data)
        if found is None:
            return None
        choices = choices_of(self._transcripts.replies(CHANNEL, sender, int(found[1])))
        place = int(found[2])
        return choices[place].payload if place < len(choices) else None

    async def _acknowledge(self, tap: Tap, chat: int) -> None:
        """Stops the button's waiting mark, and takes the used buttons away."""
        with contextlib.suppress(TelegramError):
            await self._bot.answer_callback_query(tap.query)
        if tap.on is not None:
            with contextlib.suppress(TelegramError):
                left = InlineKeyboardMarkup([[link] for link in tap.links]) if tap.links else None
                await self._bot.edit_message_reply_markup(chat, tap.on, reply_markup=left)

    async def _is_told(self, chat: int) -> bool:
        """Whether a group has been told before to write in private; the staff's own never is."""
        return str(chat) == self._staff_chat or await asyncio.to_thread(self._updates.is_answered, chat)

    async def _is_newest(self, chat: int, words: Words) -> bool:
        """Whether an edited message is the newest of its chat, and says something else than before."""
        newest = await asyncio.to_thread(self._updates.newest, chat)
        said = await asyncio.to_thread(self._transcripts.of, CHANNEL, words.message.sender)
        written = [each.text for each in said if each.text]
        changed = not written or written[-1] != words.message.text
        return changed and (newest is None or words.number >= newest)

    def _is_of_an_album(self, read: Read, payload: Mapping[str, Any]) -> bool:
        """Whether a picture belongs to an album that was answered: ten pictures are ten updates."""
        message = payload.get("message")
        album = message.get("media_group_id") if isinstance(message, dict) else None
        if not isinstance(album, str) or isinstance(read, Words):
            return False
        known = album in self._albums
        self._albums[album] = None
        while len(self._albums) > MOST_ALBUMS:
            self._albums.pop(next(iter(self._albums)))
        return known

    async def _send(self, chat: int, message: Message) -> bool:
        """Sends one message, however often it takes; False where nobody is there to read it."""
        wait = 1.0
        entities = message.entities
        while True:
            try:
                await self._bot.send_message(
                    chat,
                    message.text,
                    entities=entities or None,
                    reply_markup=message.keyboard,
                    disable_web_page_preview=True,
                )
                return True
            except (Forbidden, ChatMigrated):  # blocked, deleted, moved
                return False
            except BadRequest as error:
                if not entities and not message.keyboard:
                    log.error("telegram.refused", error=type(error).__name__)
                    return False
                entities, message = (), Message(message.text)  # the words matter more than how they look
            except RetryAfter as error:
                pause = error.retry_after
                await asyncio.sleep(pause if isinstance(pause, int | float) else pause.total_seconds())
            except TelegramError as error:
                log.error("telegram.not_sent", error=type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)


def secret_of(key: str) -> str:
    """What Telegram must send with every call of the webhook, made from the server's own key."""
    return hmac.new(key.encode(), b"telegram-webhook", sha256).hexdigest()
