"""Small JSON files that hold a value of ours. They are replaced whole, so that a reader never meets half of one."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def read_record(kind: TypeAdapter[T], file: Path) -> T | None:
    """What `file` holds; None where there is none."""
    try:
        return kind.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None


def write_record(kind: TypeAdapter[T], file: Path, value: T) -> None:
    """Puts `value` in the place of what `file` holds."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(kind.dump_json(value, indent=1))
    fresh.replace(file)
