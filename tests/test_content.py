"""The content folder: what is right loads; each kind of defect is found by file, entry and reason."""

import shutil
from pathlib import Path

import pytest

from bot.answers import Answers
from bot.content import Content
from bot.content_reader import read_content
from bot.emergency import Emergency
from bot.errors import ContentError
from bot.messages import LANGUAGES, Language
from bot.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().content_folder, tmp_path / "content"))


def test_the_project_own_content_has_every_topic_of_the_catalogue(content: Content) -> None:
    assert len(content.topics) == 101


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "answers/clinic.yml",
            '    es: "No tengo la dirección',
            '    fr: "No tengo la dirección',
            "location.lead.es: no text in 'es'",
        ),
        (
            "answers/clinic.yml",
            "{state: draft}",
            "{state: approved, by: Dr A, on: 2026-01-01, due: 2027-01-01, revision: cost@0000000000}",
            "Dr A approved revision cost@0000000000, but the words are now cost@",
        ),
        ("answers/clinic.yml", "{state: draft}", "{state: draft, by: Dr A}", "a draft has no reviewer"),
        ("answers/clinic.yml", "details: [address, directions]", "details: [adress]", "clinic.yml has no 'adress'"),
        ("answers/clinic.yml", "  details: [address, directions]\n", "", "'details' and 'told' belong together"),
        (
            "answers/clinic.yml",
            "It is in Medellín",
            "It is world class, in Medellín",
            "“world class” promises too much",
        ),
        (
            "answers/clinic.yml",
            "Queda en Medellín",
            "Es la mejor clínica: le garantizo",
            "“garantizo” promises too much",
        ),
        ("answers/for_me.yml", "This is not a cure.", "This is a cure.", "“cure” promises too much"),
        (
            "answers/for_me.yml",
            "in 6 months; a comparison group gained 0.1",
            "in 7 months; a comparison group gained 0.1",
            "the languages differ in numbers",
        ),
        ("facts.yml", "label: ten_people", "label: ten_persons", "no evidence label 'ten_persons'"),
        ("eligibility.yml", "      younger:", "      yunger:", "age: case 'younger' is missing"),
        ("eligibility.yml", 'es: "{value}: sí. El estudio', 'es: "Sí. El estudio', "stands in one language only"),
        ("eligibility.yml", "facts: [koda-timing]", "facts: [koda-n]", "has the number 12, 16, 18, 24"),
        ("eligibility.yml", "next: [contact]", "next: [contract]", "no topic or link 'contract'"),
        ("style.yml", "  en: {}", "  en: {walk_gain: because}", "nothing is called 'walk_gain'"),
        ("style.yml", "grade: 8", "grade: eight", "grade: input should be a valid number"),
        ("sources.yml", "doi: 10.", "doi: doi.org/10.", "doi: must be a DOI, such as 10."),
        ("sources.yml", "url: https://", "url: www.", "url: must begin with https://"),
        (
            "clinic.yml",
            "  address: null",
            '  address: {en: "Calle 10", es: "Calle 11"}',
            "the languages differ in numbers",
        ),
        ("clinic.yml", "  address: null", '  address: {en: "Calle 10"}', "no text in 'es'"),
        ("clinic.yml", "  address: null", "  adress: null", "details.adress: extra inputs"),
        ("clinic.yml", "  price: null", '  price: {en: "A miracle", es: "Un milagro"}', "“milagro” promises too much"),
        ("booking.yml", "  too_often:", "  to_often:", "booking.yml: says: too_often: missing"),
        ("booking.yml", "buttons: [book, menu]", "buttons: [bok, menu]", "withdrawn: no topic or link 'bok'"),
        ("booking.yml", "wa.me/573215197850", "wa.me/573215197851", "is not the contact line"),
        ("telegram.yml", "+57 321 519 7850", "+57 322 519 7850", "is not the contact line"),
        ("phrases.yml", "complaint:", "complant:", "complaint: no phrase or answer"),
        (
            "answers/clinic.yml",
            "    sources: [seed-page, isscr-what-to-ask]\n",
            "",
            "cost.claims.0.sources: the claim names no source",
        ),
        ("answers/clinic.yml", "    facts: [clinic-city]\n", "", "location.claims.0.facts: the claim names no fact"),
        ("answers/clinic.yml", "sources: [seed-page]", "sources: [nobody]", "no source 'nobody' in sources.yml"),
        ("answers/clinic.yml", "facts: [clinic-city]", "facts: [nothing]", "no fact 'nothing' in facts.yml"),
        ("answers/for_me.yml", "sources: [harness-2008]", "sources: [koda-2024]", "does not stand behind any of its"),
        ("answers/clinic.yml", "location:", "locacion:", "locacion: no such topic in topics.yml"),
        ("answers/clinic.yml", "location:", "cost:", "'cost' stands here twice"),
        (
            "answers/clinic.yml",
            "next: [contact, accessibility]",
            "next: [contract]",
            "next: no topic or link 'contract'",
        ),
        ("answers/for_me.yml", "18 a 24 días después", "18 a 34 días después", "the languages differ in numbers"),
        ("answers/clinic.yml", "state: draft", "state: approved", "approved, but it does not say by whom"),
        ("answers/clinic.yml", "I do not have the price.", "I do not have the price. " + "x " * 60, "at most 60"),
        ("answers/clinic.yml", "cost:\n", "cost:\n  efect: true\n", "cost.efect: extra inputs"),
        (
            "phrases.yml",
            "a person at the clinic can help: +57 321",
            "a person at the clinic can help: +57 322",
            "is not the contact line",
        ),
        ("signs/crisis_suicide.yml", '"suicid*|', '"suicid*||', "has an empty option"),
        ("signs/emergency_infection.yml", "@", "@no", "there is no group of words 'no"),
        ("safety.yml", "tel:112", "tel:113", "the button 'emergency_es' does not call 112"),
        ("safety.yml", "{emergency}", "{number}", "nothing is known by the name {number}"),
        ("safety.yml", "Call now: {emergency}", "Call now", "says no emergency number"),
        ("facts.yml", "verified: true", "verified: false", "fact 'ad-bp' is not verified"),
        ("phrases.yml", "failure:", "failing:", "failure: missing"),
        ("phrases.yml", "goodbye:", "godbye:", "goodbye: no phrase for this topic"),
        ("safety.yml", "  emergency_breathing:", "  emergency_breath:", "emergency_breathing: no guidance"),
        ("safety.yml", 'to: "tel:123"', 'to: "123"', "must be tel: with digits"),
        ("clinic.yml", "phone:", "fone:", "phone: field required"),
        ("sources.yml", "type: trial", "type: rumour", "type: input should be"),
        ("topics.yml", "kind: clinic", "kind: clinical", "kind: input should be"),
        ("topics.yml", "muse_what:", "muse_what: [", "cannot be read"),
    ],
)
def test_a_defect_is_named(folder: Path, file: str, old: str, new: str, problem: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        read_content(folder)
    found = [each for each in caught.value.problems if problem in each]
    assert found, caught.value.problems
    where = ("answers/", "safety.yml") if file == "facts.yml" else (file, "answers/")
    assert found[0].startswith((file, *where)), found  # a broken fact shows where it is used


def test_an_answer_about_effect_must_say_what_is_not_known(folder: Path) -> None:
    path = folder / "answers/for_me.yml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("  unknown:"))
    path.write_text("".join(lines[:start] + lines[start + 3 :]), encoding="utf-8")
    with pytest.raises(ContentError, match="must say what is not known"):
        read_content(folder)


def test_a_changed_contact_line_is_missed_nowhere(folder: Path) -> None:
    clinic = folder / "clinic.yml"
    clinic.write_text(clinic.read_text(encoding="utf-8").replace('"+57 321 519 7850"\n', '"+57 300 000 0000"\n', 1))
    with pytest.raises(ContentError) as caught:
        read_content(folder)
    named = {problem.partition(" is not the contact line")[0].rpartition(": ")[0] for problem in caught.value.problems}
    assert named >= {
        "clinic.yml: call",
        "clinic.yml: whatsapp",
        "clinic.yml: whatsapp_book",
        "phrases.yml: failure",
        "answers/clinic.yml: cost",
        "facts.yml: clinic-contact-line",
    }


def test_a_topic_without_an_answer_is_named(folder: Path) -> None:
    (folder / "answers/sci.yml").unlink()
    with pytest.raises(ContentError) as caught:
        read_content(folder)
    assert "answers: natural_recovery: no answer for this topic" in caught.value.problems


def test_all_problems_are_listed_at_once(folder: Path) -> None:
    for name in ("phrases.yml", "clinic.yml"):
        (folder / name).unlink()
    with pytest.raises(ContentError) as caught:
        read_content(folder)
    assert {"phrases.yml: the file is missing", "clinic.yml: the file is missing"} <= set(caught.value.problems)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_claim_shown_has_a_citation(content: Content, language: Language) -> None:
    answers = Answers(content)
    replies = [answers.main(topic, language) for topic in content.answers]
    replies += [more for topic in content.answers if (more := answers.more(topic, language))]
    emergency = Emergency(content, "co")
    replies += [reply for topic in content.safety.topics for reply in emergency.guidance(topic, language, None)]
    for reply in replies:
        assert all(claim.citations for claim in reply.claims)


@pytest.mark.parametrize(
    ("topic", "label"),
    [
        ("walk_again", "one study of 10 people, no comparison group"),
        ("muse_mechanism", "studies in animals, not in people"),
        ("evidence_strength", "one study of 10 people, no comparison group"),
        ("cost", ""),  # says nothing about effect
        ("repeat_dose", "small studies without a comparison group"),  # ten people, and others with another disease
        ("side_effects", "reports of harm in single patients after cell treatments"),
    ],
)
def test_an_answer_is_labelled_by_its_weakest_evidence(content: Content, topic: str, label: str) -> None:
    assert Answers(content).main(topic, "en").evidence == label


def test_a_draft_says_that_it_is_one(content: Content) -> None:
    assert Answers(content).main("walk_again", "es").notes == (content.phrases["draft_notice"].es,)


@pytest.mark.parametrize("language", LANGUAGES)
def test_emergency_guidance_names_a_number_first_and_never_the_therapy(content: Content, language: Language) -> None:
    for topic in content.safety.topics:
        reply = Emergency(content, "co").guidance(topic, language, None)[0]
        assert "123" in reply.text
        everything = " ".join([reply.text, *(claim.text for claim in reply.claims)]).casefold()
        assert "muse" not in everything
        assert "cell" not in everything
        assert "célula" not in everything
        assert any(button.payload == "tel:123" for button in reply.buttons)
