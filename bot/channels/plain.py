"""Replies as plain text, for the terminal and for scripts: footnotes and numbered choices."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.content import Content
from bot.messages import Language, Reply, Turn, citations_of


def lines_of(replies: Sequence[Reply], content: Content, language: Language) -> Iterator[str]:
    """The replies line by line: claims with footnote marks, label, small print, sources, choices."""
    numbers = {citation.key: number for number, citation in enumerate(citations_of(replies), 1)}
    for reply in replies:
        yield reply.text
        for place, claim in enumerate(reply.claims, 1):
            marks = "".join(f"[{numbers[citation.key]}]" for citation in claim.citations)
            yield f"  {f'{place}.' if reply.urgent else '•'} {claim.text} {marks}"
        if reply.unknown:
            yield f"  {content.phrases['unknown_label'].of(language)}: {reply.unknown}"
        if reply.evidence:
            yield f"  {content.phrases['evidence_label'].of(language)}: {reply.evidence}."
        yield from (f"  ({note})" for note in reply.notes)
    if numbers:
        yield f"  {content.phrases['sources_label'].of(language)}:"
    for citation in citations_of(replies):
        year = f" ({citation.year})" if citation.year else ""
        yield f"    [{numbers[citation.key]}] {citation.title}{year}. {citation.kind}. {citation.url or ''}".rstrip(" ")
    buttons = [button for reply in replies for button in reply.buttons]
    yield from (f"  → {button.title}  {button.payload}" for button in buttons if button.is_link)
    choices = (button for button in buttons if not button.is_link)
    yield from (f"  {number}) {button.title}" for number, button in enumerate(choices, 1))


def turn_as_json(conversation: str, text: str, turn: Turn) -> dict[str, Any]:
    """One turn in the stable form of `musebot ask --jsonl`."""
    return {
        "conversation": conversation,
        "text": text,
        "language": turn.language,
        "decision": turn.decision,
        "topics": list(turn.topics),
        "candidates": [{"topic": c.topic, "confidence": c.confidence} for c in turn.candidates],
        "messages": [
            {
                "text": reply.text,
                "claims": [
                    {"text": claim.text, "citations": [citation.key for citation in claim.citations]}
                    for claim in reply.claims
                ],
                "unknown": reply.unknown,
                "evidence": reply.evidence,
                "notes": list(reply.notes),
                "buttons": [{"title": button.title, "payload": button.payload} for button in reply.buttons],
            }
            for reply in turn.replies
        ],
        "slots": dict(turn.slots),
        "ms": round(turn.milliseconds, 1),
    }
