"""What the content must fulfil as a whole: nothing uncited, nothing promised, nothing in one language only."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from bot.content import (
    COMMON,
    COMPARISON,
    AnswerEntry,
    CitedWording,
    Content,
    Details,
    Review,
    SourceEntry,
    Wording,
    revision_of,
)
from bot.evidence import KINDS, evidence_of
from bot.messages import LANGUAGES, REQUEST_STATES, Language
from bot.patterns import STRICT, Patterns, parts_without, sentences, spell_out

MAX_WORDS = 60  # what a reader sees before "more"
MAX_WORDS_OF_THE_CLINIC = 40  # a detail that the clinic fills in

# Phrases that the assistant cannot do without; the phrases of `talk` and `action` topics come on top.
# fmt: off
REQUIRED_PHRASES = frozenset({
    "also_asked", "clarify", "fallback", "fallback_perhaps", "fallback_again", "failure", "empty", "too_long",
    "in_case",
    "more_nothing", "more_which", "source_intro", "source_which", "language_changed", "language_only_two",
    "draft_notice", "overdue_notice", "withheld", "person_here", "person_gone",
    "person_open", "person_no_words", "web_held", "web_again",
    "unknown_label", "sources_label", "evidence_label", "web_title", "web_intro", "web_label", "web_send",
    "web_you", "web_bot", "web_other_language", "web_expired", "web_missing", "web_skip", "web_opens", "web_hint",
    "web_sources", "web_sources_intro", "web_back", "web_about_source", "web_no_link",
})
# fmt: on

# Actions with wording of their own kind: they change the language, go on with the last answer, or are in booking.yml.
WITHOUT_PHRASE = frozenset(
    {"change_language", "more_detail", "show_source", "human", "change_booking", "booking_status"}
)

# What `bot.booking` says by name, by the part of `booking.yml`.
BOOKING = {
    "steps": "consent for_whom knows name reach country time details known confirm change change_sent withdraw",
    "says": "resume do_tell noted_name noted_reach noted_time refused dropped unchanged sent changed withdrawn status "
    "status_closed no_request unknown_code elsewhere too_late too_many too_often taken over human human_hours waiting "
    "staff_hello staff_hello_agreed",
    "problems": "option no_name no_reach too_short too_long no_such_number which_country bad_email two_numbers "
    "no_country past too_much stuck",
    "summary": "for_me for_other for_other_knows for_other_does_not_know name phone email country time injury note",
    "injury": "level completeness time age",
    "times": "any days each between at after before here there yours words",
    "states": " ".join(REQUEST_STATES),
    "buttons": "go_on wait withdraw",
    "links": "request_whatsapp calendar",
    "words": "cancel skip yes no me unable send withdraw",
    "staff": "new changed cancelled person emergency where asked whatsapp calendar yours words",
}

# What the chat on web pages and Telegram say by name.
WIDGET = (
    "launcher title subtitle close options other_language message send you assistant conversation working offline "
    "again waiting refused expired source open_source helpful not_helpful why not_asked unclear too_long wrong "
    "other thanks human text_size text_size_back read_aloud read_aloud_off copy copied not_copied print remember "
    "remember_off remembered forgotten delete delete_sure delete_yes delete_no deleted dictate dictate_stop "
    "dictate_notice dictate_yes dictate_no dictate_failed dictate_denied staff staff_name not_deleted not_now slow "
    "by_phone by_email"
)
PAGE = "title lead about_title about ask_title ask person_title person plain inline sources"
TELEGRAM = (
    "voice voice_unclear voice_long heard picture location contact contact_of_another other private edited edited_late "
    "old_button share"
)

# How `bot.eligibility` may judge a feature; each needs its wording.
CASES = {
    "level": {"inside", "neck", "neck_partly", "neck_outside", "below"},
    "completeness": {"complete", "some_feeling", "pain_feeling", "movement", "incomplete"},
    "time": {"sooner", "inside", "later"},
    "age": {"younger", "inside", "older"},
    "cause": {"traumatic", "nontraumatic"},
    "illness": {"none", "cancer", "blood_pressure", "breathing", "nerve", "other"},
}


def contradictions(content: Content) -> Iterator[str]:
    """Everything that is wrong between entries that are each well formed, a sentence each."""
    if not content.answers:
        yield "answers: there is no answer at all"
    for key, answer in content.answers.items():
        yield from _in_answer(content, key, answer)
    yield from _in_safety(content)
    yield from _in_signs(content)
    yield from _in_eligibility(content)
    yield from _missing(content)
    yield from _in_booking(content)
    yield from _dead_links(content)
    yield from _other_numbers(content)
    yield from _in_details(content)
    yield from _promises(content)


def texts_of(content: Content) -> Iterator[tuple[str, Wording]]:
    """Every wording that a patient may read, with its place; but for the topics' titles, which are what they ask."""
    for key, answer in content.answers.items():
        yield from ((f"{content.files[key]}: {key}", wording) for wording in wordings_of(answer))
    for key, phrase in content.phrases.items():
        yield f"phrases.yml: {key}", phrase
    for key, guidance in content.safety.topics.items():
        yield from ((f"safety.yml: {key}", wording) for wording in wordings_of(guidance))
    yield from (("eligibility.yml", wording) for wording in wordings_of(content.eligibility))
    yield from (("booking.yml", wording) for wording in wordings_of(content.booking))
    yield from (("telegram.yml", wording) for wording in wordings_of(content.telegram))
    yield from (("widget.yml", wording) for wording in wordings_of(content.widget))
    yield from ((f"clinic.yml: {name}", detail) for name, detail in filled(content.clinic.details))
    yield from ((f"clinic.yml: {key}", link.title) for key, link in content.clinic.links.items())
    yield from ((f"safety.yml: {key}", link.title) for key, link in content.safety.links.items())
    yield from (
        (f"sources.yml: {key}", each) for key, source in content.sources.items() for each in wordings_of(source)
    )


