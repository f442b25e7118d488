"""Who stands behind an answer: drafts, approvals, reviews that are due; and what the clinic has filled in."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.answers import Answers
from bot.content import Content, Review, Wording, revision_of
from bot.messages import LANGUAGES, Language

ON, DUE = date(2026, 1, 10), date(2026, 12, 31)


def approved(content: Content, topic: str) -> Content:
    answer = content.answers[topic]
    review = Review(state="approved", by="Dr A", on=ON, due=DUE, revision=revision_of(topic, answer))
    return replace(content, answers={**content.answers, topic: answer.model_copy(update={"review": review})})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("topic", "days_after_due", "shown"),
    [
        ("walk_again", -1, "plain"),
        ("walk_again", 0, "plain"),  # due on that day, not before it
        ("walk_again", 1, "overdue"),
        ("walk_again", 90, "overdue"),
        ("walk_again", 91, "withheld"),
        ("location", 91, "overdue"),  # says nothing of an effect
    ],
)
def test_an_approved_answer_ages(
    content: Content, topic: str, days_after_due: int, shown: str, language: Language
) -> None:
    answers = Answers(approved(content, topic), today=lambda: DUE + timedelta(days=days_after_due))
    reply = answers.main(topic, language)
    withheld = content.phrases["withheld"].of(language)
    assert (reply.text == withheld) is (shown == "withheld")
    more = answers.more(topic, language)
    assert more is not None
    assert (more.text == withheld) is (shown == "withheld")
    assert bool(reply.claims) is (shown != "withheld")
    assert (str(ON) in " ".join(reply.notes)) is (shown != "plain")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("topic", "withheld"), [("walk_again", True), ("eligibility", True), ("location", False)])
def test_drafts_about_effect_can_be_turned_off(
    content: Content, topic: str, withheld: bool, language: Language
) -> None:
    answers = Answers(content, show_draft_effects=False)
    assert answers.is_withheld(topic) is withheld
    reply = answers.main(topic, language)
    assert (not reply.claims) is withheld
    assert any(button.payload.startswith("tel:") for button in reply.buttons) is withheld
    assert not Answers(content).is_withheld(topic)


def test_an_approval_holds_for_these_words_only(content: Content) -> None:
    answer = content.answers["cost"]
    other = answer.model_copy(update={"lead": Wording(en="No price.", es=answer.lead.es)})
    reviewed = answer.model_copy(update={"review": Review(state="approved", by="Dr A", on=ON, due=DUE)})
    assert revision_of("cost", other) != revision_of("cost", answer)
    assert revision_of("cost", reviewed) == revision_of("cost", answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_clinic_fills_in_is_said_and_cited(content: Content, language: Language) -> None:
    hours = Wording(en="Monday to Friday, 8 to 5.", es="De lunes a viernes, de 8 a 5.")
    holidays = Wording(en="Closed on Sundays.", es="Los domingos no se abre.")
    details = content.clinic.details.model_copy(update={"hours": hours, "holidays": holidays})
    told = replace(content, clinic=content.clinic.model_copy(update={"details": details}))

    before, after = Answers(content).main("hours", language), Answers(told).main("hours", language)
    answer = content.answers["hours"]
    assert answer.told is not None
    assert before.text == answer.lead.of(language)
    assert after.text == answer.told.of(language)
    assert after.claims[0].text == hours.of(language)
    assert [citation.key for citation in after.claims[0].citations] == ["clinic-details"]
    assert after.claims[1:] == before.claims
    more = Answers(told).more("hours", language)
    assert more is not None
    assert more.claims[0].text == holidays.of(language)
