"""How quick the pages of the staff are, with as many conversations as a clinic has in years. All of it is made up."""

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import quantiles

import httpx
from sqlalchemy import Engine, text

from bot.app import create_app
from bot.settings import Settings
from bot.store import migrate, open_database
from bot.store.staff import Staff

TURNS = 5  # of a conversation
ROUNDS = 40  # of each page, after one that is not counted
SLICE = 2_000  # conversations that are written at once
WORDS = [
    "puedo",
    "volver",
    "a",
    "caminar",
    "con",
    "las",
    "células",
    "cuánto",
    "cuesta",
    "el",
    "tratamiento",
    "tengo",
    "una",
    "lesión",
    "cervical",
    "desde",
    "hace",
    "años",
    "can",
    "I",
    "walk",
    "again",
    "how",
    "much",
    "does",
    "it",
    "cost",
    "is",
    "it",
    "proven",
    "my",
    "son",
    "has",
    "an",
    "injury",
    "what",
    "are",
    "the",
    "risks",
    "where",
    "is",
    "the",
    "clinic",
]
TOPICS = ("walk_again", "cost", "efficacy_proof", "side_effects", "location", "eligibility", "human", "out_of_scope")

# What staff look at. Rare and frequent words, filters that find much, little and nothing.
PAGES = {
    "inbox": "/staff/inbox",
    "the part that comes every few seconds": "/staff/inbox?seen=x",
    "needs a person": "/staff/inbox?state=waiting",
    "a rare flag": "/staff/inbox?flag=failure",
    "a flag that nobody has": "/staff/inbox?flag=unsafe",
    "a topic": "/staff/inbox?topic=walk_again",
    "all filters at once": "/staff/inbox?state=bot&flag=unsure&channel=telegram&language=es&topic=cost&surer=10"
    "&less_sure=90&longer=2&shorter=9&label=vip&assignee=0",
    "a frequent word": "/staff/inbox?sought={caminar}",
    "a rare word": "/staff/inbox?sought={celulas ornitorrinco}",
    "words and filters": "/staff/inbox?sought={caminar}&state=closed&language=es",
    "thousands of pages on": "/staff/inbox?after={middle}",
    "a transcript": "/staff/conversations/777",
    "who needs a person": "/staff/urgent",
}


@dataclass(frozen=True)
class Speed:
    """Milliseconds from asking for a page until it is there."""

    page: str
    p50: float
    p95: float
    rows: int


def measure(settings: Settings, conversations: int, told: Callable[[float], None]) -> list[Speed]:
    """Fills the database of `settings`, which must be a throw-away one, and asks for each page many times."""
    engine = open_database(settings.database_url)
    migrate(engine)
    fill(engine, conversations, lambda share: told(share * 0.7))
    middle = datetime.now(UTC) - timedelta(days=365)
    return asyncio.run(_ask(settings, engine, f"{middle.isoformat()}_0".replace("+", "%2B"), told))


async def _ask(settings: Settings, engine: Engine, middle: str, told: Callable[[float], None]) -> list[Speed]:
    app = create_app(settings)
    staff = Staff(engine)
    member = staff.add("measure", "Ana", "admin", "es")
    cookies = {"musebot_staff": staff.enter(member)}
    found = []
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://measure", cookies=cookies) as client:
        for number, (name, path) in enumerate(PAGES.items()):
            headers = {"hx-request": "true"} if "seen=" in path else {}
            path, times, rows = path.replace("{middle}", middle), [], 0
            if words := re.search(r"\{(.+)\}", path):
                path = path.replace(words[0], await _sought(client, words[1]))
            await client.get(path, headers=headers)
            for _ in range(ROUNDS):
                started = time.perf_counter()
                answer = await client.get(path, headers=headers)
                times.append((time.perf_counter() - started) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{path} answered {answer.status_code}")
                rows = answer.text.count("data-item")
            parts = quantiles(times, n=20)
            found.append(Speed(name, parts[9], parts[18], rows))
            told(0.7 + 0.3 * (number + 1) / len(PAGES))
    return found


async def _sought(client: httpx.AsyncClient, words: str) -> str:
    """What is searched for, as addresses carry it."""
    page = (await client.get("/staff/me")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    sent = {"form_token": token[1] if token else "", "words": words}
    return (await client.post("/staff/inbox", data=sent)).headers["location"].partition("sought=")[2]


def fill(engine: Engine, conversations: int, told: Callable[[float], None]) -> None:
    """Writes so many conversations, spread over two years."""
    dice = random.Random(7)  # noqa: S311 - no secret
    begin = datetime.now(UTC) - timedelta(days=730)
    for first in range(1, conversations + 1, SLICE):
        numbers = range(first, min(first + SLICE, conversations + 1))
        made = [_conversation(dice, number, begin, conversations) for number in numbers]
        turns = [turn for row in made for turn in _turns(dice, row)]
        with engine.begin() as connection:
            connection.execute(text(_insert("conversation", made[0])), made)
            connection.execute(text(_insert("turn", turns[0])), turns)
        told(first / conversations)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def _insert(table: str, row: dict[str, object]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"  # noqa: S608


def _conversation(dice: random.Random, number: int, begin: datetime, conversations: int) -> dict[str, object]:
    at = begin + timedelta(days=730) * (number / conversations)
    rare = dice.random()
    flags = " failure " if rare < 0.0005 else " unsure " if rare < 0.3 else " emergency " if rare < 0.32 else ""
    return {
        "id": number,
        "channel": dice.choice(("web", "telegram")),
        "sender": f"person-{number}",
        "language": dice.choice(("en", "es")),
        "language_chosen": False,
        "buttons": "[]",
        "dialogue": json.dumps({"slots": {"filler": "x" * 1500}}),
        "flags": flags,
        "labels": " vip " if dice.random() < 0.01 else "",
        "topics": f" {' '.join(dice.sample(TOPICS, 3))} ",
        "state": "waiting" if number > conversations - 20 else dice.choice(("bot", "closed")),
        "waiting_since": _moment(at) if number > conversations - 20 else None,
        "length": TURNS,
        "confidence": dice.random(),
        "created_at": _moment(at),
        "updated_at": _moment(at + timedelta(minutes=10)),
    }


def _turns(dice: random.Random, row: dict[str, object]) -> Iterator[dict[str, object]]:
    for place in range(TURNS):
        number = int(str(row["id"])) * TURNS + place
        rare = " ornitorrinco" if number % 100_000 == 0 else ""
        topic = dice.choice(TOPICS)
        yield {
            "id": number,
            "conversation_id": row["id"],
            "channel": row["channel"],
            "text": " ".join(dice.choices(WORDS, k=9)) + rare,
            "language": row["language"],
            "decision": "answer",
            "topics": json.dumps([topic]),
            "candidates": json.dumps([{"topic": topic, "confidence": dice.random()}]),
            "replies": json.dumps([_REPLY]),
            "revisions": json.dumps([f"{topic}@0123456789"]),
            "latency_ms": 30.0,
            "created_at": row["created_at"],
        }


_REPLY = {
    "text": "words of an answer " * 10, "claims": [], "unknown": "", "evidence": "", "notes": [], "buttons": [],
    "urgent": False, "revision": "walk_again@0123456789",
}  # fmt: skip


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
