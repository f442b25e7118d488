"""The inbox and the transcripts: read what was asked, take over, give back."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from secrets import token_urlsafe
from typing import Annotated, Any, cast
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import BaseModel, Field

from bot.console.pages import HEADERS, Pages, RefusedError, Visit, go_to
from bot.console.words import Words
from bot.content import Content
from bot.conversation import Conversation
from bot.errors import StaffError
from bot.messages import LANGUAGES, Citation, Language, Reply, citations_of
from bot.redaction import redacted
from bot.store.inbox import FLAGS, PAGE, STATES, Inbox, Place, Row, Seen, State, Wanted, Whole

CHANNELS = ("web", "telegram")
LONGEST = 4_000  # letters of what is written to a person
LONGEST_LAST = 300  # letters of what was said last, in the list
# What the address of the inbox may ask for.
ASKED = frozenset(
    "state flag channel language topic label assignee since until surer less_sure longer shorter sought after".split()  # noqa: SIM905
)
OPENED_FOR = 15 * 60  # seconds for which personal data are shown, once somebody said why
LONGEST_NAME = 80  # letters of an answer in the form that is hidden wherever it stands
# What the form asks or says before answers that are personal data, whatever they look like.
PERSONAL = tuple(
    f"{each}@"
    for each in (
        "steps.name", "steps.reach", "problems.no_name", "problems.no_reach", "problems.too_short", "problems.too_long",
        "problems.no_such_number", "problems.which_country", "problems.bad_email", "problems.two_numbers",
    )
)  # fmt: skip

Opinions = Callable[[int], Mapping[int, Any]]


@dataclass(frozen=True)
class Line:
    """A turn as it is shown: without personal data, unless somebody has asked for them.

    `citations` are the sources of its replies, numbered as the person saw them; `alarm` is the danger that the rules,
    as they are now, see in its words.
    """

    seen: Seen
    text: str
    replies: tuple[Reply, ...]
    citations: tuple[Citation, ...]
    alarm: str | None

    def number(self, citation: Citation) -> int:
        return self.citations.index(citation) + 1


class Sent(BaseModel):
    """What a form of a conversation sends.

    Attributes:
        words: A message, a note, labels.
        member: Who is to see to it; 0 for nobody.
        opened: Shows personal data, see `_may_see`.
        seen: The newest turn on the page.
        once: Of this very form, so that a message sent twice is said once.
    """

    words: str = Field("", max_length=LONGEST)
    member: int = 0
    opened: str = Field("", max_length=500)
    seen: int = Field(0, ge=0)
    once: str = Field("", max_length=20)


class Desk:
    """What the pages of the inbox need."""

    def __init__(
        self,
        inbox: Inbox,
        conversation: Conversation,
        content: Content,
        opinions: Opinions,
        *,
        held_for: timedelta,
        secret: str,
        words: Words,
    ) -> None:
        """The desk.

        Args:
            inbox: The conversations.
            conversation: The main path, whose rules are asked again.
            content: For titles and wordings.
            opinions: What staff think of the turns of a conversation, by the number of the turn.
            held_for: How long a conversation stays with who has taken it and does not write.
            secret: Signs who may see personal data for a while, and hides what is searched for.
            words: Of the pages.
        """
        self.inbox = inbox
        self.conversation = conversation
        self.content = content
        self.opinions = opinions
        self.held_for = held_for
        self.words = words
        self.signer = URLSafeTimedSerializer(secret, salt="staff-open")
        # What is searched for may be a name: in the address, which proxies write down, nobody can read it.
        self._hider = Fernet(urlsafe_b64encode(sha256(f"staff-search:{secret}".encode()).digest()))

    def hide(self, words: str) -> str:
        """Words as an address may carry them."""
        return self._hider.encrypt(words.encode()).decode()

    def found(self, hidden: str) -> str:
        """The words again; empty where they are none of ours."""
        try:
            return self._hider.decrypt(hidden).decode()
        except (InvalidToken, ValueError):
            return ""

    def title(self, topic: str, language: Language) -> str:
        entry = self.content.topics.get(topic)
        return entry.title.of(language) if entry else topic

    def notice(self, key: str, language: Language, name: str = "") -> Reply:
        """What the person is told when one of us comes or goes."""
        told = self.conversation.phrases.reply(key, language)
        return replace(told, text=told.text.format(name=name))

    async def give_back_late(self) -> None:
        """Gives back what nobody has written in for too long."""
        await run_in_threadpool(self.inbox.give_back_late, self.farewell)

    def farewell(self, language: Language, is_open: bool) -> Reply:
        """What the person is told when one of us goes; `is_open`: their last message has no answer."""
        return self.notice("person_open" if is_open else "person_gone", language)

    def lines(
        self, before: Seen | None, turns: Sequence[Seen], known: Sequence[str], language: Language, *, opened: bool
    ) -> list[Line]:
        """Turns as they are shown. It may take long: call it in a thread.

        Args:
            before: The turn before them.
            turns: Which.
            known: Personal data that are hidden wherever they stand.
            language: Of the marks in their place.
            opened: Nothing is hidden.
        """
        answers = _told_in_the_form([before, *turns] if before else turns)
        known = [*known, *dict.fromkeys(each for each in answers.values() if len(each) <= LONGEST_NAME)]

        def hidden(words: str) -> str:
            return words if opened else redacted(words, language, known)

        def said(turn: Seen) -> str:
            whole = turn.id in answers and not opened
            return self.in_the_form(language) if whole else hidden(self._said(turn))

        return [
            Line(
                seen=turn,
                text=said(turn),
                replies=tuple(replace(reply, text=hidden(reply.text)) for reply in turn.said.replies),
                citations=tuple(citations_of(turn.said.replies)),
                alarm=self._alarm(turn.said.text),
            )
            for turn in turns
        ]

    def in_the_form(self, language: Language) -> str:
        """What stands in place of an answer in the form of a request."""
        return self.words.of("inbox.in_the_form", language)

    def shown_last(self, row: Row, language: Language) -> str:
        """What was said last, in the list."""
        return (
            self.in_the_form(language) if row.last is None else redacted(row.last[:LONGEST_LAST], language, row.known)
        )

    def _said(self, turn: Seen) -> str:
        pressed = (turn.said.button or "").lstrip("/").partition("{")[0]
        return turn.said.text or (self.title(pressed, turn.said.language) if pressed else "")

    def _alarm(self, words: str) -> str | None:
        alarm = self.conversation.alarm_in(words) if words else None
        return alarm.topic if alarm else None


def router(pages: Pages, desk: Desk) -> APIRouter:
    """The addresses of these pages."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Viewer = Annotated[Visit, Depends(pages.open_to("viewer"))]  # noqa: N806 - a type
    Reviewer = Annotated[Visit, Depends(pages.open_to("reviewer"))]  # noqa: N806 - a type

    # --- the inbox ----------------------------------------------------------------------------------------------------

    @routes.get("/inbox")
    async def inbox(visit: Viewer, request: Request, seen: str = "") -> Response:
        asked = {key: value.strip() for key, value in request.query_params.items() if value.strip() and key in ASKED}
        after, sought = _place(asked.pop("after", "")), ""
        if visit.member.may("reviewer"):  # letter by letter, a search would tell what is hidden
            sought = desk.found(asked.get("sought", ""))
        wanted = replace(_wanted(asked, pages), words=sought[:200])
        rows = await run_in_threadpool(desk.inbox.find, wanted, after)
        newest = _mark(rows)
        if visit.in_part and seen == newest:
            return Response(status_code=204, headers=HEADERS)
        waiting = await run_in_threadpool(desk.inbox.waiting) if not asked and not after else []
        values: dict[str, Any] = {
            "rows": rows,
            "waiting": waiting,
            "mark": newest,
            "asked": asked,
            "first": after is None,
            "next": f"{rows[-1].updated_at.isoformat()}_{rows[-1].id}" if len(rows) >= PAGE else None,
            "sought": sought,
            "last": await run_in_threadpool(
                lambda: {row.id: desk.shown_last(row, visit.member.language) for row in (*rows, *waiting)}
            ),
            "title": lambda topic: desk.title(topic, visit.member.language),
        }
        if visit.in_part:
            return pages.show(visit, "_rows.html", **values)
        people = await run_in_threadpool(pages.staff.all)
        labels = await run_in_threadpool(desk.inbox.labels)
        return pages.show(
            visit,
            "inbox.html",
            **values,
            states=STATES,
            flags=FLAGS,
            channels=CHANNELS,
            people=people,
            labels=labels,
            topics=sorted(desk.content.topics, key=lambda topic: desk.title(topic, visit.member.language)),
        )

    @routes.post("/inbox")
    async def search(visit: Viewer, request: Request) -> Response:
        form = {key: value.strip() for key, value in (await request.form()).items() if isinstance(value, str)}
        asked = {key: value for key, value in form.items() if value and key in ASKED}
        if form.get("words") and visit.member.may("reviewer"):
            asked["sought"] = desk.hide(form["words"])
            hidden = redacted(form["words"], visit.member.language)
            await run_in_threadpool(pages.deeds.note, visit.member.login, "search", "", hidden)
        return go_to(visit, f"/staff/inbox?{urlencode(asked)}")

    @routes.get("/urgent")
    async def urgent(visit: Viewer) -> Response:
        number, first, last = await run_in_threadpool(desk.inbox.urgent)
        return pages.show(visit, "_urgent.html", number=number, first=first, last=last)

    # --- a conversation -----------------------------------------------------------------------------------------------

    async def shown(
        visit: Visit, number: int, before: int | None, opened: str, problem: str = "", unsent: str = ""
    ) -> Response:
        whole = await run_in_threadpool(desk.inbox.whole, number, before)
        if whole is None:
            raise RefusedError(404, "no_conversation")
        is_open = _may_see(desk, visit, number, opened)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "read", f"conversation:{number}")
        return pages.show(
            visit,
            "conversation.html",
            status=409 if problem else 200,
            whole=whole,
            is_open=is_open,
            opened=opened if is_open else "",
            problem=problem,
            before=before,
            newest=whole.turns[-1].id if whole.turns else 0,
            mine=_is_held_by(whole, visit),
            people=await run_in_threadpool(pages.staff.all),
            longest=LONGEST,
            unsent=unsent,
            once=token_urlsafe(8),
            **await _values(desk, visit, number, whole.before, whole.turns, whole.known, is_open),
        )

    @routes.get("/conversations/{number}")
    async def conversation(
        visit: Viewer, number: int, before: Annotated[int | None, Query(ge=0)] = None, opened: str = ""
    ) -> Response:
        return await shown(visit, number, before, opened)

    @routes.get("/conversations/{number}/news")
    async def news(visit: Viewer, number: int, after: Annotated[int, Query(ge=0)], opened: str = "") -> Response:
        seen, turns = await run_in_threadpool(desk.inbox.news, number, after)
        if not turns:
            if await run_in_threadpool(desk.inbox.is_there, number):
                return Response(status_code=204, headers=HEADERS)
            return go_to(visit, f"/staff/conversations/{number}")  # which says that it is gone
        known = await run_in_threadpool(desk.inbox.known, number)
        is_open = _may_see(desk, visit, number, opened)
        return pages.show(
            visit,
            "_news.html",
            number=number,
            newest=turns[-1].id,
            opened=opened if is_open else "",
            **await _values(desk, visit, number, seen, turns, known, is_open),
        )

    @routes.post("/conversations/{number}/open")
    async def open_it(visit: Reviewer, number: int, reason: Annotated[str, Form(max_length=200)] = "") -> Response:
        if len(reason.strip()) < 3:
            return await shown(visit, number, None, "", "no_reason")
        known = await run_in_threadpool(desk.inbox.known, number)
        why = redacted(reason.strip(), visit.member.language, known)  # it is never deleted
        await run_in_threadpool(pages.deeds.note, visit.member.login, "open", f"conversation:{number}", why)
        opened = desk.signer.dumps([visit.token, number])
        return go_to(visit, f"/staff/conversations/{number}?opened={opened}")

    @routes.post("/conversations/{number}/{deed}")
    async def act(
        visit: Reviewer,
        number: int,
        deed: str,
        sent: Annotated[Sent, Form()],
    ) -> Response:
        whole = await run_in_threadpool(desk.inbox.whole, number)
        if whole is None or deed not in _DEEDS:
            raise RefusedError(404, "not_found" if whole else "no_conversation")
        try:
            # Nothing of the assistant's is on its way when somebody takes over or gives back.
            async with desk.conversation.in_turn(whole.row.channel, whole.sender):
                await run_in_threadpool(_DEEDS[deed], desk, visit, whole, sent)
        except StaffError as error:
            return await shown(visit, number, None, sent.opened, error.key, sent.words if deed == "say" else "")
        await run_in_threadpool(pages.deeds.note, visit.member.login, deed, f"conversation:{number}")
        kept = f"?opened={sent.opened}" if sent.opened else ""
        return go_to(visit, f"/staff/conversations/{number}{kept}#end")

    return routes


