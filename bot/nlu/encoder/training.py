"""Teaches the English sentence model Spanish, then our topics. Needs torch; `musebot encoder train` runs it."""

import hashlib
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy, normalize

from bot.nlu.encoder.corpus import Corpus, english_of
from bot.nlu.encoder.network import LAYERS, LONGEST, SIZE, Network, read_teacher
from bot.nlu.encoder.noise import typed
from bot.nlu.encoder.vocabulary import build_vocabulary, tokenizer_of

NEAR = 10.0  # what the distance to the teacher's vector counts
APART = 20.0  # how sharply a sentence must be nearest to its own translation among those of its batch
ENGLISH_KEPT = 0.45  # English sentences in a round, for each pair
TOGETHER = 16.0  # how sharply a message must be nearest to the middle of its own topic
SMOOTH = 0.05  # of being sure that a message is of its topic
MIDDLES = 20.0  # times as fast as all else, the middles of the topics are learnt
BESIDE = 0.5  # pairs beside each message with a topic, so that all else is not forgotten
SAME_LENGTH = 50  # batches among which sentences are sorted by length
WARM_UP = 0.1  # of the steps
OF_TOPICS = ("topic_epochs", "topic_rate", "leave_out")  # what the first stage does not depend on

Progress = Callable[[float, str], None]
Batch = Any  # what a stage's batches are made of is its own affair
Aimed = tuple[str, int]  # a text, and the number of the vector, or of the topic, that it should come near to


@dataclass(frozen=True)
class Recipe:
    """What may be set.

    Attributes:
        topic_epochs: 0 leaves the second stage out.
        pairs: Learn from only so many, to see what they bring.
        leave_out: This fifth of the messages is not learnt with its topics, so that it can be asked about.
    """

    seed: int = 0
    layers: int = LAYERS
    epochs: int = 7
    rate: float = 2e-4
    topic_epochs: int = 3
    topic_rate: float = 1.5e-4
    batch: int = 64
    pairs: int | None = None
    leave_out: int | None = None


@dataclass(frozen=True)
class Stage:
    """One of two.

    Attributes:
        name: What a person who waits is told.
        epochs: Rounds.
        rate: How fast the student learns, at its fastest.
        batches: Makes those of a round.
        loss: How wrong the student is with one of them.
        own: What is learnt beside the student, and forgotten afterwards.
    """

    name: str
    epochs: int
    rate: float
    batches: Callable[[], list[Batch]]
    loss: Callable[[Batch], Tensor]
    own: list[nn.Parameter]


