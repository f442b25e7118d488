"""Requests for a call: who waits, how to reach them, and what was done about it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Literal, cast
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_timezone_location
from fastapi import APIRouter, Depends, Form, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field

from bot.booking import Draft, read_draft
from bot.booking_texts import BookingTexts
from bot.console.pages import Pages, RefusedError, Visit, go_to
from bot.console.tables import csv_response
from bot.contact import country_name
from bot.errors import RequestError
from bot.messages import REQUEST_STATES, Language, RequestState
from bot.redaction import redacted
from bot.store.requests import OPEN, PAGE, PERSON, Place, Request, Requests, Wanted
from bot.times import Wish

HIDDEN = "•••"
MOST_CARDS = 20  # of one state, on the board
BATCH = 500  # requests that are read at once for a file
SHORTEST_REASON = 3  # letters
LONGEST_REASON = 160
OFFICE = time(9)  # when a call is proposed to somebody who named no hour ...
OFFICE_DAYS = range(5)  # ... and no day
ANY_DAY = range(7)
# What staff may note next. Who has taken a request back is not called any more.
NEXT: Mapping[RequestState, tuple[RequestState, ...]] = {
    "new": ("contacted", "scheduled", "closed"),
    "contacted": ("contacted", "scheduled", "closed"),
    "scheduled": ("scheduled", "contacted", "closed"),
    "closed": ("new",),
    "cancelled": (),
}
# Of a file: names of words.
COLUMNS = (
    "code", "state", "made", "changed", "language", "country", "for_whom", "when", "injury", "note", "agreed",
    "conversation",
)  # fmt: skip
CONTACT_COLUMNS = ("name", "phone", "email")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# What an empty field of a form sends is no day.
Day = Annotated[
    Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))] | None,
    BeforeValidator(lambda given: given or None),
]


class Asked(BaseModel):
    """What the address of the list asks for; `after` is where the page before it ended."""

    view: Literal["list", "board"] = "list"
    state: RequestState | Literal["", "open"] = ""
    language: Language | Literal[""] = ""
    country: str = Field("", max_length=2)
    code: str = Field("", max_length=16)
    since: Day = None
    until: Day = None
    after: str = Field("", pattern=rf"^(({'|'.join(REQUEST_STATES)})\.\d{{1,17}}\.\d{{1,18}})?$")

    def as_query(self, **changes: str) -> str:
        """The address that asks for this, behind its "?"; with `changes`, always from the first page on."""
        asked = self.model_copy(update={"after": "", **changes})
        return urlencode(asked.model_dump(mode="json", exclude_defaults=True))


@dataclass(frozen=True)
class Shown:
    """A request as a page shows it.

    Attributes:
        draft: What the person has told, without what must not be seen.
        for_whom: A key of `words/requests.yml`.
        agreed: The time that was agreed, in both zones; empty where none is.
        over: Whether that time has come and gone, and nothing was noted since.
    """

    request: Request
    draft: Draft
    for_whom: str
    when: str
    injury: str
    country: str
    agreed: str
    over: bool


@dataclass(frozen=True)
class Contact:
    """How to reach the person, each as a link; empty where it is not known."""

    call: str
    whatsapp: str
    mail: str


def router(
    pages: Pages, requests: Requests, texts: BookingTexts, calendar: Callable[[Request], str | None]
) -> APIRouter:
    """The addresses of these pages. `calendar`: where the file of an agreed time lies."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Viewer = Annotated[Visit, Depends(pages.open_to("viewer"))]  # noqa: N806 - a type
    Reviewer = Annotated[Visit, Depends(pages.open_to("reviewer"))]  # noqa: N806 - a type
    Reason = Annotated[str, Form(max_length=LONGEST_REASON)]  # noqa: N806 - a type

    def shown(request: Request, language: Language, *, openly: bool = False) -> Shown:
        return _shown(request, texts, language, openly=openly)

    @routes.get("/requests")
    async def every(visit: Viewer, asked: Annotated[Asked, Query()]) -> Response:
        wanted, language = _wanted(asked, pages.zone), visit.member.language
        counts = await run_in_threadpool(requests.count, wanted)
        columns: dict[RequestState, list[Shown]] = {}
        found: list[Request] = []
        if asked.view == "board":
            for state in wanted.states:
                column = await run_in_threadpool(requests.page, replace(wanted, states=(state,)), None, MOST_CARDS)
                columns[state] = [shown(each, language) for each in column]
        else:
            found = await run_in_threadpool(requests.page, wanted, _place(asked.after), PAGE + 1)
        countries = await run_in_threadpool(requests.countries)
        return pages.show(
            visit,
            "requests.html",
            asked=asked,
            counts=counts,
            columns=columns,
            found=[shown(each, language) for each in found[:PAGE]],
            older=_as_text(found[PAGE - 1].place) if len(found) > PAGE else "",
            states=REQUEST_STATES,
            countries={region: country_name(region, language) for region in countries},
            zone=pages.zone.key,
            hidden=HIDDEN,
        )

    @routes.post("/requests/export")
    async def export(
        visit: Reviewer, asked: Annotated[Asked, Query()], reason: Reason = "", contact: Annotated[bool, Form()] = False
    ) -> Response:
        why = _must_say_why(reason) if contact else ""
        detail = "; ".join(part for part in (asked.as_query(view="list"), why and f"with contact: {why}") if part)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "export", "requests", detail)
        language = visit.member.language
        names = [*COLUMNS, *(CONTACT_COLUMNS if contact else ())]
        head = [pages.words.of(f"requests.{name}", language, zone=pages.zone.key) for name in names]
        found = _all_of(requests, _wanted(asked, pages.zone))
        rows = (row(shown(each, language, openly=contact), language, contact) for each in found)
        return csv_response(f"requests-{datetime.now(pages.zone):%Y-%m-%d}.csv", head, rows)

    def row(each: Shown, language: Language, contact: bool) -> list[str]:
        request, draft = each.request, each.draft
        return [
            request.code,
            pages.words.of(f"requests.state_{request.state}", language),
            pages.moment(request.created_at),
            pages.moment(request.updated_at),
            pages.words.of(f"requests.language_{request.language}", language),
            each.country,
            pages.words.of(f"requests.{each.for_whom}", language),
            each.when,
            each.injury,
            draft.note or "",
            pages.moment(request.agreed_at) if each.agreed and request.agreed_at else "",
            str(request.conversation),
            *((draft.name, draft.phone, draft.email) if contact else ()),
        ]

    async def request_of(code: str) -> Request:
        request = await run_in_threadpool(requests.find, code.upper())
        if request is None:
            raise RefusedError(404, "not_found")
        return request

    def page(visit: Visit, request: Request, *, openly: bool = False, problem: str = "", status: int = 200) -> Response:
        language = visit.member.language
        draft = read_draft(request.draft)
        return pages.show(
            visit,
            "request.html",
            status=status,
            shown=shown(request, language, openly=openly),
            contact=_contact(draft, greeting(request, draft, visit)) if openly else None,
            clocks=_clocks(draft.zone, pages.zone, language),
            moves=NEXT[request.state],
            proposed=_proposed(request, draft, pages.zone),
            calendar=calendar(request) if request.state == "scheduled" else None,
            problem=problem,
            zone=pages.zone.key,
            hidden=HIDDEN,
            person=PERSON,
            longest=LONGEST_REASON,
        )

    def greeting(request: Request, draft: Draft, visit: Visit) -> str:
        """What a message to the person begins with, in their language; staff finish it."""
        language = request.language
        values = {"name": draft.name, "staff": visit.member.name, "code": request.code}
        if request.state == "scheduled" and request.agreed_at:
            values["time"] = texts.moment(request.agreed_at, draft.zone, language)
            values["link"] = calendar(request) or ""
        return texts.hello(values, language)

    @routes.get("/requests/{code}")
    async def one(visit: Viewer, code: str) -> Response:
        request = await request_of(code)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "see_request", f"request:{request.code}")
        return page(visit, request)

    @routes.post("/requests/{code}")
    async def move(
        visit: Reviewer,
        code: str,
        state: Annotated[RequestState, Form()],
        seen: Annotated[datetime, Form()],
        day: Annotated[Day, Form()] = None,
        at: Annotated[time | None, Form()] = None,
    ) -> Response:
        request = await request_of(code)
        if seen != request.updated_at or state not in NEXT[request.state]:
            return page(visit, request, problem="changed_meanwhile", status=409)
        agreed = None
        if state == "scheduled":
            if day is None or at is None:
                return page(visit, request, problem="no_time", status=400)
            agreed = datetime.combine(day, at.replace(tzinfo=None), pages.zone)
            if agreed < datetime.now(UTC):
                return page(visit, request, problem="past", status=400)
        login = visit.member.login
        try:
            await run_in_threadpool(requests.move, request.code, state, login, agreed, seen)
        except RequestError:
            return page(visit, await request_of(code), problem="changed_meanwhile", status=409)
        now = f"{request.state} -> {state}" + (f" {pages.moment(agreed)}" if agreed else "")
        await run_in_threadpool(pages.deeds.note, login, "request", f"request:{request.code}", now)
        return go_to(visit, f"/staff/requests/{request.code}")

    @routes.post("/requests/{code}/contact")
    async def show_contact(visit: Reviewer, code: str, reason: Reason = "") -> Response:
        request, why = await request_of(code), _must_say_why(reason)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "show_contact", f"request:{request.code}", why)
        return page(visit, request, openly=True)

    @routes.get("/requests/{code}/contact")
    async def back(visit: Viewer, code: str) -> Response:
        return go_to(visit, f"/staff/requests/{code}")  # what was shown once is not shown again unasked

    return routes


