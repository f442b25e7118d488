"""The measure itself: right figures from known outcomes, and the real questions as they are."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.content import Content
from bot.errors import ContentError
from bot.messages import LANGUAGES
from evaluation.questions import SECOND, Outcome, Question, calibration_error, confusions, read_questions, summarise
from evaluation.report import write_report


def outcome(topic: str, decision: Any, told: str | None, offered: tuple[str, ...] = (), sure: float = 0.9) -> Outcome:
    question = Question(f"a message about {topic}", topic, "plain", "en")
    return Outcome(question, decision, told, offered, told, sure, "en")


OUTCOMES = [
    outcome("cost", "answer", "cost"),
    outcome("cost", "answer", "hours"),
    outcome("hours", "clarify", None, ("cost", "hours")),
    outcome("hours", "clarify", None, ("cost",)),
    outcome("team", "fallback", None),
    outcome("team", "fallback", "out_of_scope"),
    outcome("out_of_scope", "fallback", "out_of_scope"),
    outcome("out_of_scope", "clarify", None, ("cost",)),
    outcome("out_of_scope", "answer", "cost"),
    outcome("crisis_suicide", "emergency", "crisis_suicide"),
]


def test_the_figures_of_known_outcomes() -> None:
    told = summarise(OUTCOMES)
    assert (told.count, told.strange_count) == (7, 3)
    assert told.right == pytest.approx(2 / 7)
    assert told.offered == pytest.approx(1 / 7)
    assert told.wrong == pytest.approx(1 / 7)
    assert told.refused == pytest.approx(2 / 7)
    assert told.strange_answered == pytest.approx(1 / 3)
    assert told.strange_refused == pytest.approx(1 / 3)
    assert told.language == 1.0  # of those in scope
    assert told.styles == {"plain": (7, pytest.approx(2 / 7))}
    assert sorted(confusions(OUTCOMES)) == [("cost", "hours", 1), ("out_of_scope", "cost", 1)]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ([], 0.0),
        ([(1.0, True), (1.0, True)], 0.0),
        ([(1.0, False)], 1.0),
        ([(0.75, True), (0.75, False)], 0.25),
        ([(0.05, False), (0.95, True)], 0.05),
    ],
)
def test_calibration_error(told: list[tuple[float, bool]], error: float) -> None:
    assert calibration_error(told) == pytest.approx(error)


def test_the_report_holds_the_figures_and_no_script(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    write_report(file, OUTCOMES, {"en": summarise(OUTCOMES)})
    page = file.read_text(encoding="utf-8")
    assert "28.6 %" in page
    assert "<script" not in page
    assert "http" not in page


def test_the_questions_cover_the_catalogue_in_both_languages(content: Content) -> None:
    assert {question.topic for question in read_questions(SECOND)} == set(content.topics)
    counts = Counter((question.language, question.topic) for question in read_questions())
    for language in LANGUAGES:
        for topic in content.topics:
            assert counts[language, topic] >= 8, (language, topic)
    assert {topic for _, topic in counts} <= set(content.topics)


@pytest.mark.parametrize(("line", "number"), [("no json", 2), ('{"text": "a"}', 2), ("[1]", 2)])
def test_a_broken_line_is_named(tmp_path: Path, line: str, number: int) -> None:
    for language in LANGUAGES:
        (tmp_path / f"{language}.jsonl").write_text('{"text": "a", "topic": "cost", "style": "plain"}\n' + line)
    with pytest.raises(ContentError, match=f"line {number}: no text, topic and style"):
        read_questions(tmp_path)
