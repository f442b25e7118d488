"""Takes personal data out of what people write: names, numbers, addresses, and where to find them.

Staff read transcripts without them, and what is taught from a transcript holds none. Of numbers rather too much is
hidden, of single words with a capital rather too little. The rules of both languages hold for every text, since people
mix them.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import phonenumbers
import yaml
from phonenumbers import NumberParseException, PhoneNumberType
from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH

from bot.messages import Language

Kind = Literal["name", "phone", "email", "document", "address", "birth", "link"]

FEWEST_DIGITS = 7  # of a number that is hidden whatever it is
MOST_DIGITS = 15  # of a phone number
SHORTEST_PART = 3  # letters of a known name's part
MOST_WORDS = 6  # of a name
KEPT = 20_000  # words and numbers that need not be looked at anew
_REGIONS = ("CO", "US", "MX", "ES", "AR", "VE", "EC", "PE", "CL")
_TOLL_FREE = "001"  # as phonenumbers names the region of no country
_HIDDEN = "\0"  # stands in place of each letter that a rule must not see


@dataclass(frozen=True)
class Piece:
    """A piece of personal data: where it stands in a text, and what it is."""

    start: int
    end: int
    kind: Kind


class _Sure(IntEnum):
    """How sure it is that a word is part of a name."""

    NEVER = 0
    WORD = 1
    DESCRIPTION = 2  # with a capital: "Colombian", but also "Brennan"
    NAME_OR_WORD = 3  # "luz"
    CAPITAL = 4
    NAME = 5


@dataclass(frozen=True)
class _Words:
    """`redaction.yml`."""

    marks: Mapping[Kind, Mapping[Language, str]]
    numbers: frozenset[str]
    given: frozenset[str]
    names: frozenset[str]
    ambiguous: frozenset[str]
    never: frozenset[str]
    public: frozenset[str]


def redacted(text: str, language: Language, known: Collection[str] = ()) -> str:
    """`text` with a mark in place of each piece of personal data, in the reader's language.

    Args:
        text: What somebody wrote, in either language.
        language: Of the marks.
        known: Names, numbers and addresses that the person told elsewhere; they are hidden however they are typed.
    """
    text = unicodedata.normalize("NFC", text)
    while pieces := find(text, known):  # again: a mark is short, and brings together what stood far apart
        for piece in reversed(pieces):
            text = text[: piece.start] + _words().marks[piece.kind][language] + text[piece.end :]
    return text


def find(text: str, known: Collection[str] = ()) -> list[Piece]:
    """The personal data in `text`, in order. What stands in a mark is none."""
    flat = _marks().sub(_blank, _without_accents(text))
    return _merged([*_known(flat, known), *_shapes(flat), *_numbers(flat), *_names(flat)], flat)


def _merged(pieces: list[Piece], flat: str) -> list[Piece]:
    """`pieces` in order; those that overlap are one, as are two of a kind side by side."""
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: (each.start, -each.end)):
        last = merged[-1] if merged else None
        if last and piece.start < last.end:
            longer = max(last, piece, key=lambda each: each.end - each.start)
            merged[-1] = Piece(last.start, max(last.end, piece.end), longer.kind)
        elif last and piece.kind == last.kind and flat[last.end : piece.start].isspace():
            merged[-1] = Piece(last.start, piece.end, piece.kind)
        else:
            merged.append(piece)
    return merged


def _blank(found: re.Match[str]) -> str:
    return _HIDDEN * len(found[0])


def _without_accents(text: str) -> str:
    """`text` without accents, each letter where it was and as large as it was."""
    return text if text.isascii() else "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)


# What can be told by its shape. The group of each is what is hidden; words that only tell what follows stay.

_MAIL_HOST = r"(?:gmail|hotmail|outlook|yahoo|icloud|live|proton|protonmail|aol|msn)\b"
_EMAIL = rf"(?<![\w.+%-])([\w.+%-]++(?: ?@ ?{_MAIL_HOST}[\w.]*|@\w[\w.-]*\w| ?@ [\w-]+(?:\.[\w-]+)+))"
_DOT = r"(?: ?\. ?| punto | \W?dot\W? )"
_SAID_EMAIL = (  # "ana punto ruiz arroba gmail punto com"
    r"(?<![\w.+-])((?:(?<=\b[ie]s )(?:[\w.-]+ ){0,4}?)?"
    r"[\w.+-]+(?: (?:punto|guion bajo|guion|dot|underscore|dash) [\w.+-]+)*"
    rf" (?:arroba (?:{_MAIL_HOST}|[\w-]+{_DOT}\w+)|\W?at\W? (?:{_MAIL_HOST}{_DOT}|[\w-]+ \W?dot\W? )\w+)(?:{_DOT}\w+)*)"
)

_SOCIAL = r"(?:instagram|facebook|fb|twitter|x|tiktok|linkedin|threads|snapchat|telegram|t|m|youtube)\.(?:com|me|co)"
_SHARED = r"(?:drive|docs|photos|dropbox|icloud|wetransfer|onedrive|1drv|goo|maps)\.(?:[\w-]+\.)*\w+"
_LINK = rf"((?:https?://)?(?<![\w.-])(?:[\w-]+\.)*(?:{_SOCIAL}|wa\.me|{_SHARED})/[^\s)\]]+)"
_HANDLE = r"(?<![\w.@])(@[a-z_][\w.]+\w)"
_SAID_HANDLE = (
    r"\b(?:instagram|insta|ig|facebook|fb|tik ?tok|twitter|telegram)(?: ?: ?| (?:es|is) )([a-z]+[._\d][\w.]*)"
)

_NUMERIC_DATE = (
    r"(?<!\d)(?:[0-3]?\d[/.-][01]?\d[/.-](?:19|20)?\d\d|[01]?\d[/-][0-3]?\d[/-](?:19|20)?\d\d"
    r"|(?:19|20)\d\d[/.-][01]?\d[/.-][0-3]?\d)(?!\d)"
)
_MONTH = r"(?:ene|feb|mar|abr|may|jun|jul|ago|sep|set|oct|nov|dic|jan|apr|aug|dec)[a-z]*\.?"
_DAY = r"[0-3]?\d(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:{_NUMERIC_DATE}|\b(?:{_DAY},? (?:de |of )?)?{_MONTH},?(?: (?:de|del|of))? (?:19|20)\d\d"
    rf"|\b{_DAY} (?:de |of )?{_MONTH}(?: (?:de |del )?\d\d)?\b|\b{_MONTH} {_DAY}\b(?:,? (?:19|20)\d\d)?)"
)
_BORN = (
    r"\b(?:naci|nacio|nacid[oa]|nacimiento|(?:f\.|fecha de) ?nac|born|birth|dob|birthday|birthdate|cumpleanos|cumplo)"
    r"\b\.?"
    rf"[^.,;!?\n]{{0,30}}?({_DATE})"
)
_BIRTHDAY = rf"({_DATE}) (?:es |is |fue )?(?:mi|my|su|his|her|la) (?:fecha de nac|date of birth|birthday|cumple)"

_DOCUMENT = (  # with five digits at least
    r"\b(?:cedula|cc|c\.c\.|t\.?i\.?|c\.?e\.?|d\.?n\.?i\.?|n\.?i\.?e\.?|nit|curp|rut|ppt|pep|pasaporte|passport|documento"
    r"|identificacion|ssn|social security|historia|h\.?c\.?|medical record|mrn|policy|poliza|member id|id|registro"
    r"|afiliad[oa]|carne|licen[cs]e)\b"
    r"(?: (?:clinica|de (?:ciudadania|identidad|extranjeria)|number|numero|no|nro|num|security|card))*"
    r"[\s.:#n°º]*(?:(?:es|is|el|la|the) )*"
    r"((?=[a-z]{0,4}-?(?:\d[ .-]?){5})[a-z]{0,4}(?:[ .-]?\d)+(?:-?[a-z])?\b)"
)
_CURP_RFC_NIE = r"\b([a-z]{4}\d{6}(?:[hm][a-z]{5}[a-z\d]\d|[a-z\d]{3})|[xyz]-?\d{7}-?[a-z])\b"

_VIA = (
    r"(?:calle|cll?|carrera|cra|kra|kr|cr|avenida|avda|av|diagonal|diag|dg|transversal|transv|tv|circular|autopista)\.?"
)
_SIDE = r"(?: (?:sur|norte|este|oeste))?"
_DOOR = r"(?:,? (?:apto?|apartamento|torre|int|interior|casa|piso|oficina|bloque|local|barrio)\.? ?[\w-]+)*"
_NUMBER_SIGN = r"(?:#|n[o°º]\.?|nro\.?|numero|con)"
_COLOMBIAN_ADDRESS = (
    rf"\b({_VIA} ?\d{{1,3}} ?[a-z]?(?: bis)?{_SIDE},? ?{_NUMBER_SIGN} ?\d{{1,3}} ?[a-z]?\b{_SIDE}"
    rf"(?: ?[-–] ?| )?(?:\d{{1,3}})?{_SIDE}{_DOOR}|(?:manzana|mz)\.? ?\d+[a-z]?,? (?:casa|lote|lt)\.? ?\d+{_DOOR})"
)
_NAMED_STREET = (  # "Avenida de los Andes 12"
    r"\b((?:calle|avenida|avda\.?|av\.|paseo|plaza|c/)"
    rf" ?(?:(?:de|del|la|las|los|el|(?-i:[A-Z])\w*\.?) ){{1,5}}?,? ?(?:{_NUMBER_SIGN} ?)?\d{{1,5}}\b{_DOOR})"
)
_SAID_ADDRESS = (
    rf"\b(?:vivo|vive|vivimos|direccion|domicilio)\b[^.,;!?\n]{{0,20}}?\b({_VIA} [^.,;!?\n]{{0,30}}?\d[\w #-]*)"
)
_TOWN = r"(?:,? (?:apt|apartment|suite|unit|#)\.? ?\w+)?(?:,? [a-z][a-z ]{2,30},? [a-z]{2} \d{5}(?:-\d{4})?\b)?"
_ENGLISH_ADDRESS = (
    r"(?<![\w.,])(\d{1,5}[a-z]? (?:[nsew]\.? )?"
    r"(?:(?:(?:[a-z]+|\d+(?:st|nd|rd|th)) ){1,2}(?:street|avenue|road|boulevard|lane|parkway|highway)"
    r"|(?:(?-i:[A-Z][a-z]+|\d+(?:st|nd|rd|th)) ){1,3}"
    r"(?-i:St|Ave|Rd|Blvd|Ln|Dr|Drive|Court|Ct|Way|Place|Pl|Terrace|Square|Sq|Pkwy|Hwy|Circle))"
    rf"\b\.?{_TOWN})"
)
_PLACE = r"(-?\d{1,2}\.\d{4,} ?, ?-?\d{1,3}\.\d{4,})"  # as maps write it

_SHAPES_OF: Mapping[Kind, tuple[str, ...]] = {
    "email": (_EMAIL, _SAID_EMAIL),
    "link": (_LINK, _HANDLE, _SAID_HANDLE),
    # The others have digits.
    "birth": (_BORN, _BIRTHDAY),
    "document": (_DOCUMENT, _CURP_RFC_NIE),
    "address": (_COLOMBIAN_ADDRESS, _NAMED_STREET, _SAID_ADDRESS, _ENGLISH_ADDRESS, _PLACE),
}
_SHAPES = [(kind, re.compile(shape, re.IGNORECASE)) for kind, shapes in _SHAPES_OF.items() for shape in shapes]


def _shapes(flat: str) -> Iterator[Piece]:
    has_digits = bool(_digits(flat))
    for kind, shape in _SHAPES:
        for found in shape.finditer(flat) if has_digits or kind in ("email", "link") else ():
            if not (kind == "link" and _is_public(found[1])):
                yield Piece(*found.span(1), kind)


# Numbers.

_NUMERAL = r"(?:\d{1,3}(?:[., ]\d{3})+(?:[.,]\d\d?)?|(?!3\d{9})\d+(?:[.,]\d+)?)"  # no mobile number
_COST = r"(?:usd|cop|eur|mxn|cuestan?|valen?|costs?|pay|paid|pagar?|pague|precio|price)"
_COUNTED = (
    r"(?:(?:mg|ml|cm|mm|kg|g|mcg|ui|iu|usd|cop|mxn|eur|ars|pesos|dolares|dollars|bucks|euros|soles|mil|millon(?:es)?"
    r"|million|k|cells|celulas|personas|people|pacientes|patients|km|years|anos|dias|days)\b|%|€)"
)
# Numbers that tell nothing of a person: dates, sums, doses, and the names of studies.
_NO_MATTER = re.compile(
    rf"{_NUMERIC_DATE}"
    rf"|(?:[$€£]|\b{_COST}\b) ?(?:(?:de|es|is|of|como) )?\$? ?{_NUMERAL}(?![ .-]?\d)"
    rf"|(?<![\d.,+-])(?<!\d ){_NUMERAL}(?: ?(?:-|a|to) ?{_NUMERAL})? ?(?:de )?{_COUNTED}"
    r"|\b(?:nct|pmid|pmc|doi|isrctn|jrct[a-z]?|umin|eudract|isbn|issn)[\s:#]*[\d./-]+[\w./()-]*"
    r"|(?<!\S)\S*\b(?:doi\.org|nih\.gov|clinicaltrials\.gov|who\.int|jrct\.\w+)\S*"
    r"|\b10\.\d{4,}/\S+",
    re.IGNORECASE,
)
_BETWEEN = r"(?:\.(?=\d)| ?\((?=\d{2,4}\))|\)? ?[-–]? ?)"
_DIGITS = re.compile(
    rf"(?<![\w.,])(?:[+(]*\d(?:{_BETWEEN}\d){{{FEWEST_DIGITS - 1},}}|[a-z]{{1,4}}-?\d{{{FEWEST_DIGITS},}})"
    r"(?:-?[a-z]\b)?",
    re.IGNORECASE,
)
_DICTATED = re.compile(r"(?<![\w.,])\+?\d{1,4}(?:[, ]+\d{1,4}){2,9}(?![\w.,]*\d)")  # "321, 555, 12, 34"
_YEARS = re.compile(r"\D*(?:(?:19|20)\d\d\D*)+")
_UNITS = "cero uno dos tres cuatro cinco seis siete ocho nueve zero oh one two three four five six seven eight nine"
_TENS = (
    "diez once doce trece catorce quince veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa ten eleven"
    " twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy"
    " eighty ninety"
)
_HUNDREDS = (
    "cien ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_SPOKEN_DIGITS = {word: size for size, words in enumerate((_UNITS, _TENS, _HUNDREDS), 1) for word in words.split()}
_SPOKEN_DIGIT = rf"(?:{'|'.join(_SPOKEN_DIGITS)}|(?:dieci|veinti)[a-z]+|doble|double|triple|\d+)\b"
_SPOKEN = re.compile(rf"\b{_SPOKEN_DIGIT}(?:[\s,.-]+(?:y )?{_SPOKEN_DIGIT}){{3,}}", re.IGNORECASE)


def _numbers(flat: str) -> Iterator[Piece]:
    written = _NO_MATTER.sub(_blank, flat) if len(_digits(flat)) >= FEWEST_DIGITS else ""
    for found in _DIGITS.finditer(written):
        if not _is_public(found[0]) and not _YEARS.fullmatch(found[0]):
            yield Piece(*found.span(), _kind_of_number(found[0]))
    for found in _DICTATED.finditer(written):
        if _region_of(_digits(found[0])) == "CO" and not _is_public(found[0]):
            yield Piece(*found.span(), "phone")
    for found in _SPOKEN.finditer(flat):
        words = re.findall(r"\w+", found[0])
        if any(map(str.isalpha, words)) and sum(map(_digits_said, words)) >= FEWEST_DIGITS:
            yield Piece(*found.span(), "phone")


def _digits_said(word: str) -> int:
    """How many digits of a number a word says, about."""
    return len(word) if word.isdigit() else _SPOKEN_DIGITS.get(word.lower(), 1)


def _digits(written: str) -> str:
    return re.sub(r"\D", "", written)


def _kind_of_number(written: str) -> Kind:
    digits = _digits(written)
    if re.search("[a-z]", written, re.IGNORECASE) or len(digits) > MOST_DIGITS:
        return "document"
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,3}", written):  # a Colombian's, as they write it: 1.020.345.678
        return "document"
    return "phone" if not written.isdigit() or _region_of(digits) else "document"


def _is_public(written: str) -> bool:
    """Whether it is a number that everybody may call."""
    digits = re.sub(r"^(?:00)?57(?=\d{10}$)", "", _digits(written))
    return digits in _words().numbers or _region_of(digits) == _TOLL_FREE


@lru_cache(KEPT)
def _region_of(digits: str) -> str | None:
    """The first of our countries where such a number is dialled; no country's, if it costs nothing to call there."""
    for region in _REGIONS:
        try:
            number = phonenumbers.parse(digits, region)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            return _TOLL_FREE if phonenumbers.number_type(number) == PhoneNumberType.TOLL_FREE else region
    return None


