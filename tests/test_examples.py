"""Training messages: read as they stand, and their defects found."""

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.nlu.examples import FEWEST, check_examples, leaked, read_examples, texts_of
from bot.settings import Settings


def write(folder: Path, name: str, topic: str, language: str, texts: list[str], *, translated: bool = True) -> None:
    lines = ['version: "3.1"', "nlu:", f"- intent: {topic}", f"  metadata: {{language: {language}}}", "  examples:"]
    for text in texts:
        lines.append(f'  - text: "{text}"')
        if language == "es" and translated:
            lines.append(f'    metadata: {{en: "{text} in English"}}')
    path = folder / language / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two topics, both languages, nothing wrong."""
    for topic in ("cost", "contact"):
        for language in ("en", "es"):
            write(tmp_path, f"{topic}.yml", topic, language, [f"{topic} {language} {n}" for n in range(FEWEST)])
    return tmp_path


def problems(folder: Path, topics: set[str] | None = None, intents: list[str] | None = None) -> list[str]:
    known = {"cost", "contact"}
    return list(check_examples(read_examples(folder), topics or known, intents or sorted(topics or known)))


def test_good_examples_have_no_problem(folder: Path) -> None:
    assert problems(folder) == []


def test_a_topic_thin_in_one_language(folder: Path) -> None:
    write(folder, "cost.yml", "cost", "es", ["uno", "dos"])
    assert problems(folder) == [f"nlu_data/es: cost: 2 examples, at least {FEWEST}"]


def test_a_spanish_example_without_its_english(folder: Path) -> None:
    write(folder, "cost.yml", "cost", "es", [f"cosa {n}" for n in range(FEWEST)], translated=False)
    assert len(problems(folder)) == FEWEST
    assert "no English beside “cosa 0”" in problems(folder)[0]


def test_one_sentence_under_two_topics_whatever_its_accents(folder: Path) -> None:
    write(folder, "more.yml", "contact", "es", ["¿Cuánto vale la cita?"])
    write(folder, "other.yml", "cost", "es", ["la cita cuanto vale por favor"])
    told = ["nlu_data: “cita cuanto vale” stands under several topics, give or take small words: contact, cost"]
    assert problems(folder) == told


def test_what_is_measured_on_may_not_be_learnt_from(folder: Path) -> None:
    examples = read_examples(folder)
    learnt = examples[0].text
    assert list(leaked(texts_of(examples), [f"{learnt.upper()} please!", "nothing like it"]))
    assert not list(leaked(texts_of(examples), ["nothing like it", "?!"]))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nlu: [", "nlu_data/en/broken.yml: cannot be read"),
        ("nlu:\n- intent: cost\n  examples: text\n", "nlu_data/en/broken.yml: must hold topics"),
        ("- one\n- two\n", "nlu_data/en/broken.yml: must hold topics"),
    ],
)
def test_a_broken_file_is_named(folder: Path, text: str, problem: str) -> None:
    (folder / "en" / "broken.yml").write_text(text)
    with pytest.raises(ContentError, match=problem):
        read_examples(folder)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no training message"):
        read_examples(tmp_path / "nowhere")


def test_topics_and_intents_must_agree(folder: Path) -> None:
    assert "nlu_data: contact: no such topic in content/topics.yml" in problems(folder, {"cost"})
    assert "domain.yml: cost: is not listed among the intents" in problems(folder, intents=["contact"])
    assert "domain.yml: price: no such topic in content/topics.yml" in problems(folder, intents=["cost", "price"])


def test_the_project_own_examples() -> None:
    examples = read_examples(Settings().nlu_folder)
    assert {example.language for example in examples} == {"en", "es"}
    assert all("](" not in example.text for example in examples), "entity marks are taken out"
