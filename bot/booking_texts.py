"""The words of the request for a call: questions, read-back, times in two zones, buttons."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_day_names, get_timezone_location

from bot.booking import TOPIC, Draft, read_draft
from bot.contact import country_name
from bot.content import Content, StepEntry, Wording, revision_of
from bot.messages import Button, Language, Reply
from bot.names import GivenNames
from bot.times import Wish

# What is passed on of the injury, and the dialogue's slots for it.
INJURY = {"level": "injury_level", "completeness": "completeness", "time": "injury_days", "age": "age"}
EXAMPLE_CODE = "KRT-4821"
_PLACE = {"en": "en_US", "es": "es_CO"}
_DAY = {"en": "EEEE d MMMM", "es": "EEEE d 'de' MMMM"}


class BookingTexts:
    """Everything that is said about a request. What it says lies in `booking.yml`."""

    def __init__(
        self, content: Content, named: Callable[[str, Any, Language], str], emergency: str, months: int
    ) -> None:
        """The texts.

        Args:
            content: What the content folder holds.
            named: Tells how a feature of the injury is called: "C5", "2 years".
            emergency: The emergency number of the clinic's country.
            months: How long a request is kept after its last change.
        """
        self._content = content
        self._booking = content.booking
        self._named = named
        self.names = GivenNames(content.booking.given_names)
        self._zone = content.clinic.zone
        self._fixed = {"line": content.clinic.phone, "months": months, "emergency": emergency, "example": EXAMPLE_CODE}

    def reply(self, key: str, values: Mapping[str, Any], language: Language) -> Reply:
        """The text at `key`, such as "steps.name".

        Args:
            key: Its place in `booking.yml`.
            values: What is known for its places; `draft` fills in several.
            language: Of the reply.
        """
        group, name = key.split(".")
        places = self._places(values, language)
        if group == "steps":
            step = self._booking.steps[name]
            return self._said(key, step.ask, places, tuple(self._options(step, language)), language)
        if group == "problems":
            step = self._booking.steps[values["options"]]
            options = [*self._options(step, language)]
            if name == "stuck":
                calls = (self._content.button(each, language) for each in ("call", "whatsapp_book"))
                options = [*calls, *options]
            return self._said(key, self._booking.problems[name], places, tuple(options), language)
        hours = self._content.clinic.details.hours
        if name == "human" and hours:
            name, places = "human_hours", {**places, "hours": hours.of(language)}
        entry = self._booking.says[name]
        buttons = tuple(self._button(each, values, language) for each in entry.buttons)
        if values.get("calendar"):
            buttons = (Button(self._booking.links["calendar"].title.of(language), values["calendar"]), *buttons)
        return self._said(key, entry, places, buttons, language)

    def joined(self, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        """A remark and the question after it as one message, since nobody wants two for each answer."""
        if len(replies) < 2:
            return replies
        first, *rest = replies
        if first.claims or first.buttons:
            # An answer: it keeps its links alone, so that the choices are those of the question.
            links = tuple(button for button in first.buttons if button.is_link)
            return (replace(first, buttons=links), *self.joined(tuple(rest)))
        return (replace(rest[0], text=f"{first.text} {rest[0].text}"), *rest[1:])

    def go_on(self, language: Language) -> Button:
        """The button that goes on with a request that was left for something more urgent."""
        return Button(self._booking.buttons["go_on"].of(language), f"/{TOPIC}")

    def hello(self, values: Mapping[str, str], language: Language) -> str:
        """What a message of the staff to a person begins with; `values` hold a `time` where one was agreed."""
        key = "staff_hello_agreed" if "time" in values else "staff_hello"
        return self._booking.says[key].of(language).format(**values)

    def option(self, payload: str, language: Language) -> str | None:
        """The words of an option that was pressed; None when `payload` is none of ours."""
        for step in self._booking.steps.values():
            for name, title in step.options.items():
                if payload == _payload(name):
                    return title.of(language)
        return None

    def summary(self, draft: Draft, language: Language) -> str:
        """The request as it is read back, a line each."""
        return "\n".join(self._summary(draft, language))

    def moment(self, at: datetime, zone: str | None, language: Language) -> str:
        """A moment that was agreed, in the person's time and in Medellín's."""
        shown = self._moment(at.astimezone(ZoneInfo(zone or self._zone)), language)
        there = self._moment(at.astimezone(ZoneInfo(self._zone)), language)
        return self._in_zones(shown, there, zone, at, language)

    def day(self, at: datetime, language: Language) -> str:
        """A day, in Medellín."""
        return _day(at.astimezone(ZoneInfo(self._zone)).date(), language)

    def time(self, draft: Draft, language: Language, *, for_staff: bool = False) -> str:
        """When it suits, as it was understood; in words for the person, or for staff."""
        whose = "staff" if for_staff else "times"
        if draft.wish_words:
            return self._word(f"{whose}.words", language, words=draft.wish_words)
        wish = draft.wish or Wish()
        shown, there = self._wish(wish, language), self._elsewhere(wish, draft.zone, language)
        if there is None:
            return shown
        if draft.zone is None and draft.region:  # of several zones nobody knows which
            return self._word(f"{whose}.yours", language, time=shown)
        day = wish.first or datetime.now(UTC).date()
        return self._in_zones(shown, there, draft.zone, datetime.combine(day, time(12), UTC), language)

    def injury(self, slots: Mapping[str, Any], language: Language) -> str:
        """What is known of the injury: "level C5, complete, 2 years ago"."""
        return ", ".join(
            self._word(f"injury.{name}", language, value=self._value(name, slots[slot], language))
            for name, slot in INJURY.items()
            if slots.get(slot) is not None
        )

    def _value(self, feature: str, value: Any, language: Language) -> str:
        own = self._booking.injury.get(str(value))
        return own.of(language) if own else self._named(feature, value, language)

    def _said(
        self, key: str, wording: Wording, places: Mapping[str, Any], buttons: tuple[Button, ...], language: Language
    ) -> Reply:
        return Reply(wording.of(language).format(**places), buttons=buttons, revision=revision_of(key, wording))

    def _options(self, step: StepEntry, language: Language) -> Iterator[Button]:
        yield from (Button(title.of(language), _payload(name)) for name, title in step.options.items())

    def _button(self, key: str, values: Mapping[str, Any], language: Language) -> Button:
        """A topic, a link, or a link made for this request."""
        if key == "request_whatsapp":
            link = self._booking.links[key]
            return Button(link.title.of(language), f"{link.to}?text={quote(self._for_the_clinic(values))}")
        if key in self._booking.buttons:
            topic, choice = ("human", {}) if key == "wait" else ("change_booking", {"code": values["code"]})
            return Button(self._booking.buttons[key].of(language), f"/{topic}{json.dumps({'choice': key, **choice})}")
        if key in ("booking_status", "change_booking") and values.get("code"):
            return self._content.button(key, language, {"code": values["code"]})
        return self._content.button(key, language)

    def _for_the_clinic(self, values: Mapping[str, Any]) -> str:
        """The message that is written into WhatsApp, in the clinic's language."""
        draft = read_draft(values["draft"])
        text = self._booking.staff["whatsapp"].of("es")
        return text.format(name=draft.name, code=values["code"], summary=self.for_staff(draft, "es"))

    def for_staff(self, draft: Draft, language: Language) -> str:
        """The request as the clinic's staff read it, a line each."""
        return "\n".join(self._summary(draft, language, self._booking.staff))

    def _places(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        places: dict[str, Any] = {**self._fixed, **values}
        if region := values.get("region"):
            places["country"] = country_name(region, language)
        if kept := values.get("draft"):
            draft = read_draft(kept)
            places |= {
                "name": draft.name,
                "reach": draft.reach,
                "time": self.time(draft, language),
                "injury": self.injury(draft.injury, language),
                "summary": self.summary(draft, language),
            }
        if state := values.get("state"):
            agreed = values.get("agreed_at")
            when = self.moment(datetime.fromisoformat(agreed), values.get("zone"), language) if agreed else ""
            places["state"] = self._word(f"states.{state}", language, time=when)
            places["date"] = self.day(datetime.fromisoformat(values["at"]), language)
        return places

    def _summary(self, draft: Draft, language: Language, own: Mapping[str, Wording] | None = None) -> Iterator[str]:
        """The lines of a request; `own` words take the place of the person's."""
        words = {**self._booking.summary, **(own or {})}

        def line(key: str, /, **values: str) -> str:
            return words[key].of(language).format(**values)

        knows = {"yes": "for_other_knows", "no": "for_other_does_not_know"}.get(draft.knows, "for_other")
        yield line("for_me" if draft.for_whom == "me" else knows)
        yield line("name", name=draft.name)
        yield line("phone" if draft.phone else "email", reach=draft.reach)
        if draft.region:
            yield line("country", country=country_name(draft.region, language))
        yield line("time", time=self.time(draft, language, for_staff=own is not None))
        if draft.injury:
            yield line("injury", injury=self.injury(draft.injury, language))
        if draft.note:
            yield line("note", note=draft.note)

    # --- times --------------------------------------------------------------------------------------------------------

    def _wish(self, wish: Wish, language: Language) -> str:
        parts = [part for part in (self._days(wish, language), self._hours(wish, language)) if part]
        return ", ".join(parts) or self._word("times.any", language)

    def _days(self, wish: Wish, language: Language) -> str:
        names = get_day_names("wide", locale=language)
        listed = ", ".join(names[day] for day in wish.weekdays)
        if wish.first is None or wish.last is None:
            return self._word("times.each", language, days=listed) if listed else ""
        first, last = _day(wish.first, language), _day(wish.last, language)
        days = first if first == last else self._word("times.days", language, first=first, last=last)
        return f"{listed} ({days})" if listed else days

    def _hours(self, wish: Wish, language: Language) -> str:
        begins = _clock(wish.begins, language) if wish.begins else None
        ends = _clock(wish.ends, language) if wish.ends else None
        if begins and ends:
            return self._word("times.at" if begins == ends else "times.between", language, begins=begins, ends=ends)
        if begins:
            return self._word("times.after", language, begins=begins)
        return self._word("times.before", language, ends=ends) if ends else ""

    def _elsewhere(self, wish: Wish, zone: str | None, language: Language) -> str | None:
        """The same hours in Medellín; None where no hour is told."""
        if not (wish.begins or wish.ends):
            return None
        day = wish.first or datetime.now(UTC).date()
        begins, ends = (_moved(each, day, zone or self._zone, self._zone) for each in (wish.begins, wish.ends))
        there = Wish(begins=begins.time() if begins else None, ends=ends.time() if ends else None)
        shown = self._hours(there, language)
        start = begins or ends
        if wish.first and wish.first == wish.last and start and start.date() != day:
            return f"{_day(start.date(), language)}, {shown}"
        return shown

    def _in_zones(self, shown: str, there: str, zone: str | None, at: datetime, language: Language) -> str:
        """A time with its zone; in Medellín's too, where clocks there show another at that time of the year."""
        own = ZoneInfo(zone or self._zone)
        if at.astimezone(own).utcoffset() == at.astimezone(ZoneInfo(self._zone)).utcoffset():
            return self._word("times.here", language, time=shown)
        place = get_timezone_location(own, locale=language, return_city=True)
        return self._word("times.there", language, time=shown, place=place, there=there)

    def _moment(self, at: datetime, language: Language) -> str:
        return f"{_day(at.date(), language)}, {self._word('times.at', language, begins=_clock(at.time(), language))}"

    def _word(self, key: str, language: Language, **values: Any) -> str:
        group, name = key.split(".")
        found: Wording = getattr(self._booking, group)[name]
        return found.of(language).format(**values)


def _payload(option: str) -> str:
    return f"/{TOPIC}" + json.dumps({"choice": option})


def _day(day: date, language: Language) -> str:
    return format_date(day, _DAY[language], locale=language)


def _clock(at: time, language: Language) -> str:
    """The hour as people say it; "5:00 p. m." does not break at the end of a line."""
    return format_time(at, "short", locale=_PLACE[language]).replace("\u202f", "\xa0")


def _moved(at: time | None, day: date, zone: str, there: str) -> datetime | None:
    """The moment on clocks elsewhere."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(ZoneInfo(there)) if at else None
