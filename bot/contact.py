"""How to reach a person: phone numbers and e-mail addresses as people type them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult, timezone

from bot.text import bare

# Why a text is no way to reach somebody: keys of `problems` in content/booking.yml.
Problem = Literal["no_reach", "too_short", "too_long", "no_such_number", "which_country", "bad_email", "two_numbers"]

FEWEST_DIGITS = 5  # fewer are no try at a phone number
_DIGIT_WORDS = (
    "zero one two three four five six seven eight nine",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
)
_DIGITS = {word: str(digit) for words in _DIGIT_WORDS for digit, word in enumerate(words.split())} | {
    "oh": "0",
    "o": "0",
    "plus": "+",
    "mas": "+",
}
_DICTATED_ADDRESS = re.compile(r"\barroba\b|\bat [\w ]+(?:\.| dot | punto )\w")
_DICTATED_SIGNS = {"arroba|at": "@", "punto|dot": ".", "guion bajo|guión bajo|underscore": "_", "guion|guión|dash": "-"}
_LEAD_IN = re.compile(r"^(?:.*\b(?:es|is|a|to|mail|correo|e-?mail):?\s+)(?=.*(?:@|arroba|\bat\b))", re.IGNORECASE)
_MAIN_ZONES = frozenset({"Europe/Madrid", "Europe/London", "Europe/Lisbon"})  # islands apart, one number plan
_LANGUAGES = ("en", "es")
_OTHER_NAMES = {
    "usa": "US",
    "us": "US",
    "u s": "US",
    "america": "US",
    "eeuu": "US",
    "ee uu": "US",
    "los estados unidos": "US",
    "the states": "US",
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "inglaterra": "GB",
    "holanda": "NL",
    "holland": "NL",
    "republica dominicana": "DO",
    "dominicana": "DO",
    "mejico": "MX",
}


@dataclass(frozen=True)
class Phone:
    """A phone number that exists as far as its country's numbering plan tells.

    Attributes:
        e164: As machines dial it: "+573001234567".
        shown: As people read it: "+57 300 1234567", with its extension.
        region: Its country, two capital letters; empty for numbers of no country.
        zone: The time zone where such a number is used; None where they differ.
    """

    e164: str
    shown: str
    region: str
    zone: str | None


@dataclass(frozen=True)
class Email:
    """An address of valid syntax; whether anybody reads it is not known."""

    address: str


def read_reach(text: str, region: str | None) -> Phone | Email | Problem:
    """The phone number or e-mail address in `text`, or what is wrong with it.

    Args:
        text: As it was typed or dictated.
        region: The country, two capital letters, of a number that does not tell its own; None where it is not known.
    """
    return _read_email(text) if "@" in text or _DICTATED_ADDRESS.search(bare(text)) else read_phone(text, region)


def read_phone(text: str, region: str | None) -> Phone | Problem:
    """The one phone number in `text`, or what is wrong with it."""
    written = _dialled(_in_digits(text))
    found = {_e164(match.number): match.number for match in phonenumbers.PhoneNumberMatcher(written, region)}
    if len(found) > 1:
        return "two_numbers"
    for number in found.values():
        return _phone(number)
    return _what_is_wrong(written, region)


def has_reach(text: str) -> bool:
    """Whether somebody tries to give a number or an address."""
    return "@" in text or len(re.sub(r"\D", "", _in_digits(text))) >= FEWEST_DIGITS + 2


def read_country(text: str) -> str | None:
    """The country that is named, in English or Spanish, as two capital letters; None where none is."""
    said = re.sub(r"[^a-z ]+", " ", bare(text)).strip()
    said = re.sub(r"^(i am |i m |im |we are )?(in|from|estoy en|vivo en|de|en|soy de|desde) ", "", said)
    return _COUNTRIES.get(re.sub(r" +", " ", said))


def country_name(region: str, language: str) -> str:
    """The country's name for readers."""
    return str(Locale(language).territories.get(region, region))


def _in_digits(text: str) -> str:
    """The text with dictated digits as digits: "tres cero cero" is 300."""
    words = re.findall(r"\w+|\W+", text)
    spoken = [_DIGITS.get(bare(word), "") for word in words]
    if sum(each.isdigit() for each in spoken) < FEWEST_DIGITS:
        return text
    return "".join(digit or ("" if word.isspace() else word) for word, digit in zip(words, spoken, strict=True))


def _dialled(written: str) -> str:
    """The text with what people dial, but no number has: the 00 of calls abroad, the 1 of old Mexican mobiles."""
    abroad = re.sub(r"(?<![\d+])00(?=[1-9])", "+", written, count=1)
    return re.sub(r"(\+52\D?)1\D?(?=(?:\d\D?){10}(?!\d))", r"\1", abroad)


def _phone(number: PhoneNumber) -> Phone:
    return Phone(
        e164=_e164(number),
        shown=phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        region=phonenumbers.region_code_for_number(number) or "",
        zone=_zone(timezone.time_zones_for_number(number)),
    )


def _zone(zones: Sequence[str]) -> str | None:
    for main in _MAIN_ZONES.intersection(zones):
        return main
    known = [zone for zone in zones if zone != "Etc/Unknown"]
    now = datetime.now(UTC)
    same = {now.astimezone(ZoneInfo(zone)).utcoffset() for zone in known}
    return known[0] if len(same) == 1 else None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _what_is_wrong(written: str, region: str | None) -> Phone | Problem:
    digits = re.sub(r"\D", "", written)
    if len(digits) < FEWEST_DIGITS:
        return "no_reach"
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and "+" not in written:
            return "which_country"
        return "too_long" if error.error_type == NumberParseException.TOO_LONG else "no_such_number"
    if phonenumbers.is_valid_number(number):  # the matcher is stricter about what surrounds it
        return _phone(number)
    if "+" not in written and 7 <= len(digits) <= 12:
        return "which_country"  # it may be right in another one
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return "too_short"
    return "too_long" if possible == ValidationResult.TOO_LONG else "no_such_number"


def _read_email(text: str) -> Email | Problem:
    written = _LEAD_IN.sub("", text.strip())
    if _DICTATED_ADDRESS.search(bare(written)):  # "juan perez arroba gmail punto com"
        for said, meant in _DICTATED_SIGNS.items():
            written = re.sub(rf"\s*\b(?:{said})\b\s*", meant, written, flags=re.IGNORECASE)
        written = re.sub(r"\s+(?=\S*@)|\s+(?=.*@)", "", written)
    found = [word.strip("<>()[],;:\"'.!?¡¿") for word in re.sub(r"\s*@\s*", "@", written).split() if "@" in word]
    if not found:
        return "bad_email"
    try:
        return Email(validate_email(found[0], check_deliverability=False).normalized)
    except EmailNotValidError:
        return "bad_email"


def _countries() -> dict[str, str]:
    names = {
        bare(str(name)): code
        for language in _LANGUAGES
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }
    return {re.sub(r"[^a-z ]+", " ", name).strip(): code for name, code in names.items()} | _OTHER_NAMES


_COUNTRIES = _countries()
