"""What the classifier sees of a message: its words, pieces of them, what they name, and what they are in English."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from bot.messages import Language
from bot.nlu.lexicon import Lexicon
from bot.nlu.translations import Translations

RARE = 0.0002  # a piece of words in fewer messages than this share of all is left out: one in 5,000


class Reading(NamedTuple):
    """One message. `things`: what the lexicon finds; `english`: its words in English, with their probabilities."""

    words: Sequence[str]
    things: Sequence[str]
    english: Mapping[str, float]


class Reader:
    """Reads words with the lexicon and the translations. `english`: the English words that were learnt from."""

    def __init__(self, lexicon: Lexicon, translations: Translations, english: Set[str] = frozenset()) -> None:
        self._lexicon = lexicon
        self._translations = translations
        self._english = english

    def read(self, words: Sequence[str], language: Language) -> Reading:
        """What there is to see in `words`, bare ones."""
        words = self._lexicon.asked(words)
        return Reading(words, self._lexicon.of(words), self._in_english(words, language))

    def _in_english(self, words: Sequence[str], language: Language) -> Mapping[str, float]:
        english: dict[str, float] = defaultdict(float)
        for word in words:
            # "dolor" in the middle of an English conversation, "drip" in a Spanish one
            as_it_is = word in self._english if language == "en" else word not in self._translations
            for translation, probability in ((word, 1.0),) if as_it_is else self._translations.get(word, ()):
                english[translation] += probability
        return english


def build_features(*, things: float, english: float) -> FeatureUnion:
    """Turns readings into numbers, not fitted yet.

    Args:
        things: What the lexicon's findings count beside the words themselves.
        english: What the English words count; 0 leaves them out.
    """
    parts: list[tuple[str, Any]] = [
        ("words", _words()),
        (
            "pieces",
            TfidfVectorizer(
                preprocessor=_text,
                analyzer="char_wb",
                ngram_range=(2, 5),
                sublinear_tf=True,
                min_df=RARE,
                dtype=np.float32,
            ),
        ),
        ("things", TfidfVectorizer(analyzer=_things, dtype=np.float32)),
    ]
    weights = {"things": things}
    if english:
        weights["english"] = english
        counts = FunctionTransformer(_english), DictVectorizer(dtype=np.float32), TfidfTransformer()
        parts.append(("english", make_pipeline(*counts)))
    return FeatureUnion(parts, transformer_weights=weights)


def forget_rare_pairs(features: FeatureUnion, numbers: csr_matrix) -> NDArray[np.bool_]:
    """Takes the pairs of words that only one message has out of `features`; which columns of `numbers` stay.

    While learning they keep the other features from being learnt by heart; afterwards they are two thirds of all that
    must be remembered, and tell next to nothing.
    """
    name, words = features.transformer_list[0]
    messages = numbers.getnnz(axis=0)
    stays = np.ones(numbers.shape[1], dtype=bool)
    for word, column in words.vocabulary_.items():
        stays[column] = " " not in word or messages[column] > 1
    kept = [str(word) for word in words.get_feature_names_out()[stays[: len(words.vocabulary_)]]]
    fewer = _words(vocabulary={word: number for number, word in enumerate(kept)})
    fewer.idf_ = words.idf_[stays[: len(words.vocabulary_)]]
    features.transformer_list[0] = (name, fewer)
    return stays


def _words(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=_words_and_pairs, vocabulary=vocabulary, sublinear_tf=True, dtype=np.float32)


def _words_and_pairs(reading: Reading) -> list[str]:
    return [*reading.words, *(f"{one} {next_}" for one, next_ in zip(reading.words, reading.words[1:], strict=False))]


def _text(reading: Reading) -> str:
    return " ".join(reading.words)


def _things(reading: Reading) -> Sequence[str]:
    return reading.things


def _english(readings: Sequence[Reading]) -> list[Mapping[str, float]]:
    return [reading.english for reading in readings]
