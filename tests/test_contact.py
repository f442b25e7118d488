"""Phone numbers and e-mail addresses, as people type and dictate them."""

import pytest

from bot.contact import Email, Phone, Problem, country_name, has_reach, read_country, read_reach

LINE = "+573215197850"


@pytest.mark.parametrize(
    ("text", "number", "zone"),
    [
        ("321 519 7850", LINE, "America/Bogota"),
        ("3215197850", LINE, "America/Bogota"),
        ("+57 321 519 7850", LINE, "America/Bogota"),
        ("+57-321-519-78-50", LINE, "America/Bogota"),
        ("+573215197850", LINE, "America/Bogota"),
        ("0057 321 519 7850", LINE, "America/Bogota"),
        ("57 321 519 7850", LINE, "America/Bogota"),
        ("(321) 519-7850", LINE, "America/Bogota"),
        ("321.519.7850", LINE, "America/Bogota"),
        ("3 2 1 5 1 9 7 8 5 0", LINE, "America/Bogota"),
        ("mi cel es 321 519 7850 gracias", LINE, "America/Bogota"),
        ("wa 3215197850", LINE, "America/Bogota"),
        ("call me at 321 519 7850", LINE, "America/Bogota"),
        ("tres dos uno cinco uno nueve siete ocho cinco cero", LINE, "America/Bogota"),
        ("three two one five one nine seven eight five oh", LINE, "America/Bogota"),
        ("604 444 5555", "+576044445555", "America/Bogota"),
        ("(604) 4445555", "+576044445555", "America/Bogota"),
        ("+1 305 423 0123", "+13054230123", "America/New_York"),
        ("+1 (305) 423-0123", "+13054230123", "America/New_York"),
        ("+1 (305) 423-0123 ext 12", "+13054230123", "America/New_York"),
        ("001 305 423 0123", "+13054230123", "America/New_York"),
        ("+1 415 555 2671", "+14155552671", "America/Los_Angeles"),
        ("+1 800 423 0199", "+18004230199", None),  # used all over the country
        ("+34 612 345 678", "+34612345678", "Europe/Madrid"),
        ("+52 55 1234 5678", "+525512345678", "America/Mexico_City"),
        ("+52 1 55 1234 5678", "+525512345678", "America/Mexico_City"),  # as mobiles were dialled until 2019
        ("+521 55 1234 5678", "+525512345678", "America/Mexico_City"),
        ("+54 9 11 2345-6789", "+5491123456789", "America/Buenos_Aires"),
        ("+51 912 345 678", "+51912345678", "America/Lima"),
        ("+44 121 234 5678", "+441212345678", "Europe/London"),
        ("0044 121 234 5678", "+441212345678", "Europe/London"),
        ("+49 30 123456", "+4930123456", "Europe/Berlin"),
    ],
)
def test_a_phone_number_is_read(text: str, number: str, zone: str | None) -> None:
    found = read_reach(text, "CO")
    assert isinstance(found, Phone)
    assert (found.e164, found.zone) == (number, zone)


def test_an_extension_is_kept() -> None:
    found = read_reach("+1 (305) 423-0123 ext 12", "CO")
    assert isinstance(found, Phone)
    assert found.shown == "+1 305-423-0123 ext. 12"


def test_a_number_without_country_code_is_of_the_country_that_is_known() -> None:
    assert isinstance(read_reach("612 345 678", "ES"), Phone)
    assert read_reach("612 345 678", "CO") == "which_country"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no sé", "no_reach"),
        ("", "no_reach"),
        ("123", "no_reach"),
        ("3215", "no_reach"),
        ("12345", "too_short"),
        ("32151978501234567", "too_long"),
        ("+57 321 519 785", "no_such_number"),
        ("+999 123456789", "no_such_number"),
        ("612345678", "which_country"),
        ("321 519 7850 o 310 555 1234", "two_numbers"),
        ("juan@gmail", "bad_email"),
        ("@", "bad_email"),
        ("juan perez@", "bad_email"),
    ],
)
def test_what_is_no_way_to_reach_somebody_is_told(text: str, problem: Problem) -> None:
    assert read_reach(text, "CO") == problem


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("juan.perez@gmail.com", "juan.perez@gmail.com"),
        ("JUAN@GMAIL.COM.", "JUAN@gmail.com"),
        ("ana @ gmail.com", "ana@gmail.com"),
        ("escríbame a juan@x.co por favor", "juan@x.co"),
        ("soy ana, ana.ruiz@gmail.com, gracias", "ana.ruiz@gmail.com"),
        ("juan arroba gmail punto com", "juan@gmail.com"),
        ("my email is juan perez at gmail dot com", "juanperez@gmail.com"),
        ("mi correo es ana guion bajo ruiz arroba hotmail punto com", "ana_ruiz@hotmail.com"),
    ],
)
def test_an_address_is_read(text: str, address: str) -> None:
    assert read_reach(text, "CO") == Email(address)


@pytest.mark.parametrize(
    ("text", "tries"),
    [("321 519 7850", True), ("ana@x.com", True), ("C5 since 2019", False), ("at 5 pm", False), ("2 weeks", False)],
)
def test_what_looks_like_a_try(text: str, tries: bool) -> None:
    assert has_reach(text) is tries


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Colombia", "CO"),
        ("estados unidos", "US"),
        ("USA", "US"),
        ("I'm in Spain", "ES"),
        ("España", "ES"),
        ("vivo en México", "MX"),
        ("Perú.", "PE"),
        ("república dominicana", "DO"),
        ("England", "GB"),
        ("martes", None),
        ("here", None),
    ],
)
def test_a_country_is_read(text: str, region: str | None) -> None:
    assert read_country(text) == region


def test_a_country_has_its_name_in_both_languages() -> None:
    assert (country_name("ES", "en"), country_name("ES", "es")) == ("Spain", "España")
