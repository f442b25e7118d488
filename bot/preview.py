"""`musebot show`: what patients read on a topic, without the model."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from bot.answers import Answers
from bot.channels.plain import lines_of
from bot.content import COMPARISON, Content, Review, revision_of
from bot.content_reader import read_content
from bot.eligibility import TOPIC, Eligibility
from bot.emergency import Emergency
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
    for reply in _replies(content, topic, language, settings.home_country):
        yield from lines_of([reply], content, language)
        yield ""
    yield from _review(content, topic)


def _replies(content: Content, topic: str, language: Language, home: str) -> Iterator[Reply]:
    answers, phrases, emergency = Answers(content), Phrases(content), Emergency(content, home)
    if topic in answers:
        yield answers.main(topic, language)
        more = answers.more(topic, language)
        if more:
            yield more
        if topic == TOPIC:
            yield from Eligibility(content, answers.notes, answers.is_unbacked).whole(language)
    elif topic in content.safety.topics:
        yield from emergency.guidance(topic, language, None)
        yield emergency.afterwards(topic, language, None)
    elif topic in phrases:
        yield phrases.reply(topic, language)


def _review(content: Content, topic: str) -> Iterator[str]:
    # As the files say: what clinicians decide on the staff's pages is in the database, which is not asked here.
    if topic in content.answers:
        answer = content.answers[topic]
        yield from _approval(content.files[topic], answer.review, revision_of(topic, answer))
    if topic == TOPIC:
        yield from _approval(
            "eligibility.yml", content.eligibility.review, revision_of(COMPARISON, content.eligibility)
        )


def _approval(file: str, review: Review, revision: str) -> Iterator[str]:
    yield f"{file}: {review.state}, revision {revision}"
    if review.state == "draft":
        today = datetime.now(UTC).date()
        due = today + timedelta(days=365)
        yield (
            "A clinician who has read both languages approves it with: "
            f"review: {{state: approved, by: NAME, on: {today}, due: {due}, revision: {revision}}}"
        )
