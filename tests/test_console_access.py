"""Who gets in to the pages of the staff, and what each role may do there; over the real application."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot.app import create_app, first_invitation
from bot.console import pages as console_pages
from bot.console.words import Words
from bot.errors import ContentError, StaffError
from bot.messages import LANGUAGES, Language
from bot.settings import ROOT, Settings
from bot.store import migrate, models, open_database
from bot.store.staff import FREE_TRIES, IDLE, INVITED_FOR, LONGEST, ROLES, Deeds, Role, Staff
from tests.console import PASSWORD, account, browser, logged_in

WRONG = "another password of ours"


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('access') / 'access.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def engine(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url)
    yield engine
    with Session(engine) as session, session.begin():
        for table in (models.StaffSession, models.Invitation, models.Staff, models.Guess):
            session.query(table).delete()
    engine.dispose()


PAGES = [
    ("/staff/inbox", "viewer"),
    ("/staff/me", "viewer"),
    ("/staff/people", "admin"),
    ("/staff/audit", "admin"),
]


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_sees_its_pages_and_no_others(app: FastAPI, engine: Engine, role: Role) -> None:
    async with logged_in(app, engine, role) as somebody:
        for page, needed in PAGES:
            allowed = ROLES.index(role) >= ROLES.index(needed)
            await somebody.read(page, 200 if allowed else 403)


@pytest.mark.parametrize(("page", "_"), PAGES)
async def test_strangers_are_sent_to_log_in(app: FastAPI, engine: Engine, page: str, _: str) -> None:
    async with browser(app) as stranger:
        found = await stranger.get(page)
        assert (found.status_code, found.headers["location"]) == (303, "/staff/login")
        found = await stranger.get(page, headers={"hx-request": "true"})  # htmx would put the page into the page
        assert (found.status_code, found.headers["hx-redirect"]) == (401, "/staff/login")


@pytest.mark.parametrize(
    ("name", "password", "again", "problem"),
    [
        ("Ana", PASSWORD, PASSWORD, None),
        ("", PASSWORD, PASSWORD, None),  # keeps the name that the admin gave
        ("Ana", "short", "short", "weak_password"),
        ("Ana", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "weak_password"),
        ("Ana", PASSWORD, WRONG, "not_the_same"),
    ],
)
async def test_a_password_is_chosen_once(
    app: FastAPI, engine: Engine, name: str, password: str, again: str, problem: str | None
) -> None:
    _, token = account(engine, "viewer")
    link = f"/staff/join/{token}"
    async with browser(app) as somebody:
        answer = await somebody.submit(link, link, name=name, password=password, again=again)
        assert answer.status_code == (400 if problem else 200)
        assert Words().of(f"problems.{problem or 'joined'}", "en") in answer.text
        await somebody.read(link, 200 if problem else 404)


async def test_an_invitation_ends(app: FastAPI, engine: Engine) -> None:
    _, first = account(engine, "viewer")
    second = Staff(engine).invite("viewer")
    async with browser(app) as somebody:
        await somebody.read(f"/staff/join/{first}", 404)  # the newer one takes its place
        await somebody.read(f"/staff/join/{second}")
        with Session(engine) as session, session.begin():
            session.query(models.Invitation).update({"expires_at": datetime.now(UTC) - timedelta(seconds=1)})
        await somebody.read(f"/staff/join/{second}", 404)
    assert timedelta(days=1) < INVITED_FOR < timedelta(days=8)


async def test_guessing_is_slowed_down_and_tells_nothing(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "viewer"):
        pass
    async with browser(app) as guesser:
        unknown = await guesser.submit("/staff/login", "/staff/login", login="nobody", password=WRONG)
        for _ in range(FREE_TRIES):
            wrong = await guesser.submit("/staff/login", "/staff/login", login="viewer", password=WRONG)
            assert wrong.status_code == unknown.status_code == 401
            forget = re.compile(r'name="form_token" value="[^"]+"')
            assert forget.sub("", wrong.text) == forget.sub("", unknown.text)
        held = await guesser.submit("/staff/login", "/staff/login", login="viewer", password=PASSWORD)
        assert held.status_code == 429
        with Session(engine) as session, session.begin():
            session.query(models.Guess).update({"locked_until": datetime.now(UTC) - timedelta(seconds=1)})
        entered = await guesser.submit("/staff/login", "/staff/login", login="VIEWER ", password=PASSWORD)
        assert entered.status_code == 303


async def test_guesses_at_the_same_moment_are_counted_one_by_one(app: FastAPI, engine: Engine) -> None:
    staff = Staff(engine)
    waits = await asyncio.gather(*(asyncio.to_thread(staff.wait, "login:viewer") for _ in range(20)))
    assert sum(not wait for wait in waits) == FREE_TRIES


async def test_a_login_that_does_not_exist_must_wait_like_one_that_does(app: FastAPI, engine: Engine) -> None:
    async with browser(app) as guesser:
        for status in [401] * FREE_TRIES + [429]:
            tried = await guesser.submit("/staff/login", "/staff/login", login="nobody", password=WRONG)
            assert tried.status_code == status


async def test_strangers_cannot_lock_somebody_out_of_a_browser_that_knows_them(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "viewer") as viewer, browser(app) as stranger:
        for _ in range(FREE_TRIES + 1):
            await stranger.submit("/staff/login", "/staff/login", login="viewer", password=WRONG)
        entered = await viewer.submit("/staff/login", "/staff/login", login="viewer", password=PASSWORD)
        assert entered.status_code == 303
        assert (
            await stranger.submit("/staff/login", "/staff/login", login="viewer", password=PASSWORD)
        ).status_code == 429
    assert "login_locked" in [deed.action for deed in Deeds(engine).find(who="viewer")]


async def test_a_page_that_only_looks_for_news_keeps_no_session_alive(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "viewer") as somebody:
        before = datetime.now(UTC) - IDLE + timedelta(minutes=10)
        for path, headers, kept in (
            ("/staff/urgent", {"hx-request": "true"}, False),
            ("/staff/inbox", {}, True),
        ):
            with Session(engine) as session, session.begin():
                session.query(models.StaffSession).update({"seen_at": before})
            await somebody.get(path, headers=headers)
            with Session(engine) as session:
                seen = session.query(models.StaffSession.seen_at).scalar()
            assert (seen > before) is kept


@pytest.mark.parametrize(
    ("seen", "begun", "stays"),
    [
        (IDLE - timedelta(minutes=1), timedelta(hours=3), True),
        (IDLE + timedelta(minutes=1), timedelta(hours=3), False),
        (timedelta(), LONGEST + timedelta(minutes=1), False),
    ],
)
async def test_a_session_ends(app: FastAPI, engine: Engine, seen: timedelta, begun: timedelta, stays: bool) -> None:
    async with logged_in(app, engine, "viewer") as somebody:
        now = datetime.now(UTC)
        with Session(engine) as session, session.begin():
            session.query(models.StaffSession).update({"seen_at": now - seen, "created_at": now - begun})
        await somebody.read("/staff/me", 200 if stays else 303)


async def test_who_logs_out_or_is_disabled_is_out_at_once(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "viewer") as viewer, logged_in(app, engine, "reviewer") as reviewer:
        cookie = viewer.cookies["musebot_staff"]
        assert (await viewer.submit("/staff/logout")).status_code == 303
        viewer.cookies.set("musebot_staff", cookie, domain="test", path="/staff")
        await viewer.read("/staff/me", 303)
        Staff(engine).add("boss", "Eva", "admin", "es")
        Staff(engine).change("reviewer", active=False)
        await reviewer.read("/staff/me", 303)


@pytest.mark.parametrize("sent", ["", "x" * 64])
async def test_a_form_of_another_site_does_nothing(app: FastAPI, engine: Engine, sent: str) -> None:
    async with logged_in(app, engine, "admin") as admin:
        fields = {"form_token": sent, "login": "eve", "name": "Eve", "role": "admin"}
        assert (await admin.post("/staff/people", data=fields)).status_code == 403
        elsewhere = await admin.get("/staff/people")
        token = re.findall(r'name="form_token" value="([^"]+)"', elsewhere.text)[0]
        from_there = await admin.post(
            "/staff/people", data={**fields, "form_token": token}, headers={"Origin": "https://evil.example"}
        )
        assert from_there.status_code == 403
        assert Staff(engine).find("eve") is None


async def test_an_authenticator_app_is_asked_for_and_each_code_is_good_once(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "viewer") as somebody:
        secret = re.findall(r'name="secret" value="([^"]+)"', await somebody.read("/staff/me"))[0]
        wrong = {"secret": secret, "code": "000000", "password": PASSWORD}
        assert (await somebody.submit("/staff/me/guard", **wrong)).status_code == 400
        right = {"secret": secret, "code": pyotp.TOTP(secret).now()}
        assert (await somebody.submit("/staff/me/guard", **right, password=WRONG)).status_code == 400
        assert (await somebody.submit("/staff/me/guard", **right, password=PASSWORD)).status_code == 303
    code = pyotp.TOTP(secret).now()
    async with browser(app) as again:

        async def enter(**fields: str) -> int:
            sent = {"login": "viewer", "password": PASSWORD, **fields}
            return (await again.submit("/staff/login", "/staff/login", **sent)).status_code

        assert await enter() == 401
        assert await enter(code="123456") == 401
        assert await enter(code=f"{code[:3]} {code[3:]}", password=WRONG) == 401
        assert await enter(code=code) == 303
        again.cookies.clear()
        assert await enter(code=code) == 401
    async with browser(app):
        member = Staff(engine).find("viewer")
        assert member is not None
        assert member.guarded


async def test_the_last_admin_cannot_be_lost(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "admin") as admin:
        for change in ({"role": "viewer"}, {"active": "false"}):
            answer = await admin.submit("/staff/people/change", "/staff/people", login="admin", **change)
            assert answer.status_code == 400
            assert Words().of("problems.last_admin", "en") in answer.text
        answer = await admin.submit("/staff/people", "/staff/people", login="eva", name="Eva", role="admin")
        assert "/staff/join/" in answer.text
        answer = await admin.submit("/staff/people/change", "/staff/people", login="eva", role="viewer")
        assert answer.status_code == 303


@pytest.mark.parametrize(
    ("login", "name", "problem"),
    [
        ("eva", "Eva", None),
        ("EVA@clinic.example", "Eva", None),
        ("eva maria", "Eva", "bad_account"),
        ("", "Eva", "bad_account"),
        ("eva", " ", "bad_account"),
        ("admin", "Eva", "taken"),
    ],
)
def test_accounts_that_cannot_be_are_refused(engine: Engine, login: str, name: str, problem: str | None) -> None:
    staff = Staff(engine)
    staff.add("admin", "Ana", "admin", "es")
    if problem is None:
        assert staff.add(login, name, "viewer", "es").login == login.casefold()
        return
    with pytest.raises(StaffError) as error:
        staff.add(login, name, "viewer", "es")
    assert error.value.key == problem
    assert f"problems.{problem}" in Words()


async def test_what_staff_do_is_noted_and_nobody_can_change_it(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "admin") as admin:
        await admin.submit("/staff/people", "/staff/people", login="<b>eva", name="Eva", role="viewer")
        page = await admin.read("/staff/audit?who=admin")
        assert "&lt;b&gt;eva" in page
        assert "<b>eva" not in page
    deeds = Deeds(engine).find(who="admin")
    assert [deed.action for deed in deeds][:3] == ["add", "login", "join"]
    for change in ("DELETE FROM audit", "UPDATE audit SET who = 'x'"):
        with pytest.raises((IntegrityError, OperationalError)), engine.begin() as connection:
            connection.execute(text(change))


def test_the_first_admin_is_invited_until_there_is_one(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'new.db'}", public_url="https://clinic.example/")
    first, second = first_invitation(settings), first_invitation(settings)
    assert first
    assert second
    assert first != second
    assert second.startswith("https://clinic.example/staff/join/")
    engine = open_database(settings.database_url)
    assert Staff(engine).join(first.rpartition("/")[2], "Ana", "hash") is None
    assert Staff(engine).join(second.rpartition("/")[2], "Ana", "hash") is not None
    assert first_invitation(settings) is None
    Staff(engine).add("eva", "Eva", "admin", "es")
    with pytest.raises(StaffError):  # whoever was only invited cannot take over
        Staff(engine).change("admin", active=False)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_way_in_speaks_both_languages(app: FastAPI, engine: Engine, language: Language) -> None:
    async with browser(app) as somebody:
        page = (await somebody.get("/staff/login", headers={"Accept-Language": f"{language}-CO"})).text
        assert Words().of("access.forgotten", language) in page
        assert f'<html lang="{language}">' in page


async def test_pages_carry_the_headers_that_keep_scripts_out(app: FastAPI, engine: Engine) -> None:
    async with logged_in(app, engine, "admin") as admin:
        for page in ("/staff/me", "/staff/people", "/staff/nothing-here"):
            found = await admin.get(page)
            policy = found.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "script-src 'self'" in policy
            assert found.headers["cache-control"] == "no-store"
        cookie: Any = next(each for each in admin.cookies.jar if each.name == console_pages.COOKIE)
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.path == "/staff"


def test_words_stand_in_both_languages_and_each_that_a_page_asks_for_is_there(tmp_path: Path) -> None:
    words = Words()
    templates = "".join(file.read_text() for file in (ROOT / "bot/console/templates").glob("*.html"))
    asked = set(re.findall(r'\bw\("([a-z_.]+)"[,)]', templates))
    assert len(asked) > 50
    assert [key for key in asked if key not in words] == []
    (tmp_path / "page.yml").write_text("one: {en: One}\n")
    with pytest.raises(ContentError, match=r"page\.one"):
        Words(tmp_path)


def test_a_new_database_has_no_account(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine)
    assert Staff(engine).all() == []  # so that there is no password to know
