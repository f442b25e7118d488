"""The answers: what patients read, what it rests on, how it is received, and which words a clinician has approved."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Form
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bot.answers import Answers
from bot.console.pages import Pages, RefusedError, Visit, go_to
from bot.content import COMPARISON, CitedWording, Content, FactEntry, GuidanceEntry, Reviewed, Wording, revision_of
from bot.conversation import Conversation
from bot.curation import wordings_of
from bot.evidence import weakest_evidence
from bot.messages import LANGUAGES, Citation, Language, Reply, citations_of
from bot.store.approvals import Approvals, Decision, Shown, Wordings
from bot.text import bare

# How the review of an answer stands, what calls for a clinician first. "void": other words were approved, these not.
# "guidance": of safety, which is changed in its file and not approved here.
State = Literal["overdue", "due", "void", "sent_back", "draft", "approved", "guidance"]
STATES: tuple[State, ...] = get_args(State)
Order = Literal["state", "shown", "not_helped"]
ORDERS: tuple[Order, ...] = get_args(Order)

SOON = timedelta(days=30)  # so long before an approval ends, it is due
A_YEAR = timedelta(days=365)
LONGEST = 3 * A_YEAR  # for which an approval is given
PERIOD = timedelta(days=30)  # over which it is counted how often an answer is shown
MOST_LETTERS = 2_000  # of a note
LABELS = ("unknown", "evidence", "sources")  # phrases that stand before a part of a reply
FOREVER = timedelta(days=365 * 100)
NEVER = Shown(0, 0, 0, {}, datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Item:
    """An answer, the comparison, or the guidance for a danger.

    Attributes:
        key: Its topic, or `COMPARISON`.
        file: In the content folder; `at` is the key in it, below another one for "one.other".
        evidence: The label, empty where none is due.
        effect: Whether it is about effect or safety, so that it may be withheld.
    """

    key: str
    title: Wording
    kind: str
    entry: Reviewed | GuidanceEntry
    file: str
    at: str
    evidence: Mapping[Language, str]
    effect: bool

    @cached_property
    def revision(self) -> str:
        return revision_of(self.key, self.entry)

    @property
    def group(self) -> str:
        return Path(self.file).stem


@dataclass(frozen=True)
class Row:
    """How an answer stands. `by`, `on` and `due` are those of what was decided last, None where nothing was."""

    item: Item
    state: State
    by: str | None
    on: date | None
    due: date | None
    shown: int
    opinions: Shown


@dataclass(frozen=True)
class Part:
    """Messages that a patient reads together, in both languages. `name` is a key of `words/answers.yml`."""

    name: str
    replies: Mapping[Language, Sequence[Reply]]

    def sources(self, language: Language) -> Sequence[Citation]:
        """What they cite; a footnote's number is its place here, from 1."""
        return citations_of(self.replies[language])


