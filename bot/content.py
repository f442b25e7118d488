"""The content folder as values: every sentence a patient may see, and what it rests on.

The classes mirror the files, so the files' format is documented here. `bot.curation` reads and checks the folder.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.messages import LANGUAGES, Button, Citation, Claim, Language

COMMON = "common"  # the file of `signs/` that all others share
COMPARISON = "eligibility_comparison"  # what `eligibility.yml` is called where answers go by their topic

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
    """Whether a clinician has approved the text. Nothing is approved unless a clinician has done it.

    `by` and `on`: who read it, and when. `due`: when it must be read again. `revision`: of the wording that was read,
    as `musebot show TOPIC` prints it; other words need another approval.
    """

    state: Literal["draft", "approved"]
    by: str | None = None
    on: date | None = None
    due: date | None = None
    revision: str | None = None


class AnswerEntry(_Entry):
    """One curated answer. `effect` marks answers about effect or safety: they carry an evidence label.

    `details` are fields of `Details` that are shown as claims once the clinic has filled them in; `told` takes the
    place of `lead` once the first of them is.
    """

    lead: Wording
    told: Wording | None = None
    details: tuple[str, ...] = ()
    claims: tuple[CitedWording, ...] = Field(min_length=2, max_length=5)
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
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    type: Literal[
        "trial", "cohort", "case", "review", "preclinical", "guideline", "regulator", "law", "service", "web", "clinic"
    ]
    shows: Wording | None = None  # what it can and cannot show, where its type does not say it well enough

    @property
    def link(self) -> str | None:
        return self.url or (f"https://doi.org/{self.doi}" if self.doi else None)


class FactEntry(_Entry):
    """What is known, from the evidence file: never shown itself, always behind a claim.

    `label` names the evidence label where `bot.evidence` cannot tell it from the other fields.
    """

    statement: Prose
    source: tuple[str, ...] = Field(min_length=1)
    verified: bool
    strength: str
    population: str = "n/a"
    kind: str | None = None
    caveat: str | None = None
    label: str | None = None
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
    """Patterns, one list a language; `bot.patterns` explains how they are written."""

    en: tuple[Pattern, ...] = ()
    es: tuple[Pattern, ...] = ()

    def of(self, language: Language) -> tuple[str, ...]:
        return self.en if language == "en" else self.es


class Glossary(_Entry):
    """Words by name, a table a language."""

    en: dict[str, Prose] = {}
    es: dict[str, Prose] = {}

    def of(self, language: Language) -> dict[str, str]:
        return self.en if language == "en" else self.es


class CheckEntry(_Entry):
    """The question after an emergency, the choices that say "safe" and "in danger", and which of them "yes" means."""

    question: Wording
    safe: Wording
    danger: Wording
    yes: Literal["safe", "danger"]


class CountryEntry(_Entry):
    """The numbers to call in a country, as they are written, with the buttons that call them; how it is named."""

    name: Wording
    prefix: Annotated[str, Field(pattern=r"^[1-9]\d{0,3}$")]
    emergency: Prose
    emergency_link: str
    crisis: Prose | None = None
    crisis_link: str | None = None
    named: Signs


class ElsewhereEntry(_Entry):
    """What is said in place of a number: in a country `named` here, and where the country is not known."""

    emergency: Wording
    crisis: Wording
    unknown_emergency: Wording
    unknown_crisis: Wording
    named: Signs

    @model_validator(mode="after")
    def _with_places(self) -> Self:
        _only_places(self.unknown_emergency, "unknown_emergency", {"number", "country"})
        _only_places(self.unknown_crisis, "unknown_crisis", {"number", "country"})
        return self


def _only_places(wording: Wording, name: str, allowed: set[str]) -> None:
    """Raises ValueError if a text has other places to fill in than `allowed`."""
    for text in (wording.en, wording.es):
        for place in re.findall(r"\{([^}]*)\}", text):
            if place not in allowed:
                raise ValueError(f"{name}: nothing is known by the name {{{place}}}")


class GuidanceEntry(_Entry):
    """What a person in danger is told.

    Attributes:
        first: Before anything else; `{emergency}` and `{crisis}` are the numbers to call.
        steps: What to do then, each with its source.
        check: The question whether it has passed.
        after: What is said once it has.
        crisis: Whether a crisis line is called first.
        buttons: The calls, where the person's country is not known.
    """

    first: Wording
    steps: tuple[CitedWording, ...] = Field(min_length=1)
    check: CheckEntry
    after: Wording
    crisis: bool = False
    buttons: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _with_a_number(self) -> Self:
        for name, wording in (("first", self.first), ("after", self.after)):
            _only_places(wording, name, {"emergency", "crisis"})
            if "{emergency}" not in wording.en or "{emergency}" not in wording.es:
                raise ValueError(f"{name}: says no emergency number: write {{emergency}} where it belongs")
        return self


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
    """`safety.yml`: what a person in danger is told.

    Attributes:
        links: The telephone buttons.
        countries: The emergency numbers that we have verified.
        elsewhere: What is said in place of a number.
        passed: How people say that the danger is over, and `not_passed` that it is not.
    """

    links: dict[str, LinkEntry]
    countries: dict[str, CountryEntry]
    elsewhere: ElsewhereEntry
    passed: Signs
    not_passed: Signs
    topics: dict[str, GuidanceEntry]


class SignsFile(_Entry):
    """A file of `signs/`: how one danger is recognised. `common.yml` holds what all of them share, and no signs.

    Attributes:
        words: Groups of words, which patterns call by name.
        spellings: What people write in a chat, and the word it stands for.
        signs: Loose patterns, any of which raises the alarm, unless the model finds danger out of the question.
        certain: Those that raise it whatever the model finds.
        calm: Strict patterns that void a sign where they stand: the past, a question about, an idiom.
    """

    words: Glossary = Glossary()
    spellings: Glossary = Glossary()
    signs: Signs = Signs()
    certain: Signs = Signs()
    calm: Signs = Signs()

    @model_validator(mode="after")
    def _with_groups(self) -> Self:
        for language in LANGUAGES:
            for name, words in self.words.of(language).items():
                _pattern(words.replace(" ", "|"))
                if not re.fullmatch("[a-z0-9_]+", name):
                    raise ValueError(f"words: {language}: '{name}': a name has small letters, digits and _ only")
        return self


def _detail(about: str) -> Any:
    """A field of `Details`; `about` tells the clinic what belongs there."""
    return Field(None, description=about)


class Details(_Entry):
    """What only the clinic can know, in both languages; empty until the clinic fills it in."""

    preparation: Wording | None = _detail("tests to have, fasting, what to do before the infusion")
    aftercare: Wording | None = _detail("rest and observation after the infusion, and when one may fly home")
    follow_up: Wording | None = _detail("check-ups in the months after")
    length_of_stay: Wording | None = _detail("how many days in Medellín")
    price: Wording | None = _detail("the price, its currency, and since when it holds")
    price_includes: Wording | None = _detail("what the price includes, and what it does not")
    deposit: Wording | None = _detail("whether there is a deposit, and when it is given back")
    payment_methods: Wording | None = _detail("how one can pay, and in instalments")
    insurance: Wording | None = _detail("what EPS, prepaid medicine or insurers pay")
    refunds: Wording | None = _detail("when money is given back")
    address: Wording | None = _detail("street address of the clinic, and other branches")
    directions: Wording | None = _detail("how to get there in the city")
    email: Wording | None = _detail("e-mail address, and other ways to reach the clinic")
    hours: Wording | None = _detail("opening hours, and how long an answer takes")
    holidays: Wording | None = _detail("days on which the clinic is closed")
    team: Wording | None = _detail("who the doctors are, and their training")
    licence: Wording | None = _detail("legal name of the clinic, and its licence")
    experience: Wording | None = _detail("how many people were treated there, and how they were followed up")
    if_something_goes_wrong: Wording | None = _detail("what happens when something goes wrong, and who pays")
    cell_product: Wording | None = _detail("which product or laboratory, and its registration number")
    cell_certificates: Wording | None = _detail("how quality and purity of a lot are measured")
    travel: Wording | None = _detail("what people from other cities or countries need: papers, flights")
    airport_pickup: Wording | None = _detail("whether someone fetches people at the airport, also in a wheelchair")
    lodging: Wording | None = _detail("where to stay; accessible rooms")
    companions: Wording | None = _detail("whether a companion may come along and stay")
    accessibility: Wording | None = _detail("ramps, lifts, adapted transport, help with transfers")
    languages: Wording | None = _detail("languages of the staff, and interpreters")
    documents: Wording | None = _detail("which records, images and tests to send")
    how_to_send: Wording | None = _detail("how to send them safely")
    telemedicine: Wording | None = _detail("whether there is a first consultation by video, and how")
    wait_time: Wording | None = _detail("how soon a consultation is possible")

    def of(self, name: str) -> Wording | None:
        """The detail called `name`; None while it is empty."""
        found: Wording | None = getattr(self, name)
        return found


class ClinicFile(_Entry):
    """`clinic.yml`. `phone` is the contact line as people read it, `zone` the clinic's time zone."""

    city: Wording
    zone: Prose
    phone: Prose
    links: dict[str, LinkEntry]
    details: Details