def wordings_of(entry: BaseModel) -> Iterator[Wording]:
    """The wordings anywhere inside an entry, in the order in which they are shown."""
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for each in values:
            if isinstance(each, Wording):
                yield each
            elif isinstance(each, BaseModel):
                yield from wordings_of(each)


def filled(details: Details) -> Iterator[tuple[str, Wording]]:
    """The details that the clinic has filled in."""
    for name in Details.model_fields:
        wording = details.of(name)
        if wording is not None:
            yield name, wording


def _in_answer(content: Content, key: str, answer: AnswerEntry) -> Iterator[str]:
    place = f"{content.files[key]}: {key}"
    if key not in content.topics:
        yield f"{place}: no such topic in topics.yml"
    elif content.topics[key].kind not in ("answer", "clinic", "action"):
        yield f"{place}: a topic of kind '{content.topics[key].kind}' has no answer"
    if answer.effect and answer.unknown is None:
        yield f"{place}: an answer about effect must say what is not known"
    for number, claim in enumerate(answer.claims, 1):
        yield from _uncited(content, f"{place}: claim {number}", claim)
    known = {number for claim in answer.claims for number in _known_numbers(content, claim)}
    for wording in filter(None, (answer.lead, answer.told, answer.unknown)):
        yield from _wrong_numbers(place, wording, known)
    yield from (f"{place}: details: clinic.yml has no '{n}'" for n in answer.details if n not in Details.model_fields)
    if bool(answer.details) != bool(answer.told):
        yield f"{place}: 'details' and 'told' belong together: what the clinic fills in, and the lead for it"
    yield from _in_review(place, answer.review, revision_of(key, answer))
    yield from _too_long(place, answer)


def _in_safety(content: Content) -> Iterator[str]:
    for key, guidance in content.safety.topics.items():
        for number, step in enumerate(guidance.steps, 1):
            yield from _uncited(content, f"safety.yml: {key}: step {number}", step)
    for key, country in content.safety.countries.items():
        pairs = (country.emergency, country.emergency_link), (country.crisis, country.crisis_link)
        for shown, name in pairs:
            link = content.safety.links.get(name or "")
            if name and (link is None or re.sub(r"\D", "", shown or "") != re.sub(r"\D", "", link.to)):
                yield f"safety.yml: countries: {key}: the button '{name}' does not call {shown}"


def _in_signs(content: Content) -> Iterator[str]:
    """A file of signs for every danger, and every group that they name."""
    for key in content.safety.topics:
        signs = content.signs.get(key)
        if signs is None or not (signs.signs.en and signs.signs.es):
            yield f"signs/{key}.yml: no signs in both languages: nobody would notice this danger"
    common = content.signs.get(COMMON)
    if common is None:
        yield f"signs/{COMMON}.yml: the file is missing"
    for key, file in content.signs.items():
        if key != COMMON and key not in content.safety.topics:
            yield f"signs/{key}.yml: safety.yml has no guidance for this danger"
        for language in LANGUAGES:
            groups = {**(common.words.of(language) if common else {}), **file.words.of(language)}
            for pattern in (*file.signs.of(language), *file.certain.of(language), *file.calm.of(language)):
                try:
                    spell_out(pattern, groups)
                except ValueError as error:
                    yield f"signs/{key}.yml: {language}: '{pattern}': {error}"


