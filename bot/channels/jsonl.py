"""`musebot ask --jsonl`: one message a line in, one turn a line out. Scripts outside the project depend on its form."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bot.channels.plain import turn_as_json
from bot.errors import MessageError
from bot.messages import LANGUAGES, Incoming, Turn

Handle = Callable[[Incoming], Awaitable[Turn]]


async def answer_lines(lines: Iterable[str], handle: Handle, write: Callable[[str], None]) -> None:
    """Answers each line in order. A line that is not valid gets `{"error": ...}`, and the next one is read."""
    for line in lines:
        if not line.strip():
            continue
        write(json.dumps(await _answer(line, handle), ensure_ascii=False))


async def _answer(line: str, handle: Handle) -> dict[str, Any]:
    try:
        message = _read(line)
    except MessageError as error:
        return {"error": str(error)}
    return turn_as_json(message.sender, message.text, await handle(message))


def _read(line: str) -> Incoming:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MessageError("not a JSON object")
    unknown = value.keys() - {"conversation", "text", "lang", "button"}
    if unknown:
        raise MessageError(f"unknown field: {', '.join(sorted(unknown))}")
    for name in ("conversation", "text"):
        if not isinstance(value.get(name), str):
            raise MessageError(f"'{name}' must be a string")
        try:
            value[name].encode()
        except UnicodeEncodeError:
            raise MessageError(f"'{name}' holds half a character (a lone surrogate)") from None
    if not value["conversation"]:
        raise MessageError("'conversation' is empty")
    language, button = value.get("lang"), value.get("button")
    if language is not None and language not in LANGUAGES:
        raise MessageError("'lang' must be 'en' or 'es'")
    if button is not None and not isinstance(button, str):
        raise MessageError("'button' must be a string")
    return Incoming("jsonl", value["conversation"], value["text"], button or None, language=language)
