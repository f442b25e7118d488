"""The request for a call, step by step: what an answer means, what is asked next. It speaks by the names of texts.

A request is a wish that a person at the clinic reads; nothing here says that an appointment exists.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import TypeAdapter

from bot.contact import Email, Phone, has_reach, read_country, read_reach
from bot.content import BookingFile
from bot.messages import Effect, Language
from bot.questions import questions_in
from bot.text import bare
from bot.times import Wish, read_wish

TOPIC = "book"
Step = Literal[
    "consent", "for_whom", "knows", "name", "reach", "country", "time", "details", "confirm", "change", "withdraw"
]

CODE_LETTERS = "CDFHJKLMPRTX"  # no vowels, so no words; none that looks or sounds like another in both languages
LONGEST_NAME = 80
LONGEST_NOTE = 500
MOST_TRIES = 3
MOST_OPEN = 3  # requests of one person that nobody has dealt with
SURELY_A_QUESTION = 0.6  # as likely as this about another topic, a message is no answer to the step
MOST_WORDS_OF_A_NAME = 6
_CODE = re.compile(r"\b((?:[cdfhjklmprtx][\s.-]*){3})((?:\d[\s.-]*){4})(?!\d)", re.IGNORECASE)
_NAME = re.compile(
    r"^(?:hola |hi |hello |no )?(?:yo )?"
    r"(?:me llamo|mi nombre es|my name is|my name ?s|i am called|call me|i ?am|i ?m|soy|it ?s|es) +",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\b(?:me llamo|mi nombre es|my name is)\s+(.+)", re.IGNORECASE)
_ZONES = {"CO": "America/Bogota", "ES": "Europe/Madrid", "AR": "America/Argentina/Buenos_Aires", "PE": "America/Lima"}


@dataclass(frozen=True)
class Draft:
    """A request as far as it is filled in.

    Attributes:
        step: What was asked last.
        tries: How often in a row its answer could not be used.
        fresh: Whether the form was opened by this very message, which is then no answer.
        asked: Whether the question has been put; it is again, after something else was answered.
        changes: The code of the request that this changes; empty for a new one.
        changed: Whether anything of that request has been told anew.
        for_whom: "me" or "other".
        knows: For another: whether that person knows of it: "yes", "no" or "unable" to say.
        name: Of the one who writes.
        phone: As machines dial it.
        email: An address; either this or a phone.
        reach: Either of them, as people read it.
        region: The country, two capital letters; empty when not told, None when not yet asked.
        zone: The person's time zone; None where it is not known.
        wish: When it suits, as `bot.times.Wish`.
        wish_words: When it suits in the person's own words, where they could not be read.
        note: What else the person wants to say; None when not yet asked.
        injury: What the conversation tells of the injury, where the person wants it passed on.
    """

    step: Step = "consent"
    tries: int = 0
    fresh: bool = False
    asked: bool = False
    changes: str = ""
    changed: bool = False
    for_whom: str = ""
    knows: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    reach: str = ""
    region: str | None = None
    zone: str | None = None
    wish: Wish | None = None
    wish_words: str = ""
    note: str | None = None
    injury: Mapping[str, Any] = field(default_factory=dict)


_DRAFT = TypeAdapter(Draft)


def draft_as_json(draft: Draft) -> dict[str, Any]:
    """The draft as the dialogue remembers it."""
    written: dict[str, Any] = _DRAFT.dump_python(draft, mode="json")
    return written


def read_draft(kept: Mapping[str, Any]) -> Draft:
    """The draft that `draft_as_json` wrote."""
    return _DRAFT.validate_python(kept)


@dataclass(frozen=True)
class Heard:
    """A message to the form.

    Attributes:
        text: What was written; empty when a button was pressed.
        option: The option that was pressed.
        topic: What the model takes the message to be about.
        kind: The kind of that topic.
        sure: How sure it is, 0 to 1.
        language: Of the conversation.
        injury: The dialogue's slots that tell of the injury.
        open: How many requests of this person nobody has dealt with.
        taken: Whether the number or address of the draft was used for a request less than a day ago.
    """

    text: str
    option: str | None
    topic: str | None
    kind: str
    sure: float
    language: Language
    injury: Mapping[str, Any] = field(default_factory=dict)
    open: int = 0
    taken: bool = False


@dataclass(frozen=True)
class Line:
    """A text to say, by its place in `booking.yml`."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What became of a message: the draft to go on with, None when the form is over; what to say and to do."""

    draft: Draft | None
    lines: tuple[Line, ...]
    effect: Effect | None = None


