"""Telegram, with the real library against a Bot API on this machine."""

import asyncio
import io
import json
import logging
import os
import random
import signal
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text as sql

from bot.app import Parts
from bot.channels.telegram import routes
from bot.channels.telegram.render import MOST_UNITS, Renderer
from bot.channels.telegram.service import Telegram
from bot.channels.telegram.setup import examine, telegram_application
from bot.content import Content
from bot.errors import SettingsError
from bot.messages import LANGUAGES, Button, Citation, Claim, Language, Reply
from bot.voice import Heard, Voice
from tests.speech_model import SURE, make_speech_model
from tests.telegram_server import TOKEN, TelegramServer, telegram_server

SECRET = "s" * 40
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
VOICE = {"file_id": "f", "file_unique_id": "u", "duration": 1}
FILE = {"file_id": "f", "file_unique_id": "u"}
STICKER = {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
GROUP = {"id": -9, "type": "supergroup", "title": "Group"}


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with telegram_server() as found:
        yield found


def channel(parts: Parts, server: TelegramServer, webhook: str | None = None, voice: Voice | None = None) -> Telegram:
    application = telegram_application(TOKEN, server.url)
    return Telegram(
        application,
        parts.updates,
        parts.transcripts,
        parts.conversation,
        parts.content,
        webhook=webhook,
        secret=SECRET,
        staff_chat="-77",
        voice=voice,
        pause=0.0,
    )


@asynccontextmanager
async def running(
    parts: Parts, server: TelegramServer, webhook: str | None = None, voice: Voice | None = None
) -> AsyncIterator[Telegram]:
    found = channel(parts, server, webhook, voice)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


async def until(done: Callable[[], Any], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


def all_done(parts: Parts, number: int) -> bool:
    with parts.engine.connect() as connection:
        return (
            connection.execute(sql("SELECT count(*) FROM telegram_update WHERE done_at IS NOT NULL")).scalar() == number
        )


async def answered(parts: Parts, server: TelegramServer, number: int = 1) -> None:
    await until(lambda: all_done(parts, number))


def words(content: Content, key: str, language: Language) -> str:
    return content.telegram.says[key].of(language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("message", {"voice": VOICE}, "voice"),
        ("message", {"audio": VOICE}, "voice"),
        ("message", {"video_note": {**VOICE, "length": 1}}, "voice"),
        ("message", {"photo": PHOTO}, "picture"),
        ("message", {"document": FILE}, "picture"),
        ("message", {"video": {**VOICE, "width": 1, "height": 1}}, "picture"),
        ("message", {"location": {"latitude": 1.0, "longitude": 1.0}}, "location"),
        ("message", {"sticker": STICKER}, "other"),
        ("message", {"dice": {"emoji": "🎲", "value": 3}}, "other"),
        ("message", {"something_new": {"id": "1"}}, "other"),
        ("message", {"poll": {"id": "1"}}, "other"),  # which the library cannot read
        ("message", {"contact": {"phone_number": "573215550000", "first_name": "A", "user_id": 7}}, "contact"),
        ("message", {"text": "hola", "where": GROUP}, "private"),
        ("channel_post", {"text": "hola", "where": {"id": -8, "type": "channel", "title": "C"}}, "private"),
        ("callback_query", {"data": "zzz"}, "old_button"),
        ("callback_query", {"data": "99999.0"}, "old_button"),
    ],
)  # fmt: skip
async def test_what_is_no_text_is_answered(
    parts: Parts, server: TelegramServer, kind: str, content: dict[str, Any], said: str, language: Language
) -> None:
    async with running(parts, server):
        server.write(kind, language=language, **content)
        await answered(parts, server)
    (message,) = server.sent()
    # A channel has no user whose language could be known.
    expected = words(parts.content, said, "es" if kind == "channel_post" else language)
    assert message["text"].startswith(expected) or kind == "channel_post"


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("/start", "greet"),
        ("/start cost", "cost"),
        ("/start nonsense", "greet"),
        ("/menu", "menu"),
        ("/book", "book"),
        ("/human@musebot_test", "human"),
        ("/language", "change_language"),
        ("/sources", "show_source"),
        ("/privacy", "privacy"),
        ("/forget", "delete_data"),
        ("/help", "menu"),
        ("how much does it cost?", "cost"),
        ("I can't breathe", "emergency_breathing"),
    ],
)
async def test_commands_and_words_get_their_topic(parts: Parts, server: TelegramServer, text: str, topic: str) -> None:
    async with running(parts, server):
        server.write(text=text)
        await answered(parts, server)
    with parts.engine.connect() as connection:
        assert json.loads(connection.execute(sql("SELECT topics FROM turn")).scalar() or "") == [topic]
    assert server.sent()
    assert ("sendChatAction", {"chat_id": 7, "action": "typing"}) in server.calls


