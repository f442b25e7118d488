"""Reads the content folder: every sentence a patient may see, and what it rests on. Checks all of it at once.

The classes mirror the files, so the files' format is documented here.
"""

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import ContentError
from bot.messages import LANGUAGES, Button, Citation, Claim, Language

MAX_WORDS = 60  # what a reader sees before "more"

# Phrases that the assistant cannot do without; the phrases of `talk` and `action` topics come on top.
# fmt: off
REQUIRED_PHRASES = frozenset({
    "clarify", "fallback", "fallback_again", "not_yet", "failure", "empty", "too_long", "more_nothing",
    "more_which", "source_intro", "source_which", "language_changed", "language_only_two", "draft_notice",
    "unknown_label", "sources_label", "evidence_label", "web_title", "web_intro", "web_label", "web_send",
    "web_you", "web_bot", "web_other_language", "web_expired", "web_missing", "web_skip", "web_opens", "web_hint",
})
# fmt: on

T = TypeVar("T", bound=BaseModel)
Prose = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True)


class Wording(_Entry):
    """One sentence or paragraph, in both languages."""

    en: Prose
    es: Prose

    def of(self, language: Language) -> str:
        return self.en if language == "en" else self.es


class CitedWording(Wording):
    """A claim: what it says, the facts it rests on, and the sources a reader is shown for it."""

    facts: tuple[str, ...] = Field(min_length=1)
    sources: tuple[str, ...] = Field(min_length=1)
    more: bool = False


class Review(_Entry):
    """Whether a clinician has approved the text. Nothing is approved unless a clinician has done it."""

    state: Literal["draft", "approved"]
    by: str | None = None
    on: date | None = None
    due: date | None = None


class AnswerEntry(_Entry):
    """One curated answer. `effect` marks answers about effect or safety: they carry an evidence label."""

    lead: Wording
    claims: tuple[CitedWording, ...] = Field(min_length=1, max_length=6)
    unknown: Wording | None = None
    effect: bool = False
    next: tuple[str, ...] = ()
    review: Review


class SourceEntry(_Entry):
    """Bibliographic record of what a claim cites. A title stays in its own language, unless the source is our own."""

    title: Prose | Wording
    authors: tuple[str, ...] = ()
    year: int | None = None
    container: str | None = None
    doi: str | None = None
    url: str | None = None
    type: Literal["trial", "case", "review", "preclinical", "guideline", "regulator", "law", "service", "web", "clinic"]

    @property
    def link(self) -> str | None:
        return self.url or (f"https://doi.org/{self.doi}" if self.doi else None)


class FactEntry(_Entry):
    """What is known, from the evidence file: never shown itself, always behind a claim."""

    statement: Prose
    source: tuple[str, ...] = Field(min_length=1)
    verified: bool
    strength: str
    population: str = "n/a"
    kind: str | None = None
    caveat: str | None = None
    figures: dict[str, Any] = {}


class TopicEntry(_Entry):
    """One topic of the catalogue. `title` is the topic as a person would ask for it: it is what buttons say."""

    kind: Literal["answer", "clinic", "action", "safety", "talk"]
    title: Wording
    about: Prose
    not_: str | None = Field(None, alias="not")


class PhraseEntry(Wording):
    """Any other fixed wording; `buttons` are topics or links to offer below it."""

    buttons: tuple[str, ...] = ()


def _pattern(value: str) -> str:
    if any(not option.strip("*'") for word in value.split() if word != ".." for option in word.split("|")):
        raise ValueError(f"'{value}' has an empty option, which would match every word")
    return value


Pattern = Annotated[Prose, AfterValidator(_pattern)]


class Signs(_Entry):
    """Patterns, one list a language; `bot.triage` explains how they are written."""

    en: tuple[Pattern, ...] = Field(min_length=1)
    es: tuple[Pattern, ...] = Field(min_length=1)

    def of(self, language: Language) -> tuple[str, ...]:
        return self.en if language == "en" else self.es


class GuidanceEntry(_Entry):
    """What a person in danger is told: `first` before anything else, then the steps, each with its source."""

    first: Wording
    steps: tuple[CitedWording, ...] = Field(min_length=1)
    buttons: tuple[str, ...] = ()
    signs: Signs


