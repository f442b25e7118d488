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
from bot.names import GivenNames, name_in, name_told
from bot.questions import questions_in
from bot.text import bare
from bot.times import Wish, read_wish, words_beside

TOPIC = "book"
Step = Literal[
    "consent", "for_whom", "knows", "name", "reach", "country", "time", "details", "confirm", "change", "withdraw"
]

CODE_LETTERS = "CDFHJKLMPRTX"  # no vowels, so no words; none that looks or sounds like another in both languages
LONGEST_WORDS = 80  # of a time in the person's own words
LONGEST_NOTE = 500
MOST_TRIES = 3
MOST_A_DAY = 5  # requests of one person, cancelled ones too
MOST_OPEN = 3  # requests of one person that nobody has dealt with
SURELY_A_QUESTION = 0.6  # as likely as this about another topic, a message is no answer to the step
SURELY_MEANT = 0.8  # as likely as this yes or no, other words for it count
SURELY_DANGER = 0.4  # as likely as this, an answer that is not what was asked for word for word is a cry for help
MOST_WORDS_OF_YES = 6
_CODE = re.compile(r"\b((?:[cdfhjklmprtx][\s.-]*){3})((?:\d[\s.-]*){4})(?!\d)", re.IGNORECASE)
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
        danger: How likely the message tells of danger, 0 to 1.
        language: Of the conversation.
        injury: The dialogue's slots that tell of the injury.
        open: How many requests of this person nobody has dealt with.
        today: How many this person has sent in the last day.
        taken: Whether the number or address of the draft was used for a request less than a day ago.
    """

    text: str
    option: str | None
    topic: str | None
    kind: str
    sure: float
    danger: float
    language: Language
    injury: Mapping[str, Any] = field(default_factory=dict)
    open: int = 0
    today: int = 0
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
        self._given_names = GivenNames(content.given_names)
        self._steps = content.steps
        self._home = home
        self._zone = zone

    def take(self, draft: Draft, heard: Heard) -> Taken | None:
        """What the message does to the draft; None where it is no answer, but a question or something else."""
        if draft.fresh:
            return Taken(replace(draft, fresh=False), ())
        if heard.option is not None:
            return self._pressed(draft, heard.option, heard)
        if not heard.text:  # "go on with my request"
            return self._again(draft)
        said = _plain(heard.text)
        if said in self._words["cancel"] and draft.step not in ("consent", "withdraw"):
            return self._dropped(draft)
        option = self._option_of(draft, said)
        if option is not None:
            return _certain(self._chosen(draft, option, heard))
        if heard.danger >= SURELY_DANGER and not self._is_all(draft, heard):
            return None
        taken = self._corrected(draft, heard) or self._answered(draft, said, heard)
        return _certain(taken) if taken and self._is_all(draft, heard) else taken

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
                return self._next(replace(draft, for_whom=option, knows=""))
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
            case "confirm", "change":
                return self._ask(replace(draft, step="change"))
            case "change", "back":
                return self._next(draft) if draft.changed or not draft.changes else self._dropped(draft)
            case "confirm" | "change", "cancel":
                return self._dropped(draft)
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
        """Words, as an answer to the draft's step; None where they ask or want something else."""
        if not self._fits(draft, heard):
            if heard.topic == "change_booking" and draft.step != "consent" and heard.sure >= SURELY_A_QUESTION:
                return self._to_change(draft, said)
            if draft.step in ("confirm", "change") and self._part_named(said):
                return self._to_change(draft, said)
            meant = self._meant(draft, said, heard)
            if meant is not None:
                return self._chosen(draft, meant, heard)
            if _is_another(heard, free=draft.step in ("name", "time", "details")):
                return None
            if heard.topic == TOPIC and heard.sure >= SURELY_A_QUESTION and draft.step != "details":
                return self._wrong_again(draft)
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

    def _option_of(self, draft: Draft, said: str) -> str | None:
        """The option of the draft's step that the words stand for, and nothing else."""
        options = self._steps[self._entry(draft)].options
        for name in ("send", "me", "unable", "yes", "no", "skip"):
            meant = _MEANT.get((draft.step, name), name)
            if meant in options and said in self._words[name]:
                return meant
        if draft.step == "for_whom" and _OTHER_ALONE.fullmatch(said):
            return "other"
        return None

    def _meant(self, draft: Draft, said: str, heard: Heard) -> str | None:
        """The option that other words stand for: a relative, a yes or no in the person's own words."""
        options = self._steps[self._entry(draft)].options
        if draft.step == "for_whom" and (heard.injury.get("for_whom") == "other" or _FOR_OTHER.search(said)):
            return "other"
        if draft.step == "confirm" and _NOT_SENT.search(said):
            return "cancel"
        if draft.step == "knows" and re.search(r"\bno(t)?\b|\w+nt\b", said) and len(said.split()) <= 8:
            return "unable" if re.search(r"\bhabla\w*|\bspeak|\btalk", said) else "no"
        yes_or_no = {"affirm": "yes", "deny": "no"}.get(heard.topic or "")
        if yes_or_no is None or heard.sure < SURELY_MEANT or len(said.split()) > MOST_WORDS_OF_YES:
            return None
        if yes_or_no == "yes" and re.search(r"\b(?:no|not|dont|pero|but|todavia|yet)\b", said):
            return None
        meant = _MEANT.get((draft.step, yes_or_no), yes_or_no)
        return meant if meant in options else None

    def _to_change(self, draft: Draft, said: str) -> Taken:
        """The step that changes what was named, else the question what to change."""
        part = self._part_named(said)
        if part:
            return self._ask(replace(_cleared(draft, part), changed=True))
        return self._ask(replace(draft, step="change"))

    def _part_named(self, said: str) -> str | None:
        """The part of a request that is spoken of: "the number is wrong"."""
        return next((part for part, words in _PARTS.items() if re.search(rf"\b(?:{words})\b", said)), None)

    def _fits(self, draft: Draft, heard: Heard) -> bool:
        """Whether the words hold what the step asked for."""
        match draft.step:
            case "name":
                return name_told(heard.text) != "" or self._given_names.looks_like_one(heard.text)
            case "reach":
                return has_reach(heard.text) or read_country(heard.text) is not None
            case "country":
                return read_country(heard.text) is not None
            case "time":
                wish = read_wish(heard.text, self._now(draft), heard.language)
                return wish is not None and not (questions_in(heard.text) and "?" in heard.text)
            case _:
                return False

    def _is_all(self, draft: Draft, heard: Heard) -> bool:
        """Whether the words are what the step asked for and hardly anything more."""
        match draft.step:
            case "name":
                few = len(heard.text.split()) <= MOST_WORDS_OF_YES
                named = self._given_names.looks_like_one(heard.text)
                return (
                    named and few and (heard.danger < SURELY_A_QUESTION or self._given_names.holds_danger(heard.text))
                )
            case "reach":
                return isinstance(read_reach(heard.text, draft.region or self._home), Phone | Email)
            case "country":
                return read_country(heard.text) is not None
            case "time":
                return self._fits(draft, heard) and not words_beside(heard.text, self._now(draft), heard.language)
            case _:
                return False

    def _in_name(self, draft: Draft, heard: Heard) -> Taken:
        """The name; a number or an address told along with it is taken too."""
        parts = [part for part in re.split(r"[,;]| y | and ", heard.text) if part.strip()]
        name = name_told(heard.text) if len(parts) == 1 else ""
        name = name or name_in(heard.text) or next((name_in(p) for p in parts if not has_reach(p) and name_in(p)), "")
        if not name or (heard.topic in ("affirm", "deny", "greet", "thanks") and heard.sure >= SURELY_MEANT):
            return self._wrong(draft, "no_name")
        draft = replace(draft, name=name)
        found = read_reach(heard.text, draft.region or self._home) if has_reach(heard.text) else "no_reach"
        return self._next(draft if isinstance(found, str) else self._reached(draft, found))

    def _in_reach(self, draft: Draft, heard: Heard) -> Taken:
        """The number or address; a time told along with it is taken too. A number of this country is said back."""
        found = read_reach(heard.text, draft.region or self._home)
        if found == "no_reach" and (region := read_country(heard.text)):  # the answer to "of which country is it?"
            return self._ask(replace(draft, region=region, zone=_ZONES.get(region), tries=0))
        if isinstance(found, str):
            return self._wrong(draft, found, digits=len(re.sub(r"\D", "", heard.text)))
        draft = self._reached(draft, found)
        rest = re.sub(r"[+(]?\d[\d\s().-]{5,}\d", " ", heard.text)
        wish = read_wish(rest, self._now(draft), heard.language) if draft.wish is None else None
        if wish is not None and not wish.is_past(self._now(draft)):
            draft = replace(draft, wish=wish)
        return self._next(draft, (Line("says.noted_reach", self._values(draft)),))

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
        if wish is None and heard.topic in ("affirm", "deny", "greet", "thanks") and heard.sure >= SURELY_MEANT:
            return self._again(draft)
        words = "" if wish else " ".join(text.split())[:LONGEST_WORDS]
        return self._next(replace(draft, wish=wish or Wish(), wish_words=words))

    def _in_details(self, draft: Draft, heard: Heard) -> Taken:
        note = " ".join(heard.text.split())
        if len(note) > LONGEST_NOTE:
            return self._wrong(draft, "too_much")
        return self._next(replace(draft, note=note, injury={}))

    def _corrected(self, draft: Draft, heard: Heard) -> Taken | None:
        """Something that was told before, told anew: "no, my number is ..."; at the end also in so many words."""
        if draft.step in ("consent", "withdraw"):
            return None
        late = draft.step in ("confirm", "change")
        name = name_told(heard.text) if draft.name else ""
        if name:
            fresh = replace(draft, name=name, changed=True)
            return self._next(fresh, (Line("says.noted_name", self._values(fresh)),))
        if draft.step != "reach" and self._gives_reach(draft, heard, late):
            found = read_reach(heard.text, draft.region or self._home)
            if isinstance(found, str):
                return self._wrong(replace(draft, step="reach"), found, digits=len(re.sub(r"\D", "", heard.text)))
            fresh = replace(self._reached(draft, found), changed=True)
            return self._next(fresh, (Line("says.noted_reach", self._values(fresh)),))
        now = self._now(draft)
        wish = read_wish(heard.text, now, heard.language) if late else None
        if wish is None or wish.is_past(now) or questions_in(heard.text):
            return None
        if wish.first is None and not wish.weekdays and draft.wish:  # "better at 3": the day stays
            wish = replace(wish, first=draft.wish.first, last=draft.wish.last, weekdays=draft.wish.weekdays)
        fresh = replace(draft, wish=wish, wish_words="", changed=True)
        return self._next(fresh, (Line("says.noted_time", self._values(fresh)),))

    def _gives_reach(self, draft: Draft, heard: Heard, late: bool) -> bool:
        """Whether another number or address is given; digits alone may be a date or a document."""
        if (
            not (draft.reach or late)
            or not has_reach(heard.text)
            or (draft.step == "time" and self._fits(draft, heard))
        ):
            return False
        return late or "@" in heard.text or re.search(rf"\b(?:{_PARTS['reach']})\b", bare(heard.text)) is not None

    def _now(self, draft: Draft) -> datetime:
        return datetime.now(UTC).astimezone(ZoneInfo(draft.zone or self._zone))

    # --- what comes next ----------------------------------------------------------------------------------------------

    def _next(self, draft: Draft, lines: Sequence[Line] = ()) -> Taken:
        """Goes on with the first thing that is missing."""
        return self._ask(replace(draft, step=_missing(draft), tries=0), lines)

    def _ask(self, draft: Draft, lines: Sequence[Line] = ()) -> Taken:
        draft = replace(draft, asked=True)
        return Taken(draft, (*lines, self.question(draft)))

    def _again(self, draft: Draft) -> Taken:
        return self._ask(draft, (Line("says.resume"),))

    def _wrong_again(self, draft: Draft) -> Taken:
        """The question once more; the third time in a row, how to reach a person."""
        if draft.tries + 1 >= MOST_TRIES:
            return self._wrong(draft, "stuck")
        return self._again(replace(draft, tries=draft.tries + 1))

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
        if heard.taken:
            return Taken(replace(_cleared(draft, "reach"), asked=True), (Line("says.taken", {"draft": written}),))
        if draft.changes:
            line = Line("says.changed", {"code": draft.changes, "draft": written})
            return Taken(None, (line,), Effect("changed", draft.changes, written))
        if heard.today >= MOST_A_DAY:
            return Taken(None, (Line("says.too_often", {"number": heard.today}),))
        if heard.open >= MOST_OPEN:
            return Taken(None, (Line("says.too_many", {"number": heard.open}),))
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
# The words for a part of a request.
_PARTS = {
    "reach": r"numero|telefono|celular|cel|movil|whatsapp|wasap|correo|email|e mail|mail|phone|number|mobile|cell",
    "name": r"nombre|name|apellido|surname",
    "time": r"hora|horario|dia|fecha|time|day|date|hour",
    "for_whom": r"quien se trata|para quien|who it is about|who it is for",
}
_NOT_SENT = re.compile(r"^(?:no|dont|do not|please dont|por favor no)\b.*\b(?:send|submit|envi\w*|mand\w*|pas\w*)\b")
_RELATIVES = (
    r"(?:son|daughter|mother|mum|mom|father|dad|husband|wife|brother|sister|friend|partner|cousin|uncle|aunt|nephew|niece"
    r"|grandson|grandmother|grandfather|boyfriend|girlfriend|kid|child|hijo|hija|mama|madre|papa|padre|esposo|esposa|marido"
    r"|mujer|hermano|hermana|amigo|amiga|pareja|primo|prima|tio|tia|sobrino|sobrina|nieto|nieta|abuela|abuelo|novio|novia"
    r"|suegro|suegra|paciente|patient|other|otra|otro)"
)
_FOR_OTHER = re.compile(
    rf"^(?!.*\b(?:para mi|for me|soy (?:yo|el paciente|la paciente))\b(?! \w*{_RELATIVES})).*"
    rf"\b(?:my|mi|for|para|someone|alguien|un|una|el|la|es|its|it is|de) (?:\w+ )?{_RELATIVES}\b"
)
_OTHER_ALONE = re.compile(
    rf"(?:(?:it is|its|es|seria|es para|for|para|about|de|se trata de) )*(?:my|mi|a|un|una|el|la)? ?{_RELATIVES}"
)


