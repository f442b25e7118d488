"""The comparison with the people of the study: over several messages, one question at a time, nothing decided."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.answers import Answers
from bot.app import Parts
from bot.content import Content, Review
from bot.curation import CASES
from bot.eligibility import SLOTS, Eligibility, case_of
from bot.messages import LANGUAGES, Incoming, Language, Turn


async def say(parts: Parts, text: str, sender: str = "eva", **options: Any) -> Turn:
    return await parts.conversation.handle(Incoming("terminal", sender, text, **options))


def lines(turn: Turn) -> list[str]:
    return [claim.text for claim in turn.replies[0].claims]


@pytest.mark.parametrize(
    ("feature", "value", "case"),
    [
        ("level", "C3", "neck_outside"),
        ("level", "C4", "inside"),
        ("level", "C7", "inside"),
        ("level", "C8", "neck_outside"),
        ("level", "C3-C5", "neck_partly"),
        ("level", "C4-C7", "inside"),
        ("level", "C7-T1", "neck_partly"),
        ("level", "T1", "below"),
        ("level", "cervical", "neck"),
        ("level", "paraplegia", "below"),
        ("level", "cauda", "below"),
        ("completeness", "complete", "complete"),
        ("completeness", "incomplete", "incomplete"),
        ("completeness", "B", "some_feeling"),
        ("completeness", "B1", "some_feeling"),
        ("completeness", "B2", "some_feeling"),
        ("completeness", "B3", "pain_feeling"),
        ("completeness", "C", "movement"),
        ("completeness", "D", "movement"),
        ("time", 17.9, "sooner"),
        ("time", 18, "inside"),
        ("time", 24, "inside"),
        ("time", 24.1, "later"),
        ("age", 15, "younger"),
        ("age", 16, "inside"),
        ("age", 74, "inside"),
        ("age", 75, "older"),
        ("cause", "nontraumatic", "nontraumatic"),
        ("illness", "none", "none"),
    ],
)
def test_how_a_value_stands_to_the_study(feature: str, value: Any, case: str) -> None:
    assert case_of(feature, value) == case
    assert case in CASES[feature]


@pytest.mark.parametrize(
    ("first", "yes", "no", "question", "language"),
    [
        (
            "Am I a candidate? I am C5 complete, injured 3 years ago",
            ["C5: yes."],
            ["Complete: no.", "3 years: no."],
            "How old",
            "en",
        ),
        (
            "¿Soy candidato? Tengo una lesión C5 completa desde hace 3 años",
            ["C5: sí."],
            ["Completa: no.", "3 años: no."],
            "Cuántos años",
            "es",
        ),
        ("could my 14 year old with T10 be a candidate?", [], ["T10: no.", "14 years old: no."], "feeling", "en"),
        ("¿mi hermano podría ser candidato? tiene 30 años", ["30 años: sí."], [], "nivel", "es"),
    ],
)
async def test_what_was_told_is_compared_and_one_thing_is_asked(
    parts: Parts, first: str, yes: list[str], no: list[str], question: str, language: Language
) -> None:
    turn = await say(parts, first)
    assert (turn.topics, turn.language) == (("eligibility",), language)
    comparison, asked = turn.replies
    shown = lines(turn)
    for start in (*yes, *no):
        assert any(line.startswith(start) for line in shown), (start, shown)
    assert len(shown) == len(yes) + len(no) + 1  # and what it all promises: nothing
    assert all(claim.citations for claim in comparison.claims)
    assert comparison.evidence
    assert comparison.unknown
    assert question in asked.text
    assert asked.text.rstrip("?").count("?") <= 1
    assert any(button.payload == "/contact" for button in asked.buttons)


async def test_slots_are_gathered_over_messages_and_nothing_is_asked_twice(parts: Parts) -> None:
    questions = [(await say(parts, "could I be a candidate for this?")).replies[-1].text]
    for reply in ("C6", "I don't know", "20 days ago", "45", "a car crash", "no"):
        turn = await say(parts, reply)
        assert turn.topics == ("eligibility",), reply
        questions.append(turn.replies[-1].text)
    assert len(set(questions)) == len(questions)
    assert [line.partition(":")[0] for line in lines(turn)[:-1]] == [
        "C6",
        "20 days",
        "45 years old",
        "From a blow or a wound",
        "No other illness",
    ]
    assert turn.slots == {
        "injury_level": "C6",
        "injury_days": 20.0,
        "age": 45.0,
        "cause": "traumatic",
        "illness": "none",
    }


async def test_going_on_shows_only_what_is_new(parts: Parts) -> None:
    await say(parts, "¿puedo ser candidato? soy C5")
    turn = await say(parts, "completa")
    assert [line.partition(":")[0] for line in lines(turn)[:-1]] == ["Completa"]
    unknown = await say(parts, "no sé")
    assert len(unknown.replies) == 1  # only the next question


async def test_a_question_in_between_is_answered_and_a_correction_counts(parts: Parts) -> None:
    await say(parts, "am I a candidate? C5 complete")
    assert (await say(parts, "how much does it cost?")).topics == ("cost",)
    assert (await say(parts, "no")).topics == ("deny",)  # no reply to a question of ours any more
    turn = await say(parts, "am I a candidate?")
    assert lines(turn)[0].startswith("C5")
    turn = await say(parts, "sorry, it is C7")
    assert turn.slots["injury_level"] == "C7"
    assert any("C7" in line for line in lines(turn))


async def test_danger_comes_before_any_question(parts: Parts) -> None:
    await say(parts, "am I a candidate? C5 complete")
    assert (await say(parts, "I can't breathe")).decision == "emergency"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_choices_work_as_buttons_and_by_their_number(parts: Parts, language: Language) -> None:
    await say(parts, "", button='/eligibility{"injury_level": "C5"}', language=language)
    turn = await say(parts, "2", language=language)
    assert turn.slots["completeness"] == "B"


@pytest.mark.parametrize("value", ["You will walk", "<b>C5</b>", "T99 guaranteed", "", "C5; DROP TABLE", "-1e309"])
async def test_a_forged_button_is_neither_believed_nor_shown(parts: Parts, value: str) -> None:
    for slot in SLOTS.values():
        turn = await say(parts, "", sender=slot, button=f'/eligibility{{"{slot}": "{value}"}}', language="en")
        shown = " ".join(reply.text + " ".join(claim.text for claim in reply.claims) for reply in turn.replies)
        assert turn.failure is None
        assert not value or value not in shown


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_case_reads_as_a_sentence_of_its_language(
    parts: Parts, content: Content, language: Language
) -> None:
    values: dict[str, list[Any]] = {
        "level": ["C5", "C1", "T4", "cervical", "lumbar", "paraplegia", "cauda"],
        "completeness": ["complete", "incomplete", "B", "B1", "B3", "C", "D", "E"],
        "time": [1, 5, 20, 45, 365.25, 547.9, 1095.8],
        "age": [5, 40, 80],
        "cause": ["traumatic", "nontraumatic"],
        "illness": ["none", "cancer", "blood_pressure", "breathing", "nerve", "other"],
    }
    for feature, several in values.items():
        for value in several:
            reply = parts.conversation.eligibility.compare({SLOTS[feature]: value}, (), language)
            assert reply is not None
            text = reply.claims[0].text
            assert "{" not in text
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")


@pytest.mark.parametrize("answer_approved", [False, True])
async def test_with_drafts_turned_off_nothing_is_compared(
    parts: Parts, content: Content, answer_approved: bool
) -> None:
    """The comparison is a draft of its own: an approved answer beside it does not bring it back."""
    if answer_approved:
        review = Review(state="approved", by="Dr A", on=date(2026, 1, 1), due=date(2999, 1, 1))
        answer = content.answers["eligibility"].model_copy(update={"review": review})
        content = replace(content, answers={**content.answers, "eligibility": answer})
    answers = Answers(content, show_draft_effects=False)
    comparison = Eligibility(content, answers.notes, answers.is_unbacked)
    hidden = replace(parts.conversation, answers=answers, eligibility=comparison)
    turn = await hidden.handle(Incoming("terminal", "eva", "am I a candidate? C5 complete"))
    wanted = content.answers["eligibility"].lead if answer_approved else content.phrases["withheld"]
    assert [reply.text for reply in turn.replies] == [wanted.en]
