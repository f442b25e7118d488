"""The list of everything that is cited, and what each source can and cannot show."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from bot.answers import CLINIC_SOURCE
from bot.content import CitedWording, Content, SourceEntry
from bot.curation import filled, wordings_of
from bot.messages import Citation, Language


@dataclass(frozen=True)
class SourceNote:
    """One source, as the page of sources shows it.

    Attributes:
        citation: Title, year, kind and address.
        where: Authors and journal, as far as they are known.
        doi: Its DOI, or None.
        shows: What it can and cannot show.
    """

    citation: Citation
    where: str
    doi: str | None
    shows: str


def notes_on_sources(content: Content, language: Language) -> list[SourceNote]:
    """Every cited source, studies in people first, the newest first among its kind."""
    order: tuple[str, ...] = get_args(SourceEntry.model_fields["type"].annotation)
    keys = sorted(cited(content), key=lambda key: _place(order, key, content.sources[key]))
    return [_note(content, key, language) for key in keys]


def cited(content: Content) -> set[str]:
    """The sources that some claim cites, in an answer, in guidance or in the comparison."""
    entries = (*content.answers.values(), *content.safety.topics.values(), content.eligibility)
    found = {key for entry in entries for claim in wordings_of(entry) for key in _sources_of(claim)}
    return found | ({CLINIC_SOURCE} if any(filled(content.clinic.details)) else set())


def _sources_of(wording: object) -> Iterator[str]:
    if isinstance(wording, CitedWording):
        yield from wording.sources


def _place(order: tuple[str, ...], key: str, source: SourceEntry) -> tuple[int, int, str]:
    return order.index(source.type), -(source.year or 0), key


def _note(content: Content, key: str, language: Language) -> SourceNote:
    source = content.sources[key]
    authors = ", ".join(source.authors[:3]) + (" et al" if len(source.authors) > 3 else "")
    where = ". ".join(part.rstrip(".") for part in (authors, source.container) if part)
    shows = source.shows or content.phrases[f"shows_{source.type}"]
    return SourceNote(content.citations([key], language)[0], where, source.doi, shows.of(language))
