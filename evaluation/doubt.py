"""How sure must it be? Cross-validation on the training messages alone, with the components that run."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message
from scipy.optimize import minimize
from scipy.special import log_softmax

from actions.unsure import LIKELY_ENOUGH, MOST_CHOICES
from bot.nlu.doubt import STRANGE, UNSURE, Doubt
from bot.nlu.encoder.sentences import SentenceEncoder
from bot.nlu.examples import FOLDS, Example, fold_of
from bot.nlu.featurizer import SentenceFeaturizer
from bot.nlu.importer import message_of
from bot.nlu.tokenizer import BilingualTokenizer
from bot.nlu.topics import TopicClassifier
from evaluation.questions import calibration_error

# What is tried of each setting, the others staying as they are.
TRIED: dict[str, tuple[float, ...]] = {
    "threshold": (0.2, 0.25, 0.3, 0.35, 0.4, 0.5),
    "margin": (0.0, 0.05, 0.1, 0.15, 0.2),
    "strange": (0.005, 0.008, 0.01, 0.012, 0.015, 0.02, 0.03, 0.05),
    "lost": (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
    "danger": (0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.3),
}

Ranking = list[dict[str, Any]]
# The scores of a fold's words, those of what it means, and which of them are the right ones.
Scored = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int_]]


@dataclass(frozen=True)
class Told:
    """What each training message was taken for by a model that had not learnt from it.

    Attributes:
        wanted: The topic that each message stands under.
        rankings: The candidates of each message, best first.
        sharpness, meaning: Those of `TopicClassifier` that make the probabilities fit best.
        calibration: Expected calibration error of the likeliest topic, with the sharpness in use.
    """

    wanted: list[str]
    rankings: list[Ranking]
    sharpness: float
    meaning: float
    calibration: float


@dataclass(frozen=True)
class Figures:
    """What a setting does; shares between 0 and 1.

    Attributes:
        right, wrong: Of the messages in scope, those that got their own topic, and those that got another.
        offered: ... that got neither, but were offered their own.
        refused: ... that were told "I don't know"; `at_a_loss`: ... without being offered their own.
        strange_answered, strange_refused: Of the messages out of scope.
        found: Of the messages of danger, those taken for danger; `alarmed`: Of all others.
    """

    right: float
    wrong: float
    offered: float
    refused: float
    at_a_loss: float
    strange_answered: float
    strange_refused: float
    found: float
    alarmed: float


def cross_validate(
    examples: Sequence[Example],
    config: dict[str, Any],
    encoder: SentenceEncoder | None,
    folds: Sequence[int] = range(FOLDS),
    progress: Callable[[float], None] = lambda share: None,
) -> Told:
    """Each message told by a model of the other four fifths. Takes a few minutes.

    Args:
        examples: The training messages.
        config: Of `TopicClassifier`.
        encoder: The sentence model. Where it has learnt the topics of these messages, the figures flatter.
        folds: The fifths that are asked; the others are only learnt from.
        progress: Told the share that is done.
    """
    messages = [message_of(example) for example in examples]
    BilingualTokenizer(BilingualTokenizer.get_default_config()).process(messages)
    SentenceFeaturizer(encoder).featurize(messages)
    fold = np.array([fold_of(example.text) for example in examples])
    wanted: list[str] = []
    rankings: list[Ranking] = []
    scored: list[Scored] = []
    for done, number in enumerate(folds, 1):
        component = TopicClassifier({**TopicClassifier.get_default_config(), **config}, None, Resource("evaluation"))
        model = component.learn([messages[i] for i in np.flatnonzero(fold != number)])
        ask = np.flatnonzero(fold == number)
        # Copies, to be marked with what they are taken for.
        asked = [Message(data=dict(messages[i].data), features=messages[i].features) for i in ask]
        topics = [examples[i].topic for i in ask]
        of = len(model.topics)
        words, meanings = model.scores(asked)[:, :of], model.meanings(asked)[:, :of]
        scored.append((words, meanings, np.searchsorted(model.topics, topics)))
        rankings += [message.get(INTENT_RANKING_KEY) for message in component.process(asked)]
        wanted += topics
        progress(done / len(folds))
    firsts = [ranking[0] for ranking in rankings]
    sharpness, meaning = _fitting_best(scored)
    return Told(
        wanted,
        rankings,
        sharpness,
        meaning,
        calibration_error(
            [(first["confidence"], first["name"] == want) for first, want in zip(firsts, wanted, strict=True)]
        ),
    )


def _fitting_best(scored: Sequence[Scored]) -> tuple[float, float]:
    """What both kinds of scores must be multiplied by to make the right topics as likely as can be."""

    def surprise(both: NDArray[np.float64]) -> float:
        sharpness, meaning = both
        likely = (log_softmax(words * sharpness + rows * meaning, axis=1) for words, rows, _ in scored)
        return -sum(
            float(each[np.arange(len(right)), right].mean()) for each, (_, _, right) in zip(likely, scored, strict=True)
        )

    if not any(rows.any() for _, rows, _ in scored):
        return float(minimize(lambda one: surprise(np.array([one[0], 0.0])), (5.0,), method="Nelder-Mead").x[0]), 0.0
    sharpness, meaning = minimize(surprise, (5.0, 0.5), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-4}).x
    return float(sharpness), float(meaning)


def try_settings(
    told: Told, config: dict[str, Any], offered: frozenset[str]
) -> Iterator[tuple[str, float | None, Figures]]:
    """The setting in use, then each other one: its name, what was tried, the figures.

    Args:
        told: From `cross_validate`.
        config: Of `Doubt`.
        offered: The topics that "did you mean" may offer.
    """
    in_use = {**Doubt.get_default_config(), **config}
    yield "in use", None, figures(told, in_use, offered)
    for name, values in TRIED.items():
        for value in values:
            yield name, value, figures(told, {**in_use, name: value}, offered)


def figures(told: Told, config: dict[str, Any], offered: frozenset[str]) -> Figures:
    """What the component with `config` makes of the rankings."""
    doubt = Doubt(config)
    dangers = tuple(config["dangers"])
    kinds = [_outcome(doubt, ranking, offered) for ranking in told.rankings]
    inside = [(want, *kind) for want, kind in zip(told.wanted, kinds, strict=True) if want != STRANGE]
    strange = [kind for want, kind in zip(told.wanted, kinds, strict=True) if want == STRANGE]
    danger = [topic.startswith(dangers) for want, topic, _, _ in inside if want.startswith(dangers)]
    others = [topic.startswith(dangers) for want, topic, _, _ in inside if not want.startswith(dangers)]
    others += [topic.startswith(dangers) for topic, _, _ in strange]
    given = (UNSURE, STRANGE)
    return Figures(
        right=_share(topic == want for want, topic, _, _ in inside),
        wrong=_share(topic not in (want, *given) for want, topic, _, _ in inside),
        offered=_share(topic in given and want in choices for want, topic, _, choices in inside),
        refused=_share(refused for _, _, refused, _ in inside),
        at_a_loss=_share(refused and want not in choices for want, _, refused, choices in inside),
        strange_answered=_share(topic not in given and not topic.startswith(dangers) for topic, _, _ in strange),
        strange_refused=_share(refused for _, refused, _ in strange),
        found=_share(danger),
        alarmed=_share(others),
    )


def _outcome(doubt: Doubt, ranking: Ranking, offered: frozenset[str]) -> tuple[str, bool, list[str]]:
    """The topic decided upon, whether "I don't know" is said, and what is offered."""
    message = Message(data={INTENT: dict(ranking[0]), INTENT_RANKING_KEY: deepcopy(ranking)})
    doubt.process([message])
    intent = message.get(INTENT)
    likely = (each["name"] for each in ranking if each["confidence"] >= LIKELY_ENOUGH)
    choices = [topic for topic in likely if topic in offered][:MOST_CHOICES] if intent["name"] == UNSURE else []
    return (
        intent["name"],
        intent["name"] == STRANGE or (intent["name"] == UNSURE and (intent["lost"] or not choices)),
        choices,
    )


def _share(values: Any) -> float:
    several = list(values)
    return sum(several) / len(several) if several else 0.0
