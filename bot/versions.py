"""Every model that was made: kept with what it was made of and how it fares, put live, and taken back."""

import contextlib
import fcntl
import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter

from bot.errors import StaffError
from bot.messages import Language
from bot.model_report import Headline, Report, headlines_of
from bot.records import read_record, write_record
from bot.settings import Settings
from bot.training_run import Progress, Training, TrainingRun

MODEL, ABOUT, REPORT = "model.tar.gz", "version.json", "report.json"
UNKEPT = "musebot train"  # who made a live model that no version knows: nothing else puts one there
LETTERS = 6  # of a model's hash, in the id of its version
SHORT = 12  # letters of other hashes


@dataclass(frozen=True)
class Version:
    """One model.

    Attributes:
        id: When it was made, in UTC, and the beginning of its hash: `20261128-101500-3fa2c1`.
        by: Who had it made.
        sha256: Of its file.
        data_revision: Of what it was made of; None where that is not known.
        commit: Of the project, where it is kept in git.
        messages: How many training messages each language had; empty where that is not known.
        measure: Of its report; None while it was never measured.
        headlines: The first figures of its report; empty while there is none.
    """

    id: str
    made_at: datetime
    by: str
    sha256: str
    data_revision: str | None
    commit: str | None
    messages: Mapping[Language, int]
    note: str
    measure: str | None
    headlines: Mapping[Language, Headline]


@dataclass(frozen=True)
class WentLive:
    """A version that came to be live. `back`: by a step back."""

    id: str
    at: datetime
    by: str
    back: bool = False


_VERSION = TypeAdapter(Version)
_REPORT = TypeAdapter(Report)
_HISTORY = TypeAdapter(tuple[WentLive, ...])


