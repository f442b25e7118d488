"""What staff see of the requests for a call, and what they note; over the real application."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from bot.app import create_app
from bot.booking import Draft, draft_as_json
from bot.console.requests import NEXT
from bot.console.tables import csv_response
from bot.errors import RequestError
from bot.messages import LANGUAGES, REQUEST_STATES, Effect, Language, RequestState
from bot.settings import Settings
from bot.store import models, open_database
from bot.store.requests import PAGE, Requests, Wanted, apply
from bot.store.staff import ROLES, Deeds, Role
from bot.times import Wish
from tests.console import Browser, logged_in

HOME = ZoneInfo("America/Bogota")
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(HOME).date()
ANA: dict[str, Any] = {
    "for_whom": "me",
    "name": "Ana Ruiz",
    "phone": "+573001234567",
    "reach": "+57 300 1234567",
    "region": "CO",
    "zone": "America/Bogota",
    "note": "Soy Ana, mi número viejo es 300 123 4567 y escribo desde ana.ruiz@example.com.",
}
LUZ = {"name": "Luz Gil", "phone": "", "email": "luz.gil@example.com", "reach": "luz.gil@example.com", "zone": None}
TELLING = ("Ana", "Ruiz", "300 123", "3001234567", "ana.ruiz", "Luz", "Gil", "luz.gil")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
numbers = count(1)


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('requests') / 'requests.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="module")
def engine(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
async def people(app: FastAPI, engine: Engine) -> AsyncIterator[dict[Role, Browser]]:
    """One of each role, whose pages are in English."""
    async with (
        logged_in(app, engine, "viewer") as viewer,
        logged_in(app, engine, "reviewer") as reviewer,
        logged_in(app, engine, "clinician") as clinician,
        logged_in(app, engine, "admin") as admin,
    ):
        yield {"viewer": viewer, "reviewer": reviewer, "clinician": clinician, "admin": admin}


@pytest.fixture
def requests(engine: Engine) -> Iterator[Requests]:
    """The requests of the application; none is left behind."""
    yield Requests(engine)
    with Session(engine) as session, session.begin():
        session.query(models.Request).delete()


def ask(
    engine: Engine,
    *,
    state: RequestState = "new",
    language: Language = "es",
    made: datetime = NOW - timedelta(hours=3),
    agreed: datetime | None = None,
    **told: Any,
) -> str:
    """A request that somebody made; its code."""
    number = next(numbers)
    code = f"KRT-{number:04}"
    draft = Draft(**{**ANA, **told})
    if state == "scheduled" and agreed is None:
        agreed = NOW + timedelta(days=2)
    with Session(engine) as session, session.begin():
        talk = models.Conversation(channel="web", sender=f"s{number}", created_at=made, updated_at=made)
        row = models.Request(
            code=code, state=state, language=language, contact=draft.phone or draft.email, draft=draft_as_json(draft),
            agreed_at=agreed, created_at=made, updated_at=made, conversation=talk,
        )  # fmt: skip
        row.events.append(models.RequestEvent(event="new", by="person", created_at=made))
        session.add(row)
    return code


async def speaks(somebody: Browser, language: Language) -> None:
    assert (await somebody.submit("/staff/language", "/staff/requests", language=language)).status_code == 303


async def note(somebody: Browser, code: str, state: RequestState, **fields: Any) -> Any:
    """Sends the form of the request's page that notes `state`, as the page has it."""
    path = f"/staff/requests/{code}"
    (seen,) = set(re.findall(r'name="seen" value="([^"]+)"', await somebody.read(path))) or {NOW.isoformat()}
    return await somebody.submit(path, path, state=state, **{"seen": seen, **fields})


def codes(page: str) -> list[str]:
    """Of the requests on a page of the list or the board, in their order."""
    return re.findall(r'href="/staff/requests/([A-Z]{3}-\d{4})" data-item', page)


