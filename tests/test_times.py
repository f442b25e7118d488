"""When it suits: days and hours as people type them."""

from datetime import UTC, date, datetime, time

import pytest

from bot.messages import Language
from bot.times import Wish, read_wish

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("language", "text", "wish"),
    [
        ("es", "el martes por la tarde", Wish(date(2026, 12, 1), date(2026, 12, 1), (), time(12), time(18))),
        ("es", "mañana a las 3", Wish(date(2026, 11, 29), date(2026, 11, 29), (), time(15), time(15))),
        ("es", "mañana por la mañana", Wish(date(2026, 11, 29), date(2026, 11, 29), (), time(8), time(12))),
        ("es", "la próxima semana después de las 5", Wish(date(2026, 11, 30), date(2026, 12, 6), (), time(17), None)),
        ("es", "el lunes que viene", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("es", "pasado mañana", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("es", "el 12 de enero a las 10 am", Wish(date(2027, 1, 12), date(2027, 1, 12), (), time(10), time(10))),
        ("es", "de lunes a viernes", Wish(None, None, (0, 1, 2, 3, 4), None, None)),
        ("es", "en la noche", Wish(None, None, (), time(18), time(21))),
        ("es", "cualquier día", Wish(None, None, (), None, None)),
        ("es", "hoy mismo", Wish(date(2026, 11, 28), date(2026, 11, 28), (), None, None)),
        ("es", "jueves 4pm", Wish(date(2026, 12, 3), date(2026, 12, 3), (), time(16), time(16))),
        ("es", "12/01", Wish(date(2027, 1, 12), date(2027, 1, 12), (), None, None)),
        ("es", "este fin de semana", Wish(date(2026, 11, 28), date(2026, 11, 29), (), None, None)),
        ("es", "a las tres de la tarde", Wish(None, None, (), time(15), time(15))),
        ("es", "en dos días", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("es", "entre las 2 y las 4", Wish(None, None, (), time(14), time(16))),
        ("es", "lunes o martes en la mañana", Wish(date(2026, 11, 30), date(2026, 12, 1), (0, 1), time(8), time(12))),
        ("es", "los miércoles antes de las 11", Wish(None, None, (2,), None, time(11))),
        ("es", "después de las 5 y media", Wish(None, None, (), time(17, 30), None)),
        ("es", "por las mañanas", Wish(None, None, (), time(8), time(12))),
        ("es", "el 15 a las 16:30", Wish(date(2026, 12, 15), date(2026, 12, 15), (), time(16, 30), time(16, 30))),
        ("es", "de 2 a 4 pm", Wish(None, None, (), time(14), time(16))),
        ("es", "la otra semana el jueves", Wish(date(2026, 12, 3), date(2026, 12, 3), (), None, None)),
        ("es", "mañana", Wish(date(2026, 11, 29), date(2026, 11, 29), (), None, None)),
        ("es", "en la mañana", Wish(None, None, (), time(8), time(12))),
        ("es", "me da igual", Wish(None, None, (), None, None)),
        ("es", "no sé", None),
        ("es", "quiero saber el precio", None),
        ("es", "hoy en la tarde tipo 4", Wish(date(2026, 11, 28), date(2026, 11, 28), (), time(16), time(16))),
        ("es", "entre semana después de las 6 pm", Wish(None, None, (0, 1, 2, 3, 4), time(18), None)),
        ("es", "a mediodía", Wish(None, None, (), time(12), time(14))),
        ("en", "Tuesday afternoon", Wish(date(2026, 12, 1), date(2026, 12, 1), (), time(12), time(18))),
        ("en", "next week after 5", Wish(date(2026, 11, 30), date(2026, 12, 6), (), time(17), None)),
        ("en", "tomorrow at 3pm", Wish(date(2026, 11, 29), date(2026, 11, 29), (), time(15), time(15))),
        ("en", "next Monday", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("en", "weekdays", Wish(None, None, (0, 1, 2, 3, 4), None, None)),
        ("en", "the day after tomorrow", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("en", "January 12 at 10", Wish(date(2027, 1, 12), date(2027, 1, 12), (), time(10), time(10))),
        ("en", "any time", Wish(None, None, (), None, None)),
        ("en", "this evening", Wish(date(2026, 11, 28), date(2026, 11, 28), (), time(18), time(21))),
        ("en", "Thursday 4pm", Wish(date(2026, 12, 3), date(2026, 12, 3), (), time(16), time(16))),
        ("en", "at half past two", Wish(None, None, (), time(14, 30), time(14, 30))),
        ("en", "in two days", Wish(date(2026, 11, 30), date(2026, 11, 30), (), None, None)),
        ("en", "on the weekend", Wish(None, None, (5, 6), None, None)),
        ("en", "Mon or Tue morning", Wish(date(2026, 11, 30), date(2026, 12, 1), (0, 1), time(8), time(12))),
        ("en", "before 10 on Friday", Wish(date(2026, 12, 4), date(2026, 12, 4), (), None, time(10))),
        ("en", "12/01 at noon", Wish(date(2026, 12, 1), date(2026, 12, 1), (), time(12), time(14))),
        ("en", "between 2 and 4 on monday", Wish(date(2026, 11, 30), date(2026, 11, 30), (), time(14), time(16))),
        ("en", "Saturdays", Wish(None, None, (5,), None, None)),
        ("en", "Monday to Friday 9 to 5", Wish(None, None, (0, 1, 2, 3, 4), time(9), time(17))),
        ("en", "the 15th", Wish(date(2026, 12, 15), date(2026, 12, 15), (), None, None)),
        ("en", "mornings", Wish(None, None, (), time(8), time(12))),
        ("en", "may I ask the price", None),
        ("en", "I have 2 kids", None),
        ("en", "5:30 pm tomorrow", Wish(date(2026, 11, 29), date(2026, 11, 29), (), time(17, 30), time(17, 30))),
        ("en", "1st of March", Wish(date(2027, 3, 1), date(2027, 3, 1), (), None, None)),
        ("en", "tonight", Wish(date(2026, 11, 28), date(2026, 11, 28), (), time(18), time(21))),
        ("en", "Wednesday next week", Wish(date(2026, 12, 2), date(2026, 12, 2), (), None, None)),
        ("en", "weekends only, afternoon", Wish(None, None, (5, 6), time(12), time(18))),
        ("en", "how much is it", None),
        ("en", "from 10 to 1", Wish(None, None, (), time(10), time(13))),
    ],
)
def test_a_time_is_read(language: Language, text: str, wish: Wish | None) -> None:
    assert read_wish(text, NOW, language) == wish


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("today before 9", True),
        ("today at 9", True),
        ("today at 11", False),
        ("today", False),
        ("tomorrow at 9", False),
        ("2026-11-27", True),
        ("any time", False),
        ("mornings", False),
    ],
)
def test_what_is_over_is_told(text: str, past: bool) -> None:
    wish = read_wish(text, NOW, "en")
    assert wish is not None
    assert wish.is_past(NOW) is past


@pytest.mark.parametrize("text", ["31/02", "el 45", "at 25:00", "30 February", "0/0", "99:99", "13 pm 70", "a las 99"])
def test_a_time_that_does_not_exist_breaks_nothing(text: str) -> None:
    read_wish(text, NOW, "en")
    read_wish(text, NOW, "es")