# Names.

_RELATION = (
    r"(?:hij[oa]|espos[oa]|mam[ai]|pap[ai]|madre|padre|herman[oa]|novi[oa]|amig[oa]|prim[oa]|ti[oa]|abuel[oa]|niet[oa]"
    r"|sobrin[oa]|cunad[oa]|suegr[oa]|yerno|nuera|pareja|companer[oa]|mujer|marido|paciente|bebe|vecin[oa]|cuidadora?|son|daughter"
    r"|wife|husband|brother|sister|mother|father|mom|mum|dad|mommy|daddy|friend|partner|boyfriend|girlfriend|fiancee?"
    r"|cousin|uncle|aunt|nephew|niece|grandson|granddaughter|grandmother|grandfather|grandma|grandpa|neighbou?r|patient"
    r"|caregiver|carer|boy|girl|baby)"
)
_SHORT_TITLE = r"(?:dra?|sra?|srta|mrs?|(?-i:Ms))\b\.?"
_TITLE = (
    r"(?:(?:profe?|lic|ing)\b\.?|doctora?|senor|senora|senorita|don|dona|(?-i:Miss)"
    r"|profesora?|professor|enfermer[oa]|nurse|licenciad[oa]|fisioterapeuta|therapist|pastor)"
)
_GREETING = (
    r"(?:hola|buen[oa]s (?:dias|tardes|noches)|hi|hello|hey|dear|good (?:morning|afternoon|evening)|estimad[oa]"
    r"|querid[oa])"
)
# What stands before a name, by how sure one must be of the word behind it.
_LEAD_IN = re.compile(
    r"(?<!\w)(?=[\w–—~-])(?:(?P<word>(?:me llamo|(?:mi|su|el|cuyo) nombre (?:completo )?es|nombre (?:de \w+|del) \w+ es"
    r"|(?:my|full|his|her|their|[a-z]+[’']?s) name(?: is|[’']?s)|name[’']s"
    r"|(?:nombres?|names?|apellidos?|surname|paciente|patient|acompanante|responsable|firma|signed)"
    r"(?: y apellidos?| completo| del? \w+)? ?:"
    rf"|{_RELATION}(?: \w+)? (?:se llama(?:ba)?|llamad[oa]|(?:is )?(?:called|named))))"
    rf"|(?P<description>{_SHORT_TITLE}(?![\w,:]))"
    rf"|(?P<name_or_word>{_TITLE}(?![\w,:])|(?:mi|my|nuestr[oa]|our|su|his|her|tu|your)"
    rf" (?:(?:little|older|younger|ex|pobre|querid[oa])[ -])?{_RELATION}\b(?![’']),?)"
    r"|(?P<capital>(?:atentamente|atte|att|cordialmente|sincerely|regards)\b[\s,.:!]*"
    r"|(?:soy|i(?:[’' ]?m| am)|hablas? con|speaking (?:with|to)|les? (?:escribe|habla)|de parte de|on behalf of|call me"
    r"|me (?:dicen|llaman)|attn|familia)\b)"
    r"|(?P<name>(?:gracias|thanks|thank you|thx|saludos|abrazos?|cheers|love)\b[\s,.:!]*|(?<![^\s.,!?])[-–—~]"
    r"|(?:se llama|is called|named|this is|it[’']?s|aqui|(?:al|quien) habla|somos|we are|hablar con|talk (?:to|with)"
    rf"|speak (?:to|with)|pregunto por|ask for|{_GREETING})\b))[,:]?[ \t]*",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!\w)(?:[A-Z]['’])?[^\W\d_]{2,}(?:['’-][^\W\d_]{2,})*(?!\w)")
