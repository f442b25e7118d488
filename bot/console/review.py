"""What staff think of what the assistant did, what they look at next, and the training messages that come of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bot.console.pages import HEADERS, Pages, RefusedError, Visit, go_to
from bot.content import TopicEntry
from bot.errors import ContentError, StaffError
from bot.messages import Language
from bot.redaction import redacted
from bot.store.inbox import Inbox
from bot.store.review_queue import MOST_GROUPS, Group, ReviewQueue
from bot.store.reviews import Correction, Message, NoLesson, Reviews, State, Verdict
from bot.teaching import Lesson, Teaching, patch_of
from bot.text import gist_of

# What the model, as it is now, takes a message for, were it the first one; None where it cannot tell.
Understood = Callable[[str, Language], Awaitable[str | None]]

STRANGE = "out_of_scope"  # the topic of what there is no answer to
MOST_LINKS = 6  # to messages of one group
LARGEST = 2**63 - 1  # number that a database takes
MOST_LETTERS = 4_000


def router(
    pages: Pages,
    reviews: Reviews,
    queue: ReviewQueue,
    inbox: Inbox,
    teaching: Teaching,
    topics: Mapping[str, TopicEntry],
    understood: Understood,
) -> APIRouter:
    """The addresses of these pages. `topics`: the catalogue."""
    routes = APIRouter(prefix="/staff/review", include_in_schema=False)
    Reviewer = Annotated[Visit, Depends(pages.open_to("reviewer"))]  # noqa: N806 - a type
    Admin = Annotated[Visit, Depends(pages.open_to("admin"))]  # noqa: N806 - a type
    Number = Annotated[int, Path(ge=0, le=LARGEST)]  # noqa: N806 - a type
    Words = Annotated[str, Form(max_length=MOST_LETTERS)]  # noqa: N806 - a type
    Together = Annotated[str, Form(pattern=r"^(\d{1,18}(,\d{1,18})*)?$")]  # noqa: N806 - a type

    # --- the queue ----------------------------------------------------------------------------------------------------

    @routes.get("")
    async def look(visit: Reviewer, turn: Annotated[int | None, Query(ge=0, le=LARGEST)] = None) -> Response:
        def read() -> dict[str, Any]:
            judged = queue.group(reviews.together(turn, visit.member.login)) if turn is not None else None
            groups, number = queue.next()
            return {
                "judged": _readable([judged] if judged else [], visit),
                "rows": _readable([group for group in groups if group.message.id != turn], visit),
                "number": number,
                "drafts": reviews.count()["draft"],
            }

        found = await run_in_threadpool(read)
        return pages.show(visit, "review.html", topics=topics, most_links=MOST_LINKS, **found)

    @routes.post("/{turn}")
    async def judge(
        visit: Reviewer,
        turn: Number,
        verdict: Annotated[Verdict | None, Form()] = None,
        keep: Annotated[Verdict | None, Form()] = None,
        topic: Words = "",
        note: Words = "",
        together: Together = "",
    ) -> Response:
        """A verdict, which the same one takes back. With `keep` it stays, with another topic or note."""
        message = await _message(turn)
        chosen = keep or verdict
        if chosen is None or (topic and topic not in topics):
            raise RefusedError(400, "malformed")
        login, turns = visit.member.login, _numbers(together, turn)
        own = next((each for each in await run_in_threadpool(reviews.of_turn, turn) if each.by == login), None)
        if own and not keep and own.verdict == chosen:
            await run_in_threadpool(reviews.withdraw, turns, login)
            await note_deed(visit, message, f"withdrawn: {chosen}{_times(turns)}")
            return await judged(visit, message, together)
        right = {"wrong_topic": topic, "dont_know": STRANGE}.get(chosen) or None
        example, state = None, None
        if right and (own is None or (own.verdict, own.topic) != (chosen, right)):
            example, state = await lesson(message, right, own.id if own else None)
        said = note.strip() if keep else own.note if own else ""
        await run_in_threadpool(
            lambda: reviews.judge(turns, login, chosen, topic=right, note=said, example=example, state=state)
        )
        await note_deed(visit, message, f"{chosen}{f': {right}' if right else ''}{_times(turns)}")
        return await judged(visit, message, together)

    @routes.post("/{turn}/done")
    async def done(visit: Reviewer, turn: Number, note: Words = "", together: Together = "") -> Response:
        """What was done about something unsafe: a note in each of the conversations."""
        message = await _message(turn)
        if not note.strip():
            raise RefusedError(400, "malformed")
        group = await run_in_threadpool(queue.group, _numbers(together, turn))
        for conversation in dict.fromkeys(place[0] for place in group.places) if group else ():
            await run_in_threadpool(inbox.annotate, conversation, visit.member.login, note.strip())
            await run_in_threadpool(
                pages.deeds.note, visit.member.login, "review", f"conversation:{conversation}", "unsafe: done"
            )
        return await judged(visit, message, together)

    async def judged(visit: Visit, message: Message, together: str) -> Response:
        """What there is to see now: the part of the page that was changed, or the page."""
        if not visit.in_part:
            page = "/staff/review" if together else f"/staff/conversations/{message.conversation}"
            return go_to(visit, f"{page}{f'?turn={message.id}' if together else ''}#t{message.id}")
        return pages.show(
            visit,
            "_review.html",
            turn=message,
            opinions=await run_in_threadpool(reviews.of_turn, message.id),
            topics=topics,
            together=together.split(",") if together else [],
        )

    async def _message(turn: int) -> Message:
        message = await run_in_threadpool(reviews.message, turn)
        if message is None:
            raise RefusedError(404, "not_found")
        return message

    async def note_deed(visit: Visit, message: Message, detail: str) -> None:
        subject = f"conversation:{message.conversation}"
        await run_in_threadpool(pages.deeds.note, visit.member.login, "review", subject, detail)

    async def lesson(message: Message, topic: str, besides: int | None) -> tuple[str | None, State | NoLesson]:
        """The training message that a correction gives; or why it gives none."""
        text = _plain(redacted(message.text, message.language, message.known))
        if objection := await run_in_threadpool(objection_to, text, besides):
            return None, objection
        if await understood(message.text, message.language) == topic:
            return None, "known"
        return text, "draft"

    def objection_to(text: str, besides: int | None, english: str = "") -> NoLesson | None:
        """Why it is not to be learnt from. `besides`: the training message that it is itself."""
        proposed = {gist_of(each) for number, each in reviews.proposed().items() if number != besides}
        return teaching.objection(text, english) or ("there" if gist_of(text) in proposed else None)

    # --- training messages --------------------------------------------------------------------------------------------

    @routes.get("/examples")
    async def examples(visit: Reviewer, state: State = "draft") -> Response:
        return await shown(visit, state)

    async def shown(
        visit: Visit, state: State, problem: str = "", details: Sequence[str] = (), number: int | None = None
    ) -> Response:
        """The page. `number`: of the training message that the problem is about."""
        language = visit.member.language
        return pages.show(
            visit,
            "review_examples.html",
            status=400 if problem else 200,
            state=state,
            counts=await run_in_threadpool(reviews.count),
            corrections=await run_in_threadpool(reviews.corrections, state),
            remarks=[
                (opinion, message, redacted(message.text, language, message.known))
                for opinion, message in (await run_in_threadpool(reviews.remarks) if state == "draft" else ())
            ],
            topics=topics,
            problem=problem,
            details=details,
            number=number,
        )

    @routes.get("/examples/patch")
    async def patch(visit: Reviewer) -> Response:
        accepted = await run_in_threadpool(reviews.corrections, "accepted", None)
        if not accepted:
            return await shown(visit, "accepted", "example_none")
        try:
            changes = await run_in_threadpool(teaching.changes, _lessons(accepted))
        except ContentError as error:
            return await shown(visit, "accepted", "example_refused", error.problems)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "patch", "nlu_data", _told(accepted))
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="musebot-examples.patch"'}
        return Response(patch_of(changes), media_type="text/x-diff", headers=headers)

    @routes.post("/examples/write")
    async def write(visit: Admin) -> Response:
        accepted = await run_in_threadpool(reviews.corrections, "accepted", None)
        if not accepted:
            return await shown(visit, "accepted", "example_none")
        try:
            changes = await run_in_threadpool(teaching.changes, _lessons(accepted))
            numbers = [each.id for each in accepted]
            await run_in_threadpool(reviews.export, numbers, lambda: teaching.write(changes))
        except ContentError as error:
            return await shown(visit, "accepted", "example_refused", error.problems)
        except StaffError as error:
            return await shown(visit, "accepted", error.key)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "teach", "nlu_data", _told(accepted))
        return go_to(visit, "/staff/review/examples?state=exported")

    @routes.post("/examples/{number}")
    async def change(
        visit: Reviewer,
        number: Number,
        action: Annotated[Literal["save", "accept", "dismiss", "reopen"], Form()],
        text: Words = "",
        language: Annotated[Language, Form()] = "es",
        english: Words = "",
    ) -> Response:
        before = await run_in_threadpool(reviews.correction, number)
        if before is None:
            return await shown(visit, "draft", "no_example")
        problem = None
        try:
            if action in ("save", "accept"):
                text = _plain(redacted(text, language, before.known))
                english = _plain(redacted(english, "en", before.known)) if language == "es" else ""
                await run_in_threadpool(reviews.word, number, text or before.text, language, english)
                problem = await unfit(before, text, language, english) if action == "accept" else None
            if action != "save" and not problem:
                states: Mapping[str, State] = {"accept": "accepted", "dismiss": "dismissed", "reopen": "draft"}
                await run_in_threadpool(reviews.move, number, states[action])
        except StaffError as error:
            problem = error.key
        if problem:
            return await shown(visit, "draft", problem, number=number)
        subject = f"conversation:{before.conversation}"
        detail = f"example: {action}: {before.topic}"
        await run_in_threadpool(pages.deeds.note, visit.member.login, "review", subject, detail)
        return go_to(visit, f"/staff/review/examples?state={before.state}")

    async def unfit(correction: Correction, text: str, language: Language, english: str) -> str | None:
        """Why it cannot be accepted: a key of `words/problems.yml`; None where it can."""
        if not text:
            return "example_empty"
        if language == "es" and not english:
            return "example_english"
        if set("[]") & set(text + english):  # the marks of what was hidden; and to Rasa they mean something else
            return "example_marks"
        if objection := await run_in_threadpool(objection_to, text, correction.id, english):
            return f"example_{objection}"
        return "example_known" if await understood(text, language) == correction.topic else None

    return routes


def _readable(groups: Sequence[Group], visit: Visit) -> list[tuple[Group, str]]:
    """Each group with what was asked, without personal data."""
    return [
        (group, redacted(group.message.text, visit.member.language, group.message.known))
        for group in groups[:MOST_GROUPS]
    ]


def _numbers(together: str, turn: int) -> set[int]:
    return {turn, *map(int, filter(None, together.split(",")))}


def _times(turns: set[int]) -> str:
    return f" ({len(turns)} messages)" if len(turns) > 1 else ""


def _plain(text: str) -> str:
    """`text` on one line, with nothing that a file of training messages cannot hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).lstrip("/ ")


def _lessons(corrections: Sequence[Correction]) -> list[Lesson]:
    """In the order in which they were made."""
    return [Lesson(each.topic, each.language, each.text, each.english or None) for each in reversed(corrections)]


def _told(corrections: Sequence[Correction]) -> str:
    topics = ", ".join(sorted({each.topic for each in corrections}))
    return f"{len(corrections)} messages: {topics}"
