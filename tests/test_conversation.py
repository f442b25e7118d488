"""The main path on real parts: what a person gets, and what is kept of it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import text as sql

from bot.app import Parts
from bot.emergency import Emergency
from bot.messages import LANGUAGES, Decision, Incoming, Language, Memory, Turn, Understanding
from bot.nlu.encoder.sentences import encoder_name
from bot.settings import OUR_ENCODER
from bot.triage import Triage


async def say(parts: Parts, text: str, sender: str = "anna", **options: Any) -> Turn:
    return await parts.conversation.handle(Incoming("terminal", sender, text, **options))


@pytest.mark.parametrize(
    ("text", "decision", "topic", "language"),
    [
        ("hello", "talk", "greet", "en"),
        ("hola buenas tardes", "talk", "greet", "es"),
        ("how much does it cost?", "answer", "cost", "en"),
        ("¿cuánto cuesta el tratamiento?", "answer", "cost", "es"),
        ("hello there, how much is it?", "answer", "cost", "en"),
        ("Hola buenas tardes, quisiera saber cuánto cuesta el tratamiento, gracias", "answer", "cost", "es"),
        ("hello good morning to you all", "talk", "greet", "en"),
        ("muchas gracias por todo", "talk", "thanks", "es"),
        ("will I walk again?", "answer", "walk_again", "en"),
        ("¿volveré a caminar?", "answer", "walk_again", "es"),
        ("what are muse cells", "answer", "muse_what", "en"),
        ("que son las celulas muse", "answer", "muse_what", "es"),
        ("where is the clinic located", "answer", "location", "en"),
        ("donde queda la clinica", "answer", "location", "es"),
        ("I want to book an appointment", "action", "book", "en"),
        ("quiero pedir una cita", "action", "book", "es"),
        ("can I talk to a real person", "action", "human", "en"),
        ("quiero hablar con una persona", "action", "human", "es"),
        ("are you a robot?", "talk", "bot_identity", "en"),
        ("¿eres un robot?", "talk", "bot_identity", "es"),
        ("I can't breathe", "emergency", "emergency_breathing", "en"),
        ("no puedo respirar", "emergency", "emergency_breathing", "es"),
        ("who won the football game last night", "fallback", "out_of_scope", "en"),
        ("quién ganó el partido de fútbol anoche", "fallback", "out_of_scope", "es"),
    ],
)
async def test_a_message_gets_its_topic(
    parts: Parts, text: str, decision: Decision, topic: str, language: Language
) -> None:
    turn = await say(parts, text)
    assert (turn.decision, turn.topics, turn.language) == (decision, (topic,), language)
    assert turn.replies[0].text
    assert turn.failure is None


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_an_empty_message_is_answered(parts: Parts, text: str) -> None:
    turn = await say(parts, text)
    assert turn.decision == "fallback"
    assert turn.replies[0].revision.startswith("empty@")


async def test_a_message_that_is_too_long_is_answered(parts: Parts) -> None:
    turn = await say(parts, "word " * 2_000)
    assert turn.replies[0].revision.startswith("too_long@")


@pytest.mark.parametrize("text", ["asdf qwer zxcv", "🙏🙏", "xyz", "1", "?", "/start", "/restart", "/"])
async def test_nonsense_gets_a_reply_and_breaks_nothing(parts: Parts, text: str) -> None:
    turn = await say(parts, text)
    assert turn.replies
    assert turn.failure is None


async def test_the_same_message_twice_has_one_reply_and_one_effect(parts: Parts) -> None:
    first = await say(parts, "how much is it?", update_id="u1")
    again = await say(parts, "how much is it?", update_id="u1")
    assert (first.decision, again.decision, again.replies) == ("answer", "silent", ())
    assert len(parts.transcripts.of("terminal", "anna")) == 1


async def test_the_same_words_in_two_messages_are_answered_twice(parts: Parts) -> None:
    await say(parts, "how much is it?", update_id="u1")
    await say(parts, "how much is it?", update_id="u2")
    assert len(parts.transcripts.of("terminal", "anna")) == 2


async def test_two_copies_at_the_same_moment_have_one_reply(parts: Parts) -> None:
    turns = await asyncio.gather(*(say(parts, "how much is it?", update_id="u1") for _ in range(5)))
    assert sorted(turn.decision for turn in turns) == ["answer", "silent", "silent", "silent", "silent"]


async def test_more_and_sources_follow_the_last_answer(parts: Parts) -> None:
    await say(parts, "will I walk again?")
    more = await say(parts, "tell me more")
    sources = await say(parts, "where does that come from?")
    assert "registry" in " ".join(claim.text for claim in more.replies[0].claims)
    assert {c.key for claim in sources.replies[0].claims for c in claim.citations} >= {"koda-2024", "fawcett-2007"}


async def test_more_without_an_answer_asks_about_what(parts: Parts) -> None:
    assert (await say(parts, "tell me more")).replies[0].revision.startswith("more_which@")


@pytest.mark.parametrize(
    "typed",
    [
        "2",
        "2.",
        " 2) ",
        "(2)",
        "#2",
        "2️⃣",
        "２",
        "option 2",
        "la 2",
        "Are Muse cells proven to help?",
        "are muse cells PROVEN to help?",
    ],
)
async def test_a_choice_can_be_typed(parts: Parts, typed: str) -> None:
    greeting = await say(parts, "hello")
    assert greeting.replies[0].buttons[1].payload == "/evidence_strength"
    assert (await say(parts, typed)).topics == ("evidence_strength",)


async def test_links_are_no_choices(parts: Parts) -> None:
    offer = await say(parts, "", button="/complaint", language="en")
    assert [button.is_link for button in offer.replies[0].buttons] == [True, True, False]
    assert (await say(parts, "1")).topics == ("menu",)


async def test_the_more_button_of_an_older_answer_still_means_that_answer(parts: Parts) -> None:
    older = (await say(parts, "will I walk again?")).replies[0].buttons[0]
    await say(parts, "how much does it cost?")
    more = await say(parts, "", button=older.payload)
    assert more.replies[0].revision.startswith("walk_again@")


@pytest.mark.parametrize("payload", ["/restart", "/nlu_fallback", "cost", "/cost{not json", "javascript:alert(1)", "/"])
async def test_a_button_that_is_none_of_ours_gets_the_contact_line(parts: Parts, payload: str) -> None:
    turn = await say(parts, "", button=payload)
    assert "+57 321 519 7850" in turn.replies[0].text or turn.decision == "answer"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_topic_of_the_catalogue_has_its_reply(parts: Parts, language: Language) -> None:
    for topic, entry in parts.content.topics.items():
        turn = await say(parts, "", sender=f"{topic}-{language}", button=f"/{topic}", language=language)
        assert (turn.failure, turn.topics) == (None, (topic,)), topic
        assert all(reply.text for reply in turn.replies), topic
        if entry.kind in ("answer", "clinic"):
            assert turn.decision == "answer", topic
            assert turn.replies[0].claims, topic


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        ("hello", "en español por favor", "es"),
        ("hola", "in English please", "en"),
        ("hello", "can we switch to Spanish?", "es"),
        ("hola", "no hablo español, inglés por favor", "en"),
        ("hello there", "no entiendo inglés, español por favor", "es"),
        ("hello there", "¿puede cambiar el idioma por favor?", "es"),
        ("hello there", "I don't speak English", "es"),
    ],
)
async def test_a_person_can_change_the_language(parts: Parts, first: str, second: str, language: Language) -> None:
    await say(parts, first)
    turn = await say(parts, second)
    assert turn.language == language
    assert turn.replies[0].revision.startswith("language_changed@")
    other = {"en": "¿cuánto cuesta el tratamiento completo?", "es": "how much does the whole treatment cost?"}
    assert (await say(parts, other[language])).language == language, "a chosen language stays"


async def test_another_language_gets_a_kind_sentence(parts: Parts) -> None:
    await say(parts, "hello")
    turn = await say(parts, "Is there a Portuguese version of this chat?")
    assert turn.replies[0].revision.startswith("language_only_two@")


async def test_the_second_time_that_nothing_is_understood_a_person_is_offered(parts: Parts) -> None:
    unclear = "blorp the fnord of it sideways, cells and all"
    await say(parts, unclear, language="en")
    turn = await say(parts, unclear)
    assert turn.decision == "fallback"
    assert any(button.payload.startswith("tel:") for button in turn.replies[0].buttons)


async def test_people_do_not_share_a_conversation(parts: Parts) -> None:
    await say(parts, "will I walk again?", sender="anna")
    other = await say(parts, "tell me more", sender="berta")
    assert other.replies[0].revision.startswith("more_which@")


async def test_messages_of_one_person_are_kept_in_order(parts: Parts) -> None:
    texts = ["hello", "how much is it?", "where is the clinic?", "thanks a lot"]
    await asyncio.gather(*(say(parts, text) for text in texts))
    assert [said.text for said in parts.transcripts.of("terminal", "anna")] == texts


async def test_the_transcript_keeps_what_was_understood_and_shown(parts: Parts) -> None:
    turn = await say(parts, "how much does it cost?")
    with parts.engine.connect() as connection:
        row: Mapping[str, Any] = connection.execute(sql("SELECT * FROM turn")).mappings().one()
    assert (row["language"], row["decision"], row["failure"]) == ("en", "answer", None)
    assert '"cost"' in row["topics"]
    assert '"confidence"' in row["candidates"]
    assert turn.replies[0].revision in row["revisions"]
    assert row["latency_ms"] > 0
    assert parts.transcripts.of("terminal", "anna")[0].replies == turn.replies


async def test_a_conversation_goes_on_after_a_restart(parts: Parts) -> None:
    await say(parts, "will I walk again?")
    restarted = replace(parts.conversation)  # a new main path, with nothing in its memory
    turn = await restarted.handle(Incoming("terminal", "anna", "tell me more"))
    assert turn.replies[0].revision.startswith("walk_again@")


async def test_a_long_conversation_keeps_its_memory_small(parts: Parts) -> None:
    for _ in range(12):
        await say(parts, "how much does it cost?")
    with parts.engine.connect() as connection:
        size = connection.execute(sql("SELECT length(dialogue) FROM conversation")).scalar_one()
    assert size < 40_000
    assert (await say(parts, "tell me more")).replies[0].revision.startswith("cost@")


@pytest.mark.parametrize(
    ("before", "danger", "language"),
    [
        ("hello how are you today", "no puedo respirar", "es"),
        ("hola como esta usted hoy", "I can't breathe", "en"),
        ("hello how are you today", "sepsis", "en"),
        ("hola como esta usted hoy", "sepsis", "es"),
    ],
)
async def test_in_danger_the_words_decide_the_language(
    parts: Parts, before: str, danger: str, language: Language
) -> None:
    await say(parts, before)
    assert (await say(parts, danger)).language == language


async def test_a_chosen_language_is_there_again_after_danger(parts: Parts) -> None:
    await say(parts, "hello", language="en")
    assert (await say(parts, "no puedo respirar")).language == "es"
    assert (await say(parts, "cuanto cuesta el tratamiento completo")).language == "en"


@pytest.mark.parametrize(
    ("danger", "then", "decision"),
    [
        ("I want to die", "yes", "emergency"),  # someone is about to hurt themselves
        ("I want to die", "no", "talk"),
        ("I can't breathe", "no", "emergency"),  # it has not passed
        ("I can't breathe", "yes", "talk"),
        ("no puedo respirar", "sí", "talk"),
        ("no puedo respirar", "ya pasó, gracias a Dios", "talk"),
        ("no puedo respirar", "sigue igual", "emergency"),
        ("I can't breathe", "it has passed", "talk"),
        ("I can't breathe", "not yet, nobody is here", "emergency"),
        ("I can't breathe", "thank you", "emergency"),
        ("I want to die", "in Spanish please", "emergency"),
        ("I want to die", "tell me more", "emergency"),
        ("quiero morirme", "where does that come from?", "emergency"),
        ("I want to die", "blorp the fnord of it sideways", "emergency"),
        ("quiero morirme", "si", "emergency"),
        ("I can't breathe", "how much does it cost?", "answer"),  # the person changes the subject
        ("hello", "no", "talk"),
    ],
)
async def test_after_danger_a_bare_word_does_not_end_the_help(
    parts: Parts, danger: str, then: str, decision: Decision
) -> None:
    await say(parts, danger)
    assert (await say(parts, then)).decision == decision


@pytest.mark.parametrize(
    ("danger", "button", "decision"),
    [
        ("I can't breathe", 0, "talk"),
        ("I can't breathe", 1, "emergency"),
        ("quiero morirme", 0, "emergency"),
        ("quiero morirme", 1, "talk"),
    ],
)
async def test_the_question_after_danger_has_two_answers(
    parts: Parts, danger: str, button: int, decision: Decision
) -> None:
    asked = (await say(parts, danger)).replies[-1]
    turn = await say(parts, "", button=asked.buttons[button].payload)
    assert turn.decision == decision
    if decision == "talk":
        assert "123" in turn.replies[0].text
        assert [each.payload for each in turn.replies[0].buttons] == ["/human"], "nothing about the therapy"
        assert (await say(parts, "how much does it cost?")).decision == "answer"


async def test_thanks_after_danger_get_the_question_and_not_all_again(parts: Parts) -> None:
    first = await say(parts, "I can't breathe")
    then = await say(parts, "thanks")
    assert then.replies == first.replies[-1:]
    assert (await say(parts, "no")).replies == first.replies, "it is still about the same danger"


async def test_an_eligibility_question_waits_while_someone_is_in_danger(parts: Parts) -> None:
    await say(parts, "am I a candidate? I have a C5 injury")
    await say(parts, "I can't breathe")
    after = await say(parts, "it has passed")
    assert len(after.replies) == 1, "the open question is not pushed"
    again = await say(parts, "am I a candidate?")
    assert "C5" in str(again.slots), "what was told before is still known"


@pytest.mark.parametrize(
    ("before", "danger", "text", "calls"),
    [
        ("hello", "I can't breathe", "123 (Colombia)", ["tel:123", "tel:911", "tel:112"]),
        ("I live in Madrid, what are muse cells?", "I can't breathe", "Call now: 112.", ["tel:112"]),
        ("I live in Spain, can I come to Medellín?", "I can't breathe", "Call now: 112.", ["tel:112"]),
        ("hola", "estoy en México y no puedo respirar", "Llame ya: 911.", ["tel:911"]),
        ("call me at +54 11 5555 5555", "I can't breathe", "Call now: 107.", ["tel:107"]),
        ("hello", "I can't breathe, I'm in Canada", "Call now: your local emergency number.", ["tel:123"]),
        ("I am in Texas", "I want to die", "988", ["tel:988", "tel:911"]),
    ],
)
async def test_the_number_is_that_of_where_the_person_is(
    parts: Parts, before: str, danger: str, text: str, calls: list[str]
) -> None:
    await say(parts, before)
    reply = (await say(parts, danger)).replies[0]
    assert text in reply.text
    assert [button.payload for button in reply.buttons][: len(calls)] == calls


async def test_danger_is_flagged_to_staff_and_nothing_less_takes_its_place(parts: Parts) -> None:
    await say(parts, "hello", sender="bob")
    await say(parts, "I can't breathe")
    broken = replace(parts.conversation, dialogue=Broken())
    for sender in ("anna", "bob"):
        await broken.handle(Incoming("terminal", sender, "how much does it cost?"))
    with parts.engine.connect() as connection:
        flags = {row.sender: row.flag for row in connection.execute(sql("SELECT sender, flag FROM conversation"))}
    assert flags == {"anna": "emergency", "bob": "failure"}


class Sure:
    """A dialogue that finds danger as likely as it is told to."""

    def __init__(self, dialogue: Any, danger: float) -> None:
        self.respond, self.subject, self._danger = dialogue.respond, dialogue.subject, danger

    async def danger(self, text: str) -> float:
        return self._danger


@pytest.mark.parametrize(
    ("text", "danger", "decision"),
    [
        ("nearly choked on my coffee reading that quote. does it at least include the hotel", 0.0, "answer"),
        ("nearly choked on my coffee reading that quote. does it at least include the hotel", 0.5, "emergency"),
        ("I can't breathe", 0.0, "emergency"),  # so few words explain nothing else
        ("I have autonomic dysreflexia right now, how much is it?", 0.0, "emergency"),  # never doubted
    ],
)
async def test_a_sign_may_mean_nothing_and_then_the_number_stands_above_the_answer(
    parts: Parts, text: str, danger: float, decision: Decision
) -> None:
    sure = replace(parts.conversation, dialogue=cast(Any, Sure(parts.conversation.dialogue, danger)))
    turn = await sure.handle(Incoming("terminal", "anna", text))
    with parts.engine.connect() as connection:
        flag = connection.execute(sql("SELECT flag FROM conversation")).scalar_one()
    assert flag == ("emergency" if decision == "emergency" else "perhaps_emergency")
    assert turn.decision == decision
    assert "123" in turn.replies[0].text
    assert turn.replies[0].buttons[0].payload == "tel:123"


@pytest.mark.parametrize(
    ("text", "decision"), [("🆘", "emergency"), ("👍", "talk"), ("🦖🦖🦖", "fallback"), ("?!", "fallback")]
)
async def test_pictures_and_signs_alone(parts: Parts, text: str, decision: Decision) -> None:
    assert (await say(parts, text)).decision == decision


async def test_a_safety_topic_among_the_candidates_is_taken_seriously(parts: Parts) -> None:
    """The second net: words that no sign matches, near enough to what people in danger write."""
    danger = ["overdose", "I've had enough of it all", "he hit me hard", "me caí de la silla recién"]
    turns = [await say(parts, text, sender=text) for text in danger]
    assert all(turn.decision != "error" for turn in turns)
    caught = [turn for turn in turns if turn.decision == "emergency"]
    assert turns[0] in caught, "no sign matches it; only the candidates do"
    assert all(turn.topics[0].startswith(("emergency_", "crisis_")) for turn in caught)


class Slow:
    """A database that hangs."""

    def seen(self, message: Incoming) -> bool:
        time.sleep(3)
        return False

    def memory(self, message: Incoming) -> Memory:
        time.sleep(3)
        return Memory()

    def record(self, message: Incoming, turn: Turn, memory: Memory | None) -> None:
        time.sleep(3)


async def test_someone_in_danger_does_not_wait_for_a_database_that_hangs(parts: Parts) -> None:
    slow = replace(parts.conversation, transcripts=Slow())
    started = time.perf_counter()
    turn = await slow.handle(Incoming("terminal", "anna", "I can't breathe"))
    assert turn.decision == "emergency"
    assert time.perf_counter() - started < 2.9, "one second for what is read, one for what is written"


class Wrong:
    """Triage with a mistake in it."""

    def assess(self, text: str) -> None:
        raise RuntimeError(text)


async def test_when_the_rules_fail_every_message_counts_as_danger(parts: Parts) -> None:
    wrong = replace(parts.conversation, triage=cast(Triage, Wrong()))
    turn = await wrong.handle(Incoming("terminal", "anna", "how much is it?", hint="en"))
    assert (turn.decision, turn.failure) == ("emergency", "triage: RuntimeError")
    assert "123" in turn.replies[0].text
    assert "+57 321 519 7850" in turn.replies[-1].text


async def test_whatever_breaks_the_person_gets_the_contact_line(parts: Parts) -> None:
    wrong = replace(parts.conversation, emergency=cast(Emergency, None))
    turn = await wrong.handle(Incoming("terminal", "anna", "how much is it?", hint="en"))
    assert turn.decision == "error"
    assert "+57 321 519 7850" in turn.replies[0].text
    assert "123" in turn.replies[0].text


class Broken:
    """A dialogue engine that fails on every message."""

    async def respond(self, message: Incoming, language: Language, memory: Memory) -> Understanding:
        raise RuntimeError(f"the message was {message.text}")


async def test_when_the_dialogue_fails_the_person_is_told_how_to_reach_the_clinic(parts: Parts) -> None:
    broken = replace(parts.conversation, dialogue=Broken())
    for text, language in (("how much is it for us", "en"), ("cuánto vale para nosotros", "es")):
        turn = await broken.handle(Incoming("terminal", language, text))
        assert turn.decision == "error"
        assert turn.language == language
        assert "+57 321 519 7850" in turn.replies[0].text
    with parts.engine.connect() as connection:
        failures = connection.execute(sql("SELECT failure FROM turn")).scalars().all()
    assert failures == ["answer: RuntimeError"] * 2


async def test_when_the_dialogue_fails_an_emergency_is_still_answered(parts: Parts) -> None:
    broken = replace(parts.conversation, dialogue=Broken())
    turn = await broken.handle(Incoming("terminal", "anna", "no puedo respirar"))
    assert turn.decision == "emergency"


@pytest.mark.parametrize(("text", "decision"), [("how much does it cost?", "answer"), ("I can't breathe", "emergency")])
async def test_without_its_database_the_assistant_still_answers(parts: Parts, text: str, decision: Decision) -> None:
    with parts.engine.begin() as connection:
        connection.execute(sql("DROP TABLE turn"))
        connection.execute(sql("DROP TABLE conversation"))
    turn = await say(parts, text, update_id="u1")
    assert turn.decision == decision
    assert turn.replies[0].text
    assert not turn.recorded
    assert turn.failure is not None
    assert "record: OperationalError" in turn.failure


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("how much is it and does it hurt?", ("cost", "how_given")),
        ("¿Cuánto cuesta el tratamiento? ¿Dónde queda la clínica?", ("cost", "location")),
        ("how much is it?", ("cost",)),
        ("is it safe and effective?", None),  # one question, whatever it is taken for
    ],
)
async def test_several_questions_each_get_their_answer(parts: Parts, text: str, topics: tuple[str, ...] | None) -> None:
    turn = await say(parts, text)
    assert len(turn.topics) <= 1 if topics is None else turn.topics == topics
    if topics:
        assert [reply.revision.partition("@")[0] for reply in turn.replies] == list(topics)


async def test_more_than_three_questions_are_offered_and_not_lost(parts: Parts) -> None:
    turn = await say(parts, "how much is it, where are you, does it hurt, is it approved?")
    assert len(turn.replies) == 4
    assert turn.replies[-1].revision.startswith("also_asked@")
    assert [button.payload for button in turn.replies[-1].buttons] == ["/approval_status"]
    assert (await say(parts, "4")).topics == ("approval_status",)


async def test_danger_in_one_of_several_questions_is_all_that_counts(parts: Parts) -> None:
    turn = await say(parts, "how much is it? where are you? and what if I just took all my pills to die?")
    assert turn.decision == "emergency"
    assert len(turn.replies) == 2, "the guidance, and the question whether it has passed"


@pytest.mark.skipif(encoder_name(OUR_ENCODER) == "none", reason="the words alone are not sure enough")
async def test_questions_in_what_is_surely_out_of_scope_are_not_for_us(parts: Parts) -> None:
    story = "Mi equipo perdió la final el domingo en los penales y toda la cuadra lloró por culpa del árbitro."
    turn = await say(parts, f"{story} ¿Cuánto vale? ¿Dónde queda?")
    assert (turn.decision, turn.topics) == ("fallback", ("out_of_scope",))
    near_miss = await say(parts, "¿Cuánto vale? ¿Dónde queda?")
    assert set(near_miss.topics) == {"cost", "location"}


@pytest.mark.parametrize(
    ("before", "then", "topic"),
    [
        ("will I walk again?", "why?", "more_detail"),
        ("¿volveré a caminar?", "¿por qué?", "more_detail"),
        ("will I walk again?", "and by myself?", "walk_again"),
        ("¿volveré a caminar?", "¿y las piernas?", "walk_again"),
    ],
)
async def test_a_follow_up_is_read_with_what_came_before(parts: Parts, before: str, then: str, topic: str) -> None:
    await say(parts, before)
    turn = await say(parts, then)
    assert turn.topics == (topic,)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("quanto custa o tratamento para o meu filho?", True),
        ("Bonjour, combien coûte le traitement pour mon fils ?", True),
        ("сколько это стоит", True),
        ("这个多少钱", True),
        ("cuánto cuesta el tratamiento para mi hijo?", False),
        ("how much is the treatment for my son?", False),
        ("ok", False),
        ("👍", False),
    ],
)
async def test_another_language_gets_a_kind_sentence_in_both(parts: Parts, text: str, other: bool) -> None:
    turn = await say(parts, text)
    assert turn.replies[0].revision.startswith("language_only_two@") is other
    if other:
        assert "English" in turn.replies[0].text
        assert "español" in turn.replies[0].text


async def test_after_danger_another_language_gets_the_guidance_again(parts: Parts) -> None:
    await say(parts, "I can't breathe")
    turn = await say(parts, "não consigo, meu filho está aqui comigo")
    assert (turn.decision, turn.topics) == ("emergency", ("emergency_breathing",))
