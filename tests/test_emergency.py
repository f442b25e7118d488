"""What someone in danger is told: the right number, the right words afterwards."""

import pytest

from bot.app import build
from bot.content import Content
from bot.emergency import ELSEWHERE, Emergency
from bot.errors import SettingsError
from bot.messages import LANGUAGES
from bot.settings import Settings


@pytest.fixture(scope="module")
def emergency(content: Content) -> Emergency:
    return Emergency(content, "co")


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("I live in Texas", "us"),
        ("soy de Guadalajara", "mx"),
        ("vivo en España", "es"),
        ("estoy en Buenos Aires", "ar"),
        ("estoy en Medellín", "co"),
        ("I'm in Spain and want to come to Medellín", "es"),  # home is what they travel to
        ("from Spain, now in Mexico", None),  # two of them: who knows
        ("I'm in London", ELSEWHERE),
        ("vivo en Lima", ELSEWHERE),
        ("my number is +34 600 000 000", "es"),
        ("llámeme al +57 300 000 0000", "co"),
        ("tengo 57 años", None),
        ("please help us", None),  # no country
        ("me duele el cuello", None),
    ],
)
def test_where_someone_is(emergency: Emergency, text: str, country: str | None) -> None:
    assert emergency.country_in(text) == country


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("it has passed", True),
        ("he's ok now", True),
        ("I am safe", True),
        ("the ambulance is here", True),
        ("we are at the hospital", True),
        ("false alarm, sorry", True),
        ("ya pasó", True),
        ("ya estoy mejor, gracias", True),
        ("ya viene la ambulancia", True),
        ("estamos en urgencias", True),
        ("no, ya estoy bien", True),
        ("he is not ok", False),
        ("it's not over", False),
        ("nobody is coming", False),
        ("sigue igual", False),
        ("no está bien", False),
        ("la ambulancia no llega", False),
        ("volvió a empezar", False),
        ("how much is it?", None),
        ("¿dónde queda la clínica?", None),
    ],
)
def test_whether_it_has_passed(emergency: Emergency, text: str, passed: bool | None) -> None:
    assert emergency.has_passed(text) is passed


def test_every_number_shown_is_one_that_a_button_calls(content: Content, emergency: Emergency) -> None:
    for topic in content.safety.topics:
        for language in LANGUAGES:
            for country, entry in content.safety.countries.items():
                told = emergency.guidance(topic, language, country)[0]
                assert entry.emergency in told.text
                assert "tel:" + entry.emergency in [button.payload for button in told.buttons]


def test_an_unknown_home_country_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="HOME_COUNTRY"):
        build(settings.model_copy(update={"home_country": "atlantis"}))
