"""Teaching: training messages, one or several, put where they belong in the files that people read."""

import json
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bot.errors import ContentError
from bot.messages import Language
from bot.nlu.encoder.corpus import read_pairs
from bot.nlu.examples import Example, check_examples, leaked, read_examples, texts_of
from bot.settings import ROOT
from bot.text import gist_of

EVALUATION = ROOT / "evaluation"

# Why a message is not to be learnt from: it is already; or the evaluation asks it, and would measure nothing any more.
Objection = Literal["there", "held_out"]


@dataclass(frozen=True)
class Lesson:
    """A message to learn from. `english` is its translation, which every Spanish one carries."""

    topic: str
    language: Language
    text: str
    english: str | None = None


@dataclass(frozen=True)
class Change:
    """A file of `nlu_data`, by its name there, before and after."""

    name: str
    before: str
    after: str


class Teaching:
    """What may be added to the training messages of a folder, and adding it. Its verbs may wait for files."""

    def __init__(self, folder: Path, topics: Collection[str]) -> None:
        """Nothing is read yet. `topics`: the catalogue."""
        self._folder = folder
        self._topics = topics
        self._read: tuple[list[tuple[Path, int]], frozenset[str], frozenset[str]] = ([], frozenset(), frozenset())

    def objection(self, text: str, english: str | None = None) -> Objection | None:
        """Why `text` is not to be learnt from, give or take order, accents and small words; None where it may be.

        Raises:
            ContentError: The training messages cannot be read.
        """
        learnt, unseen = self._gists()
        said, meant = gist_of(text), gist_of(english or "")
        if (said or meant) and not unseen.isdisjoint({said, meant} - {""}):
            return "held_out"
        return "there" if said and said in learnt else None

    def changes(self, lessons: Sequence[Lesson]) -> list[Change]:
        """What adding the lessons makes of the files. It is tried on a copy; nothing is written.

        Raises:
            ContentError: A lesson cannot be added, or `musebot check` would find something wrong afterwards.
        """
        with TemporaryDirectory() as place:
            copy = Path(shutil.copytree(self._folder, Path(place) / "nlu_data"))
            files = {add_example(copy, each.topic, each.language, each.text, each.english) for each in lessons}
            examples = read_examples(copy)
            problems = [*check_examples(examples, self._topics, self._topics), *leaks(examples)]
            if problems:
                raise ContentError(problems)
            return [self._change(copy, file) for file in sorted(files)]

    def write(self, changes: Sequence[Change]) -> None:
        """Makes the changes, all of them or none.

        Raises:
            ContentError: A file was changed meanwhile, or cannot be written.
        """
        files = [self._folder / change.name for change in changes]
        fresh = [file.with_suffix(".new") for file in files]
        done: list[tuple[Path, str]] = []
        try:
            for change, file, new in zip(changes, files, fresh, strict=True):
                if file.read_text(encoding="utf-8") != change.before:
                    raise ContentError([f"nlu_data/{change.name}: was changed meanwhile; try again"])
                new.write_text(change.after, encoding="utf-8")
                shutil.copymode(file, new)
            for change, file, new in zip(changes, files, fresh, strict=True):
                new.replace(file)
                done.append((file, change.before))
        except OSError as error:
            for file, before in done:
                file.write_text(before, encoding="utf-8")
            raise ContentError([f"nlu_data cannot be written: {error.strerror}"]) from error
        finally:
            for new in fresh:
                new.unlink(missing_ok=True)

    def _change(self, copy: Path, file: Path) -> Change:
        name = file.relative_to(copy)
        before = (self._folder / name).read_text(encoding="utf-8")
        return Change(name.as_posix(), before, file.read_text(encoding="utf-8"))

    def _gists(self) -> tuple[frozenset[str], frozenset[str]]:
        """The gists of what is learnt from, and of what the evaluation asks; read anew when a file has changed."""
        files = sorted([*self._folder.rglob("*.yml"), *EVALUATION.rglob("*.jsonl")])
        stamp = [(file, file.stat().st_mtime_ns) for file in files]
        if stamp != self._read[0]:
            learnt = frozenset(gist_of(example.text) for example in read_examples(self._folder))
            self._read = (stamp, learnt, frozenset(gist_of(text) for text in unseen()[0]))
        return self._read[1:]


def patch_of(changes: Sequence[Change]) -> str:
    """The changes as `git apply` takes them."""
    lines = (
        line
        for change in changes
        for line in unified_diff(
            StringIO(change.before).readlines(),
            StringIO(change.after).readlines(),
            f"a/nlu_data/{change.name}",
            f"b/nlu_data/{change.name}",
        )
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def add_example(folder: Path, topic: str, language: Language, text: str, english: str | None) -> Path:
    """Puts `text` behind the other messages of `topic`, in `folder`/en or es; the file that now holds it.

    Args:
        folder: `nlu_data`.
        topic: What the message is about.
        language: Of the message.
        text: As a person typed it.
        english: Its English translation, which every Spanish one carries.

    Raises:
        ContentError: There is no such topic in that language, or a Spanish message comes without its English.
    """
    if language == "es" and not english:
        raise ContentError(['a Spanish message needs its English beside it: --english "..."'])
    for file in sorted((folder / language).glob("*.yml")):
        before = file.read_text(encoding="utf-8")
        block = re.search(rf"(?ms)^- intent: {re.escape(topic)}\n.*?(?=^- intent: |\Z)", before)
        if block:
            file.write_text(
                before[: block.start()] + block[0].rstrip("\n") + "\n" + _lines(text, english) + before[block.end() :],
                encoding="utf-8",
            )
            return file
    raise ContentError([f"nlu_data/{language}: no file holds messages about '{topic}'"])


def _lines(text: str, english: str | None) -> str:
    """The message as the files write it: JSON's quotes are YAML's, too."""
    line = f"  - text: {json.dumps(text, ensure_ascii=False)}\n"
    return line + (f"    metadata: {{en: {json.dumps(english, ensure_ascii=False)}}}\n" if english else "")


def leaks(examples: list[Example]) -> Iterator[str]:
    """What must not have been learnt from, since it is measured on: a sentence each.

    Raises:
        ContentError: The encoder's own sentences cannot be read.
    """
    texts, problems = unseen()
    yield from problems
    pairs = (("bot/nlu/encoder/pairs", side) for pair in read_pairs() for side in pair)
    yield from leaked([*texts_of(examples), *pairs], texts)


def unseen() -> tuple[list[str], list[str]]:
    """The messages that the evaluation asks; and a sentence for each line of its files that holds none."""
    texts: list[str] = []
    problems: list[str] = []
    for file in sorted(EVALUATION.rglob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                texts.append(json.loads(line)["text"])
            except (ValueError, KeyError, TypeError):
                problems.append(f"{file.relative_to(ROOT)}: line {number}: is no object with a text")
    return texts, problems