class BookingForm:
    """Reads answers. It keeps nothing: the draft comes in and goes out."""

    def __init__(self, content: BookingFile, home: str, zone: str) -> None:
        """The form.

        Args:
            content: The file `booking.yml`; its `words` are read here.
            home: The country, two capital letters, whose phone numbers need no country code.
            zone: The clinic's time zone.
        """
        self._words = {name: words.all for name, words in content.words.items()}
        self._given_names = frozenset(content.given_names.split())
        self._steps = content.steps
        self._home = home
        self._zone = zone

    def take(self, draft: Draft, heard: Heard) -> Taken | None:
        """What the message does to the draft; None where it is no answer, but a question or something else."""
        if draft.fresh:
            return Taken(replace(draft, fresh=False), ())
        if heard.option is not None:
            return self._pressed(draft, heard.option, heard)
        said = _plain(heard.text)
        if said in self._words["cancel"] and draft.step not in ("consent", "withdraw"):
            return self._dropped(draft)
        if heard.kind == "safety" and not self._fits(draft, heard):
            return None
        if (corrected := self._corrected(draft, heard)) is not None:
            return corrected
        return self._answered(draft, said, heard)

    def withdraws(self, text: str) -> bool:
        """Whether somebody who speaks of a request that was sent wants it cancelled."""
        said = _plain(text)
        return any(re.search(rf"\b{word}", said) for word in self._words["withdraw"])

    def question(self, draft: Draft) -> Line:
        """The question of the draft's step."""
        return Line(f"steps.{self._entry(draft)}", self._values(draft))

    def _values(self, draft: Draft) -> dict[str, Any]:
        return {"draft": draft_as_json(draft), "code": draft.changes, "region": draft.region or self._home}

    # --- what an answer means -----------------------------------------------------------------------------------------

    def _pressed(self, draft: Draft, option: str, heard: Heard) -> Taken | None:
        if option not in self._steps[self._entry(draft)].options:
            return self._again(draft)  # a button of a step that lies behind
        if option == "cancel":
            return self._dropped(draft)
        return self._chosen(draft, option, heard)

    def _entry(self, draft: Draft) -> str:
        """The step as `booking.yml` names it."""
        if draft.step == "details" and draft.injury:
            return "known"
        return "change_sent" if draft.step == "change" and draft.changes and not draft.changed else draft.step

    def _chosen(self, draft: Draft, option: str, heard: Heard) -> Taken:
        """An option of the draft's own step."""
        match draft.step, option:
            case "consent", "no":
                return Taken(None, (Line("says.refused"),))
            case "consent", _:
                return self._next(replace(draft, injury=dict(heard.injury)))
            case "for_whom", _:
                return self._next(replace(draft, for_whom=option, knows=""), asked="for_whom")
            case "knows", _:
                tell = (Line("says.do_tell"),) if option == "no" else ()
                return self._next(replace(draft, knows=option), tell)
            case "country", "skip":
                return self._next(replace(draft, region=""))
            case "country", _:
                return self._next(replace(draft, region=option, zone=_ZONES.get(option)))
            case "time", "any":
                return self._next(replace(draft, wish=Wish(), wish_words=""))
            case "time", _:
                return self._in_time(draft, "in the morning" if option == "morning" else "in the afternoon", heard)
            case "details", "keep":
                return self._next(replace(draft, note=""))
            case "details", _:
                return self._next(replace(draft, note="", injury={}))
            case "confirm", "send":
                return self._sent(draft, heard)
            case "confirm", _:
                return self._ask(replace(draft, step="change"))
            case "change", "back":
                return self._next(draft) if draft.changed or not draft.changes else self._dropped(draft)
            case "change", "withdraw":
                return self._ask(replace(draft, step="withdraw"))
            case "change", _:
                return self._ask(replace(_cleared(draft, option), changed=True))
            case "withdraw", "yes":
                return Taken(
                    None, (Line("says.withdrawn", {"code": draft.changes}),), Effect("cancelled", draft.changes)
                )
            case _:
                return Taken(None, (Line("says.unchanged", {"code": draft.changes}),))

    def _answered(self, draft: Draft, said: str, heard: Heard) -> Taken | None:
        """Words, as an answer to the draft's step."""
        if heard.topic == TOPIC and _asks(heard):
            return self._again(draft)
        option = self._option_of(draft, said, heard)
        if option is not None:
            return self._chosen(draft, option, heard)
        if draft.step in ("name", "details"):  # anything may be an answer, so a question must look like one
            if _is_another_question(heard):
                return None
        elif draft.step in ("reach", "country", "time") and self._fits(draft, heard):
            pass
        elif _is_asked(heard) and (heard.sure >= SURELY_A_QUESTION or questions_in(heard.text)):
            return None
        match draft.step:
            case "name":
                return self._in_name(draft, heard)
            case "reach":
                return self._in_reach(draft, heard)
            case "country":
                return self._in_country(draft, heard)
            case "time":
                return self._in_time(draft, heard.text, heard)
            case "details":
                return self._in_details(draft, heard)
            case _:
                return self._wrong(draft, "option")

    def _option_of(self, draft: Draft, said: str, heard: Heard) -> str | None:
        """The option of the draft's step that the words stand for."""
        options = self._steps[self._entry(draft)].options
        for name in ("send", "me", "unable", "yes", "no", "skip"):
            meant = _MEANT.get((draft.step, name), name)
            if meant in options and said in self._words[name]:
                return meant
        if draft.step == "for_whom" and (heard.injury.get("for_whom") == "other" or _FOR_OTHER.search(said)):
            return "other"
        if draft.step == "knows" and re.search(r"\bno(t)?\b|n t\b", said) and len(said.split()) <= 8:
            return "no"
        return None

    def _fits(self, draft: Draft, heard: Heard) -> bool:
        """Whether the words are what the step asked for, whatever they might mean elsewhere."""
        match draft.step:
            case "name":
                return self._is_a_name(heard.text)
            case "reach":
                return has_reach(heard.text)
            case "country":
                return read_country(heard.text) is not None
            case "time":
                return read_wish(heard.text, self._now(draft), heard.language) is not None
            case "details":
                return False
            case _:
                return self._option_of(draft, _plain(heard.text), heard) is not None

    def _is_a_name(self, text: str) -> bool:
        """Whether words are meant as a name even where they are words of danger, as Socorro and Dolores are."""
        name = _name_in(text)
        if not name or questions_in(text):
            return False
        words = name.split()
        capital = len(words) <= 4 and all(word[0].isupper() for word in words)
        return capital or _NAMED.search(text) is not None or any(bare(word) in self._given_names for word in words)

    def _in_name(self, draft: Draft, heard: Heard) -> Taken:
        name = _name_in(heard.text)
        return self._next(replace(draft, name=name)) if name else self._wrong(draft, "no_name")

    def _in_reach(self, draft: Draft, heard: Heard) -> Taken:
        found = read_reach(heard.text, draft.region or self._home)
        if isinstance(found, str):
            return self._wrong(draft, found, digits=len(re.sub(r"\D", "", heard.text)))
        return self._next(self._reached(draft, found))

    def _reached(self, draft: Draft, found: Phone | Email) -> Draft:
        if isinstance(found, Email):
            return replace(draft, phone="", email=found.address, reach=found.address)
        return replace(
            draft,
            phone=found.e164,
            email="",
            reach=found.shown,
            region=found.region or draft.region,
            zone=found.zone,
        )

    def _in_country(self, draft: Draft, heard: Heard) -> Taken:
        region = read_country(heard.text)
        if region is None:
            return self._wrong(draft, "no_country")
        return self._next(replace(draft, region=region, zone=_ZONES.get(region)))

    def _in_time(self, draft: Draft, text: str, heard: Heard) -> Taken:
        now = self._now(draft)
        wish = read_wish(text, now, heard.language)
        if wish is not None and wish.is_past(now):
            return self._wrong(draft, "past")
        words = "" if wish else " ".join(text.split())[:LONGEST_NAME]
        return self._next(replace(draft, wish=wish or Wish(), wish_words=words))

    def _in_details(self, draft: Draft, heard: Heard) -> Taken:
        note = " ".join(heard.text.split())
        if len(note) > LONGEST_NOTE:
            return self._wrong(draft, "too_much")
        return self._next(replace(draft, note=note, injury={}))

    def _corrected(self, draft: Draft, heard: Heard) -> Taken | None:
        """Something that was told before, told anew: "no, my number is ..."; at the end also in so many words."""
        late = draft.step in ("confirm", "change")
        a_time = draft.step == "time" and self._fits(draft, heard)  # a date has as many digits as a number
        if (
            not a_time
            and draft.step not in ("consent", "reach", "withdraw")
            and (draft.reach or late)
            and has_reach(heard.text)
        ):
            found = read_reach(heard.text, draft.region or self._home)
            if isinstance(found, str):
                return self._wrong(replace(draft, step="reach"), found, digits=len(re.sub(r"\D", "", heard.text)))
            fresh = self._reached(draft, found)
            fresh = replace(fresh, changed=True)
            return self._next(fresh, (Line("says.noted_reach", self._values(fresh)),))
        named = _NAMED.search(heard.text)
        if named and draft.name and _name_in(named[1]):
            fresh = replace(draft, name=_name_in(named[1]), changed=True)
            return self._next(fresh, (Line("says.noted_name", self._values(fresh)),))
        wish = read_wish(heard.text, self._now(draft), heard.language) if late else None
        if wish is not None and not wish.is_past(self._now(draft)) and not questions_in(heard.text):
            fresh = replace(draft, wish=wish, wish_words="", changed=True)
            return self._next(fresh, (Line("says.noted_time", self._values(fresh)),))
        return None

    def _now(self, draft: Draft) -> datetime:
        return datetime.now(UTC).astimezone(ZoneInfo(draft.zone or self._zone))

    # --- what comes next ----------------------------------------------------------------------------------------------

    def _next(self, draft: Draft, lines: Sequence[Line] = (), asked: str = "") -> Taken:
        """Goes on with the first thing that is missing."""
        return self._ask(replace(draft, step=_missing(draft), tries=0), lines)

    def _ask(self, draft: Draft, lines: Sequence[Line] = ()) -> Taken:
        draft = replace(draft, asked=True)
        return Taken(draft, (*lines, self.question(draft)))

    def _again(self, draft: Draft) -> Taken:
        return self._ask(draft, (Line("says.resume"),))

    def _wrong(self, draft: Draft, problem: str, digits: int = 0) -> Taken:
        """Says what is wrong; the third time in a row, how to reach a person."""
        draft = replace(draft, tries=draft.tries + 1, asked=True)
        options = self._entry(draft)
        if draft.tries >= MOST_TRIES:
            return Taken(replace(draft, tries=0), (Line("problems.stuck", {"options": options}),))
        region = draft.region or self._home
        values = {
            "options": options,
            "digits": digits,
            "region": region,
            "example": _example("MX" if problem == "which_country" else region),
        }
        return Taken(draft, (Line(f"problems.{problem}", values),))

    def _dropped(self, draft: Draft) -> Taken:
        line = Line("says.unchanged", {"code": draft.changes}) if draft.changes else Line("says.dropped")
        return Taken(None, (line,))

    def _sent(self, draft: Draft, heard: Heard) -> Taken:
        written = draft_as_json(draft)
        if draft.changes:
            line = Line("says.changed", {"code": draft.changes, "draft": written})
            return Taken(None, (line,), Effect("changed", draft.changes, written))
        if heard.open >= MOST_OPEN:
            return Taken(None, (Line("says.too_many", {"number": heard.open}),))
        if heard.taken:
            return Taken(None, (Line("says.taken", {"draft": written}),))
        code = new_code()
        return Taken(None, (Line("says.sent", {"code": code, "draft": written}),), Effect("new", code, written))


