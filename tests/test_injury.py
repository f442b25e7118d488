"""What a message tells of the injury: hits beside near misses, both languages in every table."""

from datetime import date
from typing import Any

import pytest

from bot.injury import Injury, injury_in, is_not_known
from bot.nlu.injury import _asked


def told(text: str, asked: str | None = None) -> dict[str, Any]:
    found = injury_in(text, asked=asked, today=lambda: date(2026, 11, 22))
    return {name: value for name, value in vars(found).items() if value is not None and name not in ("whom", "country")}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("C5", "C5"),
        ("c 5 injury", "C5"),
        ("soy C-6", "C6"),
        ("c5/c6", "C5-C6"),
        ("lesión de C5 a C7", "C5-C7"),
        ("C5 y C6", "C5-C6"),
        ("dorsal 4", "T4"),
        ("D10", "T10"),
        ("T12 paraplegic", "T12"),
        ("l1", "L1"),
        ("my neck is broken", "cervical"),
        ("lesión en el cuello", "cervical"),
        ("soy tetrapléjica", "cervical"),
        ("parapléjico", "paraplegia"),
        ("paraplegia", "paraplegia"),
        ("síndrome de cola de caballo", "cauda"),
        ("C9", None),  # no such level
        ("T13", None),
        ("vitamin d3", None),
        ("T2 MRI", None),
        ("I live at C street 5", None),
        ("hace 5 años", None),
        ("talk to me", None),
    ],
)
def test_level(text: str, level: str | None) -> None:
    assert told(text).get("level") == level


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("C5 complete", "complete"),
        ("lesión completa", "complete"),
        ("my injury is not complete", "incomplete"),
        ("la lesión no es completa", "incomplete"),
        ("incomplete injury", "incomplete"),
        ("lesión medular incompleta", "incomplete"),
        ("ASIA A", "complete"),
        ("AIS B", "B"),
        ("soy asia c", "C"),
        ("frankel B2", "B2"),
        ("a D ASIA", "D"),
        ("complete recovery from my injury?", None),
        ("recuperación completa de la lesión", None),
        ("send me the complete study on spinal injury", None),
        ("I am completely lost", None),
        ("asia is far away", None),
        ("vivo en Asia", None),
    ],
)
def test_completeness(text: str, completeness: str | None) -> None:
    assert told(text).get("completeness") == completeness


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("injured 3 weeks ago", 21.0),
        ("hace 20 días", 20.0),
        ("C5 complete, 3 years", 1095.8),
        ("llevo dos años con la lesión", 730.5),
        ("tengo 3 años de lesionado", 1095.8),
        ("hace año y medio", 547.9),
        ("a year and a half ago", 547.9),
        ("me accidenté en 2019", 2556.8),
        ("lesionado desde 2019", 2556.8),
        ("my accident was last year", 365.2),
        ("el accidente fue ayer", 1.0),
        ("how long does it take, 3 months?", None),
        ("I had cancer 3 years ago", None),
        ("I wrote to you about three weeks ago and nobody has answered", None),
        ("tengo 3 años", None),  # an age
        ("cuántos días hay que quedarse", None),
        ("the study of 2024", None),
    ],
)
def test_time_since(text: str, days: float | None) -> None:
    assert told(text).get("days") == days


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("I am 45 years old", 45),
        ("my son, 17 yo", 17),
        ("tengo 45 años y llevo 2 años con la lesión", 45),
        ("mi hijo de 12 años", 12),
        ("she is 80", 80),
        ("edad: 33", 33),
        ("I am 3 years post injury", None),
        ("tengo 3 años de lesión", None),
        ("I am 100% sure", None),
        ("he is 200", None),
    ],
)
def test_age(text: str, age: float | None) -> None:
    assert told(text).get("age") == age


@pytest.mark.parametrize(
    ("text", "cause", "illness"),
    [
        ("I fell from a roof", "traumatic", None),
        ("fue un accidente de moto", "traumatic", None),
        ("un balazo en la espalda", "traumatic", None),
        ("transverse myelitis", "nontraumatic", None),
        ("tengo mielitis transversa", "nontraumatic", None),
        ("tumor medular", "nontraumatic", None),
        ("I have diabetes", None, "other"),
        ("tengo la presión alta", None, "blood_pressure"),
        ("tuve cáncer de mama", None, "cancer"),
        ("he has epilepsy", None, "nerve"),
        ("can it cause cancer?", None, None),
        ("¿puede dar cáncer?", None, None),
        ("does it work for diabetes?", None, None),
        ("atraumático o no, no sé", None, None),
    ],
)
def test_cause_and_illness(text: str, cause: str | None, illness: str | None) -> None:
    assert (told(text).get("cause"), told(text).get("illness")) == (cause, illness)


@pytest.mark.parametrize(
    ("asked", "text", "expected"),
    [
        ("age", "45", {"age": 45}),
        ("age", "45 años", {"age": 45}),
        ("time", "3 years", {"days": 1095.8}),
        ("time", "tres meses", {"days": 91.3}),
        ("time", "2019", {"days": 2556.8}),
        ("completeness", "completa", {"completeness": "complete"}),
        ("illness", "no", {"illness": "none"}),
        ("illness", "ninguna", {"illness": "none"}),
        ("illness", "diabetes", {"illness": "other"}),
        ("level", "C6", {"level": "C6"}),
        ("level", "no", {}),
        (None, "no", {}),
        (None, "45", {}),
    ],
)
def test_a_bare_reply_to_a_question(asked: str | None, text: str, expected: dict[str, Any]) -> None:
    assert told(text, asked) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't know", True),
        ("no sé", True),
        ("not sure", True),
        ("ni idea", True),
        ("no", False),
        ("I know", False),
        ("se lo digo luego", False),
    ],
)
def test_not_known(text: str, expected: bool) -> None:
    assert is_not_known(text) is expected


def test_nothing_is_told_by_nothing() -> None:
    assert injury_in("") == Injury()


@pytest.mark.parametrize(
    ("text", "whom", "country"),
    [
        ("my son was hurt in 2020", "other", None),
        ("mi hermana tiene una lesión", "other", None),
        ("I am C5", "self", None),
        ("soy parapléjico y vivo en México", "self", "MX"),
        ("we are writing from Spain about our daughter", "other", "ES"),
        ("vivimos en Estados Unidos", None, "US"),
        ("I live in the UK", None, "GB"),
        ("is it approved in Colombia?", None, None),  # no word of where the person is
        ("¿cuánto cuesta?", None, None),
        ("my hands", None, None),
        ("the study in Spain", None, None),
    ],
)
def test_for_whom_and_where(text: str, whom: str | None, country: str | None) -> None:
    found = injury_in(text)
    assert (found.whom, found.country) == (whom, country)


@pytest.mark.parametrize(
    ("text", "asked", "feature"),
    [
        ("34", "cause", "age"),  # answers what was asked for before
        ("Tiene 34", "cause", "age"),
        ("34 years old", "level", "age"),
        ("34", "time", "time"),
        ("hace 5 años", "cause", "cause"),
        ("5 years", "cause", "cause"),
        ("C5", "level", "level"),
    ],
)
def test_a_number_alone_is_the_age_if_that_was_asked_for(text: str, asked: str, feature: str) -> None:
    assert _asked({"asked": asked, "asked_before": ["age", asked]}, text) == feature
    assert _asked({"asked": asked, "asked_before": [asked]}, text) == asked
