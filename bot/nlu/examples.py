"""The training messages as plain values, and what may be wrong with them."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import ContentError
from bot.messages import LANGUAGES, Language
from bot.text import bare, gist_of

QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C is seven times as quick
COMMON = 5  # messages that use a word, before it counts as spelt well
FEWEST = 35  # examples a topic must have in each language


@dataclass(frozen=True)
class Example:
    """One training message. `translation` is the English of a Spanish one, else None."""

    topic: str
    language: Language
    text: str
    translation: str | None
    file: str


def read_examples(folder: Path) -> list[Example]:
    """Every training message below `folder`, in the order of the files.

    Raises:
        ContentError: A file cannot be read, or holds something else; the sentence names it.
    """
    found: list[Example] = []
    problems: list[str] = []
    for path in sorted(folder.rglob("*.yml")):
        name = path.relative_to(folder).as_posix()
        try:
            parsed = yaml.load(path.read_text(encoding="utf-8"), QUICK) or {}  # noqa: S506 - a safe loader
            for block in parsed.get("nlu") or ():
                if "intent" in block:
                    found += _of_block(block, name)
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            problems.append(f"nlu_data/{name}: cannot be read: {' '.join(str(error).split())}")
        except (AttributeError, KeyError, TypeError):
            problems.append(f"nlu_data/{name}: must hold topics with a list of examples, each with its text")
    if not found and not problems:
        problems.append(f"nlu_data: no training message in {folder}")
    if problems:
        raise ContentError(problems)
    return found


def _of_block(block: dict[str, Any], file: str) -> list[Example]:
    language: Language = (block.get("metadata") or {}).get("language", "none")
    return [
        Example(
            block["intent"],
            language,
            re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", each["text"]),  # without Rasa's entity marks
            (each.get("metadata") or {}).get("en"),
            file,
        )
        for each in block["examples"]
    ]


def language_pairs(examples: list[Example]) -> Iterator[tuple[str, Language]]:
    """What tells English from Spanish: messages, and the English translations of the Spanish ones.

    One of three is enough, and spares a third of the memory that a start takes.
    """
    for example in examples[::3]:
        yield example.text, example.language
        if example.translation:
            yield example.translation, "en"


FOLDS = 5


def fold_of(text: str) -> int:
    """Which fifth a message belongs to, for cross-validation: the same one whatever else is learnt from."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % FOLDS


def texts_of(examples: list[Example]) -> Iterator[tuple[str, str]]:
    """Every message and translation that is learnt from, behind the place where it stands."""
    for example in examples:
        yield from (
            (f"nlu_data/{example.file}: {example.topic}", text) for text in (example.text, example.translation) if text
        )


def leaked(learnt: Iterable[tuple[str, str]], unseen: Collection[str]) -> Iterator[str]:
    """What of the learnt, (place, text) each, says what one of the `unseen` evaluation messages says."""
    gists = {gist_of(text): text for text in unseen}
    for place, text in learnt:
        found = gists.get(gist_of(text))
        if found and gist_of(text):
            yield f"{place}: “{text}” is in the evaluation too, as “{found}”"


def check_examples(examples: list[Example], topics: Collection[str], intents: Collection[str]) -> Iterator[str]:
    """What is wrong, a sentence each. `topics`: the catalogue; `intents`: what `domain.yml` lists."""
    counts: Counter[tuple[str, Language]] = Counter((e.topic, e.language) for e in examples)
    named = {example.topic for example in examples}
    yield from (f"nlu_data: {topic}: no such topic in content/topics.yml" for topic in sorted(named - set(topics)))
    yield from (f"domain.yml: {topic}: is not listed among the intents" for topic in sorted(set(topics) - set(intents)))
    yield from (
        f"domain.yml: {topic}: no such topic in content/topics.yml" for topic in sorted(set(intents) - set(topics))
    )
    for topic in sorted(named):
        for language in LANGUAGES:
            if counts[topic, language] < FEWEST:
                yield f"nlu_data/{language}: {topic}: {counts[topic, language]} examples, at least {FEWEST}"
    gists: dict[tuple[Language, str], set[str]] = defaultdict(set)
    for example in examples:
        gists[example.language, gist_of(example.text)].add(example.topic)
    for (_, gist), where in sorted(gists.items()):
        if gist and len(where) > 1:
            topics_of_it = ", ".join(sorted(where))
            yield f"nlu_data: “{gist}” stands under several topics, give or take small words: {topics_of_it}"
    for example in examples:
        if example.language not in LANGUAGES:
            yield f"nlu_data/{example.file}: {example.topic}: metadata must say {{language: en}} or {{language: es}}"
        if example.language == "es" and not example.translation:
            yield f"nlu_data/{example.file}: {example.topic}: no English beside “{example.text}”"


def common_words(examples: Iterable[Example]) -> set[str]:
    """The words, as `bare` writes them, that several messages use: they are spelt as they are meant."""
    often = Counter(word for each in examples for word in set(re.findall("[a-z0-9]+", bare(each.text))))
    return {word for word, messages in often.items() if messages >= COMMON}
