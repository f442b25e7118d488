"""How well the assistant understands: unseen questions through the whole main path, as a person would ask them."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sklearn.metrics import f1_score

from bot.conversation import Conversation
from bot.errors import ContentError
from bot.messages import LANGUAGES, Decision, Incoming, Language, Turn
from bot.model_report import Summary

FOLDER = Path(__file__).parent / "questions"
SECOND = Path(__file__).parent / "second"  # a smaller set, looked at once all is chosen
STRANGE = "out_of_scope"
ENOUGH_WORDS = 4  # of a message whose language must be told
BINS = 10  # of confidence, for the calibration error
TRIES = 3  # to send a message that breaks

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """One unseen message. `topic`: what it is about; `style`: how it is written (plain, typos, no_keyword, ...)."""

    text: str
    topic: str
    style: str
    language: Language


@dataclass(frozen=True)
class Outcome:
    """What became of a question.

    Attributes:
        topic: What the assistant took it to be about, None when it asked or gave up.
        offered: The topics of "did you mean", or of any other choices.
        likeliest: The first candidate of the classifier; None where the signs of danger decided.
        confidence: In that candidate, 0 to 1.
    """

    question: Question
    decision: Decision
    topic: str | None
    offered: tuple[str, ...]
    likeliest: str | None
    confidence: float
    language: Language

    @property
    def strange(self) -> bool:
        return self.question.topic == STRANGE

    @property
    def answered(self) -> bool:
        """Whether the assistant committed itself to a topic of its catalogue.

        "I only know English and Spanish", in return for something strange in French, commits it to nothing.
        """
        if self.strange and self.decision == "talk" and self.topic == "change_language":
            return False
        return self.topic is not None and self.topic != STRANGE and self.decision not in ("clarify", "fallback")

    @property
    def right(self) -> bool:
        return (self.topic == STRANGE) if self.strange else (self.answered and self.topic == self.question.topic)

    @property
    def offered_right(self) -> bool:
        """Whether it asked "did you mean", and the right topic was among the choices."""
        return self.decision == "clarify" and self.question.topic in self.offered

    @property
    def beside_right(self) -> bool:
        """Whether it said "I don't know", with the right topic among the choices beside that."""
        return self.refused and self.question.topic in self.offered

    @property
    def refused(self) -> bool:
        return self.decision == "fallback"


def read_questions(folder: Path = FOLDER) -> list[Question]:
    """The questions in `folder`, one JSON object a line in `en.jsonl` and `es.jsonl`.

    Raises:
        ContentError: A file is missing, or a line is none of ours; the sentence names it.
    """
    return list(
        read_lines(
            folder,
            lambda told, language: Question(told["text"], told["topic"], told["style"], language),
            "text, topic and style",
        )
    )


def read_lines(folder: Path, make: Callable[[Any, Language], T], wanted: str) -> Iterator[T]:
    """What `make` makes of each line of `en.jsonl` and `es.jsonl` in `folder`.

    Raises:
        ContentError: A file is missing, or a line has not what is `wanted`; the sentence names it.
    """
    for language in LANGUAGES:
        file = folder / f"{language}.jsonl"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ContentError([f"evaluation: {file.name}: cannot be read ({error.strerror})"]) from error
        for number, line in enumerate(lines, 1):
            try:
                yield make(json.loads(line), language)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ContentError([f"evaluation: {file.name}: line {number}: no {wanted}"]) from error


async def ask_all(
    conversation: Conversation, questions: Sequence[Question], progress: Callable[[int], None] = lambda done: None
) -> list[Outcome]:
    """Asks each question as somebody new, in the page's language."""
    outcomes = []
    for number, question in enumerate(questions):
        outcomes.append(await _ask(conversation, question, number))
        progress(number + 1)
    return outcomes


async def _ask(conversation: Conversation, question: Question, number: int) -> Outcome:
    turn = await send(conversation, Incoming("evaluation", f"{question.language}-{number}", question.text))
    payloads = [button.payload for reply in turn.replies for button in reply.buttons if not button.is_link]
    first = turn.candidates[0] if turn.candidates else None
    return Outcome(
        question,
        turn.decision,
        turn.topics[0] if turn.topics else None,
        tuple(payload.lstrip("/").partition("{")[0] for payload in payloads),
        first.topic if first else None,
        first.confidence if first else 1.0,
        turn.language,
    )


async def send(conversation: Conversation, message: Incoming) -> Turn:
    """The turn of somebody new. What breaks is sent again: that a machine is too busy says nothing about a model."""
    for number in range(TRIES):
        turn = await conversation.handle(replace(message, sender=f"{message.sender}-{number}"))
        if turn.failure is None:
            break
    return turn


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The figures of `outcomes`, those of one language."""
    inside = [each for each in outcomes if not each.strange]
    strange = [each for each in outcomes if each.strange]
    decided = [each.topic if each.answered or each.topic == STRANGE else "none" for each in outcomes]
    styles: dict[str, list[Outcome]] = defaultdict(list)
    for each in inside:
        styles[each.question.style].append(each)
    long = [each for each in outcomes if _has_language(each.question)]
    topics = sorted({each.question.topic for each in outcomes})
    return Summary(
        count=len(inside),
        right=_share(each.right for each in inside),
        offered=_share(each.offered_right for each in inside),
        wrong=_share(each.answered and not each.right for each in inside),
        refused=_share(each.refused for each in inside),
        beside=_share(each.beside_right for each in inside),
        found=_share(each.right or each.offered_right or each.beside_right for each in inside),
        macro_f1=float(
            f1_score(
                [each.question.topic for each in outcomes], decided, labels=topics, average="macro", zero_division=0
            )
        ),
        likeliest=_share((each.likeliest or each.topic) == each.question.topic for each in inside),
        strange_count=len(strange),
        strange_answered=_share(each.answered for each in strange),
        strange_refused=_share(each.refused for each in strange),
        calibration=calibration_error(
            [(each.confidence, each.likeliest == each.question.topic) for each in outcomes if each.likeliest]
        ),
        language=_share(each.language == each.question.language for each in long),
        styles={style: (len(some), _share(each.right for each in some)) for style, some in sorted(styles.items())},
    )


def _has_language(question: Question) -> bool:
    """Whether the reply to it should be in its language: not where another is asked for, or gibberish was typed."""
    return len(question.text.split()) >= ENOUGH_WORDS and question.topic not in ("change_language", STRANGE)


def calibration_error(told: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error of (confidence, was right) pairs: how far off the mean confidence is, bin by bin."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in told:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    gaps = (abs(sum(c for c, _ in some) - sum(right for _, right in some)) for some in bins.values())
    return sum(gaps) / len(told) if told else 0.0


def confusions(outcomes: Iterable[Outcome]) -> list[tuple[str, str, int]]:
    """Wrong answers, the commonest first: what was asked, what was answered, how often."""
    pairs = Counter((each.question.topic, str(each.topic)) for each in outcomes if each.answered and not each.right)
    return [(asked, answered, count) for (asked, answered), count in pairs.most_common()]


def _share(values: Iterable[bool]) -> float:
    several = list(values)
    return sum(several) / len(several) if several else 0.0