def _plain(text: str) -> str:
    """The words alone."""
    return " ".join(re.sub(r"[^\w ]+", " ", bare(text).replace("'", "").replace("’", "")).split())


def _is_another(heard: Heard, *, free: bool) -> bool:
    """Whether a message is about something else that has an answer of its own.

    Args:
        heard: The message.
        free: Whether the step takes any words, so that a question must look like one.
    """
    if heard.topic == TOPIC or (heard.kind not in _ASKED and heard.topic not in _ASKED_TALK):
        return False
    asks = bool(questions_in(heard.text))
    if free:
        marked = "?" in heard.text or (asks and not re.match(r"(?:when|cuando)\b", bare(heard.text)))
        return marked or (heard.kind == "action" and heard.sure >= SURELY_MEANT)
    return asks or heard.sure >= SURELY_A_QUESTION


def _certain(taken: Taken) -> Taken:
    """Marks what was, word for word, what was asked for."""
    return replace(taken, lines=tuple(replace(line, values={**line.values, "certain": True}) for line in taken.lines))


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
        case "for_whom":
            return replace(draft, step="for_whom", for_whom="", knows="")
        case "name":
            return replace(draft, step="name", name="")
        case "reach":
            return replace(draft, step="reach", phone="", email="", reach="")
        case "time":
            return replace(draft, step="time", wish=None, wish_words="")
        case _:
            return replace(draft, step="details", note=None, injury={})


def _example(region: str) -> str:
    """A number as they look there; nobody's, since it comes from the numbering plan."""
    for where in (region, "CO"):  # some territories have no numbers of their own
        number = phonenumbers.example_number_for_type(where, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return ""