# --- who they are, and how to reach them ------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ROLES)
async def test_nothing_on_a_page_tells_who_it_is_before_somebody_asks(
    people: dict[Role, Browser], engine: Engine, requests: Requests, role: Role, language: Language
) -> None:
    code = ask(engine, wish_words="cuando Ana Ruiz esté, llamen al 300 123 4567")
    other = ask(engine, **LUZ)
    await speaks(people[role], language)
    paths = ("/staff/requests", "/staff/requests?view=board", f"/staff/requests/{code}", f"/staff/requests/{other}")
    for path in paths:
        page = (await people[role].read(path)).replace(f"Ana {role}", "")  # that is the member of the staff
        assert not [word for word in TELLING if word in page], path
        assert code in page or other in page
        assert "•••" in page or "board" in path
        assert f'<html lang="{language}">' in page
    await speaks(people[role], "en")


@pytest.mark.parametrize("role", ["reviewer", "clinician", "admin"])
async def test_name_and_contact_are_shown_for_a_reason_that_is_noted(
    people: dict[Role, Browser], engine: Engine, requests: Requests, role: Role
) -> None:
    code = ask(engine)
    path = f"/staff/requests/{code}"
    shown = await people[role].submit(f"{path}/contact", reason="to call Ana Ruiz about it")
    page = unescape(shown.text)
    assert all(told in page for told in ("Ana Ruiz", "+57 300 1234567", 'href="tel:+573001234567"', "300 123 4567"))
    assert 'href="https://wa.me/573001234567?text=Hola%2C%20Ana%20Ruiz' in page
    assert "mailto:" not in page
    assert shown.headers["cache-control"] == "no-store"
    (deed,) = [deed for deed in Deeds(engine).find(subject=f"request:{code}") if deed.action == "show_contact"]
    assert (deed.who, deed.detail) == (role, "to call [name] about it")
    assert "Ruiz" not in await people[role].read(path)
    back = await people[role].get(f"{path}/contact")
    assert (back.status_code, back.headers["location"]) == (303, path)


