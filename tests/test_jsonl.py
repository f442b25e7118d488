"""`musebot ask --jsonl`: scripts outside the project depend on its form."""

import json
from typing import Any

import pytest

from bot.app import Parts
from bot.channels.jsonl import answer_lines

KEYS = {"conversation", "text", "language", "decision", "topics", "candidates", "messages", "slots", "ms"}


async def ask(parts: Parts, *lines: Any) -> list[dict[str, Any]]:
    out: list[str] = []
    given = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    await answer_lines(given, parts.conversation.handle, out.append)
    return [json.loads(line) for line in out]


async def test_a_line_has_the_promised_form(parts: Parts) -> None:
    (answer,) = await ask(parts, {"conversation": "c1", "text": "how much is it?"})
    assert set(answer) == KEYS
    assert (answer["language"], answer["decision"], answer["topics"]) == ("en", "answer", ["cost"])
    assert set(answer["candidates"][0]) == {"topic", "confidence"}
    reply = answer["messages"][0]
    assert {"text", "claims", "evidence", "buttons"} <= set(reply)
    assert all(claim["text"] and claim["citations"] for claim in reply["claims"])
    assert all(set(button) == {"title", "payload"} for button in reply["buttons"])
    assert answer["slots"] == {}
    assert answer["ms"] > 0


async def test_lines_of_one_conversation_share_its_state(parts: Parts) -> None:
    answers = await ask(
        parts,
        {"conversation": "c1", "text": "will I walk again?"},
        {"conversation": "c2", "text": "tell me more", "lang": "en"},
        {"conversation": "c1", "text": "tell me more"},
    )
    assert not answers[1]["messages"][0]["claims"]
    assert answers[2]["messages"][0]["claims"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "not JSON"),
        ('{"conversation": "c1"', "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ({"text": "hi"}, "'conversation' must be a string"),
        ({"conversation": "c1"}, "'text' must be a string"),
        ('{"conversation": "c1", "text": "hi \\ud83d"}', "half a character"),
        ("[" * 100_000, "not JSON"),
        ({"conversation": "", "text": "hi"}, "'conversation' is empty"),
        ({"conversation": 1, "text": "hi"}, "'conversation' must be a string"),
        ({"conversation": "c1", "text": None}, "'text' must be a string"),
        ({"conversation": "c1", "text": "hi", "lang": "fr"}, "'lang' must be"),
        ({"conversation": "c1", "text": "hi", "button": 3}, "'button' must be a string"),
        ({"conversation": "c1", "text": "hi", "buton": "/cost"}, "unknown field: buton"),
    ],
)
async def test_a_bad_line_is_told_why_and_the_next_is_read(parts: Parts, line: Any, reason: str) -> None:
    answers = await ask(parts, line, {"conversation": "c1", "text": "hello"})
    assert set(answers[0]) == {"error"}
    assert reason in answers[0]["error"]
    assert answers[1]["topics"] == ["greet"]


async def test_a_language_and_a_button_can_be_given(parts: Parts) -> None:
    spanish, button = await ask(
        parts,
        {"conversation": "c1", "text": "muse", "lang": "es"},
        {"conversation": "c1", "text": "", "button": "/cost"},
    )
    assert spanish["language"] == "es"
    assert (button["topics"], button["language"]) == (["cost"], "es")


async def test_blank_lines_are_passed_over(parts: Parts) -> None:
    assert len(await ask(parts, "", "   ", {"conversation": "c1", "text": "hello"})) == 1