class Training:
    """One run. After each round all is kept in `folder`: a run that was cut off goes on from there.

    Attributes:
        student: As far as it has learnt.
        tokenizer: Of the student.
    """

    def __init__(self, recipe: Recipe, corpus: Corpus, folder: Path) -> None:
        self.recipe = recipe
        self._folder = folder
        self._chance = random.Random(recipe.seed)  # noqa: S311 - dice, no secret
        pairs = _some(corpus.pairs, recipe.pairs)
        teacher, theirs = read_teacher()
        english = english_of(pairs, corpus.english)
        pieces, meanings = build_vocabulary(theirs, teacher.words.weight.detach().numpy(), pairs, corpus.english)
        self.tokenizer = tokenizer_of(pieces, theirs)
        self.student = _student(teacher, torch.from_numpy(meanings), recipe.layers)
        number = {text: n for n, text in enumerate(english)}
        self._spanish = [(spanish, number[text]) for spanish, text in pairs]
        self._english = list(number.items())
        self._targets = torch.from_numpy(_kept(folder, english, lambda: encode(teacher, theirs, english)))
        topics = sorted({topic for _, _, topic in corpus.messages})
        self._messages = [(text, topics.index(topic)) for text, _, topic in corpus.messages]
        self._texts = repr((corpus.pairs, corpus.english))
        self._learnt = repr(corpus.messages)
        self._middles = nn.Parameter(torch.zeros(len(topics), SIZE))
        with torch.no_grad():
            for _, text, topic in corpus.messages:
                if text in number:
                    self._middles[topics.index(topic)] += self._targets[number[text]]

    def run(self, progress: Progress) -> None:
        """Both stages. `progress` is told the share of all that is done, 0 to 1, and what is being done."""
        recipe = self.recipe
        pairs = Stage("Spanish", recipe.epochs, recipe.rate, self._pair_batches, self._pair_loss, [])
        topics = Stage(
            "topics", recipe.topic_epochs, recipe.topic_rate, self._topic_batches, self._topic_loss, [self._middles]
        )
        rounds = recipe.epochs + recipe.topic_epochs
        self._learn(pairs, lambda done, text: progress(done / rounds, text))
        if recipe.topic_epochs:
            self._learn(topics, lambda done, text: progress((recipe.epochs + done) / rounds, text))
        self.student.eval()

    def _learn(self, stage: Stage, progress: Progress) -> None:
        student = list(self.student.parameters())
        optimizer = torch.optim.AdamW(
            [{"params": student, "lr": stage.rate}, {"params": stage.own, "lr": stage.rate * MIDDLES}],
            weight_decay=0.01,
            fused=True,
        )
        chance = self._chance.getstate()
        steps = stage.epochs * len(stage.batches()) + 1
        self._chance.setstate(chance)
        rates = [group["lr"] for group in optimizer.param_groups]
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=WARM_UP)
        begin = self._go_on(stage, optimizer, schedule)
        self.student.train()
        for epoch in range(begin, stage.epochs):
            total = 0.0
            for done, batch in enumerate(batches := stage.batches(), 1):
                # Half of the digits are enough, and the plain way is the quickest for sentences this short.
                with torch.autocast("cpu", dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
                    loss = stage.loss(batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(student, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                total += loss.item()
                told = f"{stage.name}: round {epoch + 1} of {stage.epochs}, loss {total / done:.3f}"
                progress(epoch + done / len(batches), told)
            self._keep(stage, epoch + 1, optimizer, schedule)

    def _keep(self, stage: Stage, epoch: int, optimizer: Any, schedule: Any) -> None:
        state = {
            "epoch": epoch,
            "student": self.student.state_dict(),
            "own": [each.detach() for each in stage.own],
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "chance": self._chance.getstate(),
        }
        fresh = self._file(stage).with_suffix(f".{os.getpid()}")
        torch.save(state, fresh)
        fresh.replace(self._file(stage))

    def _go_on(self, stage: Stage, optimizer: Any, schedule: Any) -> int:
        """Takes up what an earlier run of the same stage left; how many of its rounds are done."""
        file = self._file(stage)
        if not file.exists():
            return 0
        kept: dict[str, Any] = torch.load(file, weights_only=False)
        self.student.load_state_dict(kept["student"])
        with torch.no_grad():
            for ours, theirs in zip(stage.own, kept["own"], strict=True):
                ours.copy_(theirs)
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        self._chance.setstate(kept["chance"])
        return int(kept["epoch"])

    def _file(self, stage: Stage) -> Path:
        """Where a stage is kept: another recipe, other texts or other code have another place."""
        of = {key: value for key, value in asdict(self.recipe).items() if stage.own or key not in OF_TOPICS}
        code = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))]
        told = json.dumps([of, self._texts, self._learnt if stage.own else "", code]).encode()
        return self._folder / f"{stage.name}-{hashlib.sha256(told).hexdigest()[:16]}.pt"

    def _pair_batches(self, size: int | None = None) -> list[list[Aimed]]:
        """Every Spanish sentence and some English ones, each with the number of its target."""
        some = self._chance.sample(self._english, min(len(self._english), int(ENGLISH_KEPT * len(self._spanish))))
        return self._by_length(self._spanish + some, size or self.recipe.batch)

    def _topic_batches(self) -> list[tuple[list[Aimed], list[Aimed]]]:
        """Messages, aimed at the middle of their topic, and pairs beside them."""
        messages = self._by_length(self._messages, self.recipe.batch)
        pairs = self._pair_batches(int(self.recipe.batch * BESIDE))
        return [(batch, pairs[number % len(pairs)]) for number, batch in enumerate(messages)]

    def _by_length(self, several: list[Aimed], size: int) -> list[list[Aimed]]:
        """Typed texts in batches in any order, those of a batch about as long: each takes as long as its longest."""
        typed_ones = [(typed(text, self._chance), aim) for text, aim in several]
        self._chance.shuffle(typed_ones)
        batches = []
        for at in range(0, len(typed_ones), size * SAME_LENGTH):
            some = sorted(typed_ones[at : at + size * SAME_LENGTH], key=lambda each: len(each[0]))
            batches += [some[i : i + size] for i in range(0, len(some), size)]
        self._chance.shuffle(batches)
        return batches

    def _pair_loss(self, batch: list[Aimed]) -> Tensor:
        got = self._read(batch)
        different, own = torch.unique(_aims(batch), return_inverse=True)
        targets = self._targets[different]
        return NEAR * _distance(got, targets[own]) + cross_entropy(got @ targets.T * APART, own)

    def _topic_loss(self, batch: tuple[list[Aimed], list[Aimed]]) -> Tensor:
        """Contrast with the middles of all topics, which are learnt too, and the distance of the pairs."""
        messages, pairs = batch
        near = self._read(messages) @ normalize(self._middles, dim=1).T * TOGETHER
        distance = _distance(self._read(pairs), self._targets[_aims(pairs)])
        return NEAR * distance + cross_entropy(near, _aims(messages), label_smoothing=SMOOTH)

    def _read(self, batch: list[Aimed]) -> Tensor:
        found: Tensor = self.student(*numbers_of(self.tokenizer, [text for text, _ in batch]))
        return found


