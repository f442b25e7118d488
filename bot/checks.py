"""`musebot check`: everything that can be wrong in the files that people edit, found at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

from bot.content import AnswerEntry, CitedWording, Content, Details, Wording
from bot.content_reader import read_content
from bot.curation import WITHOUT_PHRASE, filled, wordings_of, words_before_more
from bot.errors import ContentError, ModelError
from bot.evidence import weakest_evidence
from bot.lean import refuse_tensorflow
from bot.messages import LANGUAGES, Language
from bot.nlu.encoder.sentences import read_encoder
from bot.nlu.examples import check_examples, read_examples
from bot.reading import difficulty
from bot.settings import Settings
from bot.teaching import leaks


@dataclass(frozen=True)
class Row:
    """One topic in the table of `musebot check`.

    Attributes:
        place: The file that holds its wording.
        words: What a reader sees before "more", in each language; zero where there is no "more".
        difficulty: Of the whole wording: the English grade, the Spanish ease.
        claims: How many there are.
        evidence: The kind of the evidence label; empty where none is due.
        state: Of the review: "draft", "approved", or empty where there is none.
    """

    topic: str
    kind: str
    place: str
    words: dict[Language, int]
    difficulty: dict[Language, float]
    claims: int
    evidence: str
    state: str


def check(settings: Settings) -> tuple[list[Row], list[str]]:
    """A row for each topic, and every problem of recipe, content and training data, a sentence each.

    There are no rows while the content cannot be used.
    """
    problems = list(_recipe(settings))
    rows: list[Row] = []
    try:
        content = read_content(settings.content_folder)
    except ContentError as error:
        problems += [f"content: {problem}" for problem in error.problems]
    else:
        rows = list(_rows(content))
        problems += [f"content: {problem}" for row in rows for problem in _too_hard(content, row)]
    return rows, problems + list(_data(settings))


def empty_details(content: Content) -> list[tuple[str, str, list[str]]]:
    """What the clinic has not filled in: name, what belongs there, and the topics that would say it."""
    told = {name for name, _ in filled(content.clinic.details)}
    return [
        (name, field.description or "", [topic for topic, a in content.answers.items() if name in a.details])
        for name, field in Details.model_fields.items()
        if name not in told
    ]


def _rows(content: Content) -> Iterator[Row]:
    for topic, entry in content.topics.items():
        if topic in content.answers:
            answer = content.answers[topic]
            yield _row(topic, entry.kind, content.files[topic], answer, answer=answer, content=content)
        elif topic in content.safety.topics:
            yield _row(topic, entry.kind, "safety.yml", content.safety.topics[topic])
        elif topic in content.phrases:
            yield _row(topic, entry.kind, "phrases.yml", content.phrases[topic])
        elif topic in WITHOUT_PHRASE:
            yield Row(topic, entry.kind, "", {}, {}, 0, "", "")
    yield _row("(comparison)", "answer", "eligibility.yml", content.eligibility)


def _row(
    topic: str,
    kind: str,
    place: str,
    entry: BaseModel,
    *,
    answer: AnswerEntry | None = None,
    content: Content | None = None,
) -> Row:
    evidence = ""
    if answer and content and answer.effect:
        shown = [claim for claim in answer.claims if not claim.more] or answer.claims
        evidence = weakest_evidence([content.facts[key] for claim in shown for key in claim.facts])
    claims = [each for each in wordings_of(entry) if isinstance(each, CitedWording)]
    return Row(
        topic=topic,
        kind=kind,
        place=place,
        words={language: words_before_more(answer, language) for language in LANGUAGES} if answer else {},
        difficulty={language: difficulty(_prose(entry, language), language) for language in LANGUAGES},
        claims=len(claims),
        evidence=evidence,
        state=answer.review.state if answer else "",
    )


def _prose(entry: BaseModel, language: Language) -> str:
    """The wording of an entry as one text, each part ending as a sentence does."""
    wordings = [entry] if isinstance(entry, Wording) else wordings_of(entry)
    texts = [wording.of(language) for wording in wordings]
    return " ".join(text if text[-1] in ".!?:" else f"{text}." for text in texts)


def _too_hard(content: Content, row: Row) -> Iterator[str]:
    style = content.style
    for language, value in row.difficulty.items():
        hard = value > style.grade if language == "en" else value < style.ease
        excused = row.topic in style.harder.get(language, {})
        wanted = f"a grade of at most {style.grade:g}" if language == "en" else f"an ease of at least {style.ease:g}"
        if hard and not excused:
            yield f"{row.place}: {row.topic}: too hard to read in '{language}': {value:.1f}, {wanted} (style.yml)"
        if excused and not hard:
            yield f"style.yml: harder: {language}: {row.topic} is no longer too hard ({value:.1f}): take it out"


def _recipe(settings: Settings) -> Iterator[str]:
    try:
        refuse_tensorflow(settings.config_file)
        read_encoder(settings.encoder_folder)
    except ModelError as error:
        yield str(error)


def _data(settings: Settings) -> Iterator[str]:
    try:
        topics = yaml.safe_load((settings.content_folder / "topics.yml").read_text(encoding="utf-8")) or {}
        intents: list[str] = yaml.safe_load(settings.domain_file.read_text(encoding="utf-8"))["intents"]
        rules = yaml.safe_load((settings.nlu_folder / "rules.yml").read_text(encoding="utf-8"))["rules"]
        unruled = sorted(set(intents) - _ruled(rules))
        examples = read_examples(settings.nlu_folder)
    except ContentError as error:
        yield from error.problems
        return
    except (OSError, UnicodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        yield f"domain or rules cannot be read: {type(error).__name__}: {' '.join(str(error).split())}"
        return
    yield from check_examples(examples, topics, intents)
    try:
        yield from leaks(examples)
    except ContentError as error:
        yield from error.problems
    yield from (f"nlu_data/rules.yml: {topic}: no rule says what follows" for topic in unruled)


def _ruled(rules: list[dict[str, list[dict[str, Any]]]]) -> set[str]:
    """The topics that some rule begins with."""
    steps = (step for rule in rules for step in rule["steps"])
    options = (option for step in steps for option in step.get("or", [step]))
    return {str(option["intent"]) for option in options if "intent" in option}
