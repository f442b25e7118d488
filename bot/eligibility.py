"""Compares a person with those who took part in the study, feature by feature. It decides nothing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.content import COMPARISON, CitedWording, Content, FeatureEntry, Reviewed, revision_of
from bot.evidence import weakest_evidence
from bot.injury import DAYS
from bot.messages import Button, Claim, Language, Reply

# The dialogue's slot for each feature, in the order in which missing ones are asked for.
SLOTS = {
    "level": "injury_level",
    "completeness": "completeness",
    "time": "injury_days",
    "age": "age",
    "cause": "cause",
    "illness": "illness",
}
TOPIC = "eligibility"


class Eligibility:
    """The comparison. What it says lies in `eligibility.yml`."""

    def __init__(
        self,
        content: Content,
        notes: Callable[[str, Reviewed, Language], tuple[str, ...]],
        is_unbacked: Callable[[str, Reviewed], bool],
    ) -> None:
        """The comparison of `content`.

        Args:
            content: What the content folder holds.
            notes: Tells the small print on who has checked a text.
            is_unbacked: Tells whether a text about effect or safety may not be told, as nobody stands behind it.
        """
        self._content = content
        self._entry = content.eligibility
        self._notes = notes
        self._is_unbacked = is_unbacked

    def compare(self, slots: Mapping[str, Any], only: Sequence[str], language: Language) -> Reply | None:
        """What is known of the person beside the study, a cited line each; None when nothing is known yet.

        Args:
            slots: The dialogue's slots; those of `SLOTS` are read.
            only: The features to show, where the others have been shown before; empty for all.
            language: Of the reply.
        """
        known = [(name, slots[slot]) for name, slot in SLOTS.items() if _is_known(name, slots.get(slot))]
        shown = [(name, value) for name, value in known if not only or name in only]
        if not shown:
            return None
        cases = [self._feature(name).cases[case_of(name, value)] for name, value in shown]
        named = [self.named(name, value, language) for name, value in shown]
        claims = [self._claim(case, name, language) for case, name in zip(cases, named, strict=True)]
        facts = [self._content.facts[key] for case in (*cases, self._entry.closing) for key in case.facts]
        return Reply(
            text=(self._entry.then if only else self._entry.lead).of(language),
            claims=(*claims, self._content.claim(self._entry.closing, language)),
            unknown=self._entry.unknown.of(language),
            evidence=self._content.phrases[f"evidence_{weakest_evidence(facts)}"].of(language),
            notes=self._notes(COMPARISON, self._entry, language),
            revision=revision_of(COMPARISON, self._entry),
        )

    def is_withheld(self) -> bool:
        """Whether nobody stands behind the comparison; it has a review of its own, beside that of the answer."""
        return self._is_unbacked(COMPARISON, self._entry)

    def whole(self, language: Language) -> Iterator[Reply]:
        """All that it may say: its frame, then each feature under its question; `{value}` is what a person told."""
        entry = self._entry
        yield Reply(
            entry.lead.of(language),
            (self._content.claim(entry.closing, language),),
            entry.unknown.of(language),
            notes=self._notes(COMPARISON, entry, language),
            buttons=tuple(self._content.button(key, language) for key in entry.next),
        )
        yield Reply(entry.then.of(language))
        for name, feature in entry.features.items():
            cases = tuple(self._content.claim(case, language) for case in feature.cases.values())
            yield Reply(feature.ask.of(language), cases, buttons=self._choices(name, language))

    def question(self, feature: str | None, language: Language) -> Reply:
        """The question for one more feature, with its choices; when there is none, only where to go on."""
        buttons = [self._content.button(key, language) for key in self._entry.next]
        if feature is None:
            phrase = self._content.phrases["eligibility_done"]
            return Reply(phrase.of(language), buttons=tuple(buttons), revision=revision_of("eligibility_done", phrase))
        entry = self._feature(feature)
        more = self._content.button("more_detail", language, {"topic": TOPIC})
        choices = self._choices(feature, language)
        return Reply(entry.ask.of(language), buttons=(*choices, more, *buttons), revision=revision_of(feature, entry))

    def choice(self, payload: str, language: Language) -> str | None:
        """The words of a choice that was pressed; None when `payload` is none of ours."""
        for feature, entry in self._entry.features.items():
            for value, title in entry.choices.items():
                if payload == _payload(feature, value):
                    return title.of(language)
        return None

    def _choices(self, feature: str, language: Language) -> tuple[Button, ...]:
        choices = self._feature(feature).choices
        return tuple(Button(title.of(language), _payload(feature, value)) for value, title in choices.items())

    def _feature(self, name: str) -> FeatureEntry:
        return self._entry.features[name]  # type: ignore[index]  # the names are those of the schema

    def _claim(self, case: CitedWording, name: str, language: Language) -> Claim:
        text = case.of(language).replace("{value}", name)
        return Claim(text[:1].upper() + text[1:], self._content.citations(case.sources, language))

    def named(self, feature: str, value: Any, language: Language) -> str:
        """How a value is called: "C5", "3 years", "Complete"."""
        if feature == "time":
            return self._duration(float(value), language)
        if feature == "age":
            return f"{float(value):g}"
        named = self._feature(feature).names.get(str(value))
        return named.of(language) if named else str(value)

    def _duration(self, days: float, language: Language) -> str:
        """In the largest unit that fits twice, or the years themselves."""
        number, unit = days, "day"
        for larger in ("month", "year"):
            if days >= 2 * DAYS[larger] or (larger == "year" and days >= DAYS["year"]):
                number, unit = days / DAYS[larger], larger
        rounded = round(number * 2) / 2 if unit == "year" else round(number)
        written = f"{rounded:g}".replace(".", "." if language == "en" else ",")
        wording = self._entry.units[unit if rounded == 1 else f"{unit}s"]  # type: ignore[index]
        return f"{written} {wording.of(language)}"


def _payload(feature: str, value: str) -> str:
    """What a choice sends: the topic, with the value as an entity in Rasa's notation."""
    return f"/{TOPIC}" + json.dumps({SLOTS[feature]: value})