class StyleFile(_Entry):
    """`style.yml`: how the texts are written.

    `promises` are words that no text may hold, but in a context that `allowed` names. `grade` is the highest grade of
    an English text, `ease` the lowest INFLESZ value of a Spanish one (see `bot.reading`); `harder` names the texts that
    may be harder to read, each with the reason.
    """

    promises: Signs
    allowed: Signs
    grade: float
    ease: float
    harder: dict[Language, dict[str, Prose]]


class FeatureEntry(_Entry):
    """One feature of an injury, compared with the people of the study.

    `ask`: the question for it. `choices`: values to offer as buttons, and their titles. `names`: how a value is named
    where a case says `{value}`. `cases`: what is said, by `bot.eligibility`'s judgement of the value.
    """

    ask: Wording
    choices: dict[str, Wording] = {}
    names: dict[str, Wording] = {}
    cases: dict[str, CitedWording] = Field(min_length=1)


class EligibilityFile(_Entry):
    """`eligibility.yml`: the comparison of a person with those who took part in the study. It decides nothing.

    `lead` opens it, `then` opens what is added when the person tells one thing more, `closing` ends each list.
    """

    lead: Wording
    then: Wording
    closing: CitedWording
    unknown: Wording
    units: dict[Literal["day", "days", "month", "months", "year", "years"], Wording]
    features: dict[Literal["level", "completeness", "time", "age", "cause", "illness"], FeatureEntry]
    next: tuple[str, ...] = ()
    review: Review