class LinkEntry(_Entry):
    """A button that leaves the conversation: a call, or a chat with a person; `message` is written into the chat."""

    title: Wording
    to: Prose
    message: Wording | None = None

    @field_validator("to")
    @classmethod
    def _is_link(cls, value: str) -> str:
        if not re.fullmatch(r"tel:\+?[0-9*#]+|https://\S+", value):
            raise ValueError("must be tel: with digits, or https://")
        return value


class SafetyFile(_Entry):
    """`safety.yml`. `links` are the telephone buttons; `calm` voids a sign (the past, a question about, an idiom)."""

    links: dict[str, LinkEntry]
    calm: Signs
    topics: dict[str, GuidanceEntry]


class ClinicFile(_Entry):
    """What only the clinic knows. `phone` is the contact line as people read it."""

    city: Wording
    phone: Prose
    links: dict[str, LinkEntry]


@dataclass(frozen=True)
class Content:
    """The whole folder, read and checked. `files` tells which file an answer stands in."""

    topics: dict[str, TopicEntry]
    answers: dict[str, AnswerEntry]
    facts: dict[str, FactEntry]
    sources: dict[str, SourceEntry]
    phrases: dict[str, PhraseEntry]
    safety: SafetyFile
    clinic: ClinicFile
    files: dict[str, str]

    @property
    def links(self) -> dict[str, LinkEntry]:
        return {**self.clinic.links, **self.safety.links}

    def button(self, key: str, language: Language, entities: Mapping[str, str] | None = None) -> Button:
        """The button for a topic or a link; `entities` travel with a topic, in Rasa's notation."""
        if key in self.topics:
            return Button(self.topics[key].title.of(language), f"/{key}" + (json.dumps(entities) if entities else ""))
        link = self.links[key]
        text = f"?text={quote(link.message.of(language))}" if link.message else ""
        return Button(link.title.of(language), link.to + text)

    def citations(self, keys: Sequence[str], language: Language) -> tuple[Citation, ...]:
        """The sources named by `keys`, as a reader sees them."""
        return tuple(self._citation(key, self.sources[key], language) for key in keys)

    def _citation(self, key: str, source: SourceEntry, language: Language) -> Citation:
        kind = self.phrases[f"type_{source.type}"].of(language)
        title = source.title if isinstance(source.title, str) else source.title.of(language)
        return Citation(key, title, source.year, kind, source.link)

    def claim(self, entry: CitedWording, language: Language) -> Claim:
        return Claim(entry.of(language), self.citations(entry.sources, language))


def revision_of(key: str, entry: BaseModel) -> str:
    """`key@hash` of the wording: the same words give the same revision, a changed comma another."""
    return f"{key}@{hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:10]}"


def read_content(folder: Path) -> Content:
    """The content in `folder`.

    Raises:
        ContentError: Anything is missing, uncited or in one language only; `.problems` names every case.
    """
    content, problems = _read(folder)
    if content is not None:
        problems = list(_contradictions(content))
    if problems or content is None:
        raise ContentError(problems)
    return content


