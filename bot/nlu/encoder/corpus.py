"""What the encoder learns from: our own pairs of sentences, and the training messages with their topics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ContentError
from bot.nlu.examples import Example, fold_of

PAIRS = Path(__file__).parent / "pairs"

Pair = tuple[str, str]  # Spanish, English


def read_pairs(folder: Path = PAIRS) -> list[Pair]:
    """The pairs of every `.tsv` file in `folder`: Spanish, tab, English.

    Raises:
        ContentError: A line is no pair; the sentence names it.
    """
    found: list[Pair] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.tsv")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            problems.append(f"{file.name}: cannot be read: {error}")
            continue
        for number, line in enumerate(lines, 1):
            sides = [side.strip() for side in line.split("\t")]
            if len(sides) == 2 and all(sides):
                found.append((sides[0], sides[1]))
            else:
                problems.append(f"{file.name}: line {number}: must be Spanish, a tab, English")
    if problems:
        raise ContentError(problems)
    return found


@dataclass(frozen=True)
class Corpus:
    """All that is learnt from: pairs, more English, and messages, each with its English and its topic."""

    pairs: list[Pair]
    english: list[str]
    messages: list[tuple[str, str, str]]


def build_corpus(examples: list[Example], pairs: list[Pair], leave_out: int | None = None) -> Corpus:
    """The pairs of the folder and those of the training messages, without repeats.

    The topics of one fifth of the messages may be left out, so that those can be asked about afterwards.
    """
    ours = [(each.text, each.translation) for each in examples if each.translation]
    return Corpus(
        list(dict.fromkeys(pairs + ours)),
        [each.text for each in examples if each.language == "en"],
        [
            (each.text, each.translation or each.text, each.topic)
            for each in examples
            if leave_out is None or fold_of(each.text) != leave_out
        ],
    )


def english_of(pairs: Sequence[Pair], more: Iterable[str]) -> list[str]:
    """Every English text once: those of the pairs, and more."""
    return list(dict.fromkeys([*(english for _, english in pairs), *more]))