async def test_who_gave_an_address_is_written_to_there(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    code = ask(engine, language="en", **{**LUZ, "email": "luz+x&y@example.com"})
    shown = await people["reviewer"].submit(f"/staff/requests/{code}/contact", reason="to write")
    assert 'href="mailto:luz%2Bx%26y@example.com?body=Hello%20Luz%20Gil' in shown.text
    assert not [word for word in ("tel:", "wa.me") if word in shown.text]
    assert "time zone is not known" in shown.text


@pytest.mark.parametrize(("role", "reason", "status"), [("viewer", "to call", 403), ("reviewer", "  ", 400)])
async def test_without_the_role_or_a_reason_nothing_is_shown(
    people: dict[Role, Browser], engine: Engine, requests: Requests, role: Role, reason: str, status: int
) -> None:
    code = ask(engine)
    refused = await people[role].submit(f"/staff/requests/{code}/contact", reason=reason)
    assert refused.status_code == status
    assert "Ruiz" not in refused.text
    assert not Deeds(engine).find(subject=f"request:{code}")


@pytest.mark.parametrize(
    ("zone", "told"), [("America/Bogota", "the same as at the clinic"), ("Europe/Madrid", "where they are (Madrid)")]
)
async def test_the_clock_of_the_person_stands_beside_that_of_the_clinic(
    people: dict[Role, Browser], engine: Engine, requests: Requests, zone: str, told: str
) -> None:
    page = await people["viewer"].read(f"/staff/requests/{ask(engine, zone=zone)}")
    assert told in page
    assert datetime.now(ZoneInfo(zone)).strftime("%H:") in page


@pytest.mark.parametrize("field", ["name", "note", "wish_words"])
async def test_what_people_write_is_text_and_nothing_else(
    people: dict[Role, Browser], engine: Engine, requests: Requests, field: str
) -> None:
    code = ask(engine, **{field: EVIL})
    pages = [
        await people["reviewer"].read(path)
        for path in ("/staff/requests", "/staff/requests?view=board", f"/staff/requests/{code}")
    ]
    shown = (await people["reviewer"].submit(f"/staff/requests/{code}/contact", reason="to call")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;&lt;img" in shown
    for page in (*pages, shown):
        assert not [bad for bad in ("<script>alert", "<img", "onerror=alert(2)>") if bad in page.partition("<main")[2]]


# --- what staff note --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", REQUEST_STATES)
async def test_a_request_offers_what_makes_sense_next(
    people: dict[Role, Browser], engine: Engine, requests: Requests, state: RequestState, language: Language
) -> None:
    code = ask(engine, state=state)
    await speaks(people["reviewer"], language)
    page = await people["reviewer"].read(f"/staff/requests/{code}")
    assert re.findall(r'<button name="state" value="(\w+)"', page) == list(NEXT[state])
    assert "(America/Bogota)" in page
    assert f"/staff/conversations/{requests.find(code).conversation}" in page  # type: ignore[union-attr]
    await speaks(people["reviewer"], "en")
    assert 'name="state"' not in await people["viewer"].read(f"/staff/requests/{code}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("new", "contacted"),
        ("contacted", "contacted"),
        ("contacted", "closed"),
        ("scheduled", "closed"),
        ("closed", "new"),
    ],
)
async def test_what_staff_note_is_kept_with_their_login(
    people: dict[Role, Browser], engine: Engine, requests: Requests, before: RequestState, after: RequestState
) -> None:
    code = ask(engine, state=before)
    assert (await note(people["reviewer"], code, after)).status_code == 303
    request = requests.find(code)
    assert request
    assert (request.state, request.history[-1][:2]) == (after, (after, "reviewer"))
    deed = Deeds(engine).find(subject=f"request:{code}")[0]
    assert (deed.who, deed.action, deed.detail) == ("reviewer", "request", f"{before} -> {after}")
    page = await people["viewer"].read(f"/staff/requests/{code}")
    assert f"{'opened again' if after == 'new' else after} (reviewer)" in page
    assert "sent (the person)" in page


async def test_the_time_that_was_agreed_is_the_clinics(
    people: dict[Role, Browser], app: FastAPI, engine: Engine, requests: Requests
) -> None:
    code = ask(engine, zone="Europe/Madrid", language="en")
    day = TODAY + timedelta(days=30)
    assert (await note(people["reviewer"], code, "scheduled", day=str(day), at="09:30")).status_code == 303
    request = requests.find(code)
    assert request
    assert request.agreed_at == datetime.combine(day, time(14, 30), UTC)
    page = (await people["reviewer"].read(f"/staff/requests/{code}")).replace("\xa0", " ")
    assert "(time in Madrid); in Medellín" in page
    assert "at 9:30 AM" in page
    link = re.search(r'href="http://[^/"]+(/calendar/[^"]+\.ics)"', page)
    assert link
    assert "BEGIN:VCALENDAR" in await people["reviewer"].read(link[1])
    shown = await people["reviewer"].submit(f"/staff/requests/{code}/contact", reason="to send the link")
    message = unquote(shown.text.partition("https://wa.me/")[2].partition('"')[0]).replace("\xa0", " ")
    assert "Hello Ana Ruiz, this is Ana reviewer" in message
    assert "at 3:30 PM (time in Madrid); in Medellín" in message or "at 4:30 PM (time in Madrid)" in message
    assert link[1] in message


@pytest.mark.parametrize(("hours", "told"), [(-1, True), (1, False)])
async def test_an_agreed_time_that_has_passed_stands_out(
    people: dict[Role, Browser], engine: Engine, requests: Requests, hours: int, told: bool
) -> None:
    code = ask(engine, state="scheduled", agreed=NOW + timedelta(hours=hours))
    for path in ("/staff/requests", "/staff/requests?view=board", f"/staff/requests/{code}"):
        assert ("agreed time is over" in await people["viewer"].read(path)) is told


@pytest.mark.parametrize(
    "fields",
    [{}, {"day": "2200-01-01"}, {"at": "10:00"}, {"day": "2026-01-01", "at": "10:00"}, {"day": "soon", "at": "10:00"}],
)
async def test_without_a_time_to_come_nothing_is_scheduled(
    people: dict[Role, Browser], engine: Engine, requests: Requests, fields: dict[str, str]
) -> None:
    code = ask(engine)
    assert (await note(people["reviewer"], code, "scheduled", **fields)).status_code == 400
    assert [request.state for request in requests.all()] == ["new"]


@pytest.mark.parametrize(
    ("role", "before", "after", "status"),
    [
        ("viewer", "new", "contacted", 403),
        ("reviewer", "cancelled", "new", 409),
        ("reviewer", "closed", "contacted", 409),
        ("reviewer", "new", "cancelled", 409),
        ("reviewer", "new", "lost", 400),
    ],
)
async def test_what_makes_no_sense_is_not_noted(
    people: dict[Role, Browser], engine: Engine, requests: Requests, role: Role, before: Any, after: Any, status: int
) -> None:
    code = ask(engine, state=before)
    assert (await note(people[role], code, after)).status_code == status
    request = requests.find(code)
    assert request
    assert (request.state, len(request.history)) == (before, 1)


async def test_of_two_at_once_the_second_is_told_and_overwrites_nothing(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    code = ask(engine, state="scheduled")
    seen = requests.find(code).updated_at.isoformat()  # type: ignore[union-attr]
    day = str(TODAY + timedelta(days=9))
    first = await note(people["reviewer"], code, "scheduled", seen=seen, day=day, at="10:00")
    second = await note(people["clinician"], code, "scheduled", seen=seen, day=day, at="16:00")
    assert (first.status_code, second.status_code) == (303, 409)
    assert "has changed since you opened it" in second.text
    assert "time agreed (reviewer)" in second.text
    request = requests.find(code)
    assert request
    assert request.agreed_at == datetime.combine(date.fromisoformat(day), time(15), UTC)
    assert (await note(people["clinician"], code, "closed")).status_code == 303


async def test_what_the_person_changes_meanwhile_is_told(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    code = ask(engine)
    seen = requests.find(code).updated_at.isoformat()  # type: ignore[union-attr]
    with Session(engine) as session, session.begin():
        talk = session.query(models.Request).filter_by(code=code).one().conversation
        apply(session, talk, Effect("cancelled", code), "es", datetime.now(UTC), ())
    told = await note(people["reviewer"], code, "contacted", seen=seen)
    assert told.status_code == 409
    assert "Please do not call" in told.text
    assert [request.state for request in requests.all()] == ["cancelled"]


async def test_of_many_at_the_same_moment_one_moves_it(engine: Engine, requests: Requests) -> None:
    code = ask(engine)
    seen = requests.find(code).updated_at  # type: ignore[union-attr]
    moves = [asyncio.to_thread(requests.move, code, "contacted", f"m{each}", None, seen) for each in range(8)]
    done = await asyncio.gather(*moves, return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in done) == 1
    assert all(isinstance(each, RequestError) for each in done if isinstance(each, Exception))
    assert len(requests.find(code).history) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/staff/requests/KRT-9999", "/staff/requests/export"])
async def test_what_is_no_request_is_not_found(people: dict[Role, Browser], requests: Requests, path: str) -> None:
    await people["admin"].read(path, 404)


async def test_a_code_is_found_in_small_letters(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    await people["viewer"].read(f"/staff/requests/{ask(engine).lower()}")


@pytest.mark.parametrize(
    ("zone", "wish", "expected"),
    [
        ("America/Bogota", {"weekdays": (1,), "begins": time(14)}, time(14)),
        ("Europe/Madrid", {"weekdays": (1,), "begins": time(17)}, None),  # on the clinic's clocks
        ("Europe/Madrid", {"weekdays": (1,)}, time(9)),  # no hour was named: the clinic's office hours
        (None, {"weekdays": (1,), "begins": time(8)}, time(8)),
    ],
)
async def test_the_form_begins_with_what_was_wished(
    people: dict[Role, Browser], engine: Engine, requests: Requests, zone: str | None, wish: Any, expected: time | None
) -> None:
    page = await people["reviewer"].read(f"/staff/requests/{ask(engine, zone=zone, wish=Wish(**wish))}")
    day = re.search(r'name="day" type="date" value="([^"]+)"', page)
    at = re.search(r'name="at" type="time" value="([^"]+)"', page)
    assert day
    assert at
    proposed = datetime.combine(date.fromisoformat(day[1]), time.fromisoformat(at[1]), HOME)
    there = datetime.combine(proposed.date(), wish.get("begins", time(9)), ZoneInfo(zone or HOME.key))
    assert proposed.weekday() == 1
    assert NOW < proposed < NOW + timedelta(days=9)
    assert proposed.time() == (expected or there.astimezone(HOME).time())


# --- the list and the board -------------------------------------------------------------------------------------------


async def test_who_waits_longest_comes_first(people: dict[Role, Browser], engine: Engine, requests: Requests) -> None:
    def made(days: int) -> datetime:
        return NOW - timedelta(days=days)

    expected = [
        ask(engine, made=made(9)),
        ask(engine, made=made(5)),
        ask(engine, state="contacted", made=made(20)),
        ask(engine, state="scheduled", made=made(1), agreed=NOW + timedelta(hours=1)),
        ask(engine, state="scheduled", made=made(2), agreed=NOW + timedelta(hours=5)),
        ask(engine, state="closed", made=made(30)),
        ask(engine, state="closed", made=made(40)),
        ask(engine, state="cancelled", made=made(50)),
    ]
    page = await people["viewer"].read("/staff/requests")
    assert codes(page) == expected
    assert "waiting for 9 d" in page
    board = await people["viewer"].read("/staff/requests?view=board")
    assert codes(board) == expected
    assert [int(number) for number in re.findall(r'<span class="quiet">\((\d+)\)', board)] == [2, 1, 2, 2, 1]


async def test_pages_hold_each_request_once_whatever_comes_in_meanwhile(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    same = NOW - timedelta(days=1)  # many of one moment
    made = [ask(engine, state=state, made=same) for state in REQUEST_STATES for _ in range(PAGE // 2 - 2)]
    seen, path = [], "/staff/requests?state="
    while path:
        page = await people["viewer"].read(path)
        assert len(codes(page)) <= PAGE
        seen += codes(page)
        ask(engine, made=NOW - timedelta(days=3))  # comes before all of them
        older = re.search(r'href="(/staff/requests\?[^"]*after=[^"]+)"', page)
        path = unescape(older[1]) if older else ""
    assert seen == [code for code in seen if code in made]
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("after", ["new", "new.1", "lost.1.1", "new.1.1.1", f"new.{'9' * 30}.1", "new.x.1"])
async def test_a_place_that_nobody_gave_is_refused(people: dict[Role, Browser], after: str) -> None:
    await people["viewer"].read(f"/staff/requests?after={after}", 400)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", "abcd"),
        ("state=&language=&country=&code=&since=&until=", "abcd"),  # as the form sends it
        ("state=new", "ac"),
        ("state=open", "abc"),
        ("language=en", "bd"),
        ("country=PE", "cd"),
        ("country=pe&language=en", "d"),
        ("since=2026-03-02", "bcd"),
        ("until=2026-03-01", "a"),  # late in the evening there, the next day in UTC
        ("since=2026-03-02&until=2026-03-02", "b"),
        ("code=KRT", "abcd"),
        ("code=zzz", ""),
        ("code=%25", ""),  # no wildcard
    ],
)
async def test_filters(people: dict[Role, Browser], engine: Engine, requests: Requests, asked: str, found: str) -> None:
    made = {
        "a": ask(engine, made=datetime(2026, 3, 1, 23, tzinfo=HOME)),
        "b": ask(engine, made=datetime(2026, 3, 2, 9, tzinfo=HOME), state="contacted", language="en", region="ES"),
        "c": ask(engine, made=datetime(2026, 3, 3, 9, tzinfo=HOME), region="PE"),
        "d": ask(engine, made=datetime(2026, 3, 4, 9, tzinfo=HOME), state="closed", language="en", region="PE"),
    }
    wanted = {made[name] for name in found}
    page = await people["viewer"].read(f"/staff/requests?{asked}")
    assert set(codes(page)) == wanted
    assert set(codes(await people["viewer"].read(f"/staff/requests?{asked}&view=board"))) == wanted
    assert f"Requests: {len(wanted)}." in page
    assert ("There is no request like that." in page) is (not wanted)


@pytest.mark.parametrize("asked", ["state=lost", "language=fr", "since=soon", "since=9999-12-31", "view=tree"])
async def test_a_filter_that_is_none_is_refused(people: dict[Role, Browser], asked: str) -> None:
    await people["viewer"].read(f"/staff/requests?{asked}", 400)


async def test_part_of_a_code_finds_it(people: dict[Role, Browser], engine: Engine, requests: Requests) -> None:
    code, _ = ask(engine), ask(engine)
    for part in (code, code.lower(), code.replace("-", ""), code[1:]):
        assert codes(await people["viewer"].read(f"/staff/requests?code={part}")) == [code]


async def test_the_view_and_the_filters_stay_in_the_address(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    for _ in range(25):
        ask(engine)
    board = await people["viewer"].read("/staff/requests?view=board&state=new&language=es")
    assert 'href="/staff/requests?state=new&amp;language=es"' in board  # the list of the same
    assert '<input type="hidden" name="view" value="board">' in board
    assert len(codes(board)) == 20
    assert "All 25: new" in board


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_empty_list_says_so(people: dict[Role, Browser], requests: Requests, language: Language) -> None:
    await speaks(people["viewer"], language)
    told = {"en": ("There is no request like that.", "none"), "es": ("No hay ninguna solicitud así.", "ninguna")}
    assert told[language][0] in await people["viewer"].read("/staff/requests")
    assert told[language][1] in await people["viewer"].read("/staff/requests?view=board")
    await speaks(people["viewer"], "en")


async def test_a_long_list_asks_the_database_no_more_often(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    asked: list[str] = []
    listener: Any = lambda *given: asked.append(given[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listener)
    for _ in range(5):
        ask(engine)
    asked.clear()
    requests.page(Wanted())
    few = len(asked)
    for _ in range(45):
        ask(engine)
    asked.clear()
    assert len(requests.page(Wanted())) == 50
    event.remove(engine, "before_cursor_execute", listener)
    assert len(asked) <= few


# --- the file ---------------------------------------------------------------------------------------------------------


async def table(somebody: Browser, asked: str = "", **fields: Any) -> list[dict[str, str]]:
    sent = await somebody.submit(f"/staff/requests/export?{asked}", **fields)
    assert sent.status_code == 200, sent.text
    assert sent.content.startswith(b"\xef\xbb\xbf")
    assert sent.headers["content-disposition"].startswith('attachment; filename="requests-')
    return list(csv.DictReader(StringIO(sent.text.removeprefix("\ufeff"))))


async def test_the_file_holds_the_filtered_list_without_names(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    code = ask(engine, state="scheduled", agreed=datetime(2026, 12, 1, 20, tzinfo=UTC))
    ask(engine, state="closed")
    (row,) = await table(people["reviewer"], "state=scheduled&language=es")
    assert (row["Code"], row["State"], row["Language"], row["Country"]) == (code, "Scheduled", "Spanish", "Colombia")
    assert row["Agreed time (America/Bogota)"] == "2026-12-01 15:00"
    assert not [word for word in TELLING if word in str(row)]
    assert "Name" not in row
    deed = Deeds(engine).find(subject="requests")[0]
    assert (deed.who, deed.action, deed.detail) == ("reviewer", "export", "state=scheduled&language=es")
    await speaks(people["reviewer"], "es")
    assert {row["Estado"] for row in await table(people["reviewer"])} == {"Agendada", "Cerrada"}
    await speaks(people["reviewer"], "en")


async def test_the_file_holds_names_for_a_reason_only(
    people: dict[Role, Browser], engine: Engine, requests: Requests
) -> None:
    ask(engine)
    (row,) = await table(people["reviewer"], contact="true", reason="month's report for Ana Ruiz")
    assert (row["Name"], row["Phone"], row["E-mail"]) == ("Ana Ruiz", "'+573001234567", "")
    assert "300 123 4567" in row["What was added"]
    assert Deeds(engine).find(subject="requests")[0].detail == "with contact: month's report for [name]"
    for role, fields, status in (
        ("viewer", {}, 403),
        ("viewer", {"contact": "true", "reason": "curious"}, 403),
        ("reviewer", {"contact": "true"}, 400),
        ("reviewer", {"contact": "true", "reason": " "}, 400),
    ):
        refused = await people[role].submit("/staff/requests/export", **fields)  # type: ignore[index]
        assert refused.status_code == status
        assert "KRT" not in refused.text


async def test_the_file_holds_more_than_a_page(people: dict[Role, Browser], engine: Engine, requests: Requests) -> None:
    made = [ask(engine, state=state) for state in ("new", "closed") for _ in range(PAGE)]
    assert sorted(row["Code"] for row in await table(people["admin"])) == sorted(made)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+57 300", "'+57 300"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        (" =1", "'=1"),
        ("a\n=1", "a =1"),  # on a line of its own it would begin a row
        ("a\r\n=1", "a =1"),
        ("hello;=1", "hello;'=1"),  # where semicolons tell cells apart
        ("hello; @x;+1", "hello; '@x;'+1"),
        ("one; two", "one; two"),  # near miss
        ("＝1", "'＝1"),
        ("a=1", "a=1"),  # near miss
        ('say "hi", Ana', 'say "hi", Ana'),
        ("ñandú", "ñandú"),
        (-2.5, "-2.5"),  # a number of ours
        ("", ""),
        (None, ""),
    ],
)
async def test_no_cell_is_a_formula(value: object, cell: str) -> None:
    response = csv_response("x.csv", ["a", "b"], [[value, "end"]])
    text = "".join([str(part) async for part in response.body_iterator])
    assert list(csv.reader(StringIO(text.removeprefix("\ufeff")))) == [["a", "b"], [cell, "end"]]


# --- what staff are told of times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"wish_words": "after my nurse has gone"}, {"en": "in their words", "es": "en sus palabras"}),
        (
            {"zone": None, "region": "US", "wish": Wish(begins=time(9), ends=time(9))},
            {"en": "(where they are)", "es": "(hora de donde está la persona)"},
        ),
        ({"wish": Wish(begins=time(9), ends=time(9))}, {"en": "(time in Medellín)", "es": "(hora de Medellín)"}),
    ],
)
async def test_staff_are_told_whose_time_it_is(
    people: dict[Role, Browser], engine: Engine, requests: Requests, told: Any, expected: Any
) -> None:
    code = ask(engine, **told)
    for language in LANGUAGES:
        await speaks(people["viewer"], language)
        assert expected[language] in await people["viewer"].read(f"/staff/requests/{code}")
    await speaks(people["viewer"], "en")