# --- the list ---------------------------------------------------------------------------------------------------------


def _wanted(asked: Asked, zone: ZoneInfo) -> Wanted:
    states: Sequence[RequestState] = REQUEST_STATES
    if asked.state:
        states = OPEN if asked.state == "open" else (asked.state,)
    return Wanted(
        states=states,
        language=asked.language or None,
        country=asked.country.upper(),
        code=asked.code,
        since=datetime.combine(asked.since, time(), zone) if asked.since else None,
        until=datetime.combine(asked.until + timedelta(days=1), time(), zone) if asked.until else None,
    )


def _as_text(place: Place) -> str:
    return f"{place.state}.{(place.at - _EPOCH) // _MICROSECOND}.{place.id}"


def _place(after: str) -> Place | None:
    if not after:
        return None
    state, at, number = after.split(".")
    return Place(cast(RequestState, state), _EPOCH + int(at) * _MICROSECOND, int(number))


def _all_of(requests: Requests, wanted: Wanted) -> Iterator[Request]:
    place = None
    while batch := requests.page(wanted, place, BATCH):
        yield from batch
        place = batch[-1].place


def _must_say_why(reason: str) -> str:
    """The reason, fit for the audit: no name and no number.

    Raises:
        RefusedError: There is none.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise RefusedError(400, "no_reason")
    return redacted(reason.strip(), "en")


# --- one request ------------------------------------------------------------------------------------------------------


def _shown(request: Request, texts: BookingTexts, language: Language, *, openly: bool) -> Shown:
    told = read_draft(request.draft)
    draft = told if openly else _without_contact(told, language)
    knows = {"yes": "for_other_knows", "no": "for_other_does_not_know"}.get(draft.knows, "for_other")
    agreed = request.agreed_at if request.state in ("scheduled", "closed") else None
    return Shown(
        request=request,
        draft=draft,
        for_whom="for_me" if draft.for_whom == "me" else knows,
        when=texts.time(draft, language, for_staff=True),
        injury=texts.injury(draft.injury, language) if draft.injury else "",
        country=country_name(draft.region, language) if draft.region else "",
        agreed=texts.moment(agreed, draft.zone, language) if agreed else "",
        over=request.state == "scheduled" and agreed is not None and agreed < datetime.now(UTC),
    )


def _without_contact(draft: Draft, language: Language) -> Draft:
    """The draft without name and contact, also where the person's own words tell them."""
    known = [each for each in (draft.name, draft.phone, draft.email, draft.reach) if each]
    words, note = (redacted(text, language, known) if text else "" for text in (draft.wish_words, draft.note))
    return replace(draft, name=HIDDEN, phone="", email="", reach=HIDDEN, wish_words=words, note=note)


