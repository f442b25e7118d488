"""Curated answers: a topic and a language in, a reply with its citations out."""

from bot.content import AnswerEntry, Content, revision_of, weakest_evidence
from bot.messages import Citation, Claim, Language, Reply


class Answers:
    """The answers of the content folder. A topic without one is not in it: `topic in answers` tells."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def __contains__(self, topic: object) -> bool:
        return topic in self._content.answers

    def main(self, topic: str, language: Language) -> Reply:
        """What a reader sees first: the lead, the claims that are not behind "more", what is not known."""
        answer = self._content.answers[topic]
        buttons = [self._content.button(key, language) for key in answer.next]
        if any(claim.more for claim in answer.claims):
            buttons.insert(0, self._content.button("more_detail", language, {"topic": topic}))
        return Reply(
            text=answer.lead.of(language),
            claims=self._claims(answer, language, more=False),
            unknown=answer.unknown.of(language) if answer.unknown else "",
            evidence=self._evidence(answer, language),
            notes=self._notes(answer, language),
            buttons=tuple(buttons),
            revision=revision_of(topic, answer),
        )

    def more(self, topic: str, language: Language) -> Reply | None:
        """What lies behind "more"; None when nothing does."""
        answer = self._content.answers[topic]
        claims = self._claims(answer, language, more=True)
        if not claims:
            return None
        return Reply(
            text=self._content.topics[topic].title.of(language),
            claims=claims,
            evidence=self._evidence(answer, language),
            notes=self._notes(answer, language),
            buttons=tuple(self._content.button(key, language) for key in answer.next),
            revision=revision_of(topic, answer),
        )

    def sources(self, topic: str, language: Language) -> Reply:
        """Where the answer comes from: each source once, as a claim that cites itself."""
        answer = self._content.answers[topic]
        keys = list(dict.fromkeys(key for claim in answer.claims for key in claim.sources))
        citations = self._content.citations(keys, language)
        return Reply(
            text=self._content.phrases["source_intro"].of(language),
            claims=tuple(Claim(self._where(citation), (citation,)) for citation in citations),
            evidence=self._evidence(answer, language),
            buttons=tuple(self._content.button(key, language) for key in answer.next),
            revision=revision_of(topic, answer),
        )

    def _where(self, citation: Citation) -> str:
        """The kind of a source, where it appeared and when; its title and link stand in the footnote."""
        container = self._content.sources[citation.key].container
        parts = [part for part in (container, str(citation.year or "")) if part]
        return f"{citation.kind}: {', '.join(parts)}" if parts else citation.kind

    def _claims(self, answer: AnswerEntry, language: Language, *, more: bool) -> tuple[Claim, ...]:
        return tuple(self._content.claim(claim, language) for claim in answer.claims if claim.more is more)

    def _evidence(self, answer: AnswerEntry, language: Language) -> str:
        if not answer.effect:
            return ""
        facts = [self._content.facts[key] for claim in answer.claims for key in claim.facts]
        return self._content.phrases[f"evidence_{weakest_evidence(facts)}"].of(language)

    def _notes(self, answer: AnswerEntry, language: Language) -> tuple[str, ...]:
        return () if answer.review.state == "approved" else (self._content.phrases["draft_notice"].of(language),)