# --- what can be done in a conversation -------------------------------------------------------------------------------


def _take(desk: Desk, visit: Visit, whole: Whole, sent: Sent) -> None:
    notice = desk.notice("person_here", whole.row.language or "es", visit.member.name)
    desk.inbox.take(whole.row.id, visit.member, desk.held_for, notice)


def _say(desk: Desk, visit: Visit, whole: Whole, sent: Sent) -> None:
    if not sent.words.strip():
        raise StaffError("nothing_written", "There is nothing to write.")
    desk.inbox.say(whole.row.id, visit.member, sent.words.strip(), desk.held_for, sent.once)


def _give_back(desk: Desk, visit: Visit, whole: Whole, sent: Sent) -> None:
    desk.inbox.give_back(whole.row.id, visit.member, desk.farewell)


def _annotate(desk: Desk, visit: Visit, whole: Whole, sent: Sent) -> None:
    if sent.words.strip():
        desk.inbox.annotate(whole.row.id, visit.member.login, sent.words.strip())


# What a form of a conversation does, by the end of its address; the same word stands in the audit, as `did_...`.
_DEEDS: Mapping[str, Callable[[Desk, Visit, Whole, Sent], None]] = {
    "take": _take,
    "say": _say,
    "give_back": _give_back,
    "annotate": _annotate,
    "close": lambda desk, visit, whole, sent: desk.inbox.close(whole.row.id, sent.seen),
    "attend": lambda desk, visit, whole, sent: desk.inbox.attend(whole.row.id, sent.seen),
    "assign": lambda desk, visit, whole, sent: desk.inbox.assign(whole.row.id, sent.member or None),
    "label": lambda desk, visit, whole, sent: desk.inbox.label(whole.row.id, sent.words.split(",")),
}


