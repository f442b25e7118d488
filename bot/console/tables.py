"""Tables to take along: CSV as spreadsheets open it."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain

from fastapi.responses import StreamingResponse

from bot.console.pages import HEADERS

BEGINS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_SIGNS = re.escape("".join(BEGINS_A_FORMULA))


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingResponse:
    """A file called `name`. `rows` may block; they are read while the file is sent."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(chain([head], rows)), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "\ufeff"  # by which Excel knows UTF-8
    line = StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cell(value: object) -> object:
    """The value; what a spreadsheet would calculate is marked as text, since anybody can write it to us."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())  # where commas are no ends of cells, line breaks and semicolons are
    marked = re.sub(rf"(;\s*)(?=[{_SIGNS}])", r"\1'", line)
    return f"'{marked}" if marked.startswith(BEGINS_A_FORMULA) else marked