def router(
    pages: Pages,
    content: Content,
    folder: Path,
    conversation: Conversation,
    approvals: Approvals,
    wordings: Wordings,
) -> APIRouter:
    """The addresses of this page. `folder`: where the content was read."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Viewer = Annotated[Visit, Depends(pages.open_to("viewer"))]  # noqa: N806 - a type
    Clinician = Annotated[Visit, Depends(pages.open_to("clinician"))]  # noqa: N806 - a type
    Note = Annotated[str, Form(max_length=MOST_LETTERS)]  # noqa: N806 - a type
    answers = conversation.answers
    # What is withheld from patients is shown here, or nobody could approve it.
    readable = Answers(content, grace=FOREVER, decided=approvals.review)
    items = {item.key: item for item in _items(content, readable, pages)}

    def rows() -> list[Row]:
        decisions = approvals.read()
        recent = wordings.since(datetime.now(UTC) - PERIOD)
        rated = wordings.rated()
        return [
            _row(item, answers, [each for each in decisions if each.topic == item.key], recent, rated)
            for item in items.values()
        ]

    @routes.get("/answers")
    async def browse(
        visit: Viewer, state: str = "", group: str = "", text: str = "", order: Order = "state"
    ) -> Response:
        everything = await run_in_threadpool(rows)
        found = [
            row
            for row in everything
            if state in ("", row.state) and group in ("", row.item.group) and _tells_of(row.item, text)
        ]
        return pages.show(
            visit,
            "answers.html",
            rows=sorted(found, key=_sorter(order, visit.member.language)),
            counts={each: sum(row.state == each for row in everything) for each in STATES},
            groups=sorted({item.group for item in items.values()}),
            orders=ORDERS,
            state=state,
            group=group,
            text=text,
            order=order,
            days=PERIOD.days,
            lines=await run_in_threadpool(_lines, folder, items.values()),
            names=await run_in_threadpool(names),
        )

    @routes.get("/answers/{key}")
    async def read(visit: Viewer, key: str) -> Response:
        return await shown(visit, _one(items, key))

    @routes.post("/answers/{key}/approve")
    async def approve(
        visit: Clinician, key: str, revision: Note, note: Note = "", due: Annotated[date | None, Form()] = None
    ) -> Response:
        item = _one(items, key, to_decide=True)
        today = answers.today()
        if revision != item.revision:
            return await shown(visit, item, "changed", 409, note)
        if due is None or not today < due <= today + LONGEST:
            return await shown(visit, item, "bad_due", 400, note)
        await run_in_threadpool(approvals.approve, key, revision, visit.member.login, due, note.strip())
        return await decided(visit, item, "approve")

    @routes.post("/answers/{key}/send-back")
    async def send_back(visit: Clinician, key: str, revision: Note, note: Note = "") -> Response:
        item = _one(items, key, to_decide=True)
        if revision != item.revision:
            return await shown(visit, item, "changed", 409, note)
        if not note.strip():
            return await shown(visit, item, "no_note", 400)
        await run_in_threadpool(approvals.send_back, key, revision, visit.member.login, note.strip())
        return await decided(visit, item, "send_back")

    async def decided(visit: Visit, item: Item, deed: str) -> Response:
        await run_in_threadpool(pages.deeds.note, visit.member.login, deed, f"answer:{item.key}", item.revision)
        return go_to(visit, f"/staff/answers/{item.key}")

    async def shown(visit: Visit, item: Item, problem: str = "", status: int = 200, note: str = "") -> Response:
        decisions = [each for each in await run_in_threadpool(approvals.read) if each.topic == item.key]
        of_each = dict(await run_in_threadpool(wordings.of, item.key))
        ever = {revision: of_each.get(revision, NEVER) for revision in _revisions(item, decisions, of_each)}
        return pages.show(
            visit,
            "answer.html",
            status=status,
            item=item,
            row=_row(item, answers, decisions, ever, ever),
            withheld=_is_withheld(item, conversation),
            parts=_parts(item, content, readable, conversation),
            otherwise=_otherwise(item, content),
            basis=list(_basis(item, content)),
            labels={each: {name: content.phrases[f"{name}_label"].of(each) for name in LABELS} for each in LANGUAGES},
            details=getattr(item.entry, "details", ()),
            decisions=decisions,
            ever=ever,
            line=(await run_in_threadpool(_lines, folder, [item]))[item.key],
            names=await run_in_threadpool(names),
            problem=problem,
            note=note,
            today=answers.today(),
            default=answers.today() + A_YEAR,
            latest=answers.today() + LONGEST,
        )

    def names() -> Mapping[str, str]:
        return {member.login: f"{member.name} ({member.login})" for member in pages.staff.all()}

    return routes


def _one(items: Mapping[str, Item], key: str, *, to_decide: bool = False) -> Item:
    item = items.get(key)
    if item is None or (to_decide and isinstance(item.entry, GuidanceEntry)):
        raise RefusedError(404, "not_found")
    return item


def _items(content: Content, answers: Answers, pages: Pages) -> Iterator[Item]:
    """Everything that the page is about, as the catalogue of topics has it."""
    nothing: dict[Language, str] = dict.fromkeys(LANGUAGES, "")
    for key, topic in content.topics.items():
        if key in content.answers:
            evidence = {language: answers.main(key, language).evidence for language in LANGUAGES}
            entry = content.answers[key]
            yield Item(key, topic.title, topic.kind, entry, content.files[key], key, evidence, entry.effect)
        elif key in content.safety.topics:
            guidance = content.safety.topics[key]
            yield Item(key, topic.title, topic.kind, guidance, "safety.yml", f"topics.{key}", nothing, False)
    facts = [content.facts[name] for claim in _claims(content.eligibility) for name in claim.facts]
    label = content.phrases[f"evidence_{weakest_evidence(facts)}"]
    title = Wording(**{language: pages.words.of("answers.comparison", language) for language in LANGUAGES})
    evidence = {language: label.of(language) for language in LANGUAGES}
    yield Item(COMPARISON, title, "answer", content.eligibility, "eligibility.yml", "lead", evidence, True)


def _claims(entry: Reviewed | GuidanceEntry) -> list[CitedWording]:
    return [each for each in wordings_of(entry) if isinstance(each, CitedWording)]


def _row(
    item: Item,
    answers: Answers,
    decisions: Sequence[Decision],
    shown: Mapping[str, Shown],
    opinions: Mapping[str, Shown],
) -> Row:
    """How an answer stands, by what was decided on it, the newest first."""
    revision = item.revision
    counts = shown.get(revision, NEVER).times, opinions.get(revision, NEVER)
    if isinstance(item.entry, GuidanceEntry):
        return Row(item, "guidance", None, None, None, *counts)
    review, today = answers.review(item.key, item.entry), answers.today()
    if review.state == "approved":
        left = review.due - today if review.due else A_YEAR
        state: State = "overdue" if left < timedelta() else "due" if left <= SOON else "approved"
        return Row(item, state, review.by, review.on, review.due, *counts)
    if review.by:  # a draft in a file has nobody
        return Row(item, "sent_back", review.by, review.on, None, *counts)
    last = decisions[0] if decisions else None
    if last and last.approved and last.revision != revision:
        return Row(item, "void", last.by, last.at.astimezone().date(), None, *counts)
    return Row(item, "draft", None, None, None, *counts)


def _sorter(order: Order, language: Language) -> Callable[[Row], Any]:
    def place(row: Row) -> tuple[object, ...]:
        title = bare(row.item.title.of(language))
        if order == "shown":
            return -row.shown, title
        if order == "not_helped":
            return -row.opinions.not_helped, row.opinions.helped, title
        return STATES.index(row.state), row.due or date.max, -row.shown, title

    return place


def _tells_of(item: Item, text: str) -> bool:
    """Whether every word of `text` stands in the key or the wording, whatever the language; accents do not count."""
    wordings = (item.title, *wordings_of(item.entry))
    told = bare(" ".join([item.key, *(wording.of(language) for wording in wordings for language in LANGUAGES)]))
    return all(word in told for word in bare(text).split())


def _is_withheld(item: Item, conversation: Conversation) -> bool:
    if item.key == COMPARISON:
        return conversation.eligibility.is_withheld()
    return item.key in conversation.answers and conversation.answers.is_withheld(item.key)


def _parts(item: Item, content: Content, answers: Answers, conversation: Conversation) -> Iterator[Part]:
    """What patients read, in the order in which they come to it."""
    if item.key == COMPARISON:
        yield Part("whole", {each: tuple(conversation.eligibility.whole(each)) for each in LANGUAGES})
    elif isinstance(item.entry, GuidanceEntry):
        guide = conversation.emergency
        yield Part("first", {each: guide.guidance(item.key, each, None) for each in LANGUAGES})
        yield Part("afterwards", {each: (guide.afterwards(item.key, each, None),) for each in LANGUAGES})
    else:
        yield Part("first", {each: (answers.main(item.key, each),) for each in LANGUAGES})
        more = {each: answers.more(item.key, each) for each in LANGUAGES}
        told = {each: (reply,) for each, reply in more.items() if reply is not None}
        if told:
            yield Part("more", told)


def _otherwise(item: Item, content: Content) -> list[Wording]:
    """Wordings of the entry that the parts do not show: the lead for the other case, and what stands for {value}."""
    if item.key == COMPARISON:
        entry = content.eligibility
        named = [wording for feature in entry.features.values() for wording in feature.names.values()]
        return [*named, *entry.units.values()]
    answer = content.answers.get(item.key)
    if answer is None or answer.told is None:
        return []
    return [answer.lead if content.clinic.details.of(answer.details[0]) else answer.told]


def _basis(item: Item, content: Content) -> Iterator[tuple[CitedWording, Mapping[str, FactEntry]]]:
    """Each claim with the facts behind it."""
    for claim in _claims(item.entry):
        yield claim, {key: content.facts[key] for key in claim.facts}


def _revisions(item: Item, decisions: Sequence[Decision], shown: Mapping[str, Shown]) -> list[str]:
    """The wordings that there were, today's first, then the newest."""
    older = [each.revision for each in decisions]
    older += sorted(shown, key=lambda revision: shown[revision].last, reverse=True)
    return list(dict.fromkeys([item.revision, *older]))


def _lines(folder: Path, items: Collection[Item]) -> Mapping[str, str]:
    """Where each item stands, as "content/answers/evidence.yml:42"; without a line where its file has no such key."""
    found = {name: _keys(folder / name) for name in {item.file for item in items}}
    told = {}
    for item in items:
        line = found[item.file].get(item.at)
        told[item.key] = f"{folder.name}/{item.file}" + (f":{line}" if line else "")
    return told


def _keys(path: Path) -> Mapping[str, int]:
    """The line of each key of a file, and of those one level below it, as "one.other"."""
    lines: dict[str, int] = {}
    above = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), 1):
        if key := re.match(r"( {2})?(\w+):", line):
            above = above if key[1] else key[2]
            lines.setdefault(f"{above}.{key[2]}" if key[1] else key[2], number)
    return lines