def missing(slots: Mapping[str, Any], asked: list[str]) -> str | None:
    """The next feature to ask for: one that is not known and was not asked for before."""
    return next(
        (name for name, slot in SLOTS.items() if not _is_known(name, slots.get(slot)) and name not in asked), None
    )


# What a value may be. Buttons come back from the person's device, so nothing else is believed, or shown.
_VALUES = {
    "level": r"[CTLS]\d{1,2}(?:-[CTLS]\d{1,2})?|cervical|thoracic|lumbar|sacral|cauda|paraplegia",
    "completeness": r"complete|incomplete|[B-E]|B[1-3]",
    "time": r"\d{1,5}(?:\.\d+)?",
    "age": r"\d{1,3}(?:\.\d+)?",
    "cause": "traumatic|nontraumatic",
    "illness": "none|cancer|blood_pressure|breathing|nerve|other",
}


def _is_known(feature: str, value: Any) -> bool:
    return re.fullmatch(_VALUES[feature], str(value)) is not None


def case_of(feature: str, value: Any) -> str:
    """How a value stands to the study: C4 to C7, modified Frankel B1 or B2, day 18 to 24, 16 to under 75, by accident.

    Sources: facts `koda-inclusion`, `koda-inclusion-meaning`, `koda-timing`, `koda-age-range-planned`.
    """
    match feature:
        case "level":
            return _level_case(str(value))
        case "completeness":
            grades = {"complete": "complete", "incomplete": "incomplete", "B3": "pain_feeling"}
            return grades.get(str(value)) or ("some_feeling" if str(value).startswith("B") else "movement")
        case "time":
            return "sooner" if float(value) < 18 else "inside" if float(value) <= 24 else "later"
        case "age":
            return "younger" if float(value) < 16 else "inside" if float(value) < 75 else "older"
        case _:
            return str(value)


def _level_case(level: str) -> str:
    if level == "cervical":
        return "neck"
    numbered = [(letter, int(number)) for letter, number in re.findall(r"([CTLS])(\d+)", level)]
    inside = [letter == "C" and 4 <= number <= 7 for letter, number in numbered]
    if not numbered or numbered[0][0] != "C":
        return "below"
    return "inside" if all(inside) else "neck_partly" if any(inside) else "neck_outside"
