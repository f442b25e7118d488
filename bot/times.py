"""When it suits a person: days and hours as people type them, in English and Spanish.

Kept as what was said (days, hours), since "Tuesday afternoon" is no moment. What cannot be read is not guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.messages import Language
from bot.text import bare

# The first that fits is read, and its words are taken out, so that "mañana por la mañana" is a day and a part of it.
_DAYS = {
    "monday mon lunes lun": 0,
    "tuesday tues tue martes mar": 1,
    "wednesday wed miercoles mierc mie": 2,
    "thursday thurs thur thu jueves jue": 3,
    "friday fri viernes vie": 4,
    "saturday sat sabado sab": 5,
    "sunday sun domingo dom": 6,
}
_WEEKDAY = {name: number for names, number in _DAYS.items() for name in names.split()}
_PLURAL = {f"{name}s" for name in _WEEKDAY if name.endswith(("day", "bado", "ngo"))}
_MONTHS = (
    "january jan enero ene", "february feb febrero", "march marzo", "april apr abril abr", "may mayo", "june jun junio",
    "july jul julio", "august aug agosto ago", "september sept sep septiembre setiembre", "october oct octubre",
    "november nov noviembre", "december dec diciembre dic",
)  # fmt: skip
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NUMBERS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "una dos tres cuatro cinco seis siete ocho nueve diez once doce",
    )
    for number, word in enumerate(words.split(), 1)
}
_IN_THE = r"(?:in the |por la |en la |de la |a la |la )?"
_PARTS = {
    rf"(?:first thing|early)? ?{_IN_THE}(?:mornings?|mananas?|mananita)": (8, 12),
    r"(?:at |al )?(?:noon|midday|lunch ?time|medio ?dia|hora del almuerzo)": (12, 14),
    rf"{_IN_THE}(?:afternoons?|tardes?|tardecita)": (12, 18),
    rf"{_IN_THE}(?:evenings?|nights?|tonight|noches?)": (18, 21),
}
_ANY = "|".join(
    (
        r"\bany ?time\b|\bwhenever\b|\bany (?:day|hour)\b|\banything works\b|\bdoes ?n.?t matter\b|\bi.?m flexible\b",
        r"\b(?:a |en )?cualquier (?:momento|hora|dia|rato)\b|\bcuando (?:sea|quieran|puedan|gusten)\b",
        r"\b(?:me )?da (?:igual|lo mismo)\b|\bno importa\b|\ba toda hora\b|\bsiempre\b|\ball day\b|\balways free\b",
    )
)
_EXCEPT = re.compile(
    r"\b(?:no|not|never|nunca|except|menos|excepto|salvo|but|cant|wont|dont)\b(?! importa| matter)|n[’']t\b(?! matter)"
    r"|\b(?:after the|despues del|entre el|between the|until the|hasta el|antes del|before the) \d{1,2}(?!\d|:)"
)
_NOON = re.compile(r"\b(before|after|until|and|antes de|despues de|hasta|y)(?:l| el)? (?:noon|midday|medio ?dia)\b")
_N = r"(\d{1,2}|" + "|".join(_NUMBERS) + ")"
_MINUTES = r"(?:(?:[:.h](\d\d))|( y media| y cuarto| thirty| fifteen))?"
_HALF_OF_THE_DAY = (
    r"\s*(a\.? ?m\b\.?|p\.? ?m\b\.?|de la manana|de la madrugada|de la tarde|de la noche"
    r"|in the morning|in the afternoon|in the evening|at night|o.?clock)"
)
_HOUR = rf"{_N}{_MINUTES} ?(?:h\b|hs\b|hrs\b|horas\b)?"
_CLOCK = rf"{_HOUR}{_HALF_OF_THE_DAY}?"
_AT = r"(?:a las?|las?|at|around|about|a eso de las?|como a las?|tipo|hacia las?)"
_UNTIL = r"(?:and|to|till|until|-|y|a|hasta)"
_BETWEEN = rf"(?:(?:between|entre|from|de|desde) )?(?:{_AT} )?{_CLOCK} ?{_UNTIL} ?(?:las? )?{_CLOCK}"
_AFTER = (
    rf"(?:after|from|past|since|despues de|luego de|a partir de|desde|pasadas) (?:{_AT} )?{_CLOCK}"
    r"(?: on(?:wards?)?| en adelante)?"
)
_BEFORE = rf"(?:before|until|till|by|antes de|hasta) (?:{_AT} )?{_CLOCK}"
_FILLERS = frozenset(
    "a an the on in at of or and please pls ok any day days time is it me call works for good best better "  # noqa: SIM905
    "fine would be i am my this el la los las un una en de del o y por favor porfa que llamen llamar queda bien mejor "
    "seria es esta este para mi dia dias hora horas cualquier puedo puede pueden can you free available libre estoy si "
    "yes".split()
)
_NAMES = "|".join(sorted({*_WEEKDAY, *_PLURAL}, key=len, reverse=True))
_FROM_DAY_TO_DAY = (
    rf"(?:from |de |entre )?({_NAMES})\.? ?(?:to|through|thru|till|until|a|al|-|hasta) (?:el )?({_NAMES})"
    rf"|entre (?:el )?({_NAMES}) y (?:el )?({_NAMES})"
)
_A_DAY = rf"(?:(?:on|el|este|this|next|proximo) )?({_NAMES})(?:\.|(?: que viene| proximo)\b)?"


@dataclass(frozen=True)
class Wish:
    """When it suits; what was not said is open.

    Attributes:
        first: The first day, None for no day in particular.
        last: The last day, `first` for a single one.
        weekdays: Days of the week, 0 for Monday, in which it suits; empty for all.
        begins: From this hour on, in the person's own time.
        ends: Until this hour. The same as `begins` for a certain hour.
    """

    first: date | None = None
    last: date | None = None
    weekdays: tuple[int, ...] = ()
    begins: time | None = None
    ends: time | None = None

    def is_past(self, now: datetime) -> bool:
        """Whether nothing of it lies ahead of `now`, the person's own time."""
        if self.last is None:
            return False
        return self.last < now.date() or (
            self.last == now.date() and self.ends is not None and self.ends <= now.time().replace(tzinfo=None)
        )


