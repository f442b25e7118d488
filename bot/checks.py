"""`musebot check`: everything that can be wrong in the files that people edit, found at once."""

from collections.abc import Iterator
from typing import Any

import yaml

from bot.content import read_content
from bot.errors import ContentError, ModelError
from bot.lean import refuse_tensorflow
from bot.nlu.examples import check_examples, read_examples
from bot.settings import Settings


def problems_of(settings: Settings) -> list[str]:
    """Every problem, a sentence each: recipe, content, training data, and whether they name the same topics."""
    return [*_recipe(settings), *_content(settings), *_data(settings)]


def _recipe(settings: Settings) -> Iterator[str]:
    try:
        refuse_tensorflow(settings.config_file)
    except ModelError as error:
        yield str(error)


def _content(settings: Settings) -> Iterator[str]:
    try:
        read_content(settings.content_folder)
    except ContentError as error:
        yield from (f"content: {problem}" for problem in error.problems)


def _data(settings: Settings) -> Iterator[str]:
    try:
        topics = yaml.safe_load((settings.content_folder / "topics.yml").read_text(encoding="utf-8")) or {}
        intents: list[str] = yaml.safe_load(settings.domain_file.read_text(encoding="utf-8"))["intents"]
        rules = yaml.safe_load((settings.nlu_folder / "rules.yml").read_text(encoding="utf-8"))["rules"]
        unruled = sorted(set(intents) - _ruled(rules))
        examples = read_examples(settings.nlu_folder)
    except ContentError as error:
        yield from error.problems
        return
    except (OSError, UnicodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        yield f"domain or rules cannot be read: {type(error).__name__}: {' '.join(str(error).split())}"
        return
    yield from check_examples(examples, topics, intents)
    yield from (f"nlu_data/rules.yml: {topic}: no rule says what follows" for topic in unruled)


def _ruled(rules: list[dict[str, list[dict[str, Any]]]]) -> set[str]:
    """The topics that some rule begins with."""
    steps = (step for rule in rules for step in rule["steps"])
    options = (option for step in steps for option in step.get("or", [step]))
    return {str(option["intent"]) for option in options if "intent" in option}