def _read(folder: Path) -> tuple[Content | None, list[str]]:
    problems: list[str] = []

    def read(name: str, of: type[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for key, entry in _mapping(folder, name, problems).items():
            parsed = _parse(name, str(key), entry, of, problems)
            if parsed is not None:
                found[str(key)] = parsed
        return found

    def read_whole(name: str, of: type[T]) -> T | None:
        entry = _mapping(folder, name, problems)
        return _parse(name, "", entry, of, problems) if entry else None

    answers: dict[str, AnswerEntry] = {}
    files: dict[str, str] = {}
    for path in sorted((folder / "answers").glob("*.yml")):
        name = f"answers/{path.name}"
        for key, answer in read(name, AnswerEntry).items():
            if key in answers:
                problems.append(f"{name}: {key}: this topic is answered in {files[key]} too")
            answers[key], files[key] = answer, name
    topics = read("topics.yml", TopicEntry)
    facts, sources = read("facts.yml", FactEntry), read("sources.yml", SourceEntry)
    phrases = read("phrases.yml", PhraseEntry)
    safety, clinic = read_whole("safety.yml", SafetyFile), read_whole("clinic.yml", ClinicFile)
    if problems or safety is None or clinic is None:
        return None, problems
    return Content(topics, answers, facts, sources, phrases, safety, clinic, files), problems


class _UniqueKeys(yaml.SafeLoader):
    """YAML keeps the last of two equal keys without a word; an editor would lose an answer that way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _mapping(folder: Path, name: str, problems: list[str]) -> dict[Any, Any]:
    try:
        parsed = yaml.load((folder / name).read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        problems.append(f"{name}: the file is missing")
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{name}: cannot be read: {' '.join(str(error).split())}")
        return {}
    if not isinstance(parsed, dict):
        problems.append(f"{name}: must hold entries of the form 'name: ...'")
        return {}
    return parsed


def _parse(name: str, key: str, entry: Any, of: type[T], problems: list[str]) -> T | None:
    try:
        return of.model_validate(entry)
    except ValidationError as error:
        for found in error.errors():
            place = ".".join(str(part) for part in (key, *found["loc"]) if part != "")
            problems.append(f"{name}: {place}: {_reason(str(found['loc'][-1]) if found['loc'] else '', found)}")
        return None


def _reason(field: str, found: Any) -> str:
    if found["type"] in ("missing", "string_too_short") and field in LANGUAGES:
        return f"no text in '{field}'"
    if found["type"] in ("missing", "too_short") and field in ("sources", "facts"):
        return "the claim names no source" if field == "sources" else "the claim names no fact that it rests on"
    return str(found["msg"]).lower()


def _contradictions(content: Content) -> Iterator[str]:
    """Everything that is wrong between entries that are each well formed."""
    if not content.answers:
        yield "answers: there is no answer at all"
    yield from _other_numbers(content)
    known = content.topics.keys() | content.links.keys()
    for key, answer in content.answers.items():
        place = f"{content.files[key]}: {key}"
        if key not in content.topics:
            yield f"{place}: no such topic in topics.yml"
        elif content.topics[key].kind not in ("answer", "clinic", "action"):
            yield f"{place}: a topic of kind '{content.topics[key].kind}' has no answer"
        if answer.effect and answer.unknown is None:
            yield f"{place}: an answer about effect must say what is not known"
        if answer.review.state == "approved" and not (answer.review.by and answer.review.on):
            yield f"{place}: approved, but not by whom and when"
        for number, claim in enumerate(answer.claims, 1):
            yield from _uncited(content, f"{place}: claim {number}", claim)
        yield from (f"{place}: next: no topic or link '{n}'" for n in answer.next if n not in known)
        yield from _too_long(place, answer)
    for key, guidance in content.safety.topics.items():
        place = f"safety.yml: {key}"
        for number, step in enumerate(guidance.steps, 1):
            yield from _uncited(content, f"{place}: step {number}", step)
        yield from (f"{place}: no link or topic '{b}'" for b in guidance.buttons if b not in known)
    for key, phrase in content.phrases.items():
        yield from (f"phrases.yml: {key}: no topic or link '{b}'" for b in phrase.buttons if b not in known)
    yield from (f"phrases.yml: {key}: missing" for key in sorted(REQUIRED_PHRASES - content.phrases.keys()))
    for key, topic in content.topics.items():
        if topic.kind == "safety" and key not in content.safety.topics:
            yield f"safety.yml: {key}: no guidance for this topic"
        if topic.kind == "talk" and key not in content.phrases:
            yield f"phrases.yml: {key}: no phrase for this topic"
    for kind in ("type", "evidence"):
        wanted = _labels(content, kind)
        yield from (f"phrases.yml: {key}: missing" for key in sorted(wanted - content.phrases.keys()))


def _other_numbers(content: Content) -> Iterator[str]:
    """Numbers of the clinic's country that are not the contact line: a changed number must change everywhere."""
    line = re.sub(r"\D", "", content.clinic.phone)
    country = re.sub(r"\D", "", content.clinic.phone.split()[0])
    entries: list[tuple[str, BaseModel]] = [(f"phrases.yml: {key}", entry) for key, entry in content.phrases.items()]
    entries += [(f"{content.files[key]}: {key}", entry) for key, entry in content.answers.items()]
    entries += [(f"clinic.yml: {key}", entry) for key, entry in content.clinic.links.items()]
    entries += [(f"facts.yml: {key}", entry) for key, entry in content.facts.items()]
    for place, entry in entries:
        # With or without the plus sign: a WhatsApp link has none.
        for number in re.findall(rf"(?<!\d)\+?{country}[\d ]{{8,}}\d", entry.model_dump_json()):
            if re.sub(r"\D", "", number) != line:
                yield f"{place}: {number} is not the contact line of clinic.yml, {content.clinic.phone}"


def _uncited(content: Content, place: str, claim: CitedWording) -> Iterator[str]:
    allowed: set[str] = set()
    for key in claim.facts:
        fact = content.facts.get(key)
        if fact is None:
            yield f"{place}: no fact '{key}' in facts.yml"
        elif not fact.verified:
            yield f"{place}: fact '{key}' is not verified, so it may not be shown"
        else:
            allowed.update(fact.source)
    for key in claim.sources:
        if key not in content.sources:
            yield f"{place}: no source '{key}' in sources.yml"
        elif allowed and key not in allowed:
            yield f"{place}: source '{key}' does not stand behind any of its facts"
    english, spanish = numbers_in(claim.en), numbers_in(claim.es)
    if english != spanish:
        yield f"{place}: the languages differ in numbers: en {sorted(english)}, es {sorted(spanish)}"


def numbers_in(text: str) -> set[str]:
    """The numbers written in digits, a decimal comma read as a point."""
    return {number.replace(",", ".") for number in re.findall(r"\d+(?:[.,]\d+)?", text)}


def _too_long(place: str, answer: AnswerEntry) -> Iterator[str]:
    shown: list[Wording] = [answer.lead, *(c for c in answer.claims if not c.more)]
    if answer.unknown is not None:
        shown.append(answer.unknown)
    for language in LANGUAGES:
        words = sum(len(part.of(language).split()) for part in shown)
        if words > MAX_WORDS:
            yield f"{place}: {words} words in '{language}' before \"more\", at most {MAX_WORDS}"


def _labels(content: Content, kind: str) -> set[str]:
    if kind == "type":
        return {f"type_{source.type}" for source in content.sources.values()}
    return {f"evidence_{evidence_of(fact)}" for fact in content.facts.values()}


# Weakest first: an answer is labelled by the first of these that any of its facts matches.
_EVIDENCE: tuple[tuple[str, Callable[[FactEntry], bool]], ...] = (
    ("clinic", lambda fact: fact.strength == "clinic"),
    ("press", lambda fact: fact.kind in ("news", "company-statement", "expert-opinion", "inference", "myth")),
    ("animal", lambda fact: fact.strength == "animal" or fact.population == "animal"),
    ("laboratory", lambda fact: fact.population == "in-vitro"),
    ("case", lambda fact: fact.kind == "case-report"),
    ("uncontrolled", lambda fact: fact.strength == "uncontrolled-trial" and fact.kind != "registry-cohort"),
    ("cohort", lambda fact: fact.kind in ("registry-cohort", "controlled-observational")),
    ("review", lambda fact: fact.strength == "review"),
    ("trial", lambda fact: fact.strength == "rct"),
    ("guideline", lambda fact: True),
)


def evidence_of(fact: FactEntry) -> str:
    """The kind of evidence behind a fact, as a key of the `evidence_...` phrases."""
    return next(name for name, matches in _EVIDENCE if matches(fact))


def weakest_evidence(facts: list[FactEntry]) -> str:
    """The weakest kind of evidence among `facts`; those about laws, products or offices say nothing of an effect."""
    order = [name for name, _ in _EVIDENCE]
    about_effect = [fact for fact in facts if fact.population != "n/a"]
    return min((evidence_of(fact) for fact in about_effect or facts), key=order.index)
