"""The words that all parts share: what comes in, what goes out, and what a conversation remembers between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

RequestState = Literal["new", "contacted", "scheduled", "closed", "cancelled"]
REQUEST_STATES: tuple[RequestState, ...] = get_args(RequestState)

Decision = Literal["answer", "clarify", "fallback", "emergency", "action", "talk", "silent", "error", "staff"]


@dataclass(frozen=True)
class Incoming:
    """One message from a person, as a channel hands it over.

    Attributes:
        channel: Where it came from: "web", "terminal", "jsonl".
        sender: Who wrote it, as the channel names people. Issued by us on the web, never chosen by the client.
        text: What was written; empty when a button was pressed.
        button: The payload of the pressed button, or None.
        update_id: The channel's own id of this message; the same id twice is the same message.
        language: The language that the person has chosen in the channel's own controls, or None.
        hint: The language to expect of someone new, such as that of the page; weaker than a clear sentence.
    """

    channel: str
    sender: str
    text: str = ""
    button: str | None = None
    update_id: str | None = None
    language: Language | None = None
    hint: Language | None = None


@dataclass(frozen=True)
class Citation:
    """A source as a reader sees it.

    Attributes:
        key: Its id in `content/sources.yml`.
        title: Its own title, in its own language.
        year: Year of publication, where known.
        kind: What kind of source it is, in the reader's words.
        url: Where it can be read; None for a source that has no address.
    """

    key: str
    title: str
    year: int | None
    kind: str
    url: str | None


@dataclass(frozen=True)
class Claim:
    """One statement and what it rests on. Claims of the assistant always have at least one citation."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Button:
    """A choice or a link.

    Attributes:
        title: What the person reads, and may type instead of pressing.
        payload: `/topic` (Rasa's notation, entities as JSON behind it), or a `tel:` or `https:` link.
    """

    title: str
    payload: str

    @property
    def is_link(self) -> bool:
        return not self.payload.startswith("/")


@dataclass(frozen=True)
class Reply:
    """One message to the person.

    Attributes:
        text: The lead: it answers first.
        claims: What follows, each with its citations.
        unknown: What is not known; empty when the answer claims no effect.
        evidence: The label of the weakest evidence used, in plain words; empty when none is due.
        notes: Small print, such as the state of the medical review.
        buttons: Choices and links.
        urgent: True for emergency guidance, which channels show large and first.
        revision: Which wording was shown, `key@hash`; goes to the transcript.
        by: The first name of the person of the clinic who wrote it; empty for all that the assistant says.
    """

    text: str
    claims: tuple[Claim, ...] = ()
    unknown: str = ""
    evidence: str = ""
    notes: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    urgent: bool = False
    revision: str = ""
    by: str = ""


@dataclass(frozen=True)
class Candidate:
    """A topic that the message may be about.

    Attributes:
        topic: Its id in `content/topics.yml`.
        confidence: Between 0 and 1.
    """

    topic: str
    confidence: float


@dataclass(frozen=True)
class Memory:
    """What is remembered of a conversation before a message: nothing, for a new one.

    Attributes:
        language: The language of the last reply.
        chosen: Whether the person chose that language; a choice is never overruled by detection.
        buttons: The buttons of the last reply, so that a typed "2" means the second.
        alarm: The safety topic that the last reply was about; None when it was about something else.
        country: Where the person is, as far as they have said: a key of `content/safety.yml`.
        asking: The step of a request for a call that was asked last; None while none is being filled in.
        dialogue: The dialogue engine's own state; only `bot.dialogue` reads it.
        held: Whether a person of the clinic talks in the conversation, so that the assistant is silent.
    """

    language: Language | None = None
    chosen: bool = False
    buttons: tuple[Button, ...] = ()
    alarm: str | None = None
    country: str | None = None
    asking: str | None = None
    dialogue: Mapping[str, Any] = field(default_factory=dict)
    held: bool = False


@dataclass(frozen=True)
class Effect:
    """What a turn does besides speaking; it is kept in one transaction with the turn, or not at all.

    Attributes:
        kind: A request is sent, changed or cancelled; or someone waits for a person.
        code: Of the request.
        draft: The request, as `bot.booking.Draft` writes it.
    """

    kind: Literal["new", "changed", "cancelled", "person"]
    code: str = ""
    draft: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Say:
    """What the dialogue wants said, without its wording.

    Attributes:
        key: A topic, or a phrase of `content/phrases.yml`.
        part: "main" for the answer itself; "more" for what lies behind "more"; "sources" for where it comes from;
            "compare" for the person beside those of the study; "ask" for a question alone; "booking" for a text of
            `content/booking.yml`.
        choices: Topics to offer as buttons.
        ask: With "compare" and "ask": the feature to ask for, None when there is nothing more to ask.
        only: With "compare": the features to show, those just told; empty for all that are known.
        line: With "booking": which text, as "steps.name".
        values: With "booking": what is known for its places.
        effect: What is to be done when this is said.
    """

    key: str
    part: Literal["main", "more", "sources", "compare", "ask", "booking"] = "main"
    choices: tuple[str, ...] = ()
    ask: str | None = None
    only: tuple[str, ...] = ()
    line: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    effect: Effect | None = None


@dataclass(frozen=True)
class Understanding:
    """What the dialogue made of a message.

    Attributes:
        topics: What it took the message to be about; empty when it could not tell.
        candidates: The likeliest topics, best first.
        decision: What it decided to do.
        says: What is to be said, in order.
        slots: What is known of the person and the conversation, the set ones only.
        language: Set when the person asked for a language.
        dialogue: The state to remember.
        danger: How likely it is that the message tells of danger, 0 to 1.
        asking: The step of a request for a call that is asked now; None while none is being filled in.
        certain: Whether the message was, word for word, what was asked for.
    """

    topics: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    decision: Decision
    says: tuple[Say, ...]
    slots: Mapping[str, Any]
    language: Language | None
    dialogue: Mapping[str, Any]
    danger: float = 0.0
    asking: str | None = None
    certain: bool = False


@dataclass(frozen=True)
class Turn:
    """One message with its replies: what a channel shows and a transcript keeps.

    Attributes:
        effect: What it does besides speaking.
        failure: Which part failed, `part: ExceptionName`, never with message text; None when nothing did.
        recorded: Whether the transcript holds this turn.
        milliseconds: From receipt until the replies were ready.
    """

    language: Language
    decision: Decision
    replies: tuple[Reply, ...]
    topics: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    effect: Effect | None = None
    failure: str | None = None
    recorded: bool = True
    milliseconds: float = 0.0


def citations_of(replies: Sequence[Reply]) -> list[Citation]:
    """Every source that the replies cite, each once, in order of appearance: a footnote's number is its place here."""
    found = {citation.key: citation for reply in replies for claim in reply.claims for citation in claim.citations}
    return list(found.values())