def read_wish(text: str, now: datetime, language: Language) -> Wish | None:
    """When it suits, as `text` tells; None where it tells no time.

    Args:
        text: As it was typed or dictated.
        now: In the person's own time zone: "tomorrow" counts from it.
        language: Of the message. It decides only whether 12/01 is a day of January or of December.
    """
    plain = _plain(text)
    if _EXCEPT.search(plain):  # "any day but Monday": better in the person's own words than half understood
        return None
    said = _Said(plain)
    first, last, weekdays = _days(said, now.date(), language)
    begins, ends = _hours(said)
    if first is None and not weekdays and begins is None and ends is None and not said.take(_ANY):
        return None
    return Wish(first, last, weekdays, begins, ends)


def words_beside(text: str, now: datetime, language: Language) -> int:
    """How many words of `text` tell no time; all of them where it tells none."""
    said = _Said(_plain(text))
    _days(said, now.date(), language)
    _hours(said)
    said.take(_ANY)
    return sum(word not in _FILLERS for word in re.findall(r"[a-z0-9]+", said.words))


def _plain(text: str) -> str:
    return _NOON.sub(r"\1 12 pm", re.sub(r"[,;¿?¡!]+", " ", bare(text)))


class _Said:
    """The words that are left to read."""

    def __init__(self, words: str) -> None:
        self.words = f" {re.sub(r' +', ' ', words).strip()} "

    def take(self, pattern: str) -> re.Match[str] | None:
        """The first place that fits, which is then taken out."""
        found = re.search(rf"(?<![\w/]){pattern}(?![\w/])", self.words)
        if found:
            self.words = f"{self.words[: found.start()]} ; {self.words[found.end() :]}"
        return found


