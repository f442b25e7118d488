"""What a message tells of the injury and the person: level, completeness, time since, age, cause, other illness.

Plain rules for both languages at once, on the bare text. They would rather miss than guess: what is missed, the
assistant asks for.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from bot.text import bare

DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}


def _any(*options: str) -> str:
    return f"(?:{'|'.join(options)})"


def _word(*options: str) -> str:
    return rf"\b{_any(*options)}\b"


_UNITS = {
    "day": "days?|dias?",
    "week": "weeks?|wks?|semanas?",
    "month": "months?|mos|mes|meses",
    "year": "years?|yrs?|anos?|anitos?",
}
# fmt: off
_NUMBER_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
    "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10, "once": 11, "doce": 12, "quince": 15, "veinte": 20, "treinta": 30,
}
# fmt: on
_NUMBER = _any(r"\d{1,3}(?:[.,]\d+)?", *sorted(_NUMBER_WORDS, key=len, reverse=True))
_UNIT = _any(*_UNITS.values())
_DURATION = rf"\b(?:(?P<number>{_NUMBER}) *)?(?P<unit>{_UNIT})\b(?P<half> y medio| y media| and a half)?"

_REGION = _any(
    "cervical", "thoracic", "toracica", "toracico", "dorsal", "lumbar", "sacral", "sacra", "sacro", "[ctdls]"
)
_LEVEL = re.compile(
    rf"(?<!vitamin )(?<!vitamina )\b(?P<region>{_REGION})[ -]?(?P<number>\d{{1,2}})"
    rf"(?: ?{_any('-', '/', 'to', 'a', 'y', 'and', ',')} ?(?P<region2>[ctdls])?[ -]?(?P<number2>\d{{1,2}}))?\b"
    rf"(?! *{_any('%', 'anos', 'years', 'dias', 'days', 'mes', 'mri', 'weighted')})"
)
_LETTERS = {"c": "C", "t": "T", "d": "T", "l": "L", "s": "S"}  # D, dorsal, is the Spanish T
_HIGHEST = {"C": 8, "T": 12, "L": 5, "S": 5}
_REGIONS = {
    "cervical": _word("cervical(?:es)?", "neck", "cuello", r"tetrapl\w+", r"[qc]uadripl\w+", "quad"),
    "cauda": _word("cauda equina", "cola de caballo"),
    "thoracic": _word("thoracic", "toracic[ao]", "dorsal(?:es)?"),
    "lumbar": _word("lumbar(?:es)?"),
    "sacral": _word("sacral", "sacr[ao]"),
    "paraplegia": _word(r"paraple[gj]\w+"),
}
_GRADE = re.compile(
    rf"\b{_any('asia', 'ais', 'frankel')}[ :-]*{_any('grade ', 'grado ', 'scale ', 'escala ', 'tipo ', 'es ', 'is ')}?"
    rf"(?P<after>[a-e][1-3]?)\b"
    rf"|\b(?P<before>[a-e])[ -]{_any('asia', 'ais', 'frankel')}\b|\b(?P<modified>b[1-3])\b"
)
# fmt: off
_OTHER_THINGS = (
    r"recover\w*", "cure", "healing", "paper", "article", r"stud\w+", "list", "answer", "information", "recuperacion",
    "curacion", "articulo", "estudio", "informacion", "respuesta", "lista",
)
# fmt: on
_COMPLETE = re.compile(
    rf"(?P<no>{_word('not', 'isnt', 'no', 'no es', 'non')}[ -]+(?:{_any('a', 'an', 'una', 'muy')} )?)?"
    r"(?<!recuperacion )(?<!curacion )(?<!informacion )(?<!respuesta )(?<!lista )"
    rf"\b(?P<word>incomplet[eao]s?|complet[eao]s?)\b(?! {_any(*_OTHER_THINGS)})"
)
_FEW_WORDS = 6  # a message that holds nothing but the answer

# fmt: off
_INJURY = re.compile(_word(
    r"injur\w+", r"lesion\w*", "sci", "spinal", "spine", r"medular\w*", "medula", "asia", "ais", "frankel",
    r"parapl\w+", r"tetrapl\w+", r"[qc]uadripl\w+", r"accident\w*", "crash", r"[ctdl][ -]?\d{1,2}",
))
_HAPPENED = re.compile(_word(
    "happened", "hurt", r"paraly[sz]ed", "wheelchair", "fell", r"crash\w*", "paso", "ocurrio", "sucedio", r"paraliz\w+",
    "silla", "cai", "cayo", "quede",
))
_AGO = _any("ago", "since", "post", "after", "out", "from")
_OF_INJURY = _any(
    r"de lesion", "con (?:la|esta|una) lesion", "lesionad", "de accidentad", "en silla", "de haber",
)
_IS = _word("i am", "im", "i m", "he is", "hes", "she is", "shes", "he s", "she s", "who is")
_AGE = (
    rf"\b(?P<number>\d{{1,3}})[ -]*(?:{_UNITS['year']})?[ -]*(?:old|yo|y/o|de edad)\b",
    r"\b(?P<number>\d{1,3})y/?o\b",
    r"\b(?:aged?|edad)(?: is| es| de|:)? *(?P<number>\d{1,3})\b",
    rf"{_IS} (?P<number>\d{{1,3}})\b(?! *(?:{_UNIT}|post|out|%))",
    rf"\b(?:tengo|tiene|cumpl\w+) (?:ya )?(?P<number>\d{{1,3}})(?: anos| anitos)?\b(?! *(?:{_UNIT}|{_OF_INJURY}))",
    r"\b(?:my|mi)(?: \w+)? (?:de )?(?P<number>\d{1,2})[ -]*(?:year|yr|anos)[ -]*(?:old)?\b",
)
_SINCE = (
    rf"{_DURATION}(?: \w+){{0,2}} {_AGO}\b",
    rf"{_DURATION} (?:de|con|desde)(?: (?:la|mi|su|una|que|el|haberme?))* (?:lesi\w+|accidente|caida|paso|trauma)",
    rf"\b(?:hace|ase|hara|llevo|lleva|llevamos)(?: (?:ya|unos|como|casi|mas de|aproximadamente))* {_DURATION}",
    rf"\b(?:since|for|past|last|over|almost|about)(?: (?:the|last|past|about|almost|over))* {_DURATION}",
    _DURATION,
)
_ITS_YEAR = re.compile(r"\b(?:in|since|en|desde|del?|year|ano|el) (?P<year>(?:19[4-9]|20\d)\d)\b")
_BARE_YEAR = re.compile(r"\W*(?P<year>(?:19[4-9]|20\d)\d)\W*")
_CAUSES = {
    "nontraumatic": _word(
        "non ?-?traumatic", r"no traumatic\w", r"sin trauma\w*", "transverse myelitis", r"mielitis\w*",
        "multiple sclerosis", "esclerosis multiple", "estenosis", "spina bifida", "espina bifida",
        r"(?:spinal|cord|canal|medular|lumbar|cervical) (?:stenosis|stroke|infarct\w*|tumou?r|abscess)",
        "(?:infarto|tumor|absceso|isquemia|derrame) (?:medular|espinal|(?:de|en) la (?:medula|columna))",
        r"tumou?r (?:in|on|of) (?:my|his|her|the) (?:spine|cord|spinal \w+|back|neck)",
    ),
    "traumatic": _word(
        r"accident\w*", r"crash\w*", "choque", "fell", "fall", "falling", "cai", "caida", "cayo", "div(?:e|ed|ing)",
        "clavado", r"zambull\w+", "gun ?shot", "shot", r"stab\w*", r"bala\w*", "disparo", "punalada", r"apunal\w+",
        "tiro", "motorcycle", "motorbike", "moto", r"atropell\w+", "hit by", r"traumatic\w?", "trauma",
        "broke (?:my|his|her) neck", "volcamiento", "rugby", "football tackle",
    ),
}
_HAS = _word(
    "have", "has", "had", "with", "got", "having", "i am", "im", "history of", "tengo", "tiene", "tuve", "tuvo",
    r"sufr\w+", r"padez\w+", r"padec\w+", "soy", "con", "es",
)
_ILLNESSES = {
    "cancer": _word("cancer", "leukemia", "leucemia", "lymphoma", "linfoma", "melanoma", r"chemo\w*", r"quimio\w*"),
    "blood_pressure": _word(
        "high blood pressure", "hypertension", "hypertensive", r"hipertens\w+", "presion (?:arterial )?alta",
        "tension alta",
    ),
    "breathing": _word(
        "ventilator", "respirator", r"trach\w*", "breathing (?:problems?|trouble)", "copd", "epoc", "respirador",
        "ventilador", r"traqueo\w*", "asma", "asthma",
    ),
    "nerve": _word(
        r"parkinson\w*", "multiple sclerosis", "esclerosis multiple", "als", "ela", r"epilep\w+", "stroke",
        "derrame cerebral", r"neuropat\w+",
    ),
    "other": _word(
        r"diabet\w+", "hiv", "vih", "sida", "hepatitis", "heart (?:disease|failure|problem)", r"cardiac\w*",
        "problemas? (?:del|de) corazon", r"pressure (?:sores?|ulcers?|injur\w+)", "bedsores?", "escaras?",
        "ulceras? por presion", r"kidney \w+", r"renal\w*", "lupus", "thrombosis", "trombosis", r"obes\w+", "anemia",
        r"osteopor\w+",
    ),
}
_NONE = re.compile(r"^\W*" + _word("no", "none", "nothing", "nope", "ninguna?", "nada", "sana?", "healthy"))
_NOT_KNOWN = re.compile(
    r"^\W*" + _word("(?:i )?(?:dont|do not) know", "no se", "ni idea", "not sure", r"no estoy segur\w", "skip", "paso")
)
_RELATIVES = (
    "son", "daughter", "husband", "wife", "mother", "father", "mom", "mum", "mama", "dad", "papa", "brother", "sister",
    "friend", "cousin", "boyfriend", "girlfriend", "uncle", "aunt", r"grand\w+", "patient", "nephew", "niece",
    "partner", "boy", "girl", "kid", "child", "baby", r"hij[oa]\w*", r"espos[oa]", "marido", "mujer", "madre", "padre",
    r"herman[oa]\w*", r"ti[oa]", r"prim[oa]", r"abuel[oa]\w*", r"novi[oa]", r"amig[oa]", "paciente", r"sobrin[oa]",
    r"suegr[oa]", r"cunad[oa]", "pareja", r"nin[oa]", "bebe", "mami", "papi",
)
_OTHER = re.compile(rf"\b(?:my|our|mi|mis|nuestr[oa]|una?|the) (?:\w+ )?{_any(*_RELATIVES)}\b")
_SELF = re.compile(
    _word("i am", "im", "i have", "ive", "i was", "i got", "my injury", "mi lesion", "soy", "tengo", "quede",
          "me lesione", "me accidente", "me cai", "yo")
)
_COUNTRIES = {
    "CO": _word("colombia"), "MX": _word("mexico"), "AR": _word("argentina"), "CL": _word("chile"), "PE": _word("peru"),
    "EC": _word("ecuador"), "VE": _word("venezuela"), "BO": _word("bolivia"), "UY": _word("uruguay"),
    "PY": _word("paraguay"), "PA": _word("panama"), "CR": _word("costa rica"), "GT": _word("guatemala"),
    "HN": _word("honduras"), "SV": _word("el salvador"), "NI": _word("nicaragua"), "CU": _word("cuba"),
    "DO": _word("republica dominicana", "dominican republic"), "PR": _word("puerto rico"),
    "ES": _word("espana", "spain"),
    "US": _word("united states", "estados unidos", "usa", "the us", "the states", "eeuu", "ee uu"),
    "CA": _word("canada"), "GB": _word("uk", "england", "scotland", "wales", "reino unido", "inglaterra"),
    "BR": _word("brazil", "brasil"), "AU": _word("australia"),
}
_LIVES = (
    r"\b(?:i am|im|we are|were|live|living|lives|writing|write|calling|call|come|coming|fly|flying|travel\w*"
    r"|here|soy|somos|vivo|vive|vivimos|estoy|estamos|escribo|escribimos|llamo|vengo|venimos|viaj\w+|aca|aqui|desde)\b"
    r"(?: \w+){0,3} "
)
# fmt: on


@dataclass(frozen=True)
class Injury:
    """What is known; None for what is not.

    Attributes:
        level: "C5", "C4-C6", "T10", or a region: "cervical", "thoracic", "lumbar", "sacral", "cauda", "paraplegia".
        completeness: "complete", "incomplete", or the grade: "B" to "E", "B1" to "B3"; grade A is "complete".
        days: Since the injury.
        age: In years.
        cause: "traumatic" or "nontraumatic".
        illness: "none", "cancer", "blood_pressure", "breathing", "nerve" or "other".
        whom: Whom the message is about: "self" or "other".
        country: Where the person writes from, ISO 3166 code of two letters.
    """

    level: str | None = None
    completeness: str | None = None
    days: float | None = None
    age: float | None = None
    cause: str | None = None
    illness: str | None = None
    whom: str | None = None
    country: str | None = None


def injury_in(text: str, *, asked: str | None = None, today: Callable[[], date] = date.today) -> Injury:
    """What `text` tells.

    Args:
        text: A message, in either language.
        asked: The feature that the assistant has just asked for ("level", "time", ...): then a bare "5 years" or "no"
            is an answer to it.
        today: Tells the day, for "since 2019".
    """
    words = re.sub(r"\s+", " ", re.sub(r"['’´`]", "", bare(text)))
    cause = next((cause for cause, pattern in _CAUSES.items() if re.search(pattern, words)), None)
    illness = _illness(words, asked)
    about_injury = asked is not None or cause is not None or bool(_INJURY.search(words))
    age, rest = _age(words, asked)
    told_when = about_injury or bool(_HAPPENED.search(words)) or (illness is None and len(words.split()) <= _FEW_WORDS)
    return Injury(
        level=_level(words),
        completeness=_completeness(words, about_injury),
        days=_days(rest, about_injury, asked, today) if told_when else None,
        age=age,
        cause=cause,
        illness=illness,
        whom="other" if _OTHER.search(words) else "self" if _SELF.search(words) else None,
        country=next((code for code, name in _COUNTRIES.items() if re.search(_LIVES + name, words)), None),
    )


def is_not_known(text: str) -> bool:
    """Whether the person says that they do not know what was asked for, or would rather go on."""
    return bool(_NOT_KNOWN.search(re.sub(r"['’´`]", "", bare(text))))


def _level(words: str) -> str | None:
    levels = list(dict.fromkeys(level for found in _LEVEL.finditer(words) for level in _numbered(found)))
    if levels:
        return levels[0] if len(levels) == 1 else f"{levels[0]}-{levels[-1]}"
    return next((name for name, pattern in _REGIONS.items() if re.search(pattern, words)), None)


def _numbered(found: re.Match[str]) -> Iterator[str]:
    """The one or two levels of a match; none that a spine does not have."""
    region = _LETTERS.get(found["region"][:1], "")
    for letter, number in ((region, found["number"]), (_LETTERS.get(found["region2"] or "", region), found["number2"])):
        if number and 1 <= int(number) <= _HIGHEST[letter]:
            yield f"{letter}{int(number)}"


def _completeness(words: str, about_injury: bool) -> str | None:
    grade = _GRADE.search(words)
    if grade:
        found = (grade["after"] or grade["before"] or grade["modified"]).upper()
        return "complete" if found == "A" else found if found in {"B1", "B2", "B3"} else found[0]
    said = _COMPLETE.search(words) if about_injury else None
    if not said:
        return None
    return "incomplete" if said["word"].startswith("in") or said["no"] else "complete"


def _age(words: str, asked: str | None) -> tuple[float | None, str]:
    """The age, and the text without it."""
    patterns = (*_AGE, r"\b(?P<number>\d{1,3})\b") if asked == "age" else _AGE
    for pattern in patterns:
        found = re.search(pattern, words)
        if found and 0 < int(found["number"]) <= 110:
            return float(found["number"]), words[: found.start()] + " " + words[found.end() :]
    return None, words


def _days(words: str, about_injury: bool, asked: str | None, today: Callable[[], date]) -> float | None:
    # Bare durations count only when the injury is what is spoken of; "for" and "since" may be about anything too.
    for pattern in _SINCE if about_injury else _SINCE[:3]:
        for found in re.finditer(pattern, words):
            if found["number"] or found["half"]:  # "half a year" without a number is no duration of ours
                number = _number(found["number"]) + (0.5 if found["half"] else 0.0)
                unit = next(unit for unit, spelling in _UNITS.items() if re.fullmatch(spelling, found["unit"]))
                return round(number * DAYS[unit], 1)
    if asked in (None, "time") and about_injury:
        year = _ITS_YEAR.search(words) or (_BARE_YEAR.fullmatch(words) if asked else None)
        if year and int(year["year"]) < today().year:
            return round((today().year - int(year["year"])) * DAYS["year"], 1)
        if re.search(r"\b(?:yesterday|ayer|anoche|last night)\b", words):
            return 1.0
        if re.search(r"\b(?:last year|el ano pasado)\b", words):
            return round(DAYS["year"], 1)
    return None


def _number(written: str | None) -> float:
    """The value of digits or a number word; "year and a half" has neither, and is one year."""
    return _NUMBER_WORDS.get(written or "a") or float((written or "").replace(",", "."))


def _illness(words: str, asked: str | None) -> str | None:
    for illness, pattern in _ILLNESSES.items():
        cue = "" if asked == "illness" else rf"{_HAS}(?: \w+){{0,3}} "
        if re.search(cue + pattern, words):
            return illness
    return "none" if asked == "illness" and _NONE.search(words) else None