Reviewed = AnswerEntry | EligibilityFile  # what a clinician approves


class StepEntry(_Entry):
    """A step of the request for a call: its question, and its buttons by the value that they stand for."""

    ask: Wording
    options: dict[str, Wording] = Field(min_length=1)


class Vocabulary(_Entry):
    """Whole messages that mean one thing, told apart by `|`, a list a language."""

    en: Prose
    es: Prose

    @property
    def all(self) -> frozenset[str]:
        """All of them, in both languages: people mix."""
        return frozenset(f"{self.en}|{self.es}".split("|"))


class BookingLinkEntry(_Entry):
    """A button that is made for one request; `to` is missing where only the assistant knows the address."""

    title: Wording
    to: Prose | None = None


class BookingFile(_Entry):
    """`booking.yml`: the request for a call.

    Attributes:
        steps: The questions.
        says: What is said beside them.
        problems: What is wrong with an answer.
        summary: The lines by which a request is read back.
        injury: How what is known of the injury is said.
        times: How a time is said.
        states: How a request stands.
        buttons: Choices that belong to no step.
        links: Buttons made for one request.
        words: How people answer in so many words.
        given_names: Names that are also words of danger.
        staff: What the clinic's staff read; never shown to a patient.
    """

    steps: dict[str, StepEntry]
    says: dict[str, PhraseEntry]
    problems: dict[str, Wording]
    summary: dict[str, Wording]
    injury: dict[str, Wording]
    times: dict[str, Wording]
    states: dict[str, Wording]
    buttons: dict[str, Wording]
    links: dict[str, BookingLinkEntry]
    words: dict[str, Vocabulary]
    given_names: Prose
    staff: dict[str, Wording]


class CommandEntry(Wording):
    """A command of Telegram's menu, and the topic that it stands for."""

    topic: str | None = None


class TelegramFile(_Entry):
    """`telegram.yml`: the bot's description and profile, its commands, and what is said to what is no text."""

    description: Wording
    about: Wording
    commands: dict[str, CommandEntry]
    says: dict[str, PhraseEntry]


class WidgetFile(_Entry):
    """`widget.yml`: the words on the chat for web pages, and of the page that shows it."""

    says: dict[str, Wording]
    page: dict[str, Wording]


@dataclass(frozen=True)
class Content:
    """The whole folder, read and checked. `files` tells which file an answer stands in."""

    topics: dict[str, TopicEntry]
    answers: dict[str, AnswerEntry]
    facts: dict[str, FactEntry]
    sources: dict[str, SourceEntry]
    phrases: dict[str, PhraseEntry]
    safety: SafetyFile
    signs: Mapping[str, SignsFile]
    clinic: ClinicFile
    eligibility: EligibilityFile
    booking: BookingFile
    telegram: TelegramFile
    widget: WidgetFile
    style: StyleFile
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
    """`key@hash` of the wording: the same words give the same revision, a changed comma another, a review none."""
    return f"{key}@{hashlib.sha256(entry.model_dump_json(exclude={'review'}).encode()).hexdigest()[:10]}"
