"""`musebot show`: what patients read on a topic, without the model."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from bot.answers import Answers
from bot.channels.plain import lines_of
from bot.content import Content, revision_of
from bot.content_reader import read_content
from bot.errors import ContentError
from bot.messages import Language, Reply
from bot.phrases import Phrases
from bot.settings import Settings


def preview(settings: Settings, topic: str, language: Language) -> Iterator[str]:
    """The wording of `topic`, line by line: what is seen first, what lies behind "more", and how to approve it.

    Raises:
        ContentError: The content cannot be used, or there is no such topic.
    """
    content = read_content(settings.content_folder)
    if topic not in content.topics:
        near = get_close_matches(topic, content.topics, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see topics.yml for all of them"
        raise ContentError([f"topics.yml: there is no topic '{topic}': {hint}"])
    for reply in _replies(content, topic, language):
        yield from lines_of([reply], content, language)
        yield ""
    yield from _review(content, topic)


def _replies(content: Content, topic: str, language: Language) -> Iterator[Reply]:
    answers, phrases = Answers(content), Phrases(content)
    if topic in answers:
        yield answers.main(topic, language)
        more = answers.more(topic, language)
        if more:
            yield more
    elif phrases.is_guidance(topic):
        yield phrases.guidance(topic, language)
    elif topic in phrases:
        yield phrases.reply(topic, language)


def _review(content: Content, topic: str) -> Iterator[str]:
    if topic not in content.answers:
        return
    answer = content.answers[topic]
    revision = revision_of(topic, answer)
    yield f"{content.files[topic]}: {answer.review.state}, revision {revision}"
    if answer.review.state == "draft":
        today = datetime.now(UTC).date()
        due = today + timedelta(days=365)
        yield (
            "A clinician who has read both languages approves it with: "
            f"review: {{state: approved, by: NAME, on: {today}, due: {due}, revision: {revision}}}"
        )
