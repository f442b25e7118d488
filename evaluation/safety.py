"""How well danger is noticed: messages of danger and near misses, by the rules alone and by the whole main path."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.content import TopicEntry
from bot.conversation import Conversation
from bot.messages import Incoming, Language
from bot.model_report import Row
from bot.triage import Triage
from evaluation.questions import STRANGE, Question, read_lines, read_questions, send

FOLDER = Path(__file__).parent / "safety"


@dataclass(frozen=True)
class Message:
    """One message that may tell of danger.

    Attributes:
        danger: The safety topic, None for one that only sounds like danger.
        style: How it is written (plain, typos, no_keyword, ...).
        explicit: Whether its words alone tell that someone is in danger now.
        kind: Why a near miss is none (past, negation, idiom, ...); "question" for an ordinary question in scope.
    """

    text: str
    language: Language
    danger: str | None
    style: str
    explicit: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Outcome:
    """The safety topic that a message was taken for, by the rules alone and by all; None for none.

    Attributes:
        told: Whether the person was told whom to call, be it above an answer to what they asked.
    """

    message: Message
    by_rules: str | None
    by_all: str | None
    told: bool


def read_messages(folder: Path = FOLDER) -> list[Message]:
    """The messages in `folder`, one JSON object a line in `en.jsonl` and `es.jsonl`.

    Raises:
        ContentError: A file is missing, or a line is none of ours; the sentence names it.
    """
    return list(read_lines(folder, _message, "text, danger and style"))


def _message(told: dict[str, Any], language: Language) -> Message:
    sure, kind = bool(told.get("explicit")), str(told.get("kind", ""))
    return Message(told["text"], language, told["danger"], told["style"], sure, kind)


def all_messages(topics: Mapping[str, TopicEntry]) -> list[Message]:
    """The messages of danger, those that only sound like it, and the ordinary questions. `topics`: the catalogue."""
    dangers = [topic for topic, entry in topics.items() if entry.kind == "safety"]
    return [*read_messages(), *ordinary(read_questions(), dangers)]


def ordinary(questions: Iterable[Question], dangers: Iterable[str]) -> list[Message]:
    """Questions in scope that tell of no danger, as messages that must raise no alarm."""
    apart = {*dangers, STRANGE}
    return [Message(q.text, q.language, None, q.style, kind="question") for q in questions if q.topic not in apart]


async def ask_all(
    conversation: Conversation, messages: Sequence[Message], progress: Callable[[int], None] = lambda done: None
) -> list[Outcome]:
    """Sends each message as somebody new, in the page's language."""
    outcomes = []
    for number, message in enumerate(messages):
        alarm = conversation.triage.assess(message.text)
        sender = f"danger-{message.language}-{number}"  # not one of those who asked the questions
        turn = await send(conversation, Incoming("evaluation", sender, message.text, hint=message.language))
        raised = turn.topics[0] if turn.decision == "emergency" else None
        told = raised is not None or turn.replies[0].revision.startswith("in_case@")
        outcomes.append(Outcome(message, alarm.topic if alarm else None, raised, told))
        progress(number + 1)
    return outcomes


def rows(outcomes: Sequence[Outcome]) -> Iterator[Row]:
    """The figures of one language: dangers by topic and style, near misses by kind, ordinary questions."""
    danger = [each for each in outcomes if each.message.danger]
    near = [each for each in outcomes if not each.message.danger and each.message.kind != "question"]
    yield row("danger", danger)
    yield row("... said in so many words", [each for each in danger if each.message.explicit])
    yield from _by("  ", danger, lambda each: each.message.danger or "")
    yield from _by("  style: ", danger, lambda each: each.message.style)
    yield row("near misses", near)
    yield from _by("  ", near, lambda each: each.message.kind)
    yield row("ordinary questions", [each for each in outcomes if each.message.kind == "question"])


def row(name: str, outcomes: Sequence[Outcome]) -> Row:
    """The figures of `outcomes`."""
    return Row(
        name,
        len(outcomes),
        sum(each.by_rules is not None for each in outcomes),
        sum(each.by_all is not None for each in outcomes),
        sum(each.by_all is not None and each.by_all == each.message.danger for each in outcomes),
        sum(each.told for each in outcomes),
    )


def missed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Messages of danger that raised no alarm, those that say it in so many words first."""
    found = [each for each in outcomes if each.message.danger and not each.by_all]
    return sorted(found, key=lambda each: not each.message.explicit)


def false_alarms(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Messages without danger that raised an alarm."""
    return [each for each in outcomes if not each.message.danger and each.by_all]


def times(triage: Triage, messages: Sequence[Message]) -> dict[str, float]:
    """How long the rules take, in milliseconds: the messages as they are, each twice, and texts of growing length."""

    def took(text: str) -> float:
        started = time.perf_counter()
        triage.assess(text)
        return (time.perf_counter() - started) * 1000

    first, again = ([took(each.text) for each in messages] for _ in range(2))
    told = {"messages, p95, first time": quantile(first), "messages, p95, again": quantile(again)}
    everything = " ".join(each.text.replace(".", ",") for each in messages)
    for length in (1_000, 10_000, 100_000):
        text = (everything * (length // len(everything) + 1))[:length]
        told[f"{length:,} characters without an end of sentence"] = min(took(text) for _ in range(3))
    return told


def quantile(values: Sequence[float], share: float = 0.95) -> float:
    """The value that `share` of all stay below."""
    return sorted(values)[int(share * (len(values) - 1))]


def _by(before: str, outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> Iterator[Row]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        groups[key(each)].append(each)
    for name in sorted(groups):
        yield row(before + name, groups[name])
