"""Reads the content folder. What is wrong with it is found all at once, before anybody is answered."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bot.content import (
    AnswerEntry,
    BookingFile,
    ClinicFile,
    Content,
    EligibilityFile,
    FactEntry,
    PhraseEntry,
    SafetyFile,
    SignsFile,
    SourceEntry,
    StyleFile,
    TelegramFile,
    TopicEntry,
    WidgetFile,
)
from bot.curation import contradictions
from bot.errors import ContentError
from bot.messages import LANGUAGES

T = TypeVar("T", bound=BaseModel)


def read_content(folder: Path) -> Content:
    """The content in `folder`.

    Raises:
        ContentError: Anything is missing, uncited or in one language only; `.problems` names every case.
    """
    content, problems = _read(folder)
    if content is not None:
        problems = list(contradictions(content))
    if problems or content is None:
        raise ContentError(problems)
    return content


def _read(folder: Path) -> tuple[Content | None, list[str]]:
    problems: list[str] = []

    def read(name: str, of: type[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for key, entry in _mapping(folder, name, problems).items():
            parsed = _parse(name, str(key), entry, of, problems)
            if parsed is not None:
                found[str(key)] = parsed
        return found

    def read_whole(name: str, of: type[T]) -> T | None:
        entry = _mapping(folder, name, problems)
        return _parse(name, "", entry, of, problems) if entry else None

    answers: dict[str, AnswerEntry] = {}
    files: dict[str, str] = {}
    for path in sorted((folder / "answers").glob("*.yml")):
        name = f"answers/{path.name}"
        for key, answer in read(name, AnswerEntry).items():
            if key in answers:
                problems.append(f"{name}: {key}: this topic is answered in {files[key]} too")
            answers[key], files[key] = answer, name
    topics = read("topics.yml", TopicEntry)
    facts, sources = read("facts.yml", FactEntry), read("sources.yml", SourceEntry)
    phrases = read("phrases.yml", PhraseEntry)
    safety, clinic = read_whole("safety.yml", SafetyFile), read_whole("clinic.yml", ClinicFile)
    signs = {
        path.stem: read_whole(f"signs/{path.name}", SignsFile) for path in sorted((folder / "signs").glob("*.yml"))
    }
    eligibility, style = read_whole("eligibility.yml", EligibilityFile), read_whole("style.yml", StyleFile)
    booking = read_whole("booking.yml", BookingFile)
    telegram, widget = read_whole("telegram.yml", TelegramFile), read_whole("widget.yml", WidgetFile)
    if problems or not (safety and clinic and eligibility and style and booking and telegram and widget):
        return None, problems
    read_signs = {key: entry for key, entry in signs.items() if entry is not None}
    return (
        Content(
            topics,
            answers,
            facts,
            sources,
            phrases,
            safety,
            read_signs,
            clinic,
            eligibility,
            booking,
            telegram,
            widget,
            style,
            files,
        ),
        problems,
    )


class _Loader(yaml.SafeLoader):
    """YAML as people write it.

    The last of two equal keys is kept without a word; an editor would lose an answer that way, so it is an error here.
    And `on`, `no` and `yes` are the words themselves, as in YAML's newer version: `on` is when a text was reviewed.
    """

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if first in "tTfF" or tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _mapping(folder: Path, name: str, problems: list[str]) -> dict[Any, Any]:
    try:
        parsed = yaml.load((folder / name).read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        problems.append(f"{name}: the file is missing")
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{name}: cannot be read: {' '.join(str(error).split())}")
        return {}
    if not isinstance(parsed, dict):
        problems.append(f"{name}: must hold entries of the form 'name: ...'")
        return {}
    return parsed


def _parse(name: str, key: str, entry: Any, of: type[T], problems: list[str]) -> T | None:
    try:
        return of.model_validate(entry)
    except ValidationError as error:
        for found in error.errors():
            place = ".".join(str(part) for part in (key, *found["loc"]) if part != "")
            problems.append(f"{name}: {place}: {_reason(str(found['loc'][-1]) if found['loc'] else '', found)}")
        return None


def _reason(field: str, found: Any) -> str:
    if found["type"] in ("missing", "string_too_short") and field in LANGUAGES:
        return f"no text in '{field}'"
    if found["type"] in ("missing", "too_short") and field in ("sources", "facts"):
        return "the claim names no source" if field == "sources" else "the claim names no fact that it rests on"
    if found["type"] == "string_pattern_mismatch":
        return {"doi": "must be a DOI, such as 10.1186/s13287-024-03842-w", "url": "must begin with https://"}[field]
    return str(found["msg"]).lower()