_NEXT = re.compile(
    r"[ \t]+(?:[A-Z]\.?[ \t]+)?"
    r"(?:(?P<joined>(?:de (?:la|las|los)|del|de|y|e|and|&)[ \t]+)|(?:van der|van|von|da|di|dos|der|mc)[ \t]+)?"
    rf"(?P<word>{_NAME.pattern})"
)
_ENDS = re.compile(r"[ \t]*(?:$|[.,;:!?\n])")
_LAST_WORD = re.compile(r"([^\W\d_]+)[ \t]+$")
_DESCRIPTION = re.compile(
    r".+(?:an|ano|ana|eno|ena|ense|ish|ese|ic|plegi\w+|ico|ica|ente|ista|dor|dora|ive|ed|ing|ado|ada|ido|ida)"
)


def _names(flat: str) -> Iterator[Piece]:
    for found in _LEAD_IN.finditer(flat):
        end = _end_of_name(flat, found.end(), _Sure[str(found.lastgroup).upper()])
        if end > found.end():
            yield Piece(found.end(), end, "name")
    yield from _full_names(flat)


def _full_names(flat: str) -> Iterator[Piece]:
    """A given name and what is a name beside it, wherever they stand."""
    end = 0
    for found in _NAME.finditer(flat):
        if found.start() < end or found[0].lower() not in _words().given:
            continue
        end = _end_of_name(flat, found.start(), _Sure.NAME)
        before = _LAST_WORD.search(flat, max(0, found.start() - 30), found.start())
        if end > found.end() and not (before and before[1].lower() in _words().public):
            yield Piece(found.start(), end, "name")


