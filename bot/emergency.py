"""What someone in danger is told, and what comes after: the right number, one question back, nothing else."""

import re
from collections.abc import Iterator

from bot.content import Content, GuidanceEntry, revision_of
from bot.messages import LANGUAGES, Button, Language, Reply
from bot.patterns import STRICT, Patterns, sentences

ELSEWHERE = "elsewhere"  # a country whose numbers we have not verified
SAFE, NOT_SAFE = '/affirm{"safe": "yes"}', '/deny{"safe": "no"}'


class Emergency:
    """The guidance of the content folder, with the emergency numbers of where the person is."""

    def __init__(self, content: Content, home: str) -> None:
        """Prepares the guidance. `home` is the key of the country that most people write from."""
        self._content = content
        self._safety = content.safety
        self._home = home
        named = {
            **{key: each.named for key, each in self._safety.countries.items()},
            ELSEWHERE: self._safety.elsewhere.named,
        }
        self._named = Patterns(
            (
                (pattern, key)
                for key, signs in named.items()
                for language in LANGUAGES
                for pattern in signs.of(language)
            ),
            STRICT,
        )
        both = [pattern for language in LANGUAGES for pattern in self._safety.passed.of(language)]
        not_both = [pattern for language in LANGUAGES for pattern in self._safety.not_passed.of(language)]
        self._passed = Patterns(((pattern, None) for pattern in both), STRICT)
        self._not_passed = Patterns(((pattern, None) for pattern in not_both), STRICT)

    def country_in(self, text: str) -> str | None:
        """The country that `text` names, by name, city or telephone prefix; None where it names none or several.

        Home does not count beside another: people elsewhere ask about travelling to it.
        """
        found = {key for sentence in sentences(text) for key, _, _ in self._named.found(sentence)} | set(
            self._by_prefix(text)
        )
        if len(found) > 1:
            found.discard(self._home)
        return found.pop() if len(found) == 1 else None

    def has_passed(self, text: str) -> bool | None:
        """Whether `text` says that the danger is over, or that help is there; None where it says neither."""
        told = sentences(text)
        if any(self._not_passed.places(sentence) for sentence in told):
            return False
        return True if any(self._passed.places(sentence) for sentence in told) else None

    def guidance(self, topic: str, language: Language, country: str | None) -> tuple[Reply, ...]:
        """What to do now, the first thing first, with the calls as buttons; then the question whether it has passed."""
        entry = self._safety.topics[topic]
        numbers = self._numbers(country, language)
        told = Reply(
            text=entry.first.of(language).format(**numbers),
            claims=tuple(self._content.claim(step, language) for step in entry.steps),
            buttons=tuple(self._content.button(key, language) for key in self._calls(topic, entry, country)),
            urgent=True,
            revision=revision_of(topic, entry),
        )
        return (told, self.question(topic, language))

    def in_case(self, language: Language, country: str | None) -> Reply:
        """Whom to call, before an answer to somebody who is hardly in danger."""
        phrase = self._content.phrases["in_case"]
        known = self._safety.countries.get(country or "") or self._safety.countries[self._home]
        return Reply(
            phrase.of(language).format(**self._numbers(country, language)),
            buttons=(self._content.button(known.emergency_link, language),),
            revision=revision_of("in_case", phrase),
        )

    def question(self, topic: str, language: Language) -> Reply:
        """Whether it has passed, with both answers: "yes" first."""
        check = self._safety.topics[topic].check
        safe, danger = Button(check.safe.of(language), SAFE), Button(check.danger.of(language), NOT_SAFE)
        return Reply(check.question.of(language), buttons=(safe, danger) if check.yes == "safe" else (danger, safe))

    def is_safe(self, topic: str, *, yes: bool) -> bool:
        """What a bare "yes" or "no" to the question means."""
        return yes == (self._safety.topics[topic].check.yes == "safe")

    def afterwards(self, topic: str, language: Language, country: str | None) -> Reply:
        """What is said once it has passed: nothing about the therapy."""
        entry = self._safety.topics[topic]
        return Reply(
            text=entry.after.of(language).format(**self._numbers(country, language)),
            buttons=(self._content.button("human", language),),
            revision=revision_of(topic, entry),
        )

    def _numbers(self, country: str | None, language: Language) -> dict[str, str]:
        elsewhere, known = self._safety.elsewhere, self._safety.countries.get(country or "")
        if known:
            return {"emergency": known.emergency, "crisis": known.crisis or known.emergency}
        if country == ELSEWHERE:
            return {"emergency": elsewhere.emergency.of(language), "crisis": elsewhere.crisis.of(language)}
        home = self._safety.countries[self._home]
        name = home.name.of(language)
        return {
            "emergency": elsewhere.unknown_emergency.of(language).format(number=home.emergency, country=name),
            "crisis": elsewhere.unknown_crisis.of(language).format(number=home.crisis or home.emergency, country=name),
        }

    def _calls(self, topic: str, entry: GuidanceEntry, country: str | None) -> Iterator[str]:
        """The telephone buttons: those of the person's country, else those of the topic, of which the first is home."""
        known = self._safety.countries.get(country or "")
        if not known:
            yield from entry.buttons
            return
        if entry.crisis and known.crisis_link:
            yield known.crisis_link
        yield known.emergency_link

    def _by_prefix(self, text: str) -> Iterator[str]:
        """Countries of the telephone numbers that are written with their prefix."""
        for digits in re.findall(r"\+ ?(\d[\d \-()]{7,})", text):
            number = re.sub(r"\D", "", digits)
            yield from (key for key, each in self._safety.countries.items() if number.startswith(each.prefix))
