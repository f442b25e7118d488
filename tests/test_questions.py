"""The questions in a message: hits beside near misses, both languages."""

import pytest

from bot.questions import questions_in
from bot.text import shortened


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("how much is it and does it hurt?", ["how much is it", "does it hurt?"]),
        ("¿Cuánto cuesta y dónde quedan?", ["¿Cuánto cuesta", "dónde quedan?"]),
        ("hola, cuanto vale y duele", ["cuanto vale", "duele"]),
        ("Precio? Duele? Dónde?", ["Precio?", "Duele?", "Dónde?"]),
        ("what is muse, how does it work", ["what is muse", "how does it work"]),
        ("He fell in 2019. He is C5. Will he walk?", ["Will he walk?"]),
        ("Buenas. ¿Es seguro? ¿Aceptan EPS?", ["¿Es seguro?", "¿Aceptan EPS?"]),
        ("is it safe and effective?", ["is it safe and effective?"]),  # one question
        ("Can I walk and use my hands again?", ["Can I walk and use my hands again?"]),
        ("¿puedo caminar y volver a trabajar?", ["¿puedo caminar y volver a trabajar?"]),
        ("She saw it and is ready to fly. What are the dangers?", ["What are the dangers?"]),
        ("I look after Tom, who is C5. How do I prepare?", ["How do I prepare?"]),
        ("mi hijo, que es C5, se cayó y tiene 20 años. ¿puede recibirlo?", ["¿puede recibirlo?"]),
        ("¿podría ser candidato? tiene 30 años", ["¿podría ser candidato?"]),
        ("¿es caro y tiene riesgos?", ["¿es caro", "tiene riesgos?"]),
        ("cuánto vale, dónde queda", ["cuánto vale", "dónde queda"]),
        ("mi hermano y yo queremos ir", []),
        ("I want an appointment", []),
        ("", []),
        ("???", []),
    ],
)
def test_questions_in(text: str, questions: list[str]) -> None:
    assert questions_in(text) == questions


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("how   much\t\tis it?", "how much is it?"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("how much" + " " * 4_000 + "is it?", "how much is it?"),
        ("what???", "what???"),
        ("what?!?!?!?!?!?!", "what?!?!?!"),
        ("👍👍👍", "👍👍👍"),
        ("+57 (321) 519-7850", "+57 (321) 519-7850"),
        ("a@b.co, c@d.co", "a@b.co, c@d.co"),
    ],
)
def test_runs_of_blanks_and_signs_are_shortened(typed: str, read: str) -> None:
    assert shortened(typed) == read
