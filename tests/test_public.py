"""The reader of the public data sets, on made-up data in their formats: the real ones stay outside the project."""

import csv
import json
from pathlib import Path

import pytest

from bot.errors import SettingsError
from evaluation.public import PUBLISHED, measure

SAID = {"cost": "how much is the {}", "place": "where can I find the {}"}
THINGS = ("ticket", "room", "meal", "bus", "book", "lamp", "chair", "table", "door", "glass")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    pairs = [(said.format(thing), label) for label, said in SAID.items() for thing in THINGS]
    strange = [("purple elephants dance", "NO_NODES_DETECTED"), ("zzz", "NO_NODES_DETECTED")]
    for bot in ("sofmattress", "curekart", "powerplay11"):
        table(tmp_path / f"hint3/v1/train/{bot}_train.csv", ["sentence", "label"], pairs)
        table(tmp_path / f"hint3/v1/test/{bot}_test.csv", ["sentence", "label"], [*pairs, *strange])
    oos = [["purple elephants dance", "oos"], ["green ideas sleep", "oos"]]
    parts = {"train": pairs, "val": pairs, "test": pairs, "oos_train": oos, "oos_val": oos, "oos_test": oos}
    write(tmp_path / "clinc150/data_full.json", json.dumps(parts))
    for part in ("train", "test"):
        write(
            tmp_path / f"hwu64/small/hwu_small_{part}.csv",
            "".join(f"{a},exampleSentence,{t}, please\n" for t, a in pairs),
        )
    sentences = [{"text": t, "intent": a, "training": training} for t, a in pairs for training in (True, False)]
    for corpus in ("Chatbot", "AskUbuntu", "WebApplications"):
        write(tmp_path / f"braun2017/{corpus}Corpus.json", json.dumps({"sentences": sentences}))
    for language in ("en", "es"):
        rows = [(language, "file", str(number % 10), label, text) for number, (text, label) in enumerate(pairs)]
        table(tmp_path / f"ha_intents/{language}.csv", ["language", "source_file", "block", "intent", "sentence"], rows)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def table(file: Path, headings: list[str], rows: list[tuple[str, ...]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([headings, *rows])


def test_every_published_row_is_measured_and_easy_data_are_easy(data: Path) -> None:
    rows = {(row.data, row.measure): row for row in measure(data)}
    assert set(PUBLISHED) <= set(rows)
    for (_, measured), row in rows.items():
        if measured in ("in scope", "accuracy"):
            assert row.ours == 100.0, row
    assert rows["HINT3 curekart", "AUROC"].ours == 1.0
    assert rows["CLINC150 full", "in scope"].rasa == 91.5


def test_a_folder_without_the_data_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hellohaptik/HINT3"):
        list(measure(tmp_path))
