"""`musebot chat`: what the terminal shows."""

from collections.abc import Iterator

from bot.app import Parts
from bot.channels.terminal import chat


async def talk(parts: Parts, *lines: str) -> str:
    typed: Iterator[str] = iter(lines)
    shown: list[str] = []
    await chat(lambda: next(typed, None), shown.append, parts.conversation.handle, parts.content, "en")
    return "\n".join(shown)


async def test_a_conversation_with_footnotes_and_a_typed_number(parts: Parts) -> None:
    shown = await talk(parts, "2")  # the greeting's second choice
    assert "1) What are Muse cells?" in shown
    assert "It is not proven that Muse cells help" in shown
    assert "[1]" in shown
    assert "https://doi.org/10.1186/s13287-024-03842-w" in shown
    assert "Weakest evidence used here: one study of 10 people, no comparison group." in shown


async def test_guidance_in_danger_is_numbered_and_links_are_written_out(parts: Parts) -> None:
    shown = await talk(parts, "I can't breathe")
    assert "  1. Say that the person has a spinal cord injury" in shown
    assert "→ Call 123 (Colombia)  tel:123" in shown