def _days(said: _Said, today: date, language: Language) -> tuple[date | None, date | None, tuple[int, ...]]:
    """First day, last day, days of the week."""
    if day := _date(said, today, language):
        return day, day, ()
    for pattern, ahead in (
        (r"(?:pasado manana|(?:the )?day after tomorrow)", 2),
        (r"(?:tomorrow|tmrw|tomorow)", 1),
        (r"(?:hoy(?: mismo)?|today)", 0),
    ):
        if said.take(pattern):
            return _days_ahead(today, ahead)
    if re.search(r"\b(?:this (?:afternoon|evening|morning)|esta (?:tarde|noche|manana)|tonight)\b", said.words):
        return _days_ahead(today, 0)  # the part of the day is read later
    if found := said.take(rf"(?:in|en|dentro de) {_N} (days?|dias?|weeks?|semanas?)"):
        return _days_ahead(today, _number(found[1]) * (7 if found[2][0] in "ws" else 1))
    week = _week(said, today)
    weekdays, repeated = _weekdays(said)
    if weekdays and not repeated:
        days = [_next(day, week[0] if week else today + timedelta(days=1)) for day in weekdays]
        return (days[0], days[0], ()) if len(days) == 1 else (min(days), max(days), weekdays)
    if week:
        return (*week, weekdays)
    if weekdays:
        return None, None, weekdays
    if said.take(r"(?:(?<!la )(?<!las )manana(?! a la manana$))"):
        return _days_ahead(today, 1)
    return None, None, ()


def _date(said: _Said, today: date, language: Language) -> date | None:
    months = "|".join(_MONTH)
    if found := said.take(r"(20\d\d)-(\d\d?)-(\d\d?)"):
        return _valid(int(found[1]), int(found[2]), int(found[3]))
    if found := said.take(rf"(?:el |the )?(\d\d?)(?:st|nd|rd|th|ro)? (?:de |of )?({months})\.?"):
        return _coming(today, _MONTH[found[2]], int(found[1]))
    if found := said.take(rf"({months})\.? (?:the )?(\d\d?)(?:st|nd|rd|th)?(?! ?[ap]\.?m)"):
        return _coming(today, _MONTH[found[1]], int(found[2]))
    if found := said.take(r"(\d\d?)[/-](\d\d?)[/-](?:20)?\d\d") or said.take(r"(\d\d?)/(\d\d?)"):
        one, other = int(found[1]), int(found[2])
        day, month = (other, one) if (language == "en" and one <= 12) or other > 12 else (one, other)
        return _coming(today, month, day)
    if found := said.take(r"(?:el (?:dia )?(\d\d?)|the (\d\d?)(?:st|nd|rd|th))"):
        day = int(found[1] or found[2])
        return next((each for each in _months_ahead(today, day) if each and each >= today), None)
    return None


