"""`musebot chat`: the conversation in the terminal."""

import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterator

from bot.channels.plain import lines_of
from bot.content import Content
from bot.messages import Incoming, Language, Turn

Handle = Callable[[Incoming], Awaitable[Turn]]


async def chat(
    ask: Callable[[], str | None], write: Callable[[str], None], handle: Handle, content: Content, language: Language
) -> None:
    """Talks until `ask` gives None. Each run is a conversation of its own.

    Args:
        ask: The next line that the person types.
        write: Shows one line.
        handle: The main path.
        content: For the labels around a reply.
        language: To greet in; after that the person's own language decides.
    """
    sender = secrets.token_urlsafe(8)
    numbers = itertools.count()
    _show(await handle(_message(sender, numbers, "", "/greet", language)), content, write)
    while (line := ask()) is not None:
        if line.strip():
            _show(await handle(_message(sender, numbers, line)), content, write)


def _message(
    sender: str, numbers: Iterator[int], text: str, button: str | None = None, language: Language | None = None
) -> Incoming:
    return Incoming("terminal", sender, text, button, f"{sender}:{next(numbers)}", language)


def _show(turn: Turn, content: Content, write: Callable[[str], None]) -> None:
    write("")
    for line in lines_of(turn.replies, content, turn.language):
        write(line)
    write("")