# --- how it is shown --------------------------------------------------------------------------------------------------


async def _values(
    desk: Desk,
    visit: Visit,
    number: int,
    before: Seen | None,
    turns: Sequence[Seen],
    known: Sequence[str],
    is_open: bool,
) -> dict[str, Any]:
    """What the template of a turn needs."""
    language = visit.member.language
    return {
        "lines": await run_in_threadpool(lambda: desk.lines(before, turns, known, language, opened=is_open)),
        "all_opinions": await run_in_threadpool(desk.opinions, number),
        "topics": desk.content.topics,
        "title": lambda topic: desk.title(topic, language),
        "percent": lambda share: f"{share * 100:.0f} %",
    }


def _told_in_the_form(turns: Sequence[Seen]) -> dict[int, str]:
    """Names, numbers and addresses that were typed into the form of a request, sent or not, by turn."""
    return {
        answered.id: answered.said.text
        for asked, answered in pairwise(turns)
        if any(revision.startswith(PERSONAL) for revision in asked.revisions) and answered.said.text
    }


def _is_held_by(whole: Whole, visit: Visit) -> bool:
    until = whole.held_until or datetime.now(UTC)
    return whole.row.state == "held" and whole.holder_id == visit.member.id and until > datetime.now(UTC)


def _may_see(desk: Desk, visit: Visit, number: int, opened: str) -> bool:
    """Whether personal data are shown: in this very session somebody said why, for this conversation, a while ago."""
    with suppress(BadSignature):
        known = desk.signer.loads(opened, max_age=OPENED_FOR)
        return visit.member.may("reviewer") and bool(known == [visit.token, number])
    return False


