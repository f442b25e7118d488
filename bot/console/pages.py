"""What all pages of the staff share: templates, words, and who is asking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from hmac import new as new_mac
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.console.words import Words
from bot.messages import LANGUAGES, Language
from bot.store.staff import Deeds, Member, Role, Staff

COOKIE = "musebot_staff"
FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# The pages of the menu, and from which role on they are seen.
MENU: Mapping[str, Role] = {
    "inbox": "viewer",
    "review": "reviewer",
    "requests": "viewer",
    "answers": "viewer",
    "overview": "viewer",
    "models": "reviewer",
    "people": "admin",
    "audit": "admin",
}


class RefusedError(Exception):
    """The page is not shown, or nothing is done. `key` names the sentence in `words/problems.yml`."""

    def __init__(self, status: int, key: str) -> None:
        self.status, self.key = status, key
        super().__init__(key)


class NotLoggedInError(Exception):
    """Somebody must log in first."""


@dataclass(frozen=True)
class Visit:
    """A request of someone who is logged in. `token` stands for their session in forms."""

    request: Request
    member: Member
    token: str

    @property
    def in_part(self) -> bool:
        """Whether htmx asks, which puts the answer into the page that is there."""
        return self.request.headers.get("hx-request") == "true"


class Pages:
    """Makes the pages, and lets in whom they are for."""

    def __init__(self, staff: Staff, deeds: Deeds, *, secret: str, https: bool, zone: str) -> None:
        """The pages.

        Args:
            staff: The accounts.
            deeds: The audit.
            secret: Signs what forms carry.
            https: Whether cookies must travel over https only.
            zone: In which times are shown.
        """
        self.staff = staff
        self.deeds = deeds
        self.words = Words()
        self.https = https
        self.zone = ZoneInfo(zone)
        self._secret = secret.encode()
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"menu": MENU, "query": urlencode, "languages": LANGUAGES}

    # --- letting in ---------------------------------------------------------------------------------------------------

    def open_to(self, role: Role) -> Callable[[Request], Any]:
        """For `Depends`: someone who may do what `role` may, and what they send comes from our own forms."""

        async def visit(request: Request) -> Visit:
            cookie = request.cookies.get(COOKIE, "")
            looks = request.method == "GET" and request.headers.get("hx-request") == "true"
            member = await run_in_threadpool(lambda: self.staff.member(cookie, awake=not looks)) if cookie else None
            if member is None:
                raise NotLoggedInError
            token = self._sign(cookie)
            if request.method not in ("GET", "HEAD"):
                await self.must_be_ours(request, token)
            if not member.may(role):
                raise RefusedError(403, "not_allowed")
            return Visit(request, member, token)

        return visit

    async def must_be_ours(self, request: Request, token: str) -> None:
        """Refuses a form that another site has sent."""
        origin = request.headers.get("origin")
        sent = request.headers.get("x-form-token") or (await request.form()).get("form_token") or ""
        elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if elsewhere or not isinstance(sent, str) or not compare_digest(sent.encode(), token.encode()):
            raise RefusedError(403, "form_expired")

    def sign_browser(self, login: str, number: str) -> str:
        """Shows that a browser was logged in with a login before."""
        return f"{number}.{new_mac(self._secret, f'staff-known:{login}:{number}'.encode(), sha256).hexdigest()}"

    def _sign(self, cookie: str) -> str:
        return new_mac(self._secret, f"staff-form:{cookie}".encode(), sha256).hexdigest()

    # --- showing ------------------------------------------------------------------------------------------------------

    def show(self, visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page for someone who is logged in."""
        values |= {"member": visit.member, "form_token": visit.token, "path": visit.request.url.path}
        return self._response(template, visit.member.language, status, values)

    def show_outside(self, language: Language, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page for somebody who is not logged in."""
        return self._response(template, language, status, {**values, "member": None})

    def _response(self, template: str, language: Language, status: int, values: Mapping[str, Any]) -> Response:
        html = self._templates.get_template(template).render(
            w=partial(self._word, language),
            language=language,
            moment=self.moment,
            ago=partial(self.ago, language),
            **values,
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def _word(self, language: Language, key: str, **values: object) -> str:
        return self.words.of(key, language, **values)

    def moment(self, at: datetime) -> str:
        """A moment as the clinic's clocks show it."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def ago(self, language: Language, at: datetime) -> str:
        """How long ago it was, in the largest unit: "5 min", "3 h", "2 d"."""
        minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
        number, unit = (
            next(
                (minutes // size, unit)
                for size, unit in ((1440, "days"), (60, "hours"), (1, "minutes"))
                if minutes >= size
            )
            if minutes
            else (0, "minutes")
        )
        return self.words.of(f"page.{unit}", language, number=number)


def go_to(visit: Visit, address: str) -> Response:
    """What answers a form: the browser asks for the page that shows what became of it."""
    if visit.in_part:
        return Response(status_code=204, headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, status_code=303, headers=HEADERS)
