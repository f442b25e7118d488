"""Replies as Telegram shows them: text with entities, never markup in strings; one large button a row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, MessageEntity, ReplyKeyboardMarkup

from bot.content import Content
from bot.messages import Button, Citation, Language, Reply, citations_of

MOST_UNITS = 4096  # of one message, as Telegram counts: UTF-16
_ENDS = re.compile(r"\n\n|\n|(?<=[^\d][.!?…])\s(?!\[)")
STAFF = "staff"  # the revision of what a person of the clinic writes
REACH = "steps.reach@"  # the question that a shared contact answers
Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup


@dataclass(frozen=True)
class Message:
    """One message to send."""

    text: str
    entities: tuple[MessageEntity, ...] = ()
    keyboard: Keyboard | None = None


class Renderer:
    """Turns replies into messages."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def messages(self, replies: Sequence[Reply], language: Language, turn: int | None) -> list[Message]:
        """The messages for one turn.

        Args:
            replies: What is said.
            language: Of the labels around it.
            turn: The number of the turn in the transcript, by which its buttons are found again; None where it could
                not be kept, and then there are only links.
        """
        found: list[Message] = []
        place = 0
        groups = list(_groups(replies))
        for group in groups:
            text = self._text(group, language)
            choices = [button for reply in group for button in reply.buttons if not button.is_link]
            links = [
                b for reply in group for b in reply.buttons if b.payload.startswith("https:")
            ]  # Telegram refuses others
            keyboard = _keyboard(links, choices, turn, place)
            place += len(choices)
            parts = text.split()
            found += [*parts[:-1], replace(parts[-1], keyboard=keyboard)]
        if replies and replies[-1].revision.startswith(REACH) and found:
            found[-1] = replace(found[-1], keyboard=self._share(replies[-1], language))
        return found

    def plain(self, words: str) -> list[Message]:
        """Words without anything else."""
        text = _Text()
        text.add(words)
        return text.split()

    def _share(self, reply: Reply, language: Language) -> ReplyKeyboardMarkup:
        """The keyboard that gives the person's own number without typing, with the question's choices below."""
        share = KeyboardButton(self._content.telegram.says["share"].of(language), request_contact=True)
        return ReplyKeyboardMarkup(
            [[share], *([button.title] for button in reply.buttons if not button.is_link)],
            resize_keyboard=True,
            one_time_keyboard=True,
        )

    def _text(self, replies: Sequence[Reply], language: Language) -> "_Text":
        citations = citations_of(replies)
        numbers = {citation.key: number for number, citation in enumerate(citations, 1)}
        text = _Text()
        for reply in replies:
            self._reply(text, reply, numbers, language)
        if citations:
            text.line(self._word("sources_label", language) + ":", MessageEntity.BOLD)
            for citation in citations:
                self._source(text, numbers[citation.key], citation)
        return text

    def _reply(self, text: "_Text", reply: Reply, numbers: Mapping[str, int], language: Language) -> None:
        if reply.revision == STAFF:
            says = self._content.widget.says
            who = says["staff_name"].of(language).format(name=reply.by) if reply.by else says["staff"].of(language)
            text.paragraph(f"{who}:", MessageEntity.BOLD)
            text.line(reply.text)
        else:
            text.paragraph(reply.text, MessageEntity.BOLD if reply.urgent else None)
        if reply.urgent:
            self._calls(text, reply)
        for place, claim in enumerate(reply.claims, 1):
            text.line(f"{place}. " if reply.urgent else "• ")
            text.add(claim.text)
            for citation in claim.citations:
                text.add(" ")
                text.add(f"[{numbers[citation.key]}]", MessageEntity.TEXT_LINK, citation.url)
        if reply.unknown:
            text.line(self._word("unknown_label", language) + ": ", MessageEntity.BOLD)
            text.add(reply.unknown)
        if reply.evidence:
            text.line(self._word("evidence_label", language) + ": ", MessageEntity.BOLD)
            text.add(reply.evidence + ".")
        for note in reply.notes:
            text.line(note, MessageEntity.ITALIC)
        if not reply.urgent:
            self._calls(text, reply)

    def _calls(self, text: "_Text", reply: Reply) -> None:
        """The numbers to call, a line each: buttons of Telegram cannot call, but numbers in the text can be tapped."""
        for button in reply.buttons:
            if button.payload.startswith("tel:"):
                text.line(f"📞 {button.title}")

    def _source(self, text: "_Text", number: int, citation: Citation) -> None:
        text.line(f"[{number}] ")
        text.add(citation.title, MessageEntity.TEXT_LINK, citation.url)
        text.add(f" ({citation.year}). {citation.kind}" if citation.year else f". {citation.kind}")

    def _word(self, key: str, language: Language) -> str:
        return self._content.phrases[key].of(language)


def choices_of(replies: Sequence[Reply]) -> list[Button]:
    """The choices of a turn, in the order in which their buttons are numbered."""
    return [button for reply in replies for button in reply.buttons if not button.is_link]


def _groups(replies: Sequence[Reply]) -> Iterator[list[Reply]]:
    """Guidance in danger is a message of its own; all else that is said at once is one message."""
    group: list[Reply] = []
    for reply in replies:
        if reply.urgent:
            if group:
                yield group
            yield [reply]
            group = []
        else:
            group.append(reply)
    if group:
        yield group


def _keyboard(
    links: Sequence[Button], choices: Sequence[Button], turn: int | None, place: int
) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(link.title, url=link.payload)] for link in links]
    if turn is not None:
        rows += [
            [InlineKeyboardButton(choice.title, callback_data=f"{turn}.{place + number}")]
            for number, choice in enumerate(choices)
        ]
    return InlineKeyboardMarkup(rows) if rows else None


class _Text:
    """A text that grows, with its entities; places count letters until it is split."""

    def __init__(self) -> None:
        self._text = ""
        self._entities: list[MessageEntity] = []

    def paragraph(self, words: str, kind: str | None = None) -> None:
        self._text += "\n\n" if self._text else ""
        self.add(words, kind)

    def line(self, words: str, kind: str | None = None) -> None:
        self._text += "\n" if self._text else ""
        self.add(words, kind)

    def add(self, words: str, kind: str | None = None, url: str | None = None) -> None:
        if kind and words and (kind != MessageEntity.TEXT_LINK or url):
            self._entities.append(MessageEntity(kind, len(self._text), len(words), url=url))
        self._text += words

    def split(self) -> list[Message]:
        """The text in messages that Telegram takes, cut where a paragraph, a line or a sentence ends."""
        parts: list[Message] = []
        begin = 0
        while begin < len(self._text) or not parts:
            end = self._end(begin)
            parts.append(self._part(begin, end))
            begin = end
        return parts

    def _end(self, begin: int) -> int:
        rest = self._text[begin:]
        if _units(rest) <= MOST_UNITS:
            return len(self._text)
        most = len(rest.encode("utf-16-le")[: MOST_UNITS * 2].decode("utf-16-le", "ignore"))
        ends = [found.end() for found in _ENDS.finditer(rest, 0, most)]
        return begin + (ends[-1] if ends else most)

    def _part(self, begin: int, end: int) -> Message:
        words = self._text[begin:end]
        kept = words.rstrip()
        inside = [
            MessageEntity(
                each.type,
                max(each.offset, begin) - begin,
                min(each.offset + each.length, begin + len(kept)) - max(each.offset, begin),
                url=each.url,
            )
            for each in self._entities
            if each.offset < begin + len(kept) and each.offset + each.length > begin
        ]
        return Message(kept, tuple(MessageEntity.adjust_message_entities_to_utf_16(kept, inside)))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