def _mark(rows: Sequence[Row]) -> str:
    """Changes when anything that the rows show has changed."""
    shown = "|".join(f"{row.id}{row.updated_at}{row.state}{row.flags}{row.labels}{row.assignee}" for row in rows)
    shown += f"{datetime.now(UTC):%H:%M}"  # how long somebody waits changes, too
    return sha256(shown.encode()).hexdigest()[:16]


def _place(after: str) -> Place | None:
    moment, _, number = after.rpartition("_")
    try:
        return Place(datetime.fromisoformat(moment), int(number))
    except ValueError:
        return None


def _wanted(asked: Mapping[str, str], pages: Pages) -> Wanted:
    """What the address asks for; what cannot be read is left out."""
    until = _day(asked.get("until"), pages)
    return Wanted(
        state=cast(State, asked["state"]) if asked.get("state") in STATES else None,
        flag=asked["flag"] if asked.get("flag") in FLAGS else None,
        channel=asked["channel"] if asked.get("channel") in CHANNELS else None,
        language=cast(Language, asked["language"]) if asked.get("language") in LANGUAGES else None,
        topic=asked.get("topic"),
        label=asked.get("label"),
        assignee=_whole_number(asked.get("assignee")),
        confidence=(_share(asked.get("surer")), _share(asked.get("less_sure"))),
        length=(_whole_number(asked.get("longer")), _whole_number(asked.get("shorter"))),
        since=_day(asked.get("since"), pages),
        until=until + timedelta(days=1) if until else None,
    )


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def _share(text: str | None) -> float | None:
    """A percentage as a share."""
    number = _whole_number(text)
    return None if number is None else number / 100


def _day(text: str | None, pages: Pages) -> datetime | None:
    """The beginning of a day at the clinic."""
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text or ""), datetime.min.time(), pages.zone)
    return None
