"""Personal data in what people write, and what only looks like it."""

import re
import time
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import yaml

from bot.content import Content
from bot.messages import Language
from bot.nlu.examples import QUICK
from bot.redaction import Piece, find, redacted
from bot.settings import Settings

# What was written, and what is left of it, marks in English.
NAMES = [
    ("me llamo Ana Ruiz y tengo 45 años", "me llamo [name] y tengo 45 años"),
    ("me llamo maria fernanda lopez tengo 34 años", "me llamo [name] tengo 34 años"),
    ("ME LLAMO LUZ DARY OSPINA Y TENGO T10", "ME LLAMO [name] Y TENGO T10"),
    ("me llamo yorladis cifuentes quiero una cita", "me llamo [name] quiero una cita"),
    ("mi nombre es juan quiero información", "mi nombre es [name] quiero información"),
    ("My name is John F. Kennedy.", "My name is [name]."),
    ("my wife's name is Karen", "my wife's name is [name]"),
    ("soy maria", "soy [name]"),
    ("soy ana cifuentes, de Bello", "soy [name], de Bello"),
    ("Soy Tibaquirá, de Boyacá", "Soy [name], de Boyacá"),
    ("Soy María de los Ángeles Pérez", "Soy [name]"),
    ("I'm Sarah Connor", "I'm [name]"),
    ("i am jennifer and my brother is T6", "i am [name] and my brother is T6"),
    ("this is mike, calling about my son tyler", "this is [name], calling about my son [name]"),
    ("mi hijo andres tiene una lesión", "mi hijo [name] tiene una lesión"),
    ("mi hija luz no camina", "mi hija [name] no camina"),
    ("my wife Mary can't move her legs", "my wife [name] can't move her legs"),
    ("mi mamá se llama rosalba y tiene 62", "mi mamá se llama [name] y tiene 62"),
    ("el doctor Pérez me operó", "el doctor [name] me operó"),
    ("doña Rosa y don julio", "doña [name] y don [name]"),
    ("Dr. Smith, Mrs. O'Connor", "Dr. [name], Mrs. [name]"),
    ("¿hablo con la doctora Luisa?", "¿hablo con la doctora [name]?"),
    ("le escribe Martha Cecilia desde Pereira", "le escribe [name] desde Pereira"),
    ("quisiera hablar con Andrés", "quisiera hablar con [name]"),
    ("call me Bob", "call me [name]"),
    ("Gracias.\n- Ana Ruiz", "Gracias.\n- [name]"),
    ("Atentamente,\nJhon Fredy Agudelo", "Atentamente,\n[name]"),
    ("Regards, Tom Baker", "Regards, [name]"),
    ("quedo atenta. Paola Andrea Rendón", "quedo atenta. [name]"),
    ("Nombre completo: Pedro Pérez", "Nombre completo: [name]"),
    ("soy el papá de Juan Esteban Giraldo", "soy el papá de [name]"),
    ("ana ruiz", "[name]"),
    ("I am Priya Raman from Chennai", "I am [name] from Chennai"),
    ("name's Tyrone, and Dr. Brennan knows me", "name's [name], and Dr. [name] knows me"),
    ("de la familia Zuluaga", "de la familia [name]"),
    ("Will Smith told me about you", "[name] told me about you"),
]
NUMBERS = [
    ("mi cel es 321 555 1234", "mi cel es [phone]"),
    ("llámeme al 3 2 1 5 5 5 1 2 3 4", "llámeme al [phone]"),
    ("3215551234", "[phone]"),
    ("anote: 321, 555, 12, 34", "anote: [phone]"),
    ("tres dos uno cinco cinco cinco uno dos tres cuatro", "[phone]"),
    ("es el trescientos doce, cuatro cinco seis, setenta y ocho, noventa", "es el [phone]"),
    ("four one five five five five oh one nine nine", "[phone]"),
    ("+1 (305) 423-0123", "[phone]"),
    ("my number is 07911 123456", "my number is [phone]"),
    ("pagué al 321 555 1234 por nequi, $ 50.000", "pagué al [phone] por nequi, $ 50.000"),
    ("can I pay 321-555-1234?", "can I pay [phone]?"),
    ("pagar 3215551234", "pagar [phone]"),
    ("43.123.456 CC", "[document] CC"),
    ("+34 612 34 56 78 o +52 1 55 1234 5678", "[phone] o [phone]"),
    ("1.020.345.678", "[document]"),
    ("la 43.123.456 de Envigado", "la [document] de Envigado"),
    ("1020345678", "[document]"),
    ("CC: 1.020.345.678", "CC: [document]"),
    ("mi cédula es la 1017234567", "mi cédula es la [document]"),
    ("DNI 12345678Z, NIE X1234567L", "DNI [document], NIE [document]"),
    ("pasaporte AV123456", "pasaporte [document]"),
    ("my passport is X12345678", "my passport is [document]"),
    ("historia clínica 45678", "historia clínica [document]"),
    ("medical record number 00412", "medical record number [document]"),
    ("SSN: 123-45-6789", "SSN: [document]"),
    ("tarjeta 4111 1111 1111 1111", "tarjeta [document]"),
]
PLACES_AND_DATES = [
    ("ana.ruiz@gmail.com", "[e-mail]"),
    ("correo juanperez@hotmail", "correo [e-mail]"),
    ("mi correo es ana ruiz arroba gmail punto com", "mi correo es [e-mail]"),
    ("ana at gmail dot com", "[e-mail]"),
    ("jsmith [at] gmail [dot] com please", "[e-mail] please"),
    ("vivo en la Calle 10 # 43-12 apto 301, Medellín", "vivo en la [address], Medellín"),
    ("Cra 43A No. 1-50", "[address]"),
    ("mi dirección es calle falsa 123, Cali", "mi dirección es [address], Cali"),
    ("Av. Corrientes 1234", "[address]"),
    ("mz 5 casa 12", "[address]"),
    ("12 Oak Street", "[address]"),
    ("I live at 221B Baker Street, London", "I live at [address], London"),
    ("12 Oak St, Houston, TX 77030", "[address]"),
    ("6.2442, -75.5812", "[address]"),
    ("nací el 5/3/1980", "nací el [date of birth]"),
    ("fecha de nacimiento: 5 de marzo de 1980", "fecha de nacimiento: [date of birth]"),
    ("fecha de nac. 02-02-79", "fecha de nac. [date of birth]"),
    ("I was born 5 March 1980", "I was born [date of birth]"),
    ("March 5, 1980 is my date of birth", "[date of birth] is my date of birth"),
    ("estoy en instagram como @ana_ruiz", "estoy en instagram como [link]"),
    ("facebook.com/ana.ruiz.5", "[link]"),
    ("https://wa.me/573215551234", "[link]"),
    ("my MRI: https://drive.google.com/file/d/abc", "my MRI: [link]"),
]
NEAR_MISSES = [
    "soy paciente",
    "Soy Colombiano",
    "soy parapléjico",
    "soy T10 completo, mi hermano C5-C6",
    "Soy B positivo",
    "I'm paraplegic",
    "I'm Colombian",
    "I'm scared my son will never walk",
    "mi mamá",
    "mi hijo de 5 años",
    "mi abuela. Ella no camina",
    "My husband, C6 injury, sweats",
    "el doctor me dijo",
    "my doctor said so. Will it hurt?",
    "Dr. Dezawa discovered them, Mari Dezawa",
    "el doctor Koda, Koda 2024",
    "Rosa de Lima hospital",
    "Hospital Pablo Tobón Uribe",
    "me llamó la clínica y no me llamó nadie más",
    "¿cómo se llama el tratamiento?",
    "se llama siringomielia",
    "tengo dolores y no tengo esperanza, ¡socorro!",
    "by the grace of god I have faith and hope",
    "socorro",
    "la luz y el sol de mayo",
    "may I walk in May?",
    "Gracias, doctora",
    "Muse en Medellín, Colombia, no en Bogotá",
    "tiene Parkinson, ASIA B",
    "en 2024, de 2019 a 2024 o 2019-2024",
    "5/3/2024, el 5 de mayo, March 5, 2024-05-06 10:30",
    "tengo 45, hace 15 años, 120/80, 5/5/5/5/4/3/2",
    "20 mg, 20 cc, 1500 - 2000 ml",
    "$ 15.000.000, 15,000 USD, cuesta 15.000.000, 15 000 000 de pesos",
    "15.000.000 de células, 300,000,000 cells",
    "CL2020 (300,000 Muse cells)",
    "NCT04261335, jRCT1080224764, PMID: 29724723",
    "https://pubmed.ncbi.nlm.nih.gov/29724723",
    "llame al 123, al 112, al 911 o al 988",
    "+57 321 519 7850, 321 519 7850, 3215197850",
    "https://wa.me/573215197850",
    "800 911 2000, 0800-999-0091",
    "para ti 2024",
    "I look at pubmed.com and at live video at home",
    "nací con espina bífida",
    "I was born in 1980",
    "vivo en la calle de arriba",
    "a 10 minute drive",
    "no tengo instagram, mi facebook es privado",
]
TOLD = ["Andrés Cifuentes Rosa", "+573215551234", "andres.c@correo.co", "Calle 10 # 43-12"]


