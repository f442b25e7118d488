"""`musebot chat`: the conversation in the terminal."""

import itertools
import secrets
from collections.abc import Awaitable, Callable

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
    greeting = Incoming("terminal", sender, button="/greet", hint=language)
    _show(await handle(greeting), content, write)
    while (line := ask()) is not None:
        if line.strip():
            message = Incoming("terminal", sender, line, update_id=f"{sender}:{next(numbers)}")
            _show(await handle(message), content, write)


def _show(turn: Turn, content: Content, write: Callable[[str], None]) -> None:
    write("")
    for line in lines_of(turn.replies, content, turn.language):
        write(line)
    write("")