class Versions:
    """The models in `versions`, beside the live one. Its verbs read files and may wait: call them in a thread.

    The live model is the file of the settings, whoever put it there. A running server takes up a new one in seconds.
    """

    def __init__(self, settings: Settings) -> None:
        self._live = settings.model_file
        self._folder = settings.model_file.parent / "versions"
        self._run = TrainingRun(settings, self._folder)

    def all(self) -> list[Version]:
        """Every kept version, the newest first."""
        found = (read_record(_VERSION, file) for file in self._folder.glob(f"[!.]*/{ABOUT}"))
        return sorted((version for version in found if version), key=lambda version: version.made_at, reverse=True)

    def find(self, name: str) -> Version | None:
        """The version with this id; None where there is none."""
        return next((version for version in self.all() if version.id == name), None)

    def report(self, name: str) -> Report | None:
        """How it fares; None while it was never measured, or where there is no such version."""
        return read_record(_REPORT, self._folder / name / REPORT) if self.find(name) else None

    def model_of(self, name: str) -> Path:
        """The file of a version.

        Raises:
            StaffError: There is no such version, or its file is not whole.
        """
        version = self.find(name)
        if version is None:
            raise StaffError("no_version", f"There is no model version {name}; `musebot model list` shows them.")
        file = self._folder / name / MODEL
        if not _is_whole(file, version.sha256):
            raise StaffError("broken_version", f"The file of model version {name} is damaged, or no model.")
        return file

    def live(self) -> Version | None:
        """What is live: a kept version, or one put together for a file that none knows. None where there is no file."""
        try:
            sha256, made_at = _sha256(self._live), datetime.fromtimestamp(self._live.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        kept = next((version for version in self.all() if version.sha256 == sha256), None)
        return kept or Version(_id(made_at, sha256), made_at, UNKEPT, sha256, None, None, {}, "", None, {})

    def history(self) -> tuple[WentLive, ...]:
        """What came to be live, the newest last."""
        return read_record(_HISTORY, self._folder / "live.json") or ()

    def put_live(self, name: str, by: str) -> None:
        """Puts a version in the place of the live model, which is kept.

        Raises:
            StaffError: There is no such version, its file is not whole, or it is live already.
        """
        with self._in_turn():
            file, live = self.model_of(name), self._note_live()
            if live and live.id == name:
                raise StaffError("live_already", f"Model version {name} is live already.")
            self._replace_live(file, WentLive(name, datetime.now(UTC), by))

    def back(self, by: str) -> str:
        """One step back, to what was live before; its id. What is stepped back from stays kept, out of the way.

        Raises:
            StaffError: Nothing was live before, or its file is not whole.
        """
        with self._in_turn():
            self._note_live()
            ways = self._way_back()
            if len(ways) < 2:
                raise StaffError("nothing_before", "No other model was live before this one.")
            self._replace_live(self.model_of(ways[-2]), WentLive(ways[-2], datetime.now(UTC), by, back=True))
            return ways[-2]

    def keep_live(self) -> Version | None:
        """Makes a version of the live model where it is none yet. None where there is no model."""
        with self._in_turn():
            return self._keep_live()

    def keep(
        self,
        folder: Path,
        report: Report,
        *,
        by: str,
        note: str,
        data_revision: str,
        commit: str | None,
        messages: Mapping[Language, int],
    ) -> Version:
        """Makes a version of the model in `folder`, which a training made and which becomes the version's own."""
        sha256, now = _sha256(folder / MODEL), datetime.now(UTC)
        about = Version(_id(now, sha256), now, by, sha256, data_revision, commit, messages, note, None, {})
        write_record(_REPORT, folder / REPORT, report)
        write_record(_VERSION, folder / ABOUT, _measured(about, report))
        folder.rename(self._folder / about.id)
        return about

    def keep_report(self, name: str, report: Report) -> None:
        """Keeps how a version fares, in place of an older report."""
        if about := self.find(name):
            write_record(_REPORT, self._folder / name / REPORT, report)
            write_record(_VERSION, self._folder / name / ABOUT, _measured(about, report))

    def progress(self) -> Progress | None:
        """How far the training is that runs, or how the last one ended; None where there was none."""
        return self._run.progress()

    def start(self, by: str, note: str) -> None:
        """Starts a training in a process of its own, and returns at once.

        Raises:
            StaffError: One runs.
        """
        self._run.start(by, note)

    def cancel(self) -> None:
        """Ends the training that runs."""
        self._run.cancel()

    def training(self, by: str, lock: int | None = None) -> contextlib.AbstractContextManager[Training]:
        """A training, here and now: `TrainingRun.alone`."""
        return self._run.alone(by, lock)

    def _keep_live(self) -> Version | None:
        live = self.live()
        if live and self.find(live.id) is None:
            folder = self._folder / f".{live.id}"
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was ended right here
            folder.mkdir()
            shutil.copyfile(self._live, folder / MODEL)
            write_record(_VERSION, folder / ABOUT, live)
            folder.rename(self._folder / live.id)
        return live

    def _note_live(self) -> Version | None:
        """Keeps the live model, and adds it to the history if it came to be live in another way."""
        live = self._keep_live()
        if live and self._way_back()[-1:] != [live.id]:
            self._add(WentLive(live.id, live.made_at, UNKEPT))
        return live

    def _way_back(self) -> list[str]:
        """What was live, as steps back lead through it; the last one is live."""
        ways: list[str] = []
        for each in self.history():
            if each.back:
                ways.pop()
            else:
                ways.append(each.id)
        return ways

    def _replace_live(self, file: Path, entry: WentLive) -> None:
        fresh = self._live.with_suffix(".new")
        shutil.copyfile(file, fresh)
        fresh.replace(self._live)
        self._add(entry)

    def _add(self, entry: WentLive) -> None:
        write_record(_HISTORY, self._folder / "live.json", (*self.history(), entry))

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One process at a time changes what is live."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "live.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def data_revision(settings: Settings) -> str:
    """A short hash of all that a model is made of: training data, recipe, domain, sentence model."""
    encoder = settings.encoder_folder
    files = [settings.config_file, settings.domain_file, *sorted(settings.nlu_folder.rglob("*.yml"))]
    files += [encoder / "model.onnx", encoder / "tokenizer.json"] if encoder else []
    return hash_of(files)


def hash_of(files: Iterable[Path]) -> str:
    """A short hash of what these files hold, and of their order."""
    parts = [_sha256(file) for file in files if file.is_file()]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:SHORT]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _id(made_at: datetime, sha256: str) -> str:
    return f"{made_at:%Y%m%d-%H%M%S}-{sha256[:LETTERS]}"


def _measured(about: Version, report: Report) -> Version:
    return replace(about, measure=report.measure, headlines=headlines_of(report))


def _is_whole(file: Path, sha256: str) -> bool:
    """Whether it is the file that was kept, and a model at all."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            names = {PurePosixPath(name).name for name in archive.getnames()}
        return "metadata.json" in names and _sha256(file) == sha256
    except (OSError, EOFError, tarfile.TarError, zlib.error):
        return False