def _end_of_name(flat: str, start: int, least: _Sure) -> int:
    """Where the name that begins at `start` ends; there, if none does."""
    first = _NAME.match(flat, start)
    if not first or _sure(first[0]) < least:
        return start
    end = first.end()
    for _ in range(MOST_WORDS - 1):
        following = _NEXT.match(flat, end)
        if not following:
            break
        if following["word"].lower() in _words().public:  # Rosa Hospital, Mari Dezawa
            return start
        if _sure(following["word"]) < _to_go_on(first[0], following, least):
            break
        end = following.end()
    return end


def _to_go_on(first: str, following: re.Match[str], least: _Sure) -> _Sure:
    """How sure one must be that a name goes on with what follows its first word."""
    if following["joined"]:
        return _Sure.NAME
    is_last = _ENDS.match(following.string, following.end()) and not _DESCRIPTION.fullmatch(following["word"])
    if not first.istitle() and (least is _Sure.WORD or (least is _Sure.CAPITAL and is_last)):
        return _Sure.WORD  # "me llamo ana cifuentes tengo", "soy ana cifuentes."
    return _Sure.DESCRIPTION


@lru_cache(KEPT)
def _sure(word: str) -> _Sure:
    plain, words = word.lower(), _words()
    is_name = plain in words.names
    if plain in words.public or (plain in words.never and (word.islower() or not is_name)):
        return _Sure.NEVER
    if is_name:
        return _Sure.NAME_OR_WORD if word.islower() and plain in words.ambiguous else _Sure.NAME
    if word.istitle() or re.match("[A-Z][a-z]+[A-Z]", word):
        return _Sure.DESCRIPTION if _DESCRIPTION.fullmatch(plain) else _Sure.CAPITAL
    return _Sure.WORD


