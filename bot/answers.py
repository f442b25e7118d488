"""Curated answers: a topic and a language in, a reply with its citations out."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from bot.content import AnswerEntry, Content, Review, Reviewed, Wording, revision_of
from bot.evidence import weakest_evidence
from bot.messages import Citation, Claim, Language, Reply

CLINIC_SOURCE = "clinic-details"  # what a detail that the clinic filled in is cited to


class Answers:
    """The answers of the content folder. A topic without one is not in it: `topic in answers` tells."""

    def __init__(
        self,
        content: Content,
        *,
        show_draft_effects: bool = True,
        grace: timedelta = timedelta(days=90),
        today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
        decided: Callable[[str], Review | None] = lambda _: None,
    ) -> None:
        """The answers of `content`.

        Args:
            content: What the content folder holds.
            show_draft_effects: Whether answers about effect or safety are given before a clinician has approved them.
            grace: How long after its review is due an answer about effect or safety may still be given.
            today: Tells the day.
            decided: Tells what was decided on a wording outside its file, by its revision; None where nothing was.
        """
        self._content = content
        self._show_draft_effects = show_draft_effects
        self._grace = grace
        self.today = today
        self._decided = decided

    def __contains__(self, topic: object) -> bool:
        return topic in self._content.answers

    def main(self, topic: str, language: Language) -> Reply:
        """What a reader sees first: the lead, the claims that are not behind "more", what is not known."""
        answer = self._content.answers[topic]
        if self.is_withheld(topic):
            return self._withheld(answer, topic, language)
        told = self._told(answer)
        lead = answer.told if answer.told and told and told[0] is not None else answer.lead
        buttons = [self._content.button(key, language) for key in answer.next]
        if self._has_more(answer):
            buttons.insert(0, self._content.button("more_detail", language, {"topic": topic}))
        return Reply(
            text=lead.of(language),
            claims=(*self._details(told[:1], language), *self._claims(answer, language, more=False)),
            unknown=answer.unknown.of(language) if answer.unknown else "",
            evidence=self._evidence(answer, language, more=False),
            notes=self.notes(topic, answer, language),
            buttons=tuple(buttons),
            revision=revision_of(topic, answer),
        )

    def more(self, topic: str, language: Language) -> Reply | None:
        """What lies behind "more"; None when nothing does."""
        answer = self._content.answers[topic]
        if not self._has_more(answer):
            return None
        if self.is_withheld(topic):
            return self._withheld(answer, topic, language)
        return Reply(
            text=self._content.topics[topic].title.of(language),
            claims=(
                *self._details(self._told(answer)[1:], language),
                *self._claims(answer, language, more=True),
            ),
            evidence=self._evidence(answer, language, more=True),
            notes=self.notes(topic, answer, language),
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
            buttons=tuple(self._content.button(key, language) for key in answer.next),
            revision=revision_of(topic, answer),
        )

    def review(self, key: str, entry: Reviewed) -> Review:
        """Who stands behind these very words: what was decided last, in their file or outside it."""
        filed, decided = entry.review, self._decided(revision_of(key, entry))
        if decided is None:
            return filed
        # Of two on one day that of the file gives way; so does one of a day that has not come, which must be a slip.
        newer = filed.on and decided.on and decided.on < filed.on <= self.today()
        return filed if newer else decided

    def notes(self, key: str, entry: Reviewed, language: Language) -> tuple[str, ...]:
        """The small print on who has checked a text: that it is a draft, or when it was last checked if that is due."""
        review = self.review(key, entry)
        if review.state == "draft":
            return (self._content.phrases["draft_notice"].of(language),)
        if review.on and review.due and self.today() > review.due:
            return (self._content.phrases["overdue_notice"].of(language).format(date=review.on.isoformat()),)
        return ()

    def is_withheld(self, topic: str) -> bool:
        """Whether nobody stands behind what the answer says of an effect: never approved, or approved too long ago."""
        answer = self._content.answers[topic]
        return answer.effect and self.is_unbacked(topic, answer)

    def is_unbacked(self, key: str, entry: Reviewed) -> bool:
        """Whether nobody stands behind a text, so that it may not be told if it is about effect or safety."""
        review = self.review(key, entry)
        if review.state == "draft":
            return not self._show_draft_effects
        return review.due is not None and self.today() - self._grace > review.due

    def _withheld(self, answer: AnswerEntry, topic: str, language: Language) -> Reply:
        phrase = self._content.phrases["withheld"]
        return Reply(
            text=phrase.of(language),
            notes=self.notes(topic, answer, language),
            buttons=tuple(self._content.button(key, language) for key in phrase.buttons),
            revision=revision_of("withheld", phrase),
        )

    def _where(self, citation: Citation) -> str:
        """The kind of a source, where it appeared and when; its title and link stand in the footnote."""
        container = self._content.sources[citation.key].container
        parts = [part for part in (container, str(citation.year or "")) if part]
        return f"{citation.kind}: {', '.join(parts)}" if parts else citation.kind

    def _told(self, answer: AnswerEntry) -> list[Wording | None]:
        """What the clinic has filled in for the answer's details, None for what it has not."""
        return [self._content.clinic.details.of(name) for name in answer.details]

    def _details(self, told: list[Wording | None], language: Language) -> tuple[Claim, ...]:
        citation = self._content.citations([CLINIC_SOURCE], language)
        return tuple(Claim(detail.of(language), citation) for detail in told if detail is not None)

    def _has_more(self, answer: AnswerEntry) -> bool:
        return any(claim.more for claim in answer.claims) or any(self._told(answer)[1:])

    def _claims(self, answer: AnswerEntry, language: Language, *, more: bool) -> tuple[Claim, ...]:
        return tuple(self._content.claim(claim, language) for claim in answer.claims if claim.more is more)

    def _evidence(self, answer: AnswerEntry, language: Language, *, more: bool) -> str:
        """The label of the weakest evidence among the claims that are shown together."""
        facts = [self._content.facts[key] for claim in answer.claims if claim.more is more for key in claim.facts]
        if not answer.effect or not facts:
            return ""
        return self._content.phrases[f"evidence_{weakest_evidence(facts)}"].of(language)
