"""The same classifier, unchanged, on public data sets, beside what others have published.

The data stay outside the project: `musebot evaluate public --data DIR` reads them. What DIR holds, and where each
figure of `PUBLISHED` was read, stands in its own README files and PUBLISHED.md.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from sklearn.metrics import matthews_corrcoef, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from bot.errors import SettingsError
from bot.messages import Language
from bot.nlu.encoder.sentences import read_encoder
from bot.nlu.featurizer import SentenceFeaturizer
from bot.nlu.tokenizer import BilingualTokenizer
from bot.nlu.topics import TopicClassifier
from bot.settings import read_settings

STRANGE = "NO_NODES_DETECTED"
CLINC_STRANGERS = 100 / 3000  # the share of the validation part that is out of scope, as its authors count it
REFUSED_IN_TRAINING = 0.1  # the threshold refuses this share of what cross-validation on the training data gets right
WHERE = (
    "The data sets are not part of the project: HINT3 (hellohaptik/HINT3), CLINC150 (clinc/oos-eval), HWU64 small "
    "(AutoFAQ/NLU-Evaluation-Scripts), Braun 2017 (sebischair/NLU-Evaluation-Corpora) and Home Assistant "
    "(home-assistant/intents) are public repositories. Give the folder that holds them: --data DIR"
)

Pairs = list[tuple[str, str]]  # sentence, label


@dataclass(frozen=True)
class Row:
    """One figure: ours, the best published one, and Rasa's; shares in percent, MCC and AUROC between -1 and 1."""

    data: str
    measure: str
    ours: float
    plain: float | None  # TF-IDF and LinearSVC without more
    best: tuple[float, str] | None
    rasa: float | None


# Best published figure with its system, and Rasa's, each from PUBLISHED.md of the data folder.
PUBLISHED: dict[tuple[str, str], tuple[tuple[float, str] | None, float | None, float | None]] = {
    ("HINT3 sofmattress", "in scope"): ((73.6, "BERT"), 69.3, 74.9),
    ("HINT3 curekart", "in scope"): ((84.1, "Rasa"), 84.1, 83.4),
    ("HINT3 powerplay11", "in scope"): ((66.5, "Haptik"), 49.1, 61.5),
    ("HINT3 sofmattress", "MCC"): ((0.638, "Dialogflow, best threshold on test"), 0.526, None),
    ("HINT3 curekart", "MCC"): ((0.603, "Haptik, best threshold on test"), 0.511, None),
    ("HINT3 powerplay11", "MCC"): ((0.425, "Haptik, best threshold on test"), 0.340, None),
    ("HINT3 sofmattress", "AUROC"): ((0.869, "Dialogflow"), 0.792, None),
    ("HINT3 curekart", "AUROC"): ((0.856, "Dialogflow"), 0.801, None),
    ("HINT3 powerplay11", "AUROC"): ((0.766, "Haptik"), 0.709, None),
    ("CLINC150 full", "in scope"): ((96.9, "BERT"), 91.5, 92.7),
    ("CLINC150 full", "out-of-scope recall"): ((52.3, "BERT, threshold"), 45.3, 36.3),
    ("HWU64 small", "accuracy"): ((87.1, "Sprinklr"), None, 70.5),
    ("Braun Chatbot", "accuracy"): ((99.0, "NLP.js, Recast"), 98.0, None),
    ("Braun AskUbuntu", "accuracy"): ((93.0, "NLP.js"), 86.0, None),
    ("Braun WebApplications", "accuracy"): ((83.0, "NLP.js, Watson"), 74.0, None),
}


class Classifier:
    """`TopicClassifier` as `config.yml` runs it, for data sets that are not ours."""

    def __init__(self, language: Language = "en") -> None:
        self._language = language
        self._tokenizer = BilingualTokenizer(BilingualTokenizer.get_default_config())
        config = TopicClassifier.get_default_config()
        self._component = TopicClassifier(config, None, Resource("evaluation"))  # nothing is kept
        self._featurizer = SentenceFeaturizer(read_encoder(read_settings().encoder_folder), cache=None)

    def fit(self, pairs: Pairs) -> "Classifier":
        self._model = self._component.learn(self._messages(pairs))
        return self

    def probabilities(self, texts: list[str]) -> tuple[Any, Any]:
        """The labels, and a row of probabilities for each text."""
        return self._model.topics, self._component.likely(self._messages([(text, "") for text in texts]))

    def _messages(self, pairs: Pairs) -> list[Message]:
        metadata = {"language": self._language}
        messages = [Message(data={TEXT: text, INTENT: label, METADATA: metadata}) for text, label in pairs]
        self._tokenizer.process(messages)
        self._featurizer.featurize(messages)
        return messages