# What the person told elsewhere.


def _known(flat: str, known: Iterable[str]) -> Iterator[Piece]:
    for told in (_without_accents(unicodedata.normalize("NFC", each)) for each in known):
        words, kind = re.findall(r"[^\W_]+", told), _kind_of_known(told)
        if kind in ("phone", "document"):
            words = list(_digits(told))
        if kind == "name":
            yield from _parts(flat, words)
        if len(words) > 1:
            whole = r"[\W_]{0,3}".join(map(re.escape, words))
            for found in re.finditer(rf"(?<!\w)\+?{whole}(?!\w)", flat, re.IGNORECASE):
                yield Piece(*found.span(), kind)


def _kind_of_known(told: str) -> Kind:
    if "@" in told:
        return "email"
    if not any(map(str.isdigit, told)):
        return "name"
    return "address" if re.search("[a-z]{3}", told, re.IGNORECASE) else _kind_of_number(told)


def _parts(flat: str, words: Iterable[str]) -> Iterator[Piece]:
    """Each word of a name; one that means something else too only where a capital makes it a name."""
    for word in words:
        if len(word) < SHORTEST_PART:
            continue
        is_small_word = word.lower() in _words().never
        is_word = is_small_word or word.lower() in _words().ambiguous
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", flat, re.IGNORECASE):
            begins = flat[: found.start()].rstrip(" \"'¿¡")[-1:] in ("", ".", "!", "?", "\n")
            if not is_word or (found[0][0].isupper() and not (is_small_word and begins)):
                yield Piece(*found.span(), "name")


@cache
def _marks() -> re.Pattern[str]:
    marks = {_without_accents(mark) for each in _words().marks.values() for mark in each.values()}
    return re.compile("|".join(map(re.escape, marks)))


@cache
def _words() -> _Words:
    parsed = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
    given, surnames, ambiguous, never, public = (
        frozenset(parsed[key].split()) for key in ("given", "surnames", "words", "no_names", "public")
    )
    return _Words(
        marks=parsed["marks"],
        numbers=frozenset(parsed["public_numbers"]),
        given=given,
        names=given | surnames,
        ambiguous=ambiguous,
        never=never | frozenset(map(_without_accents, ENGLISH | SPANISH)),
        public=public,
    )