@pytest.mark.parametrize("text", ["/nonsense", "/", "//", "/start@", "/ cost", "/restart", "/session_start"])
async def test_commands_that_are_none_are_answered(parts: Parts, server: TelegramServer, text: str) -> None:
    async with running(parts, server):
        server.write(text=text)
        await answered(parts, server)
    assert server.sent()


async def test_the_words_beside_a_picture_are_answered(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        server.write(photo=PHOTO, caption="¿cuánto cuesta el tratamiento?", language="es")
        await answered(parts, server)
    assert "precio" in server.sent()[0]["text"]


async def test_members_that_come_and_go_and_notes_of_telegram_get_nothing(parts: Parts, server: TelegramServer) -> None:
    bot = {"user": {"id": 1, "is_bot": True, "first_name": "b"}}
    gone = {**bot, "status": "kicked", "until_date": 0}
    private = {"id": 7, "type": "private"}
    pinned = {"message_id": 1, "date": 0, "chat": private}
    async with running(parts, server):
        server.write("my_chat_member", old_chat_member={**bot, "status": "member"}, new_chat_member=gone)
        server.write(where=GROUP, new_chat_title="x")
        server.write(where=GROUP, migrate_to_chat_id=-99)
        server.write(where=private, pinned_message=pinned)
        await answered(parts, server, 4)
    assert server.sent() == []


async def test_a_group_is_told_once_to_write_in_private_and_the_staffs_own_never(
    parts: Parts, server: TelegramServer
) -> None:
    bot = {"user": {"id": 1, "is_bot": True, "first_name": "b"}}
    async with running(parts, server):
        gone, come = {**bot, "status": "left"}, {**bot, "status": "member"}
        server.write("my_chat_member", where=GROUP, old_chat_member=gone, new_chat_member=come)
        server.write(where=GROUP, new_chat_members=[{"id": 1, "is_bot": True, "first_name": "b"}])
        for _ in range(3):
            server.write(text="hello", where=GROUP)
        server.write(text="hello", where={**GROUP, "id": -77})
        await answered(parts, server, 6)
        assert [message["chat_id"] for message in server.sent()] == [-9]
        parts.updates.forget()
        server.write(text="hello", where=GROUP)
        await answered(parts, server, 7)
    assert len(server.sent()) == 1


async def test_an_album_gets_one_reply_and_a_place_that_moves_too(parts: Parts, server: TelegramServer) -> None:
    where = {"latitude": 1.0, "longitude": 1.0}
    async with running(parts, server):
        for _ in range(5):
            server.write(photo=PHOTO, media_group_id="a")
        server.write(location=where, message_id=1)
        for _ in range(5):
            server.write("edited_message", location=where, message_id=1)
        await answered(parts, server, 11)
    assert len(server.sent()) == 2


@pytest.mark.parametrize("command", ["/help", "/start", "/cancel", "/menu", "/book"])
async def test_danger_behind_a_command_is_seen(parts: Parts, server: TelegramServer, command: str) -> None:
    async with running(parts, server):
        server.write(text=f"{command} I can't breathe")
        server.write(voice=VOICE, caption="no puedo respirar")
        await answered(parts, server, 2)
    assert server.sent()[0]["text"].startswith("Call now")
    assert any(message["text"].startswith("Llame ya") for message in server.sent())


async def test_an_edit_in_a_request_is_no_answer_to_the_next_question(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        for number, said in enumerate(["quiero una cita", "sí", "de mí", "Anna"], 1):
            server.write(text=said, language="es", message_id=number)
            await answered(parts, server, number)
        server.write("edited_message", text="Ana", language="es", message_id=4)
        await answered(parts, server, 5)
    assert "Ya seguí con su solicitud." in server.sent()[-1]["text"]


async def test_an_edit_that_changes_no_word_gets_nothing(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        server.write(text="hello", message_id=1)
        await answered(parts, server)
        server.write("edited_message", text="hello", message_id=1)
        await answered(parts, server, 2)
    assert len(server.sent()) == 1


async def test_links_stay_when_a_choice_is_taken(parts: Parts, server: TelegramServer) -> None:
    link, choice = {"text": "Write", "url": "https://wa.me/1"}, {"text": "Yes", "callback_data": "1.0"}
    async with running(parts, server):
        server.write("callback_query", data="1.0", message_id=9, reply_markup={"inline_keyboard": [[link], [choice]]})
        await answered(parts, server)
    edits = [values for method, values in server.calls if method == "editMessageReplyMarkup"]
    assert edits[0]["reply_markup"] == {"inline_keyboard": [[link]]}


async def test_a_tapped_button_is_acknowledged_taken_away_and_answered(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        server.write(text="how much does it cost?")
        await answered(parts, server)
    (first,) = server.sent()
    buttons = [row[0] for row in first["reply_markup"]["inline_keyboard"]]
    tapped = next(each for each in buttons if each["text"] == "Are Muse cells proven to help?")
    async with running(parts, server):  # another process, which knows only the database
        server.write("callback_query", data=tapped["callback_data"], message_id=100)
        await answered(parts, server, 2)
    methods = [method for method, _ in server.calls]
    assert "answerCallbackQuery" in methods
    assert ("editMessageReplyMarkup", {"chat_id": 7, "message_id": 100}) in server.calls
    assert server.sent()[1]["text"].startswith("It is not proven")


async def test_a_button_of_another_chat_opens_nothing(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        server.write(text="how much does it cost?")
        await answered(parts, server)
        data = server.sent()[0]["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        server.write("callback_query", chat=8, data=data)
        await answered(parts, server, 2)
    assert server.sent(8)[0]["text"] == words(parts.content, "old_button", "en")


async def test_the_newest_message_when_edited_is_answered_anew_and_older_ones_are_not(
    parts: Parts, server: TelegramServer
) -> None:
    async with running(parts, server):
        server.write(text="hello", message_id=1)
        server.write(text="how mch", message_id=2)
        await answered(parts, server, 2)
        before = len(server.sent())
        server.write("edited_message", text="how much does it cost?", message_id=2)
        server.write("edited_message", text="hello there", message_id=1)
        await answered(parts, server, 4)
    told = server.sent()[before:]
    assert told[0]["text"] == words(parts.content, "edited", "en")
    assert told[1]["text"].startswith("I do not have the price.")
    assert len(told) == 2


async def test_a_number_is_shared_with_one_tap_where_it_is_asked_for(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        for number, said in enumerate(["quiero una cita", "sí", "de mí", "Ana"], 1):
            server.write(text=said, language="es")
            await answered(parts, server, number)
        asked = server.sent()[-1]
        assert asked["reply_markup"]["keyboard"][0][0] == {"text": "Compartir mi número", "request_contact": True}
        server.write(contact={"phone_number": "573215550000", "first_name": "B", "user_id": 99}, language="es")
        await answered(parts, server, 5)
        assert server.sent()[-1]["text"].startswith(words(parts.content, "contact_of_another", "es"))
        server.write(contact={"phone_number": "573215550000", "first_name": "A", "user_id": 7}, language="es")
        await answered(parts, server, 6)
    assert "¿Cuándo" in server.sent()[-1]["text"]


async def test_an_update_that_comes_twice_has_one_reply(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server, webhook="http://127.0.0.1:1/telegram") as telegram:
        update = server.update(text="how much does it cost?")
        assert await asyncio.gather(*(telegram.take(update) for _ in range(5))) == [True] * 5
        await answered(parts, server)
        assert await telegram.take(update)
        await asyncio.sleep(0.1)
    assert len(server.sent()) == 1


async def test_one_chat_is_answered_in_order_and_many_at_once(parts: Parts, server: TelegramServer) -> None:
    questions = ["how much does it cost?", "hello", "what are muse cells", "where is the clinic located"] * 3
    async with running(parts, server, webhook="http://127.0.0.1:1/telegram") as telegram:
        for question in questions:
            for chat in range(10, 20):
                await telegram.take(server.update(chat=chat, text=question))
        await until(lambda: all_done(parts, 120), 60)
    for chat in range(10, 20):
        begun = [message["text"][:12] for message in server.sent(chat)]
        assert begun[:4] * 3 == begun


async def test_telegrams_limits_are_kept_to(parts: Parts, server: TelegramServer) -> None:
    server.refusals["sendMessage"] = [(429, {"retry_after": 1}), (429, {"retry_after": 1})]
    started = time.monotonic()
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
    assert len(server.sent()) == 1
    assert time.monotonic() - started >= 2


@pytest.mark.parametrize("status", [500, 502])
async def test_what_telegram_does_not_take_is_sent_again(parts: Parts, server: TelegramServer, status: int) -> None:
    server.refusals["sendMessage"] = [(status, {})]
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
    assert len(server.sent()) == 1


async def test_who_has_blocked_the_bot_is_left_alone(parts: Parts, server: TelegramServer) -> None:
    server.refusals["sendMessage"] = [(403, {})]
    async with running(parts, server):
        server.write(text="hello")
        server.write(text="hello again")
        await answered(parts, server, 2)
    assert len(server.sent()) == 1


async def test_the_words_are_sent_bare_where_telegram_refuses_how_they_look(
    parts: Parts, server: TelegramServer
) -> None:
    server.refusals["sendMessage"] = [(400, {})]
    async with running(parts, server):
        server.write(text="how much does it cost?")
        await answered(parts, server)
    assert "entities" not in server.sent()[0]


async def test_a_mistake_of_ours_leaves_nobody_without_the_contact_line(
    parts: Parts, server: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Renderer, "messages", lambda *_: 1 / 0)
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
    (message,) = server.sent()
    assert "+57 321 519 7850" in message["text"]


async def test_telegram_that_is_away_at_the_start_is_waited_for(parts: Parts, server: TelegramServer) -> None:
    server.refusals["getMe"] = [(500, {})]
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
    assert server.sent()


async def test_the_bot_introduces_itself_in_both_languages(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        await until(lambda: len([method for method, _ in server.calls if method == "setMyShortDescription"]) == 3)
    assert set(server.commands) == {"", "en", "es"}
    names = [command["command"] for command in server.commands["es"]]
    assert names == list(parts.content.telegram.commands)
    server.calls.clear()
    async with running(parts, server):  # what is there already is not set again: Telegram allows few changes a day
        await until(lambda: len([m for m, _ in server.calls if m == "getMyShortDescription"]) == 3)
    assert not [method for method, _ in server.calls if method.startswith("setMy")]


# --- voice messages ---------------------------------------------------------------------------------------------------

SOUND = (Path(__file__).parent / "sounds" / "price_es.ogg").read_bytes()


def test_a_voice_message_is_heard_in_the_likelier_of_our_languages(tmp_path: Path) -> None:
    for name, words, language, clear, expected in [
        ("es", "cuánto cuesta el tratamiento", "es", SURE, Heard("cuánto cuesta el tratamiento", True)),
        ("gl", "onde está a clínica", "gl", SURE, Heard("onde está a clínica", True)),
        ("unclear", "a lo mejor es otra cosa", "es", 0.02, Heard("a lo mejor es otra cosa", False)),
    ]:
        voice = Voice(make_speech_model(tmp_path / name, words, language, clear))
        assert voice.heard(SOUND) == expected
    assert voice.heard(b"no sound") == Heard() == voice.heard(b"")
    assert voice.heard(silence()) == Heard()


@pytest.mark.parametrize(
    ("words", "clear", "file", "seconds", "begins"),
    [
        ("cuánto cuesta el tratamiento", SURE, "f", 3, ["Escuché: «cuánto cuesta", "No tengo el precio."]),
        ("mi papá no puede respirar", 0.02, "f", 3, ["Escuché: «mi papá", "Llame ya:"]),  # unclear, but in danger
        ("a lo mejor es otra cosa", 0.02, "f", 3, ["No pude entender las palabras"]),
        ("cuánto cuesta", SURE, "f", 181, ["Ese mensaje es muy largo"]),
        ("cuánto cuesta", SURE, "too big", 3, ["Ese mensaje es muy largo"]),
        ("cuánto cuesta", SURE, "broken", 3, ["No pude entender las palabras"]),
    ],
)
async def test_a_voice_message_is_answered_after_what_was_heard(
    parts: Parts,
    server: TelegramServer,
    tmp_path: Path,
    words: str,
    clear: float,
    file: str,
    seconds: int,
    begins: list[str],
) -> None:
    voice = Voice(make_speech_model(tmp_path / "speech", words, "es", clear))
    server.files = {"f": SOUND, "broken": SOUND[:20]}
    async with running(parts, server, voice=voice):
        server.write(voice={**VOICE, "file_id": file, "duration": seconds}, language="es")
        await answered(parts, server)
    told = server.sent()
    assert [each["text"].startswith(begin) for each, begin in zip(told, begins, strict=False)] == [True] * len(begins)
    assert ("sendChatAction", {"chat_id": 7, "action": "typing"}) in server.calls
    assert len(told) == len(begins) + words.startswith("mi papá")  # after the guidance it asks whether help is there


def test_a_speech_model_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no model\.bin, config\.json, tokenizer\.json"):
        Voice(tmp_path)
    broken = make_speech_model(tmp_path / "broken", "hola")
    (broken / "model.bin").write_bytes(b"broken")
    with pytest.raises(SettingsError, match="cannot be read"):
        Voice(broken)


def silence() -> bytes:
    """A second in which nobody speaks."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(32_000))
    return file.getvalue()


# --- the webhook ------------------------------------------------------------------------------------------------------


async def test_the_webhook_takes_only_what_telegram_signs(parts: Parts, server: TelegramServer) -> None:
    update = server.update(text="hello")
    calls = [
        ({}, json.dumps(update), 401),
        ({routes.SECRET: "wrong"}, json.dumps(update), 401),
        ({routes.SECRET: SECRET}, "{", 400),
        ({routes.SECRET: SECRET}, "[]", 400),
        ({routes.SECRET: SECRET}, "{}", 400),
        ({routes.SECRET: SECRET}, '{"update_id": "1"}', 400),
        ({routes.SECRET: SECRET}, '{"update_id": -1}', 400),
        ({routes.SECRET: SECRET}, '{"update_id": 5, "message": 7}', 400),
        ({routes.SECRET: SECRET}, "x" * 2_000_000, 413),
    ]
    app = FastAPI()
    async with running(parts, server, webhook="http://127.0.0.1:1/telegram") as telegram:
        routes.mount(app, telegram)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clinic.test") as client:
            for headers, body, status in calls:
                assert (await client.post("/telegram", content=body, headers=headers)).status_code == status
            assert all_done(parts, 0)
            good = await client.post("/telegram", content=json.dumps(update), headers={routes.SECRET: SECRET})
            assert good.status_code == 200
            await answered(parts, server)
    set_webhook = next(values for method, values in server.calls if method == "setWebhook")
    assert set_webhook["secret_token"] == SECRET
    assert len(server.sent()) == 1


async def test_from_webhook_to_polling_and_back(parts: Parts, server: TelegramServer) -> None:
    for number, webhook in enumerate(("http://127.0.0.1:1/telegram", None, "http://127.0.0.1:1/telegram"), 1):
        async with running(parts, server, webhook) as telegram:
            await until(lambda webhook=webhook: server.webhook == (webhook or "") and server.calls)
            update = server.update(text="hello") if webhook else server.write(text="hello")
            if webhook:
                await telegram.take(update)
            await answered(parts, server, number)
    assert len(server.sent()) == 3


@pytest.mark.parametrize(
    ("token", "webhook", "problem"),
    [(TOKEN, None, None), ("1:wrong", None, "token"), (TOKEN, "https://other.test/telegram", "otherwise")],
)
async def test_the_check_says_what_is_wrong(
    parts: Parts, server: TelegramServer, token: str, webhook: str | None, problem: str | None
) -> None:
    async with running(parts, server):
        await until(lambda: "es" in server.commands)
    application = telegram_application(token, server.url)
    lines = [line async for line in examine(application.bot, parts.content, webhook, server.url)]
    wrong = [told for well, told in lines if not well]
    assert [problem in told for told in wrong] == ([True] if problem else [])


async def test_no_log_holds_the_token_or_what_was_written(
    parts: Parts, server: TelegramServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    server.refusals["sendMessage"] = [(500, {}), (400, {})]
    async with running(parts, server):
        server.write(text="how much is it, asks Ana Ruiz")
        await answered(parts, server)
    out = capfd.readouterr()
    logged = caplog.text + out.out + out.err
    assert "telegram.not_sent" in logged
    assert not any(secret in logged for secret in (TOKEN, "Ana Ruiz", "how much"))


# --- a day of a bot ---------------------------------------------------------------------------------------------------

# What one person does, 25 updates: words, commands, a request for a call, danger, what is no text. `None` is no reply.
DAY: dict[Language, list[tuple[str, dict[str, Any], str | None]]] = {
    "en": [
        ("message", {"text": "/start"}, "Hello. I am a program"),
        ("message", {"text": "what are muse cells?"}, "Muse"),
        ("message", {"text": "more"}, ""),
        ("message", {"text": "source?"}, "That answer comes from:"),
        ("message", {"text": "how much does it cost"}, "I do not have the price."),
        ("message", {"voice": VOICE}, "I cannot listen"),
        ("message", {"photo": PHOTO}, "I cannot look at pictures"),
        ("message", {"sticker": STICKER}, "I can only read words"),
        ("message", {"text": "/book"}, "I can"),
        ("message", {"text": "yes"}, "Who is it about?"),
        ("message", {"text": "how much is it?"}, "I do not have the price."),
        ("message", {"text": "me"}, "What is your own name?"),
        ("message", {"text": "Ana"}, "How can the clinic reach you?"),
        ("message", {"contact": {"phone_number": "{number}", "first_name": "A", "user_id": 0}}, "Noted: +57"),
        ("message", {"text": "my dad can't breathe"}, "Call now:"),
        ("message", {"text": "it passed, he is fine"}, "I am glad."),
        ("message", {"text": "/book"}, "Your request is still open."),
        ("message", {"text": "tuesday afternoon"}, "Would you like to add something?"),
        ("message", {"text": "skip"}, "Please check this:"),
        ("message", {"text": "send it"}, "Sent. Your code is"),
        ("message", {"text": "any news on my request?"}, "Request "),
        ("message", {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}}, None),
        ("message", {"location": {"latitude": 1.0, "longitude": 1.0}}, "I cannot use your location."),
        ("message", {"text": "who won the football game last night"}, ""),
        ("message", {"text": "thanks, bye"}, ""),
    ],
    "es": [
        ("message", {"text": "/start"}, "Hola. Soy un programa"),
        ("message", {"text": "¿qué son las células muse?"}, "Muse"),
        ("message", {"text": "más"}, ""),
        ("message", {"text": "¿la fuente?"}, "Esa respuesta sale de:"),
        ("message", {"text": "cuanto cuesta"}, "No tengo el precio."),
        ("message", {"voice": VOICE}, "No puedo escuchar"),
        ("message", {"photo": PHOTO}, "No puedo ver fotos"),
        ("message", {"sticker": STICKER}, "Solo puedo leer palabras"),
        ("message", {"text": "/book"}, "No puedo dar citas"),
        ("message", {"text": "sí"}, "¿De quién se trata?"),
        ("message", {"text": "¿cuánto vale?"}, "No tengo el precio."),
        ("message", {"text": "de mí"}, "¿Cuál es su nombre"),
        ("message", {"text": "Ana"}, "¿Cómo le puede contactar"),
        ("message", {"contact": {"phone_number": "{number}", "first_name": "A", "user_id": 0}}, "Anotado: +57"),
        ("message", {"text": "mi papá no puede respirar"}, "Llame ya:"),
        ("message", {"text": "ya pasó, está bien"}, "Me alegra"),
        ("message", {"text": "/book"}, "Su solicitud sigue abierta."),
        ("message", {"text": "el martes por la tarde"}, "¿Quiere agregar algo?"),
        ("message", {"text": "nada"}, "Por favor revise:"),
        ("message", {"text": "envíelo"}, "Enviado. Su código es"),
        ("message", {"text": "¿qué pasó con mi solicitud?"}, "Solicitud "),
        ("message", {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}}, None),
        ("message", {"location": {"latitude": 1.0, "longitude": 1.0}}, "No puedo usar su ubicación."),
        ("message", {"text": "quién ganó el partido de fútbol anoche"}, ""),
        ("message", {"text": "gracias, hasta luego"}, ""),
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_two_hundred_updates_of_eight_people_each_get_their_reply(
    parts: Parts, server: TelegramServer, language: Language
) -> None:
    people = range(20, 28)
    wanted: dict[int, list[str]] = {chat: [] for chat in people}
    async with running(parts, server):
        for number, (kind, content, begins) in enumerate(DAY[language], 1):
            for chat in people:
                told = json.loads(json.dumps(content).replace("{number}", f"5732155512{chat}"))
                if "contact" in told:
                    told["contact"]["user_id"] = chat
                server.write(kind, chat=chat, language=language, **told)
                if begins is not None:
                    wanted[chat].append(begins)
            await until(lambda number=number: all_done(parts, number * len(people)), 60)
    for chat in people:
        replies = [each["text"] for each in server.sent(chat)]
        for begins in wanted[chat]:  # in this order; guidance in danger is two messages
            while replies and begins not in replies[0]:
                replies.pop(0)
            assert replies, begins
            replies.pop(0)
    assert len(parts.requests.all()) == len(people)


# --- nothing lost, nothing twice --------------------------------------------------------------------------------------


def test_killed_in_the_middle_of_a_hundred_updates_nothing_is_lost(parts: Parts, server: TelegramServer) -> None:
    """A message can only be doubled where the process dies while Telegram takes it: there nobody can know."""
    for number in range(100):
        server.write(chat=10 + number % 10, text=["hello", "how much does it cost?", "what are muse cells"][number % 3])
    dice = random.Random(7)
    kills = 0
    while not all_done(parts, 100):
        parts.engine.dispose()
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_serve(parts, server))
            finally:
                os._exit(0)
        time.sleep(dice.uniform(0.3, 0.9))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        assert kills < 60
    replies = [len(server.sent(chat)) for chat in range(10, 20)]
    assert min(replies) >= 10
    assert sum(replies) - 100 <= kills * 2
    assert kills > 1


async def _serve(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        await asyncio.sleep(60)


async def test_a_flood_of_one_chat_and_of_many_is_answered_in_full(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server, webhook="http://127.0.0.1:1/telegram") as telegram:
        took: list[float] = []
        for chat in [*[5] * 30, *range(1_000, 2_000)]:
            started = time.monotonic()
            await telegram.take(server.update(chat=chat, text="hello"))
            took.append(time.monotonic() - started)
        assert sum(took[:330]) < 30
        assert max(took) < 5  # Telegram is told at once that each has arrived
        await until(lambda: all_done(parts, 1_030), 240)
    assert len(server.sent(5)) == 30
    assert all(len(server.sent(chat)) == 1 for chat in range(1_000, 2_000))


# --- how it looks -----------------------------------------------------------------------------------------------------

SOURCE = Citation("a", "A title", 2024, "study in people", "https://example.com/a")


def render(content: Content, *replies: Reply) -> list[Any]:
    return Renderer(content).messages(replies, "en", 5)


def test_footnotes_link_to_their_source(content: Content) -> None:
    (message,) = render(content, Reply("Yes 🙏.", (Claim("One.", (SOURCE,)),), buttons=(Button("More", "/more"),)))
    assert message.text == "Yes 🙏.\n• One. [1]\nSources:\n[1] A title (2024). study in people"
    encoded = message.text.encode("utf-16-le")
    told = {
        encoded[each.offset * 2 : (each.offset + each.length) * 2].decode("utf-16-le"): each.url
        for each in message.entities
    }
    assert told == {"[1]": SOURCE.url, "Sources:": None, "A title": SOURCE.url}
    assert message.keyboard.inline_keyboard[0][0].callback_data == "5.0"


def test_a_long_answer_is_split_where_sentences_end_and_loses_no_citation(content: Content) -> None:
    claims = tuple(Claim(f"Claim {number} 🙏 is told here in a sentence.", (SOURCE,)) for number in range(300))
    messages = render(content, Reply("Lead.", claims))
    assert len(messages) > 2
    for message in messages:
        units = len(message.text.encode("utf-16-le")) // 2
        assert units <= MOST_UNITS
        assert all(e.offset >= 0 and e.offset + e.length <= units and e.length > 0 for e in message.entities)
        assert message.text[-1] in ".]e"
    assert sum(message.text.count("[1]") for message in messages) == 301
    assert sum(e.type == "text_link" for message in messages for e in message.entities) == 301


def test_a_text_without_an_end_is_split_all_the_same(content: Content) -> None:
    messages = render(content, Reply("🙏" * 5_000))
    assert "".join(message.text for message in messages) == "🙏" * 5_000


def test_guidance_in_danger_is_a_message_of_its_own_with_numbers_that_can_be_tapped(content: Content) -> None:
    urgent = Reply("Call now.", (Claim("Sit up.", (SOURCE,)),), buttons=(Button("Call 123", "tel:123"),), urgent=True)
    first, second = render(content, urgent, Reply("Is help there?", buttons=(Button("Yes", "/affirm"),)))
    assert first.text.startswith("Call now.\n📞 Call 123\n1. Sit up. [1]")
    assert first.keyboard is None
    assert second.keyboard.inline_keyboard[0][0].callback_data == "5.0"


async def test_what_staff_write_reaches_the_chat_once_and_in_order(parts: Parts, server: TelegramServer) -> None:
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
        before = len(server.sent())
        parts.transcripts.say(1, "Good morning. How can I help?", "Ana")
        parts.transcripts.say(1, "I am here until noon.", "Ana")
        await until(lambda: not parts.transcripts.undelivered("telegram"))
    told = [each["text"] for each in server.sent()[before:]]
    assert told == [
        "Ana, of the clinic:\nGood morning. How can I help?",
        "Ana, of the clinic:\nI am here until noon.",
    ]
    async with running(parts, server):  # a restart sends nothing again
        await asyncio.sleep(0.2)
    assert len(server.sent()) == before + 2


@pytest.mark.parametrize(("status", "delivery"), [(403, "failed"), (500, "sent")])
async def test_how_far_the_words_of_the_staff_came_is_told(
    parts: Parts, server: TelegramServer, status: int, delivery: str
) -> None:
    async with running(parts, server):
        server.write(text="hello")
        await answered(parts, server)
        server.refusals["sendMessage"] = [(status, {})]
        parts.transcripts.say(1, "Are you there?", "Ana")
        await until(lambda: not parts.transcripts.undelivered("telegram"))
    assert parts.transcripts.of("telegram", "7")[-1].delivery == delivery
