"""Logging in and out, invitations, and one's own account."""

import asyncio
import contextlib
import secrets
import time
from hmac import compare_digest
from typing import Annotated

import pyotp
import segno
import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from bot.console.pages import COOKIE, HEADERS, NotLoggedInError, Pages, RefusedError, Visit, go_to
from bot.errors import StaffError
from bot.language import DEFAULT_LANGUAGE
from bot.messages import LANGUAGES, Language
from bot.store.staff import LONGEST, Attempt, Member

log = structlog.get_logger(__name__)

SHORTEST_PASSWORD = 12  # letters
LONGEST_PASSWORD = 200
STEP = 30  # seconds that a code of an authenticator app is good for
KNOWN = "musebot_staff_known"  # the cookie of a browser that was logged in before
KNOWN_SECONDS = 60 * 60 * 24 * 365
BEFORE = "musebot_staff_form"  # the cookie that ties the form for logging in to a browser


def router(pages: Pages) -> APIRouter:
    """The addresses of this page."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    hasher, few = PasswordHasher(), asyncio.Semaphore(2)  # each check takes 64 MB and a core
    nobody = hasher.hash(secrets.token_urlsafe(16))  # so that an unknown login takes as long as a wrong password
    Anyone = Annotated[Visit, Depends(pages.open_to("viewer"))]  # noqa: N806 - a type
    Text = Annotated[str, Form(max_length=LONGEST_PASSWORD)]  # noqa: N806 - a type

    @routes.get("/login")
    async def login_page(request: Request) -> Response:
        return _login_page(pages, request)

    @routes.post("/login")
    async def login(request: Request, login: Text = "", password: Text = "", code: Text = "") -> Response:
        await pages.must_be_ours(request, request.cookies.get(BEFORE) or secrets.token_urlsafe(8))
        login = login.strip().casefold()
        key = _key(pages, request, login)
        if await run_in_threadpool(pages.staff.wait, key):
            log.warning("staff.login_must_wait")
            await note_known(login, "login_locked")
            return _login_page(pages, request, "must_wait", 429)
        attempt = await run_in_threadpool(pages.staff.attempt, login)
        right = await is_right(attempt, password)
        step = _step_of(attempt, code) if attempt and attempt.totp else None
        if attempt is None or not right or (attempt.totp and step is None):
            log.warning("staff.login_failed")
            await note_known(login, "login_failed")
            return _login_page(pages, request, "wrong_login", 401)
        try:
            token = await run_in_threadpool(pages.staff.enter, attempt.member, step)
        except StaffError as error:
            return _login_page(pages, request, error.key, 401)
        await run_in_threadpool(pages.staff.forgive, key)
        await run_in_threadpool(pages.deeds.note, attempt.member.login, "login")
        response = RedirectResponse("/staff", status_code=303, headers=HEADERS)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(LONGEST.total_seconds()),
            path="/staff",
            httponly=True,
            secure=pages.https,
            samesite="strict",
        )
        response.set_cookie(
            KNOWN,
            pages.sign_browser(login, secrets.token_urlsafe(12)),
            max_age=KNOWN_SECONDS,
            path="/staff/login",
            httponly=True,
            secure=pages.https,
            samesite="strict",
        )
        return response

    async def is_right(attempt: Attempt | None, password: str) -> bool:
        """Whether it is the password. It takes as long for who does not exist, and few are checked at a time."""
        known = attempt.password if attempt and attempt.password else nobody
        async with few:
            right = await run_in_threadpool(_verify, hasher, known, password)
        return right and attempt is not None and attempt.password is not None

    async def note_known(login: str, action: str) -> None:
        """Notes what went wrong for an account; of other logins nothing, since people type passwords there."""
        if await run_in_threadpool(pages.staff.find, login):
            await run_in_threadpool(pages.deeds.note, login, action)

    @routes.post("/logout")
    async def logout(visit: Anyone) -> Response:
        await run_in_threadpool(pages.staff.leave, visit.request.cookies[COOKIE])
        await run_in_threadpool(pages.deeds.note, visit.member.login, "logout")
        response = go_to(visit, "/staff/login")
        response.delete_cookie(COOKIE, path="/staff")
        return response

    @routes.get("/join/{token}")
    async def join_page(request: Request, token: str) -> Response:
        return await _join_page(pages, request, token)

    @routes.post("/join/{token}")
    async def join(request: Request, token: str, name: Text = "", password: Text = "", again: Text = "") -> Response:
        await pages.must_be_ours(request, request.cookies.get(BEFORE) or secrets.token_urlsafe(8))
        wrong = _wrong_password(password, again)
        if wrong or await run_in_threadpool(pages.staff.invited, token) is None:
            return await _join_page(pages, request, token, wrong, 400)
        async with few:
            hashed = await run_in_threadpool(hasher.hash, password)
        member = await run_in_threadpool(pages.staff.join, token, name, hashed)
        if member is None:
            return await _join_page(pages, request, token)
        await run_in_threadpool(pages.deeds.note, member.login, "join")
        return _login_page(pages, request, "joined", member=member)

    @routes.post("/language")
    async def speak(visit: Anyone, language: Annotated[Language, Form()]) -> Response:
        await run_in_threadpool(pages.staff.speak, visit.member.login, language)
        return go_to(visit, visit.request.headers.get("referer") or "/staff")

    @routes.get("/me")
    async def me(visit: Anyone) -> Response:
        return _me(pages, visit)

    @routes.post("/me/guard")
    async def guard(visit: Anyone, secret: Text = "", code: Text = "", password: Text = "") -> Response:
        if visit.member.guarded:
            raise RefusedError(409, "guarded_already")
        if problem := await wrong_password(visit, password):
            return _me(pages, visit, problem, 400, secret)
        if _moment_of(secret, code) is None:
            return _me(pages, visit, "wrong_code", 400, secret)
        await run_in_threadpool(pages.staff.guard, visit.member.login, secret)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "guard_on")
        return go_to(visit, "/staff/me")

    @routes.post("/me/unguard")
    async def unguard(visit: Anyone, password: Text = "") -> Response:
        if problem := await wrong_password(visit, password):
            return _me(pages, visit, problem, 400)
        await run_in_threadpool(pages.staff.guard, visit.member.login, None)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "guard_off")
        return go_to(visit, "/staff/me")

    async def wrong_password(visit: Visit, password: str) -> str:
        """Why somebody who is logged in may not change how they log in; empty where they may. Guesses are counted."""
        login = visit.member.login
        if await run_in_threadpool(pages.staff.wait, f"own:{login}"):
            return "must_wait"
        if not await is_right(await run_in_threadpool(pages.staff.attempt, login), password):
            await run_in_threadpool(pages.deeds.note, login, "login_failed")
            return "wrong_password"
        await run_in_threadpool(pages.staff.forgive, f"own:{login}")
        return ""

    return routes


async def answer_to_strangers(pages: Pages, request: Request, error: NotLoggedInError | RefusedError) -> Response:
    """What is shown instead of a page: the way in, or why it is not shown."""
    if isinstance(error, RefusedError):
        cookie, member = request.cookies.get(COOKIE, ""), None
        with contextlib.suppress(SQLAlchemyError):  # it may be why
            member = await run_in_threadpool(pages.staff.member, cookie) if cookie else None
        language = member.language if member else _language(request)
        return pages.show_outside(language, "problem.html", status=error.status, key=error.key)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": "/staff/login"})
    return RedirectResponse("/staff/login", status_code=303, headers=HEADERS)


def _login_page(
    pages: Pages, request: Request, problem: str = "", status: int = 200, member: Member | None = None
) -> Response:
    token = secrets.token_urlsafe(24)
    language = _language(request, member.language if member else DEFAULT_LANGUAGE)
    login = member.login if member else ""
    response = pages.show_outside(language, "login.html", status=status, problem=problem, form_token=token, login=login)
    _tie(pages, response, token)
    return response


async def _join_page(pages: Pages, request: Request, token: str, problem: str = "", status: int = 200) -> Response:
    member = await run_in_threadpool(pages.staff.invited, token)
    if member is None:
        raise RefusedError(404, "no_invitation")
    form_token = secrets.token_urlsafe(24)
    response = pages.show_outside(
        _language(request, member.language),
        "join.html",
        status=status,
        problem=problem,
        form_token=form_token,
        invited=member,
        shortest=SHORTEST_PASSWORD,
    )
    _tie(pages, response, form_token)
    return response


def _key(pages: Pages, request: Request, login: str) -> str:
    """Under which tries to log in are counted: those of a browser that once got in are its own.

    So nobody else can lock its owner out.
    """
    known = request.cookies.get(KNOWN, "")
    number = known.partition(".")[0]
    is_known = compare_digest(known.encode(), pages.sign_browser(login, number).encode())
    return f"browser:{login}:{number}" if is_known else f"login:{login}"


def _tie(pages: Pages, response: Response, token: str) -> None:
    """Only the browser that was given a form can send it."""
    response.set_cookie(BEFORE, token, path="/staff", httponly=True, secure=pages.https, samesite="strict")


def _me(pages: Pages, visit: Visit, problem: str = "", status: int = 200, secret: str = "") -> Response:
    secret = secret or pyotp.random_base32()
    link = pyotp.TOTP(secret).provisioning_uri(name=visit.member.login, issuer_name="musebot")
    code = segno.make(link).svg_data_uri(scale=4)
    return pages.show(visit, "me.html", status=status, problem=problem, secret=secret, code=code)


def _language(request: Request, otherwise: Language = DEFAULT_LANGUAGE) -> Language:
    """That of the address, else the first of ours that the browser asks for."""
    wishes = [request.query_params.get("lang", ""), *request.headers.get("accept-language", "").split(",")]
    found = (language for wish in wishes for language in LANGUAGES if wish.strip().lower().startswith(language))
    return next(found, otherwise)


def _verify(hasher: PasswordHasher, known: str, password: str) -> bool:
    try:
        return hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def _wrong_password(password: str, again: str) -> str:
    """Why a new password cannot be taken, a key of `words/problems.yml`; empty where it can."""
    if len(password) < SHORTEST_PASSWORD or len(set(password)) < SHORTEST_PASSWORD // 2:
        return "weak_password"
    return "" if password == again else "not_the_same"


def _step_of(attempt: Attempt, code: str) -> int | None:
    """The moment of a code of the app; None where it is wrong or was used before."""
    step = _moment_of(attempt.totp or "", code)
    return step if step is not None and (attempt.totp_used is None or step > attempt.totp_used) else None


def _moment_of(secret: str, code: str) -> int | None:
    """The half minute, since 1970, that a code belongs to: this one or one beside it, as clocks differ; else None."""
    digits = "".join(code.split())
    now = int(time.time()) // STEP
    try:
        app = pyotp.TOTP(secret)
        return next((step for step in (now, now - 1, now + 1) if compare_digest(app.at(step * STEP), digits)), None)
    except (ValueError, TypeError):  # no secret
        return None