def _contact(draft: Draft, greeting: str) -> Contact:
    text, phone = quote(greeting), draft.phone
    return Contact(
        call=f"tel:{phone}" if phone else "",
        whatsapp=f"https://wa.me/{phone.removeprefix('+')}?text={text}" if phone else "",
        mail=f"mailto:{quote(draft.email, safe='@')}?body={text}" if draft.email else "",
    )


def _clocks(zone: str | None, home: ZoneInfo, language: Language) -> tuple[str, str, str] | None:
    """Where the person is, what clocks show there, and at the clinic; None where nobody knows the zone."""
    if zone is None:
        return None
    now, there = datetime.now(UTC), ZoneInfo(zone)
    place = get_timezone_location(there, locale=language, return_city=True)
    clock = partial(format_datetime, now, "EEE HH:mm", locale=language)
    return place, clock(tzinfo=there), clock(tzinfo=home)


def _proposed(request: Request, draft: Draft, home: ZoneInfo) -> datetime:
    """The time to begin with when one is agreed, on the clinic's clocks: that agreed before, else as was wished."""
    now = datetime.now(UTC)
    if request.state == "scheduled" and request.agreed_at and request.agreed_at > now:
        return request.agreed_at.astimezone(home)
    wish = draft.wish or Wish()
    zone = ZoneInfo(draft.zone) if draft.zone and wish.begins else home
    today = now.astimezone(zone).date()
    named = wish.first is not None and wish.first >= today
    day = wish.first if wish.first and named else today + timedelta(days=1)
    while day.weekday() not in (wish.weekdays or (ANY_DAY if named else OFFICE_DAYS)):
        day += timedelta(days=1)
    return datetime.combine(day, wish.begins or OFFICE, zone).astimezone(home)
