"""The one training that may run at a time: a process of its own, whose progress a web page can show."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from bot.errors import StaffError
from bot.records import read_record, write_record
from bot.settings import ROOT, Settings

PATIENCE = 0.4  # seconds, with those who hold the lock only to look whether a training runs
SMALLEST_STEP = 0.005  # of the share that is done, before it is written down anew

State = Literal["running", "done", "failed", "cancelled", "lost"]
Step = Literal["starting", "training", "measuring", "measuring_live", "done"]


@dataclass(frozen=True)
class Progress:
    """How far a training is, or how it ended.

    Attributes:
        state: "lost": its process is gone and left no word.
        share: That is done, 0 to 1.
        part: What of the step is done now: the name of a component, or empty.
        version: What it made, once it is done.
        error: Why it failed, in English, for whoever looks after the server.
    """

    state: State
    share: float
    step: Step
    part: str
    started: datetime
    pid: int
    by: str
    version: str | None = None
    error: str | None = None


_PROGRESS = TypeAdapter(Progress)


class Training:
    """The training of this process. `folder` is its own, and gone afterwards unless it is moved elsewhere."""

    def __init__(self, folder: Path, record: Path, by: str) -> None:
        self.folder = folder
        self._record = record
        self._now = Progress("running", 0.0, "starting", "", datetime.now(UTC), os.getpid(), by)
        self._write(self._now)

    def tell(self, share: float, step: Step, part: str = "") -> None:
        """Notes how far it is."""
        if share - self._now.share >= SMALLEST_STEP or (step, part) != (self._now.step, self._now.part):
            self._write(replace(self._now, share=share, step=step, part=part))

    def end(self, state: State, *, version: str | None = None, error: str | None = None) -> None:
        """Notes how it ended."""
        self._write(replace(self._now, state=state, version=version, error=error))

    def _write(self, progress: Progress) -> None:
        self._now = progress
        write_record(_PROGRESS, self._record, progress)


class TrainingRun:
    """Who trains, seen from any process. Whoever trains holds a lock, which falls with the process, however it ends."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._record = folder / "training.json"
        self._lock = folder / "training.lock"

    def progress(self) -> Progress | None:
        """How far the training is that runs, or how the last one ended; None where there was none."""
        last = read_record(_PROGRESS, self._record)
        if last is None or last.state != "running" or self._is_held():
            return last
        last = read_record(_PROGRESS, self._record)  # it may have ended between the two looks
        return replace(last, state="lost") if last and last.state == "running" else last

    def start(self, by: str, note: str) -> None:
        """Starts `musebot model train` in a process of its own, which outlives this one. Returns at once.

        Raises:
            StaffError: A training runs.
        """
        lock = self._claim()
        command = [sys.executable, "-m", "bot", "model", "train", f"--by={by}", f"--note={note}", f"--lock={lock}"]
        try:
            with (self._folder / "training.log").open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - our own command, and no shell
                    command,
                    cwd=ROOT,
                    env={**os.environ, **_chosen(self._settings)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=[lock],  # it takes the lock over: there is no moment in which another could start
                )
            begun = Progress("running", 0.0, "starting", "", datetime.now(UTC), process.pid, by)
            write_record(_PROGRESS, self._record, begun)
        finally:
            os.close(lock)

    def cancel(self) -> None:
        """Ends the training that runs; does nothing where none does."""
        progress = self.progress()
        if progress and progress.state == "running":
            # Its number was written by the process that holds the lock until it is gone: it is no other one's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(progress.pid, signal.SIGTERM)

    @contextlib.contextmanager
    def alone(self, by: str, lock: int | None = None) -> Iterator[Training]:
        """A training, here and now. However it ends, that is noted, and nothing half made is left.

        Args:
            by: Who wants it.
            lock: The lock that `start` took for this process.

        Raises:
            StaffError: Another one runs.
        """
        lock = self._claim() if lock is None else lock
        folder = self._folder / ".training"
        try:
            shutil.rmtree(folder, ignore_errors=True)  # of one that was lost
            folder.mkdir()
            training = Training(folder, self._record, by)
            try:
                yield training
            except KeyboardInterrupt:
                training.end("cancelled")
                raise
            except Exception as error:
                training.end("failed", error=str(error) or type(error).__name__)
                raise
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)

    def _claim(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_CREAT | os.O_RDWR, 0o600)
        until = time.monotonic() + PATIENCE
        while not _taken(lock, fcntl.LOCK_EX):
            if time.monotonic() > until:
                os.close(lock)
                last = read_record(_PROGRESS, self._record)
                who = f", begun by {last.by}" if last else ""
                raise StaffError("training_runs", f"A training runs already{who}. Wait for its end, or cancel it.")
            time.sleep(PATIENCE / 20)
        return lock

    def _is_held(self) -> bool:
        try:
            with self._lock.open() as lock:
                return not _taken(lock.fileno(), fcntl.LOCK_SH)
        except FileNotFoundError:
            return False


def _taken(lock: int, kind: int) -> bool:
    """Takes the lock if nobody has it; it is let go when the file is closed."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _chosen(settings: Settings) -> dict[str, str]:
    """The settings that a training needs, as its environment holds them: those of this process."""
    names = ("content_folder", "nlu_folder", "config_file", "domain_file", "model_file")
    paths = {name.upper(): str(getattr(settings, name)) for name in names}
    return {**paths, "ENCODER_FOLDER": str(settings.encoder_folder or "none")}