def _in_eligibility(content: Content) -> Iterator[str]:
    entry = content.eligibility
    yield from _uncited(content, "eligibility.yml: closing", entry.closing)
    yield from _in_review("eligibility.yml", entry.review, revision_of(COMPARISON, entry))
    for name, wanted in CASES.items():
        feature = entry.features.get(name)  # type: ignore[call-overload]  # the names are those of the schema
        if feature is None:
            yield f"eligibility.yml: {name}: missing"
            continue
        yield from (
            f"eligibility.yml: {name}: case '{case}' is missing" for case in sorted(wanted - set(feature.cases))
        )
        for case, claim in feature.cases.items():
            place = f"eligibility.yml: {name}: {case}"
            if case not in wanted:
                yield f"{place}: there is no such case"
            yield from _uncited(content, place, claim)
            if ("{value}" in claim.en) != ("{value}" in claim.es):
                yield f"{place}: {{value}} stands in one language only"


def _in_booking(content: Content) -> Iterator[str]:
    """Every text that a request for a call may need: one that is missing would be noticed by a patient."""
    for group, wanted in BOOKING.items():
        there = getattr(content.booking, group)
        yield from (f"booking.yml: {group}: {key}: missing" for key in wanted.split() if key not in there)


def _in_review(place: str, review: Review, revision: str) -> Iterator[str]:
    if review.state == "draft":
        if review.by or review.on or review.due or review.revision:
            yield f"{place}: a draft has no reviewer, date or revision: approve it, or take them out"
        return
    if not (review.by and review.on and review.due and review.revision):
        yield f"{place}: approved, but it does not say by whom, on which day, until when and which revision"
    elif review.revision != revision:
        yield (
            f"{place}: {review.by} approved revision {review.revision}, but the words are now {revision}: "
            "have it approved again, or set it back to draft"
        )


def _missing(content: Content) -> Iterator[str]:
    yield from (f"phrases.yml: {key}: missing" for key in sorted(REQUIRED_PHRASES - content.phrases.keys()))
    named: list[tuple[str, str, Mapping[str, object]]]
    named = [("widget.yml: says", WIDGET, content.widget.says), ("widget.yml: page", PAGE, content.widget.page)]
    for place, wanted, there in [*named, ("telegram.yml: says", TELEGRAM, content.telegram.says)]:
        yield from (f"{place}: {key}: missing" for key in wanted.split() if key not in there)
    for key, topic in content.topics.items():
        if topic.kind in ("answer", "clinic") and key not in content.answers:
            yield f"answers: {key}: no answer for this topic"
        if topic.kind == "action" and not {key} & (content.answers.keys() | content.phrases.keys() | WITHOUT_PHRASE):
            yield f"phrases.yml: {key}: no phrase or answer for this topic"
        if topic.kind == "safety" and key not in content.safety.topics:
            yield f"safety.yml: {key}: no guidance for this topic"
        if topic.kind == "talk" and key not in content.phrases:
            yield f"phrases.yml: {key}: no phrase for this topic"
    kinds = {f"type_{source.type}" for source in content.sources.values()}
    kinds |= {f"shows_{source.type}" for source in content.sources.values()}
    kinds |= {f"evidence_{evidence_of(fact)}" for fact in content.facts.values()}
    yield from (f"phrases.yml: {key}: missing" for key in sorted(kinds - content.phrases.keys()))
    for key, fact in content.facts.items():
        if fact.label and fact.label not in KINDS:
            yield f"facts.yml: {key}: no evidence label '{fact.label}'; there are {', '.join(KINDS)}"


def _dead_links(content: Content) -> Iterator[str]:
    named: list[tuple[str, Iterable[str]]] = [
        *((f"{content.files[key]}: {key}: next", answer.next) for key, answer in content.answers.items()),
        *((f"safety.yml: {key}: buttons", guidance.buttons) for key, guidance in content.safety.topics.items()),
        *((f"phrases.yml: {key}: buttons", phrase.buttons) for key, phrase in content.phrases.items()),
        ("eligibility.yml: next", content.eligibility.next),
        *((f"telegram.yml: {key}: buttons", phrase.buttons) for key, phrase in content.telegram.says.items()),
        *((f"telegram.yml: {key}", [c.topic]) for key, c in content.telegram.commands.items() if c.topic),
    ]
    known = content.topics.keys() | content.links.keys()
    own = known | content.booking.buttons.keys() | content.booking.links.keys()
    for key, phrase in content.booking.says.items():
        yield from (
            f"booking.yml: says: {key}: no topic or link '{each}'" for each in phrase.buttons if each not in own
        )
    for place, keys in named:
        yield from (f"{place}: no topic or link '{key}'" for key in keys if key not in known)
    for language in LANGUAGES:
        known_places = content.answers.keys() | content.phrases.keys() | content.safety.topics.keys()
        for key in content.style.harder.get(language, {}):
            if key not in known_places:
                yield f"style.yml: harder: {language}: nothing is called '{key}'"


