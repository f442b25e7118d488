"""A request for a call, from "I want an appointment" to what is kept: on the real model, in both languages."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from bot.app import Parts
from bot.booking import CODE_LETTERS, MOST_A_DAY, MOST_OPEN, code_in, new_code
from bot.content import Content
from bot.errors import RequestError
from bot.messages import LANGUAGES, Incoming, Language, Turn


async def say(parts: Parts, text: str, sender: str = "anna", **options: Any) -> Turn:
    """A message; what begins with "/" is the value of an option that is pressed."""
    if text.startswith("/"):
        return await parts.conversation.handle(Incoming("terminal", sender, button=f'/book{{"choice": "{text[1:]}"}}'))
    return await parts.conversation.handle(Incoming("terminal", sender, text, **options))


async def talk(parts: Parts, messages: Sequence[str], sender: str = "anna") -> list[Turn]:
    return [await say(parts, text, sender) for text in messages]


def asked(turn: Turn) -> str:
    """Which text the last reply is, such as "steps.name"."""
    return turn.replies[-1].revision.partition("@")[0]


EN = ["I want an appointment", "yes", "me", "Ana Ruiz", "321 519 7850", "tuesday afternoon", "skip", "send it"]
ES = ["quiero una cita", "si acepto", "de mí", "Ana Ruiz", "321 519 7850", "el martes por la tarde", "nada", "envíelo"]
STEPS = ["consent", "for_whom", "name", "reach", "time", "details", "confirm"]


@pytest.mark.parametrize("messages", [EN, ES], ids=LANGUAGES)
async def test_straight_from_wish_to_request(parts: Parts, messages: list[str]) -> None:
    turns = await talk(parts, messages)
    assert [asked(turn) for turn in turns] == [f"steps.{step}" for step in STEPS] + ["says.sent"]
    assert {turn.topics for turn in turns} == {("book",)}
    (request,) = parts.requests.of("terminal:anna")
    assert request.code in turns[-1].replies[-1].text
    assert (request.state, request.draft["name"], request.draft["phone"]) == ("new", "Ana Ruiz", "+573215197850")
    read_back = turns[-2].replies[-1].text
    assert "Ana Ruiz" in read_back
    assert "+57 321 5197850" in read_back


@pytest.mark.parametrize("messages", [EN, ES], ids=LANGUAGES)
async def test_nothing_that_is_said_calls_it_an_appointment(parts: Parts, messages: list[str]) -> None:
    sent = (await talk(parts, messages))[-1].replies[-1]
    assert "not an appointment" in sent.text or "no es una cita" in sent.text
    links = [button.payload for button in sent.buttons if button.is_link]
    assert any(link.startswith("https://wa.me/573215197850?text=Hola%2C%20soy%20Ana%20Ruiz") for link in links)
    assert "tel:+573215197850" in links


async def test_what_to_ask_before_paying_is_said_once_with_its_sources(parts: Parts) -> None:
    first = await say(parts, "I want an appointment")
    cited = {citation.key for claim in first.replies[0].claims for citation in claim.citations}
    assert {"koda-2024", "isscr-what-to-ask"} <= cited
    await say(parts, "/no")
    again = await say(parts, "I want an appointment")
    assert [reply.claims for reply in again.replies] == [()]


@pytest.mark.parametrize("no", ["no", "No.", "/no", "no acepto", "I don't agree"])
async def test_a_refusal_is_respected_and_still_gets_the_line(parts: Parts, no: str) -> None:
    _, turn = await talk(parts, ["quiero una cita", no])
    assert asked(turn) == "says.refused"
    assert "+57 321 519 7850" in turn.replies[-1].text
    assert parts.requests.of("terminal:anna") == []


@pytest.mark.parametrize(("words", "knows"), [("yes", "yes"), ("no, not yet", "no"), ("/unable", "unable")])
async def test_a_caregiver_says_whether_the_person_knows(parts: Parts, words: str, knows: str) -> None:
    turns = await talk(parts, ["I want an appointment", "yes", "for my son", words])
    assert [asked(turn) for turn in turns[2:]] == ["steps.knows", "steps.name"]
    assert ("Please tell" in turns[-1].replies[-1].text) is (knows == "no")
    await talk(parts, ["Ana", "ana@example.com", "Spain", "any time", "no", "yes"])
    (request,) = parts.requests.of("terminal:anna")
    assert (request.draft["for_whom"], request.draft["knows"]) == ("other", knows)
    assert (request.draft["email"], request.draft["region"]) == ("ana@example.com", "ES")


@pytest.mark.parametrize(
    ("question", "topic", "messages"),
    [
        ("how much does it cost?", "cost", EN),
        ("is it proven?", "evidence_strength", EN),
        ("¿cuánto cuesta el tratamiento?", "cost", ES),
        ("¿está probado?", "evidence_strength", ES),
    ],
)
async def test_a_question_at_any_step_is_answered_and_the_step_asked_again(
    parts: Parts, question: str, topic: str, messages: list[str]
) -> None:
    for number, step in enumerate(STEPS[1:], 2):
        sender = f"anna{number}"
        await talk(parts, messages[:number], sender)
        turn = await say(parts, question, sender)
        assert (turn.topics, asked(turn)) == ((topic,), f"steps.{step}")
        assert turn.replies[0].claims


@pytest.mark.parametrize(
    ("danger", "passed", "messages"),
    [("my dad can't breathe", "it passed, he is fine", EN), ("no puedo respirar", "ya pasó, estoy bien", ES)],
)
async def test_danger_comes_first_and_the_form_is_kept_but_not_pushed(
    parts: Parts, danger: str, passed: str, messages: list[str]
) -> None:
    await talk(parts, messages[:3])
    alarm = await say(parts, danger)
    after = await say(parts, passed)
    assert (alarm.decision, alarm.topics) == ("emergency", ("emergency_breathing",))
    assert not any(asked(turn).startswith("steps.") for turn in (alarm, after))
    turns = await talk(parts, messages[3:])
    assert asked(turns[-1]) == "says.sent"


@pytest.mark.parametrize("step", range(2, 8))
@pytest.mark.parametrize(
    ("danger", "answer", "still"),
    [
        ("I want to kill myself", "yes", True),
        ("me quiero matar", "sí", True),
        ("no puedo respirar", "no", True),
        ("I want to kill myself", "yes I have pills here", True),
        ("I can't breathe", "it passed, I am fine now", False),
    ],
)
async def test_after_danger_an_answer_is_no_answer_to_the_form(
    parts: Parts, step: int, danger: str, answer: str, still: bool
) -> None:
    await talk(parts, EN[:step])
    *_, turn = await talk(parts, [danger, answer])
    assert (turn.decision == "emergency") is still
    assert not asked(turn).startswith(("steps.", "says.", "problems."))
    assert parts.requests.all() == []


async def test_after_danger_the_request_is_offered_and_goes_on_by_button(parts: Parts) -> None:
    await talk(parts, EN[:4])
    after = (await talk(parts, ["my dad can't breathe", "it passed, he is fine"]))[-1]
    button = next(button for button in after.replies[-1].buttons if button.title == "Go on with my request")
    turn = await parts.conversation.handle(Incoming("terminal", "anna", button=button.payload))
    assert asked(turn) == "steps.reach"


@pytest.mark.parametrize(
    ("step", "cry"),
    [
        (3, "socorro mi hijo se ahoga"),
        (3, "auxilio mi mamá no respira"),
        (3, "god have mercy he stopped breathing"),
        (3, "QUIERO DORMIR PARA SIEMPRE"),
        (3, "mi papá tiene dolores de pecho"),
        (5, "esta noche me despido de todos"),
        (5, "tonight i end it"),
        (5, "mañana me muero"),
        (2, "mi hija se cortó las venas"),
    ],
)
async def test_a_cry_for_help_is_no_answer(parts: Parts, step: int, cry: str) -> None:
    *_, turn = await talk(parts, [*EN[:step], cry])
    assert turn.decision == "emergency"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (3, "it's Sam"),
        (2, "it's for my mom, not me"),
        (5, "tomorrow after 5"),
        (5, "when I wake up"),
        (5, "my phone is only on after 6"),
        (5, "please call me tomorrow after 5"),
        (4, "call me at 321 555 1234"),
        (4, "llámenme al 3215551234"),
        (3, "call me Al"),
        (3, "soy Ana, mi cel es 321 555 1234"),
        (4, "3215551234 por la tarde"),
        (1, "si está bien"),
        (1, "sip"),
        (5, "any day except Monday"),
        (5, "as soon as possible"),
        (3, "María del Carmen de los Ángeles Rodríguez de la Hoz"),
    ],
)
async def test_an_ordinary_answer_goes_on(parts: Parts, step: int, said: str) -> None:
    before = (await talk(parts, EN[:step]))[-1]
    turn = await say(parts, said)
    assert turn.decision == "action"
    assert asked(turn).startswith("steps.")
    assert asked(turn) != asked(before)


@pytest.mark.parametrize(("messages", "country"), [(EN, "Spain"), (ES, "España")], ids=LANGUAGES)
async def test_a_number_that_does_not_tell_its_country_is_asked_for_it(
    parts: Parts, messages: list[str], country: str
) -> None:
    turns = await talk(parts, [*messages[:4], "612 345 678", country, "612 345 678"])
    assert [asked(turn) for turn in turns[4:]] == ["problems.which_country", "steps.reach", "steps.time"]
    assert country in turns[5].replies[-1].text
    assert "+34 612 34 56 78" in turns[6].replies[-1].text


async def test_two_answers_in_one_message_are_both_taken(parts: Parts) -> None:
    turns = await talk(parts, [*ES[:3], "soy Ana, mi cel es 321 555 1234"])
    assert asked(turns[-1]) == "steps.time"
    turns = await talk(parts, [*ES[:4], "3215551234 por la tarde"], "eva")
    assert asked(turns[-1]) == "steps.details"


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("cambiar el telefono", "steps.reach"),
        ("el número está mal", "steps.reach"),
        ("quiero cambiar la hora", "steps.time"),
        ("no, the name is wrong", "steps.name"),
        ("/change", "steps.change"),
        ("don't send it", "says.dropped"),
        ("no lo envíe", "says.dropped"),
    ],
)
async def test_at_the_end_what_is_wrong_can_be_said_in_own_words(parts: Parts, said: str, step: str) -> None:
    *_, turn = await talk(parts, [*EN[:-1], said])
    assert asked(turn) == step


async def test_a_new_hour_leaves_the_day(parts: Parts) -> None:
    *_, turn = await talk(parts, [*EN[:-1], "better at 3"])
    assert "Tuesday" in turn.replies[-1].text
    assert "3:00" in turn.replies[-1].text


async def test_a_zone_that_is_not_known_is_not_called_that_of_medellin(parts: Parts) -> None:
    *_, turn = await talk(parts, [*EN[:4], "ana@example.com", "United States", "tomorrow after 5", "skip"])
    assert "(your time)" in turn.replies[-1].text


async def test_despair_at_the_question_for_the_name_is_despair(parts: Parts) -> None:
    *_, turn = await talk(parts, [*ES[:3], "me quiero morir"])
    assert (turn.decision, turn.topics) == ("emergency", ("crisis_suicide",))


@pytest.mark.parametrize("name", ["María Socorro Gómez", "Dolores", "me llamo Consuelo Duarte", "Faith Payne", "Juan"])
async def test_a_name_is_no_danger(parts: Parts, name: str) -> None:
    *_, turn = await talk(parts, [*ES[:3], name])
    assert (turn.decision, asked(turn)) == ("action", "steps.reach")


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ("no, my number is 310 555 1234", "phone", "+573105551234"),
        ("no, mi correo es ana@example.com", "email", "ana@example.com"),
        ("my name is Ana María", "name", "Ana María"),
        ("better friday at 10", "wish", {"first": None}),
    ],
)
async def test_what_was_told_is_corrected_at_the_end(parts: Parts, said: str, field: str, value: Any) -> None:
    turns = await talk(parts, [*EN[:-1], said])
    assert asked(turns[-1]) == "steps.confirm"
    await say(parts, "/send")
    (request,) = parts.requests.of("terminal:anna")
    if field == "wish":
        assert request.draft["wish"]["begins"] == "10:00:00"
    else:
        assert request.draft[field] == value


async def test_a_number_is_corrected_on_the_way(parts: Parts) -> None:
    turns = await talk(parts, [*EN[:5], "no, my number is 310 555 1234"])
    assert asked(turns[-1]) == "steps.time"
    assert "+57 310 5551234" in turns[-1].replies[-1].text


async def test_each_part_is_changed_by_button(parts: Parts) -> None:
    await talk(parts, EN[:-1])
    for part, answer in (("name", "Eva"), ("reach", "eva@example.com"), ("time", "monday"), ("details", "C5")):
        turns = await talk(parts, ["/change", f"/{part}", answer])
        assert [asked(turn) for turn in turns] == ["steps.change", f"steps.{part}", "steps.confirm"]
    await say(parts, "/send")
    (request,) = parts.requests.of("terminal:anna")
    assert [request.draft[name] for name in ("name", "email", "phone", "note")] == ["Eva", "eva@example.com", "", "C5"]


@pytest.mark.parametrize("cancel", ["cancel", "never mind", "cancelar", "ya no quiero", "olvídelo", "/cancel"])
async def test_the_form_is_dropped_by_word_or_button(parts: Parts, cancel: str) -> None:
    *_, turn = await talk(parts, [*EN[:4], cancel])
    assert asked(turn) == "says.dropped"
    assert parts.requests.of("terminal:anna") == []


@pytest.mark.parametrize(
    ("step", "wrong", "problem"),
    [
        (3, "12345", "no_name"),
        (4, "305", "no_reach"),
        (4, "juan@", "bad_email"),
        (4, "612345678", "which_country"),
        (5, "yesterday 2020-01-01", "past"),
        (6, "x" * 501, "too_much"),
        (2, "zzz qqq", "option"),
    ],
)
async def test_a_wrong_answer_is_told_and_the_third_time_a_person_offered(
    parts: Parts, step: int, wrong: str, problem: str
) -> None:
    await talk(parts, EN[:step])
    turns = await talk(parts, [wrong] * 3)
    assert [asked(turn) for turn in turns] == [f"problems.{problem}"] * 2 + ["problems.stuck"]
    assert any(button.payload == "tel:+573215197850" for button in turns[-1].replies[-1].buttons)
    rest = await talk(parts, EN[step:])
    assert asked(rest[-1]) == "says.sent"


async def test_a_time_is_shown_in_the_persons_zone_and_in_medellin(parts: Parts) -> None:
    messages = [*ES[:4], "+34 612 345 678", "mañana después de las 5"]
    await talk(parts, messages)
    shown = (await say(parts, "nada")).replies[-1].text.replace("\xa0", " ")
    assert "desde las 5:00 p. m. (hora de Madrid); en Medellín desde las" in shown


async def test_a_time_that_cannot_be_read_is_kept_in_the_persons_words(parts: Parts) -> None:
    *_, turn = await talk(parts, [*EN[:5], "after my nurse has gone", "skip"])
    assert "“after my nurse has gone”, in your words" in turn.replies[-1].text


@pytest.mark.parametrize(("press", "kept"), [("/keep", {"injury_level": "C5"}), ("/skip", {})])
async def test_what_was_told_of_the_injury_is_passed_on_only_if_the_person_wants(
    parts: Parts, press: str, kept: dict[str, str]
) -> None:
    *_, turn = await talk(parts, ["my level is C5, can I take part?", *EN[:6]])
    assert (asked(turn), "level C5" in turn.replies[-1].text) == ("steps.known", True)
    await talk(parts, [press, "/send"])
    (request,) = parts.requests.of("terminal:anna")
    assert {name: value for name, value in request.draft["injury"].items() if name == "injury_level"} == kept


async def test_a_request_is_changed_withdrawn_and_asked_about(parts: Parts) -> None:
    await talk(parts, EN)
    (request,) = parts.requests.of("terminal:anna")
    turns = await talk(parts, ["change my request", "/time", "friday at 10", "/send"])
    assert [asked(turn) for turn in turns] == ["steps.change_sent", "steps.time", "steps.confirm", "says.changed"]
    status = await say(parts, f"what about {request.code}?")
    assert (asked(status), request.code in status.replies[-1].text) == ("says.status", True)
    turns = await talk(parts, ["cancel my request", "/yes"])
    assert [asked(turn) for turn in turns] == ["steps.withdraw", "says.withdrawn"]
    (request,) = parts.requests.of("terminal:anna")
    assert request.state == "cancelled"
    assert [name for name, _, _ in request.history] == ["new", "changed", "cancelled"]
    assert asked(await say(parts, "change my request")) == "says.too_late"


async def test_another_conversation_learns_by_code_where_it_stands_and_nothing_else(parts: Parts) -> None:
    await talk(parts, EN)
    (request,) = parts.requests.of("terminal:anna")
    status = await say(parts, request.code.lower().replace("-", " "), "bob")
    change = await say(parts, f"I want to change my request {request.code}", "bob")
    told = " ".join(reply.text for turn in (status, change) for reply in turn.replies)
    assert (asked(status), asked(change)) == ("says.status", "says.elsewhere")
    assert not any(word in told for word in ("Ana", "321 5197850"))
    assert asked(await say(parts, "KRT-0000", "bob")) == "says.unknown_code"


@pytest.mark.parametrize("state", ["contacted", "scheduled", "closed"])
async def test_what_the_clinic_notes_is_told(parts: Parts, state: Any) -> None:
    await talk(parts, EN)
    (request,) = parts.requests.of("terminal:anna")
    agreed = datetime(2026, 12, 1, 20, tzinfo=UTC) if state == "scheduled" else None
    parts.requests.move(request.code, state, "Dr A", agreed)
    told = (await say(parts, "what happened to my request?")).replies[-1]
    words = {"contacted": "contacted you", "scheduled": "Tuesday 1 December, at 3:00 PM", "closed": "closed"}[state]
    assert words in told.text.replace("\xa0", " ")
    calendars = [button.payload for button in told.buttons if "/calendar/" in button.payload]
    assert len(calendars) == (1 if agreed else 0)
    for link in calendars:
        file = parts.calendars.file(link.rpartition("/")[2].removesuffix(".ics"))
        assert file is not None
        assert b"DTSTART:20261201T200000Z" in file
        assert b"Ana" not in file
        assert parts.calendars.file("x" + link.rpartition("/")[2]) is None


def test_a_state_needs_a_request_and_a_time(parts: Parts) -> None:
    with pytest.raises(RequestError, match="There is no request"):
        parts.requests.move("KRT-0000", "closed", "Dr A")
    with pytest.raises(RequestError, match="needs the time"):
        parts.requests.move("KRT-0000", "scheduled", "Dr A")


async def test_a_request_that_the_clinic_closed_meanwhile_is_told(parts: Parts) -> None:
    await talk(parts, EN)
    (request,) = parts.requests.of("terminal:anna")
    await talk(parts, ["change my request", "/time", "friday at 10"])
    parts.requests.move(request.code, "closed", "Dr A")
    assert asked(await say(parts, "/send")) == "says.too_late"
    assert asked(await say(parts, "/send")) == "says.over"


async def test_a_withdrawn_request_makes_room_for_another(parts: Parts) -> None:
    await talk(parts, [*EN, "cancel my request", "/yes"])
    turns = await talk(parts, [EN[0], *EN[1:]])
    assert asked(turns[-1]) == "says.sent"


async def test_of_many_at_the_same_moment_one_number_gets_one_request(parts: Parts) -> None:
    senders = [f"s{number}" for number in range(6)]
    for sender in senders:
        await talk(parts, EN[:-1], sender)
    turns = await asyncio.gather(*(say(parts, "/send", sender) for sender in senders))
    assert sorted(asked(turn) for turn in turns) == ["says.sent"] + ["says.taken"] * 5
    assert len(parts.requests.all()) == 1


async def test_one_number_is_good_for_one_request_a_day_whoever_sends_it(parts: Parts) -> None:
    await talk(parts, EN)
    turns = await talk(parts, EN, "bob")
    assert asked(turns[-1]) == "says.taken"
    assert len(parts.requests.all()) == 1


async def test_a_person_has_a_few_open_requests_at_most(parts: Parts) -> None:
    for number in range(MOST_OPEN):
        turns = await talk(parts, [*EN[:4], f"ana{number}@example.com", "/skip", *EN[5:]])
        assert asked(turns[-1]) == "says.sent"
    turns = await talk(parts, [*EN[:4], "ana9@example.com", "/skip", *EN[5:]])
    assert asked(turns[-1]) == "says.too_many"
    assert len(parts.requests.of("terminal:anna")) == MOST_OPEN


async def test_who_sends_and_cancels_all_day_is_asked_to_call(parts: Parts) -> None:
    for number in range(MOST_A_DAY):
        await talk(parts, [*EN[:4], f"ana{number}@example.com", "/skip", *EN[5:]])
        await talk(parts, ["cancel my request", "/yes"])
    turns = await talk(parts, [*EN[:4], "ana9@example.com", "/skip", *EN[5:]])
    assert asked(turns[-1]) == "says.too_often"


async def test_a_second_tap_on_send_sends_nothing_more(parts: Parts) -> None:
    await talk(parts, EN[:-1])
    first, second = await talk(parts, ["/send", "/send"])
    assert (asked(first), asked(second)) == ("says.sent", "says.over")
    assert len(parts.requests.all()) == 1


async def test_nothing_is_said_to_be_sent_that_is_not_kept(parts: Parts) -> None:
    await talk(parts, EN[:-1])
    with parts.engine.begin() as connection:
        connection.execute(sql("DROP TABLE request_event"))
    turn = await say(parts, "/send")
    assert turn.decision == "error"
    assert turn.replies[0].revision.startswith("failure@")
    assert parts.engine.connect().execute(sql("SELECT count(*) FROM request")).scalar() == 0


async def test_it_survives_days_of_silence_and_a_restart(parts: Parts, trained: Parts) -> None:
    await talk(parts, EN[:4])
    with parts.engine.begin() as connection:
        connection.execute(sql("UPDATE conversation SET updated_at = '2026-01-01 00:00:00'"))
    parts.engine.dispose()  # what is remembered lies in the database alone
    turns = await talk(parts, EN[4:])
    assert asked(turns[-1]) == "says.sent"


async def test_old_requests_are_forgotten_with_their_history(parts: Parts) -> None:
    await talk(parts, EN)
    assert parts.requests.forget(datetime.now(UTC) - timedelta(days=1)) == 0
    await say(parts, "how much does it cost?")
    assert parts.requests.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    with parts.engine.connect() as connection:
        for table in ("request", "request_event"):
            assert connection.execute(sql(f"SELECT count(*) FROM {table}")).scalar() == 0
        rest = str(connection.execute(sql("SELECT * FROM turn")).all())
        rest += str(connection.execute(sql("SELECT * FROM conversation")).all())
    assert not any(word in rest for word in ("Ana Ruiz", "519 7850 ", "3215197850", "5197850", "tuesday afternoon"))
    assert "how much does it cost?" in rest


@pytest.mark.parametrize("language", LANGUAGES)
async def test_somebody_who_waits_for_a_person_is_flagged(parts: Parts, language: Language) -> None:
    words = {"en": "can I talk to a real person", "es": "quiero hablar con una persona"}
    first = await say(parts, words[language])
    wait = next(button.payload for button in first.replies[-1].buttons if '"wait"' in button.payload)
    second = await parts.conversation.handle(Incoming("terminal", "anna", button=wait))
    assert (asked(first), asked(second)) == ("says.human", "says.waiting")
    with parts.engine.connect() as connection:
        assert connection.execute(sql("SELECT flag FROM conversation")).scalar() == "person"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_option_can_be_typed_as_a_number(parts: Parts, language: Language) -> None:
    messages = EN if language == "en" else ES
    turns = await talk(parts, [messages[0], "1", "1", "Ana", "ana@example.com", "1", "3", "1", "1"])
    assert asked(turns[-1]) == "says.sent"


def test_codes_are_short_unlike_words_and_read_however_they_are_spaced() -> None:
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) > 990
    for code in codes:
        assert re.fullmatch(rf"[{CODE_LETTERS}]{{3}}-\d{{4}}", code)
        assert code_in(f"my code is {code.lower()}.") == code
        assert code_in(" ".join(code.replace("-", ""))) == code


@pytest.mark.parametrize("text", ["321 519 7850", "C5 2019", "the clinic 2026", "abc-1234", "+57 321 519 7850"])
def test_what_is_no_code(text: str) -> None:
    assert code_in(text) is None


# --- nothing twice, nothing lost -------------------------------------------------------------------------------------


def _die_before_commit(parts: Parts) -> None:
    event.listen(Session, "before_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))


def _die_after_commit(parts: Parts) -> None:
    event.listen(parts.engine, "commit", lambda connection: None)
    event.listen(Session, "after_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))


def _die_before_record(parts: Parts) -> None:
    def record(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    parts.transcripts.record = record  # type: ignore[method-assign]  # in the child alone


def _in_child(parts: Parts, message: Incoming, die: Callable[[Parts], None]) -> int:
    """Handles the message in a process of its own that is killed at a certain moment; how it ended."""
    parts.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            die(parts)
            asyncio.run(parts.conversation.handle(message))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("die", [_die_before_record, _die_before_commit, _die_after_commit])
def test_a_process_that_is_killed_at_any_step_leaves_exactly_one_request(
    parts: Parts, die: Callable[[Parts], None]
) -> None:
    for number, words in enumerate(EN):
        message = Incoming("terminal", "anna", words, update_id=f"u{number}")
        assert _in_child(parts, message, die) == signal.SIGKILL
        asyncio.run(parts.conversation.handle(message))  # the channel hands it over again
        asyncio.run(parts.conversation.handle(message))  # and once more, by mistake
    (request,) = parts.requests.of("terminal:anna")
    assert request.draft["name"] == "Ana Ruiz"
    assert len(parts.transcripts.of("terminal", "anna")) == len(EN)


def test_every_text_has_the_places_it_is_given(content: Content) -> None:
    """A place that nothing fills in would break the reply; `{name}` and the like are filled in everywhere alike."""
    known = {
        "line", "months", "emergency", "example", "country", "name", "reach", "time", "injury", "summary", "code",
        "state", "date", "number", "digits", "hours", "first", "last", "days", "begins", "ends", "place", "there",
        "words", "note", "value", "topic", "topics", "channel", "conversation", "language", "staff", "link",
    }  # fmt: skip
    booking = content.booking
    groups = (booking.says, booking.problems, booking.summary, booking.times, booking.states, booking.staff)
    wordings = [wording for group in groups for wording in group.values()]
    for wording in [*wordings, *(step.ask for step in booking.steps.values())]:
        english, spanish = (set(re.findall(r"\{(\w+)\}", each)) for each in (wording.en, wording.es))
        assert english == spanish
        assert english <= known