def _aims(batch: list[Aimed]) -> Tensor:
    return torch.tensor([aim for _, aim in batch])


def _distance(got: Tensor, wanted: Tensor) -> Tensor:
    return (1 - (got * wanted).sum(1)).mean()


def _some(pairs: Sequence[tuple[str, str]], count: int | None) -> list[tuple[str, str]]:
    several = list(pairs)
    if count:
        random.Random(0).shuffle(several)  # noqa: S311 - dice, no secret
    return several[:count]


def _kept(folder: Path, texts: Sequence[str], make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The teacher's vectors, which take minutes, from an earlier run with the same texts if there was one."""
    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    file = folder / f"teacher-{key}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}.npy")
        np.save(fresh, make())
        fresh.replace(file)
    return np.asarray(np.load(file), dtype=np.float32)


def _student(teacher: Network, meanings: Tensor, layers: int) -> Network:
    """The teacher with other words, and only so many of its layers, spread over all."""
    taken = [round(n * (LAYERS - 1) / max(layers - 1, 1)) for n in range(layers)]
    weights = {name: value for name, value in teacher.state_dict().items() if not name.startswith("layers.")}
    for ours, theirs in enumerate(taken):
        for name, value in teacher.layers.layers[theirs].state_dict().items():
            weights[f"layers.layers.{ours}.{name}"] = value
    student = Network(len(meanings), layers)
    student.load_state_dict({**weights, "words.weight": meanings})
    return student


def numbers_of(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Token numbers and mask of `texts`, each texts by places."""
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()
    read = tokenizer.encode_batch(list(texts))
    return torch.tensor([each.ids for each in read]), torch.tensor([each.attention_mask for each in read])


def encode(network: Network, tokenizer: Tokenizer, texts: Sequence[str], at_once: int = 64) -> NDArray[np.float32]:
    """A row for each text, in the order given."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows = np.zeros((len(texts), SIZE), dtype=np.float32)
    network.eval()
    with torch.inference_mode():
        for at in range(0, len(order), at_once):
            some = order[at : at + at_once]
            rows[some] = network(*numbers_of(tokenizer, [texts[i] for i in some])).numpy()
    return rows