def measure(data: Path, progress: Callable[[str], None] = lambda name: None) -> Iterator[Row]:
    """The rows, one data set after the other.

    Raises:
        SettingsError: The folder does not hold the data; the sentence says where they are to be had.
    """
    if not (data / "hint3").is_dir():
        raise SettingsError(f"There are no data sets in {data}. {WHERE}")
    for bot in ("sofmattress", "curekart", "powerplay11"):
        progress(f"HINT3 {bot}")
        yield from _hint3(data / "hint3" / "v1", bot)
    progress("CLINC150")
    yield from _clinc(json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8")))
    progress("HWU64")
    small = [_hwu(data / "hwu64" / "small" / f"hwu_small_{part}.csv") for part in ("train", "test")]
    yield _accuracy("HWU64 small", "en", *small)
    for corpus in ("Chatbot", "AskUbuntu", "WebApplications"):
        progress(f"Braun {corpus}")
        sentences = json.loads((data / "braun2017" / f"{corpus}Corpus.json").read_text(encoding="utf-8"))["sentences"]
        parts = [
            [(s["text"], s["intent"]) for s in sentences if s["training"] is training] for training in (True, False)
        ]
        yield _accuracy(f"Braun {corpus}", "en", *parts)
    languages: tuple[Language, ...] = ("en", "es")
    for language in languages:
        progress(f"Home Assistant {language}")
        yield _accuracy(
            f"Home Assistant {language}", language, *_home_assistant(data / "ha_intents" / f"{language}.csv")
        )


def _hint3(folder: Path, bot: str) -> Iterator[Row]:
    train = _csv(folder / "train" / f"{bot}_train.csv", "sentence", "label")
    test = _csv(folder / "test" / f"{bot}_test.csv", "sentence", "label")
    labels, found = Classifier().fit(train).probabilities([text for text, _ in test])
    told, confidence = labels[found.argmax(axis=1)], found.max(axis=1)
    wanted = np.array([label for _, label in test])
    inside = wanted != STRANGE
    decided = np.where(confidence >= _threshold(train), told, STRANGE)
    name = f"HINT3 {bot}"
    yield _row(name, "in scope", float(np.mean((told == wanted)[inside])) * 100)
    yield _row(name, "MCC", float(matthews_corrcoef(wanted, decided)))
    yield _row(name, "AUROC", float(roc_auc_score(~inside, -confidence)))


def _threshold(train: Pairs) -> float:
    """From the training data alone: below it lies the least sure tenth of what cross-validation gets right."""
    labels = np.array([label for _, label in train])
    sure: list[float] = []
    for learn, ask in StratifiedKFold(5, shuffle=True, random_state=0).split(labels, labels):
        classes, found = Classifier().fit([train[i] for i in learn]).probabilities([train[i][0] for i in ask])
        right = classes[found.argmax(axis=1)] == labels[ask]
        sure += list(found.max(axis=1)[right])
    return float(np.quantile(sure, REFUSED_IN_TRAINING))


def _clinc(data: dict[str, list[list[str]]]) -> Iterator[Row]:
    """With a class for what is out of scope: the share of the likeliest other's probability that it must reach, as in
    `bot.nlu.doubt`, is chosen on the validation part."""
    classifier = Classifier().fit([(text, label) for text, label in [*data["train"], *data["oos_train"]]])
    told = {part: _clinc_part(classifier, data[part]) for part in ("val", "oos_val", "test", "oos_test")}

    def right(part: str, strange: float) -> float:
        best, oos, wanted = told[part]
        return float(np.mean(np.where(oos >= strange, "oos", best) == wanted))

    cuts = np.geomspace(0.001, 10.0, 80)
    strange = max(cuts, key=lambda cut: right("val", cut) + right("oos_val", cut) * CLINC_STRANGERS)
    yield _row("CLINC150 full", "in scope", right("test", strange) * 100)
    yield _row("CLINC150 full", "out-of-scope recall", right("oos_test", strange) * 100)


def _clinc_part(classifier: Classifier, part: list[list[str]]) -> tuple[Any, Any, Any]:
    """The likeliest label in scope, the share of its probability that being out of scope has, and the label wanted."""
    labels, found = classifier.probabilities([text for text, _ in part])
    column = list(labels).index("oos")
    strange = found[:, column].copy()
    found[:, column] = 0
    return labels[found.argmax(axis=1)], strange / found.max(axis=1), np.array([label for _, label in part])


def _accuracy(name: str, language: Language, train: Pairs, test: Pairs) -> Row:
    labels, found = Classifier(language).fit(train).probabilities([text for text, _ in test])
    right = labels[found.argmax(axis=1)] == np.array([label for _, label in test])
    return _row(name, "accuracy", float(np.mean(right)) * 100)


def _row(data: str, measured: str, ours: float) -> Row:
    best, rasa, plain = PUBLISHED.get((data, measured), (None, None, None))
    return Row(data, measured, ours, plain, best, rasa)


def _csv(file: Path, text: str, label: str) -> Pairs:
    with file.open(encoding="utf-8", newline="") as lines:
        return [(row[text], row[label]) for row in csv.DictReader(lines)]


def _hwu(file: Path) -> Pairs:
    lines = (line.split(",", 2) for line in file.read_text(encoding="utf-8").splitlines() if line)
    return [(text, label) for label, _, text in lines]


def _home_assistant(file: Path) -> tuple[Pairs, Pairs]:
    """Every fifth block of sentences is for the test; a block is a list of ways to say one request."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    blocks = sorted({(row["source_file"], int(row["block"])) for row in rows})
    tested = {block for number, block in enumerate(blocks) if number % 5 == 4}
    parts: tuple[Pairs, Pairs] = ([], [])
    for row in rows:
        parts[(row["source_file"], int(row["block"])) in tested].append((row["sentence"], row["intent"]))
    known = {label for _, label in parts[0]}
    return parts[0], [(text, label) for text, label in parts[1] if label in known]
