"""The sentence model: what it finds alike, what is wrong with its files, and that all works without it."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message

from bot.errors import ContentError, ModelError
from bot.nlu.encoder.corpus import build_corpus, english_of, read_pairs
from bot.nlu.encoder.noise import typed
from bot.nlu.encoder.sentences import CARD, MODEL, TOKENIZER, SentenceEncoder, encoder_name, read_encoder
from bot.nlu.examples import Example, fold_of, read_examples
from bot.nlu.featurizer import SentenceFeaturizer, vector_of
from bot.nlu.importer import message_of
from bot.nlu.tokenizer import BilingualTokenizer
from bot.nlu.topics import TopicClassifier
from bot.settings import OUR_ENCODER, Settings

BYTES = 20_000_000
needs_ours = pytest.mark.skipif(not (OUR_ENCODER / MODEL).is_file(), reason="our sentence model was taken away")


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    found = read_encoder(OUR_ENCODER)
    assert found
    return found


@needs_ours
def test_our_files_are_small_and_those_that_the_card_names() -> None:
    card = json.loads((OUR_ENCODER / CARD).read_text(encoding="utf-8"))
    assert set(card["sha256"]) == {MODEL, TOKENIZER}
    assert "Apache" in card["license"]
    assert "all-MiniLM-L6-v2" in card["teacher"]
    assert sum((OUR_ENCODER / name).stat().st_size for name in (MODEL, TOKENIZER, CARD)) <= BYTES
    assert encoder_name(OUR_ENCODER).startswith(card["name"])


@needs_ours
@pytest.mark.parametrize(
    ("text", "like", "unlike"),
    [
        ("¿cuánto cuesta?", "how much is it?", "where is it?"),
        ("mi primo perdió el trabajo", "my cousin lost his job", "my cousin lost his keys"),
        ("se me hizo tarde", "I am running late", "I am running a race"),
        ("tengo la rodilla hinchada", "my knee is swollen", "my elbow is fine"),
        ("¿abren los domingos?", "are you open on Sundays?", "is it open to children?"),
        ("no quiero hablar con un robot", "I do not want to talk to a machine", "I want to work with machines"),
        ("QUIERO CAMINAR", "i want to walk", "I want to sleep"),
        ("cuanto cuesta", "¿Cuánto cuesta?", "¿Cuándo empieza?"),
    ],
)
def test_what_means_the_same_is_near_in_any_language(
    encoder: SentenceEncoder, text: str, like: str, unlike: str
) -> None:
    own, near, far = (encoder.vector(each) for each in (text, like, unlike))
    assert float(own @ near) > float(own @ far)


@needs_ours
@pytest.mark.parametrize(
    ("text", "length"),
    [("a", 1), ("?!", 1), ("word " * 5000, 1), ("hola " + "x" * 5000, 1)]
    + [(nothing, 0) for nothing in ("", " ", "🙂", "👍👍", "мышь", "x" * 5000, "\x00", "نخاع")],
)
def test_a_vector_has_length_one_and_what_cannot_be_read_has_none(
    encoder: SentenceEncoder, text: str, length: int
) -> None:
    assert float(np.linalg.norm(encoder.vector(text))) == pytest.approx(length, abs=1e-4)


@needs_ours
def test_a_vector_does_not_depend_on_the_texts_around_it(encoder: SentenceEncoder) -> None:
    texts = ["hola", "how much is it?", "una frase mucho más larga que todas las otras de esta lista"]
    assert np.array_equal(encoder.vectors(texts), np.array([encoder.vector(text) for text in texts]))


@needs_ours
def test_running_it_needs_no_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from bot.nlu.encoder.sentences import read_encoder;"
        "read_encoder(Path(sys.argv[1])).vector('hola'); print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code, OUR_ENCODER], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def copy(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        shutil.copy(OUR_ENCODER / name, folder / name)
    return folder


@needs_ours
def test_another_folder_with_a_model_and_a_tokenizer_is_taken(tmp_path: Path) -> None:
    other = copy(tmp_path / "another-model", MODEL, TOKENIZER)
    assert encoder_name(other).startswith("another-model ")
    assert Settings(encoder_folder=other).encoder_folder == other


@needs_ours
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: (folder / MODEL).write_bytes(b"no model"), "is not the file that card.json names"),
        (lambda folder: (folder / TOKENIZER).write_text("{}"), "is not the file that card.json names"),
        (lambda folder: (folder / CARD).write_text("{"), "card.json cannot be used"),
        (lambda folder: (folder / CARD).write_text("null"), "card.json cannot be used"),
        (lambda folder: (folder / CARD).write_text('{"sha256": {}}'), "sha256 must name the model and the tokenizer"),
        (lambda folder: ((folder / CARD).unlink(), (folder / MODEL).write_bytes(b"no model")), "cannot be used"),
        (lambda folder: ((folder / CARD).unlink(), (folder / TOKENIZER).unlink()), "cannot be read"),
    ],
)
def test_files_that_are_wrong_are_told(tmp_path: Path, harm, sentence: str) -> None:  # type: ignore[no-untyped-def]
    folder = copy(tmp_path / "harmed", MODEL, TOKENIZER, CARD)
    harm(folder)
    with pytest.raises(ModelError, match=sentence):
        read_encoder(folder)


def test_a_folder_without_a_model_is_none() -> None:
    assert read_encoder(None) is None
    assert encoder_name(None) == "none"


def test_the_setting(tmp_path: Path) -> None:
    assert Settings(encoder_folder="none").encoder_folder is None
    assert Settings().encoder_folder == OUR_ENCODER
    with pytest.raises(ValidationError, match=r"holds no model\.onnx"):
        Settings(encoder_folder=tmp_path)


class Counting(SentenceEncoder):
    """A sentence model of two numbers: whether it is a question, whether it is long. Counts what it was asked."""

    def __init__(self, name: str = "counting 1") -> None:
        self.name = name
        self.asked: list[str] = []

    def vector(self, text: str) -> np.ndarray:
        self.asked.append(text)
        vector = np.array([1.0 if "?" in text else 0.1, 1.0 if len(text) > 20 else 0.1], dtype=np.float32)
        return vector / np.linalg.norm(vector)


SAID = {
    "cost": ("how much is it?", "what is the price?", "is it dear?"),
    "greet": ("hello", "good morning", "hi there"),
    "out_of_scope": ("my cat ran away from home", "the match was on sunday at five", "a song that I like so much"),
}


def messages(texts: list[tuple[str, str]], featurizer: SentenceFeaturizer) -> list[Message]:
    found = [message_of(Example(topic, "en", text, None, "")) for topic, text in texts]
    BilingualTokenizer(BilingualTokenizer.get_default_config()).process(found)
    featurizer.featurize(found)
    return found


def test_vectors_of_training_messages_are_kept(tmp_path: Path) -> None:
    encoder = Counting()
    both = [("cost", "how much?"), ("greet", "hello")]
    first = messages(both, SentenceFeaturizer(encoder, tmp_path))
    again = messages([*both, ("greet", "hi")], SentenceFeaturizer(encoder, tmp_path))
    assert encoder.asked == ["how much?", "hello", "hi"]
    assert np.array_equal(vector_of(first[0])[0], vector_of(again[0])[0])  # type: ignore[index]
    other = Counting("counting 2")
    messages(both, SentenceFeaturizer(other, tmp_path))
    assert len(other.asked) == 2
    for half in (b"", b"half a file", b"PK\x03\x04 half a file"):
        before = len(encoder.asked)
        for file in tmp_path.iterdir():
            file.write_bytes(half)
        messages(both, SentenceFeaturizer(encoder, tmp_path))
        assert len(encoder.asked) == before + 2
    assert not any(b"how much" in file.read_bytes() for file in tmp_path.iterdir())


def test_what_patients_write_is_not_kept(tmp_path: Path) -> None:
    message = message_of(Example("cost", "en", "how much?", None, ""))
    SentenceFeaturizer(Counting(), tmp_path).process([message])
    assert vector_of(message)
    assert not list(tmp_path.iterdir())


def test_without_a_sentence_model_messages_stay_as_they_are(tmp_path: Path) -> None:
    [message] = messages([("cost", "how much?")], SentenceFeaturizer(None, tmp_path))
    assert vector_of(message) is None


def test_the_meaning_counts_only_with_the_sentence_model_that_was_learnt_with(tmp_path: Path) -> None:
    learnt, other = (SentenceFeaturizer(Counting(name), tmp_path) for name in ("counting 1", "counting 2"))
    config = {**TopicClassifier.get_default_config(), "meaning": 3.0, "candidates": 3}
    classifier = TopicClassifier(config, None, Resource("test"))
    classifier.learn(messages([(topic, text) for topic, texts in SAID.items() for text in texts], learnt))

    def told(featurizer: SentenceFeaturizer) -> dict[str, object]:
        [message] = classifier.process(messages([("", "zzz?")], featurizer))
        found: dict[str, object] = message.get(INTENT)
        return found

    with_it, with_other, without = (told(each) for each in (learnt, other, SentenceFeaturizer(None, tmp_path)))
    assert with_it["name"] == "cost"
    assert with_other == without
    assert with_it != without


def test_our_corpus_is_large_and_without_repeats() -> None:
    corpus = build_corpus(read_examples(Settings().nlu_folder), read_pairs())
    assert len(corpus.pairs) >= 10_000
    assert len(set(corpus.pairs)) == len(corpus.pairs)
    assert len(read_pairs()) >= 8_000
    assert set(english_of(corpus.pairs, corpus.english)) >= {english for _, english, _ in corpus.messages}


def test_a_fifth_of_the_messages_can_be_left_out() -> None:
    examples = [Example("cost", "en", f"message {number}", None, "") for number in range(100)]
    corpus = build_corpus(examples, [], leave_out=2)
    assert {fold_of(text) for text, _, _ in corpus.messages} == {0, 1, 3, 4}
    assert len(corpus.english) == 100


@pytest.mark.parametrize("line", ["solo español", "uno\tone\tuna", "\tone", "uno\t"])
def test_a_line_that_is_no_pair_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "some.tsv").write_text(f"hola\thello\n{line}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"some\.tsv: line 2: must be Spanish, a tab, English"):
        read_pairs(tmp_path)


def test_noise_is_of_the_kinds_that_people_make_and_the_same_for_the_same_dice() -> None:
    text = "¿Cuánto vale la vacuna, porque no lo sé?"
    several = [typed(text, random.Random(seed)) for seed in range(300)]
    assert several == [typed(text, random.Random(seed)) for seed in range(300)]
    assert several.count(text) > 100
    assert any("bale" in each for each in several)
    assert any(" xq " in each for each in several)
    assert any("¿" not in each and "," not in each for each in several)
    assert all(len(each) > 20 for each in several)
    assert [typed(short, random.Random(seed)) for short in ("", "sí", "?") for seed in range(50)]
