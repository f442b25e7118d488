"""The words that the encoder knows: common English pieces, and Spanish words that start as what they are in English."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models
from tokenizers.processors import TemplateProcessing

from bot.nlu.translations import learn_translations

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
COMMON = 9_500  # the first so many of BERT's pieces, which stand by how common they are, stay whether used here or not
OFTEN = 3  # times that a word must stand in our Spanish
ENDS = range(2, 7)  # letters of an ending
STEM = 3  # letters before it
COMMON_END = 25  # different words that an ending must have

Pair = tuple[str, str]  # Spanish, English


def build_vocabulary(
    theirs: Tokenizer, vectors: NDArray[np.float32], pairs: Sequence[Pair], english: Iterable[str]
) -> tuple[list[str], NDArray[np.float32]]:
    """The pieces of the student, and what each means at first.

    Args:
        theirs: The teacher's tokenizer.
        vectors: What the teacher's pieces mean, in the order of its numbers.
        pairs: What is learnt from.
        english: More English that must be read as the teacher reads it.

    Returns:
        The pieces, special ones first, then the teacher's, then the Spanish ones; a row of 384 numbers for each.
    """
    numbers: dict[str, int] = theirs.get_vocab()
    kept = _kept(theirs, numbers, [text for _, text in pairs] + list(english))
    here = set(kept)
    spanish = [piece for piece in _spanish(theirs, [text for text, _ in pairs]) if piece not in here]
    translations = learn_translations((words_of(theirs, one), words_of(theirs, other)) for one, other in pairs)

    def meaning(word: str) -> NDArray[np.float32]:
        """What the teacher's pieces of `word` mean together."""
        return np.asarray(vectors[theirs.encode(word, add_special_tokens=False).ids].mean(axis=0))

    rows = [vectors[numbers[piece]] for piece in kept]
    for piece in spanish:
        known = translations.get(piece, ())
        total = sum(probability for _, probability in known)
        if known:
            rows.append(sum(meaning(word) * (probability / total) for word, probability in known))
        else:
            rows.append(meaning(piece.removeprefix("##")))
    return kept + spanish, np.array(rows, dtype=np.float32)


def words_of(tokenizer: Tokenizer, text: str) -> list[str]:
    """The words of `text`, bare, before they are cut into pieces."""
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]


def tokenizer_of(pieces: Sequence[str], like: Tokenizer) -> Tokenizer:
    """A tokenizer that knows `pieces` and does all else as `like` does."""
    made = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token=SPECIAL[1]))
    made.normalizer, made.pre_tokenizer = like.normalizer, like.pre_tokenizer
    made.decoder = like.decoder
    begin, end = SPECIAL[2:]
    made.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, pieces.index(begin)), (end, pieces.index(end))]
    )
    return made


def _kept(theirs: Tokenizer, numbers: dict[str, int], english: Sequence[str]) -> list[str]:
    used = Counter(n for encoded in theirs.encode_batch(list(english), add_special_tokens=False) for n in encoded.ids)
    latin = (piece for piece, n in sorted(numbers.items(), key=lambda pair: pair[1]) if n < COMMON or used[n])
    return list(SPECIAL) + [piece for piece in latin if piece not in SPECIAL and _is_latin(piece)]


def _is_latin(piece: str) -> bool:
    return not piece.startswith("[") and all(ord(letter) < 0x250 or not letter.isalpha() for letter in piece)


def _spanish(theirs: Tokenizer, texts: Sequence[str]) -> list[str]:
    """Words of our Spanish, and what many of them end with, the commonest first."""
    often = Counter(word for text in texts for word in words_of(theirs, text))
    ends = Counter(word[-size:] for word in often for size in ENDS if len(word) - size >= STEM)
    whole = [word for word, times in often.most_common() if times >= OFTEN and len(word) > 1]
    return whole + [f"##{end}" for end, words in ends.most_common() if words >= COMMON_END]