def new_code() -> str:
    """A code for a request, such as KRT-4821: 17 million, easily spoken."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(3))
    return f"{letters}-{secrets.randbelow(10_000):04d}"


def code_in(text: str) -> str | None:
    """The code that `text` names, however it is spaced; None where it names none."""
    found = _CODE.search(text)
    if found is None:
        return None
    return re.sub(r"[\s.-]", "", found[1]).upper() + "-" + re.sub(r"\D", "", found[2])


# What "yes", "no" and the like mean at a step where no option is called so.
_MEANT = {
    ("confirm", "yes"): "send",
    ("confirm", "no"): "change",
    ("change", "no"): "back",
    ("details", "yes"): "keep",
    ("details", "no"): "skip",
    ("time", "skip"): "any",
}
_ASKED = ("answer", "clinic", "action")
_ASKED_TALK = ("privacy", "bot_identity", "medical_advice")
_FOR_OTHER = re.compile(
    r"\b(?:my|mi|for|para|someone|alguien|un|una|el|la|es|its|it is) (?:\w+ )?"
    r"(?:son|daughter|mother|mum|mom|father|dad|husband|wife|brother|sister|friend|partner|cousin|uncle|aunt|nephew|niece"
    r"|grandson|grandmother|grandfather|boyfriend|girlfriend|hijo|hija|mama|madre|papa|padre|esposo|esposa|marido|mujer"
    r"|hermano|hermana|amigo|amiga|pareja|primo|prima|tio|tia|sobrino|sobrina|nieto|nieta|abuela|abuelo|novio|novia"
    r"|suegro|suegra|paciente|patient|cuido|care|other|otra|otro)\b"
)


def _plain(text: str) -> str:
    """The words alone."""
    return " ".join(re.sub(r"[^\w ]+", " ", bare(text).replace("'", "").replace("’", "")).split())


def _asks(heard: Heard) -> bool:
    return heard.sure >= SURELY_A_QUESTION


def _is_asked(heard: Heard) -> bool:
    """Whether the message is about something that has an answer of its own."""
    return heard.kind in _ASKED or heard.topic in _ASKED_TALK


def _is_another_question(heard: Heard) -> bool:
    """Whether words that might be anything ask something else, or want something else done."""
    if not _is_asked(heard):
        return False
    return bool(questions_in(heard.text)) or (heard.kind == "action" and heard.sure >= SURELY_A_QUESTION)


def _name_in(text: str) -> str:
    """The name in an answer to "your name?"; empty where there is none."""
    name = _NAME.sub("", " ".join(text.split())).strip(" .,;:!¡¿?")
    letters = sum(each.isalpha() for each in name)
    if not letters or re.search(r"[\d@/\\<>{}\[\]]", name) or len(name) > LONGEST_NAME:
        return ""
    return name if len(name.split()) <= MOST_WORDS_OF_A_NAME else ""


def _missing(draft: Draft) -> Step:
    """The first thing that is not filled in, in the order in which it is asked."""
    if not draft.for_whom:
        return "for_whom"
    if draft.for_whom == "other" and not draft.knows:
        return "knows"
    if not draft.name:
        return "name"
    if not draft.reach:
        return "reach"
    if draft.region is None:
        return "country"
    if draft.wish is None:
        return "time"
    return "details" if draft.note is None else "confirm"


def _cleared(draft: Draft, part: str) -> Draft:
    """The draft with one part to be told anew."""
    match part:
        case "name":
            return replace(draft, step="name", name="")
        case "reach":
            return replace(draft, step="reach", phone="", email="", reach="")
        case "time":
            return replace(draft, step="time", wish=None, wish_words="")
        case _:
            return replace(draft, step="details", note=None, injury={})


def _example(region: str) -> str:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    number = number or phonenumbers.example_number(region)
    if number is None:  # a territory without numbers of its own
        return "+57 321 1234567"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