def _week(said: _Said, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    coming = r"(?:next|coming|following|proxima|que viene|entrante|siguiente|otra)"
    if said.take(rf"(?:{coming} week|la {coming} semana|{coming} semana|(?:la )?semana {coming})"):
        return monday + timedelta(days=7), monday + timedelta(days=13)
    if said.take(r"(?:this week|esta semana)"):
        return today, monday + timedelta(days=6)
    if said.take(r"(?:this weekend|este (?:fin de semana|finde))"):
        saturday = max(today, monday + timedelta(days=5))
        return saturday, monday + timedelta(days=6)
    return None


def _weekdays(said: _Said) -> tuple[tuple[int, ...], bool]:
    """The days of the week that are named, and whether every one of them suits, not just the next."""
    if found := said.take(_FROM_DAY_TO_DAY):
        first, last = (_weekday(name) for name in found.groups() if name)
        return tuple(range(first, last + 1)) if first < last else tuple(sorted({first, last})), True
    if said.take(r"(?:(?:on )?week ?days|entre semana|(?:los )?dias (?:de semana|habiles|laborales))"):
        return (0, 1, 2, 3, 4), True
    if said.take(r"(?:(?:on |at )?(?:the )?week ?ends?|(?:el |los )?(?:fin(?:es)? de semana|findes?))"):
        return (5, 6), True
    if every := said.take(rf"(?:(?:los|every|todos los|each) )({_NAMES})"):
        return (_weekday(every[1]), *_weekdays(said)[0]), True
    days, repeated = set(), False
    while found := said.take(_A_DAY):
        repeated = repeated or found[1] in _PLURAL
        days.add(_weekday(found[1]))
    return tuple(sorted(days)), repeated


def _weekday(name: str) -> int:
    return _WEEKDAY[name] if name in _WEEKDAY else _WEEKDAY[name.removesuffix("s")]


def _hours(said: _Said) -> tuple[time | None, time | None]:
    """From when until when, as far as it is told."""
    if between := said.take(_BETWEEN):
        return _both(between, said)
    if half := said.take(rf"(?:half past|quarter past) {_N}"):
        exact = _time(half[1], None, " y media" if "half" in half[0] else " y cuarto", _part_said(said))
        return exact, exact
    after, before = said.take(_AFTER), said.take(_BEFORE)
    if after or before:
        part = _part_said(said)
        return _clock(after, part), _clock(before, part)
    if found := said.take(rf"{_AT} {_CLOCK}") or said.take(rf"{_HOUR}{_HALF_OF_THE_DAY}"):
        exact = _clock(found, None) if found[4] else _clock(found, _part_said(said))
        return exact, exact
    if found := said.take(r"(\d{1,2})[:h](\d\d)"):
        exact = _time(found[1], found[2], None, _part_said(said))
        return exact, exact
    for pattern, (begin, end) in _PARTS.items():
        if said.take(pattern):
            return time(begin), time(end)
    return None, None


def _both(found: re.Match[str], said: _Said) -> tuple[time | None, time | None]:
    """Two hours: what tells the half of the day of the second one tells that of the first, unless it cannot be."""
    late = found[8] or _part_said(said)
    ends = _time(found[5], found[6], found[7], late)
    begins = _time(found[1], found[2], found[3], found[4] or late)
    if begins and ends and begins > ends:  # "from 10 to 1 pm"
        begins = _time(found[1], found[2], found[3], found[4] or "a.m.")
    return begins, ends


def _clock(found: re.Match[str] | None, part: str | None) -> time | None:
    return _time(found[1], found[2], found[3], found[4] or part) if found else None


def _part_said(said: _Said) -> str | None:
    """The half of the day that is told elsewhere in the message: "mañana en la tarde a las 3"."""
    for pattern, (begin, _) in _PARTS.items():
        if said.take(pattern):
            return "a.m." if begin < 12 else "p.m."
    return None


_LATE = ("de la tarde", "de la noche", "in the afternoon", "in the evening", "at night")
_EARLY = ("de la manana", "de la madrugada", "in the morning")


def _time(hour: str, minute: str | None, words: str | None, half: str | None) -> time | None:
    """The hour as the clock shows it. Nobody wants a call at 3 in the night: 1 to 7 without more is after noon."""
    value = _number(hour)
    half = (half or "").strip()
    late = half.startswith("p") or half in _LATE
    early = half.startswith("a") or half in _EARLY
    if value < 12 and (late or (not early and value <= 7 and not hour.startswith("0"))):
        value += 12
    elif value == 12 and early:
        value = 0
    extra = {" y media": 30, " thirty": 30, " y cuarto": 15, " fifteen": 15}.get(words or "", 0)
    minutes = int(minute) if minute else extra
    return time(value, minutes) if value < 24 and minutes < 60 else None


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word]


def _days_ahead(today: date, ahead: int) -> tuple[date, date, tuple[int, ...]]:
    day = today + timedelta(days=ahead)
    return day, day, ()


def _next(weekday: int, since: date) -> date:
    return since + timedelta(days=(weekday - since.weekday()) % 7)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(today: date, month: int, day: int) -> date | None:
    this_year = _valid(today.year, month, day)
    if this_year and this_year >= today:
        return this_year
    return _valid(today.year + 1, month, day)


def _months_ahead(today: date, day: int) -> Iterator[date | None]:
    for ahead in range(3):
        month = today.month - 1 + ahead
        yield _valid(today.year + month // 12, month % 12 + 1, day)