def _other_numbers(content: Content) -> Iterator[str]:
    """Numbers of the clinic's country that are not the contact line: a changed number must change everywhere."""
    line = re.sub(r"\D", "", content.clinic.phone)
    country = re.sub(r"\D", "", content.clinic.phone.split()[0])
    entries: list[tuple[str, BaseModel]] = [(f"phrases.yml: {key}", entry) for key, entry in content.phrases.items()]
    entries += [(f"{content.files[key]}: {key}", entry) for key, entry in content.answers.items()]
    entries += [(f"clinic.yml: {key}", entry) for key, entry in content.clinic.links.items()]
    entries += [(f"facts.yml: {key}", entry) for key, entry in content.facts.items()]
    entries += [("booking.yml", content.booking), ("telegram.yml", content.telegram), ("widget.yml", content.widget)]
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
    yield from _wrong_numbers(place, claim, _known_numbers(content, claim))


def _known_numbers(content: Content, claim: CitedWording) -> set[float]:
    """The numbers that the facts of a claim hold, and the years of its sources."""
    facts = [content.facts[key] for key in claim.facts if key in content.facts]
    found = {number for fact in facts for number in numbers_in(f"{fact.statement} {fact.figures}")}
    return found | {float(year) for key in claim.sources if (year := _year(content.sources.get(key)))}


def _year(source: SourceEntry | None) -> int | None:
    return source.year if source else None


def _wrong_numbers(place: str, wording: Wording, known: set[float]) -> Iterator[str]:
    english, spanish = numbers_in(wording.en), numbers_in(wording.es)
    if english != spanish:
        yield f"{place}: the languages differ in numbers: en {_listed(english)}, es {_listed(spanish)}"
    elif english - known:
        yield f"{place}: no fact that it rests on has the number {_listed(english - known)}"


def numbers_in(text: str) -> set[float]:
    """The numbers written in digits, a decimal comma read as a point."""
    return {float(number.replace(",", ".")) for number in re.findall(r"\d+(?:[.,]\d+)?", text)}


def _listed(numbers: set[float]) -> str:
    return ", ".join(f"{number:g}" for number in sorted(numbers)) or "none"


def words_before_more(answer: AnswerEntry, language: Language) -> int:
    """How many words of ours a reader sees before "more"; what the clinic fills in is counted apart."""
    shown: list[Wording] = [answer.lead, *(claim for claim in answer.claims if not claim.more)]
    if answer.unknown is not None:
        shown.append(answer.unknown)
    return sum(len(part.of(language).split()) for part in shown)


def _too_long(place: str, answer: AnswerEntry) -> Iterator[str]:
    for language in LANGUAGES:
        words = words_before_more(answer, language)
        if words > MAX_WORDS:
            yield f"{place}: {words} words in '{language}' before \"more\", at most {MAX_WORDS}"


def _in_details(content: Content) -> Iterator[str]:
    """What the clinic has filled in: the same numbers in both languages, short, and the main thing first."""
    details = content.clinic.details
    for key, answer in content.answers.items():
        later = [name for name in answer.details[1:] if details.of(name)]
        if later and details.of(answer.details[0]) is None:
            # Its lead would still say that the assistant does not know.
            yield f"clinic.yml: {later[0]} is filled in, but {answer.details[0]}, which {key} says first, is not"
    for name, detail in filled(content.clinic.details):
        yield from _wrong_numbers(f"clinic.yml: {name}", detail, numbers_in(detail.en))
        for language in LANGUAGES:
            words = len(detail.of(language).split())
            if words > MAX_WORDS_OF_THE_CLINIC:
                yield f"clinic.yml: {name}: {words} words in '{language}', at most {MAX_WORDS_OF_THE_CLINIC}"


def _promises(content: Content) -> Iterator[str]:
    """Words that promise too much, but where the context takes the promise back."""
    for language in LANGUAGES:
        promise = Patterns(((each, each) for each in content.style.promises.of(language)), STRICT)
        allowed = Patterns(((each, each) for each in content.style.allowed.of(language)), STRICT)
        for place, wording in texts_of(content):
            for sentence in sentences(wording.of(language)):
                for part in parts_without(sentence, allowed.places(sentence)):
                    for _, begin, end in promise.found(part):
                        told = " ".join(word[0] for word in part[begin:end])
                        yield f"{place}: “{told}” promises too much ({language})"
