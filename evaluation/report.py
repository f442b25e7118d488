"""The report as one HTML page, with its pictures drawn in it: no script, nothing fetched."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.model_report import Summary
from evaluation.questions import BINS, Outcome, confusions

MOST_LISTED = 60  # of the wrong answers, so that the page can be read


def write_report(file: Path, outcomes: Sequence[Outcome], summaries: dict[str, Summary]) -> None:
    """Writes the page to `file`, making its folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    topics = list(dict.fromkeys(each.question.topic for each in outcomes))
    place = {topic: number for number, topic in enumerate(topics)}
    cells = Counter((each.question.topic, each.topic) for each in outcomes if each.topic in place)
    html = environment.get_template("report.html").render(
        summaries=summaries,
        topics=topics,
        cells=[(place[str(told)], place[asked], count, asked, told) for (asked, told), count in cells.items()],
        bars=_bars(outcomes),
        confusions=confusions(outcomes)[:30],
        wrong=[each for each in outcomes if each.answered and not each.right][:MOST_LISTED],
        answered_strange=[each for each in outcomes if each.strange and each.answered],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html, encoding="utf-8")


def _bars(outcomes: Sequence[Outcome]) -> list[tuple[int, int]]:
    """How many were right and wrong in each bin of confidence."""
    bars = [[0, 0] for _ in range(BINS)]
    for each in outcomes:
        if each.likeliest:
            bars[min(int(each.confidence * BINS), BINS - 1)][each.likeliest != each.question.topic] += 1
    return [(right, wrong) for right, wrong in bars]
