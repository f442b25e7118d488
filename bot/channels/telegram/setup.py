"""How the bot looks at Telegram: its commands, descriptions, and whether everything is in order there."""

import logging
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from telegram import Bot, BotCommand
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, Application

from bot.content import Content
from bot.messages import LANGUAGES, Language

MOST_RETRIES = 5
MOST_SECONDS_OFF = 60  # of the clock
FIRST_LANGUAGE: Language = "es"  # for those whose Telegram speaks neither


def telegram_application(token: str, api: str) -> Application[Any, Any, Any, Any, Any, Any]:
    """The library's application, which keeps to Telegram's limits and reads no updates by itself.

    Args:
        token: Of the bot.
        api: Where the Bot API is; Telegram's own server, or one of the clinic's.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address, and the token is part of it
    return (
        Application.builder()
        .token(token)
        .base_url(f"{api}/bot")
        .base_file_url(f"{api}/file/bot")
        .rate_limiter(AIORateLimiter(max_retries=MOST_RETRIES))
        .updater(None)
        .connection_pool_size(64)
        .pool_timeout(30)
        .connect_timeout(10)
        .read_timeout(30)  # who gives up early does not know whether the message was taken, and sends it again
        .write_timeout(30)
        .build()
    )


async def introduce(bot: Bot, content: Content) -> None:
    """Sets the commands and descriptions in both languages, as far as Telegram has others: it allows few changes a day.

    Raises:
        TelegramError: Telegram cannot be reached, or takes none of it.
    """
    for code in ("", *LANGUAGES):
        language: Language = FIRST_LANGUAGE if code == "" else "en" if code == "en" else "es"
        commands = tuple(BotCommand(name, entry.of(language)) for name, entry in content.telegram.commands.items())
        if await bot.get_my_commands(language_code=code or None) != commands:
            await bot.set_my_commands(commands, language_code=code or None)
        description = content.telegram.description.of(language)
        if (await bot.get_my_description(code or None)).description != description:
            await bot.set_my_description(description, language_code=code or None)
        about = content.telegram.about.of(language)
        if (await bot.get_my_short_description(code or None)).short_description != about:
            await bot.set_my_short_description(about, language_code=code or None)


async def examine(bot: Bot, content: Content, webhook: str | None, api: str) -> AsyncIterator[tuple[bool, str]]:
    """Whether the bot is in order, a line for each thing: is it well, and what to do if not."""
    try:
        me = await bot.get_me()
    except InvalidToken:
        yield False, "The token is not valid. Ask @BotFather for it again (/mybots, API Token) and put it into .env."
        return
    except TelegramError as error:
        yield False, f"Telegram cannot be reached ({type(error).__name__}). Check the network of this machine."
        return
    yield True, f"The token is valid; the bot is @{me.username}."
    try:
        webhook_line = await _webhook_line(bot, webhook)
        commands = {command.command for command in await bot.get_my_commands(language_code="es")}
    except TelegramError as error:
        yield False, f"Telegram does not answer ({type(error).__name__}). Try again in a minute."
        return
    yield webhook_line
    missing = content.telegram.commands.keys() - commands
    yield (
        not missing,
        (
            f"The menu lacks {', '.join(sorted(missing))}: it is set when `musebot serve` starts."
            if missing
            else "The menu of commands is set."
        ),
    )
    yield await _clock_line(api)


async def _webhook_line(bot: Bot, webhook: str | None) -> tuple[bool, str]:
    info = await bot.get_webhook_info()
    if info.url != (webhook or ""):
        wanted = f"calls {webhook}" if webhook else "is asked for messages"
        return False, f"Telegram is set up otherwise than .env says ({wanted}): start `musebot serve` once."
    if info.last_error_message and info.pending_update_count:
        return False, f"Telegram cannot deliver to the webhook: {info.last_error_message}."
    how = "calls the webhook" if webhook else "is asked for messages (no PUBLIC_URL is set)"
    return True, f"Telegram {how}; {info.pending_update_count} messages wait."


async def _clock_line(api: str) -> tuple[bool, str]:
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(api)
        off = abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time())
    except (KeyError, ValueError, httpx.HTTPError):
        return True, "The clock could not be compared."
    if off > MOST_SECONDS_OFF:
        return False, f"The clock of this machine is {off:.0f} seconds off: set it by the network (NTP)."
    return True, "The clock is right."