@pytest.mark.parametrize(("text", "left"), [*NAMES, *NUMBERS, *PLACES_AND_DATES])
def test_personal_data_is_hidden(text: str, left: str) -> None:
    assert redacted(text, "en") == left


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_all_else_stays(text: str) -> None:
    assert redacted(text, "en") == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("andres quiere saber", "[name] quiere saber"),
        ("ANDRÉS CIFUENTES ROSA", "[name]"),
        ("pregunten por cifuentes", "pregunten por [name]"),
        ("the Cifuentes's house", "the [name]'s house"),
        ("Rosa no contesta", "[name] no contesta"),
        ("una rosa y cifuentazos", "una rosa y cifuentazos"),  # near misses
        ("321-555-1234", "[phone]"),
        ("ANDRES.C@CORREO.CO", "[e-mail]"),
        ("calle 10 43 12", "[address]"),
    ],
)
def test_what_was_told_elsewhere_is_hidden_however_it_is_typed(text: str, left: str) -> None:
    assert redacted(text, "en", TOLD) == left


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Will May", "Will it hurt? I may ask Will.", "Will it hurt? I may ask [name]."),
        ("Luz de la Paz", "de la luz, dejen en paz", "de la luz, dejen en paz"),
        ("Luz de la Paz", "que me llame Luz", "que me llame [name]"),
        ("Nombre Name", "[name] y [nombre]", "[name] y [nombre]"),
        ("", "nada", "nada"),
    ],
)
def test_a_told_name_that_is_a_word_is_hidden_with_a_capital_only(name: str, text: str, left: str) -> None:
    assert redacted(text, "en", [name]) == left


@pytest.mark.parametrize(
    ("language", "left"),
    [
        ("en", "[name], [phone], [e-mail], CC [document], [address], nací el [date of birth], [link]"),
        ("es", "[nombre], [teléfono], [correo], CC [documento], [dirección], nací el [fecha de nacimiento], [enlace]"),
    ],
)
def test_marks_are_in_the_language_of_the_reader(language: Language, left: str) -> None:
    told = "Ana Ruiz, 321 555 1234, ana@correo.co, CC 43.123.456, Calle 10 # 43-12, nací el 5/3/1980, @ana_ruiz"
    assert redacted(told, language) == left


@pytest.mark.parametrize(
    "form",
    [
        "Nombre: Ana Ruiz\nCC: 43.123.456\nTel: 321 555 1234\nCorreo: ana@correo.co\nDirección: Cra 43A # 1-50",
        "Name: Mary Smith\nDOB: 03/05/1980\nPhone: +1 305 423 0123\nE-mail: mary@mail.com\nAddress: 12 Oak Street",
    ],
)
def test_nothing_personal_is_left_of_a_filled_in_form(form: str) -> None:
    lines = redacted(form, "en").splitlines()
    assert [line.partition(": ")[2][0] + line[-1] for line in lines] == ["[]"] * len(lines)


def test_pieces_stand_where_they_are_in_the_text() -> None:
    assert find("Sí, soy Ana: 321 555 1234") == [Piece(8, 11, "name"), Piece(13, 25, "phone")]


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_redacted_stays_as_it_is(language: Language) -> None:
    texts = [text for text, _ in [*NAMES, *NUMBERS, *PLACES_AND_DATES]]
    for one, other in zip(texts, [*texts[7:], *texts[:7]], strict=True):
        once = redacted(f"{one} {other}", language, TOLD)
        assert redacted(once, language, TOLD) == once
        assert redacted(once, "en", TOLD) == once  # a mark in another language too


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_letter_and_its_accent_may_be_apart(form: Literal["NFC", "NFD"]) -> None:
    assert redacted(unicodedata.normalize(form, "soy José, con úlceras"), "en") == "soy [name], con úlceras"


def test_the_clinic_s_own_number_is_public(content: Content) -> None:
    assert find(f"{content.clinic.phone} {content.clinic.phone.replace(' ', '')}") == []


def test_our_own_answers_hold_nothing_personal() -> None:
    folder = Settings().content_folder
    for file in [*(folder / "answers").glob("*.yml"), folder / "phrases.yml", folder / "clinic.yml"]:
        for text in _texts(yaml.load(file.read_text(encoding="utf-8"), QUICK)):
            assert " " not in text or redacted(text, "en") == text


def test_training_messages_hold_next_to_nothing_personal() -> None:
    files = Settings().nlu_folder.glob("*/*.yml")
    messages = [text for file in files for text in re.findall('- text: "(.+)"', file.read_text("utf-8"))][::20]
    assert len(messages) > 1000
    assert 0 < sum(find(message) != [] for message in messages) < len(messages) / 100


def test_it_is_quick() -> None:
    text = (
        "Hola, soy Ana Ruiz, tengo una lesión T10 desde 2019 y quiero saber cuánto cuesta. Mi celular es 321 555 1234."
    )
    redacted(text, "es")
    begin = time.process_time()
    for _ in range(100):
        redacted(text, "es", TOLD)
    assert time.process_time() - begin < 0.3  # ten times what it takes


@pytest.mark.parametrize("part", ["a", "1", "1 ", "a.", "a-", "@", "x@", "ana ", "ana arroba ", "soy Ana, ", "drive."])
def test_a_long_message_of_anything_takes_no_long_time(part: str) -> None:
    begin = time.process_time()
    redacted(part * (4000 // len(part)), "en")
    assert time.process_time() - begin < 1


def _texts(parsed: Any) -> Iterator[str]:
    if isinstance(parsed, str):
        yield parsed
    elif isinstance(parsed, dict | list):
        for each in parsed.values() if isinstance(parsed, dict) else parsed:
            yield from _texts(each)
