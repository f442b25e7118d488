"""Reads the training messages for Rasa, whose own reader takes a minute for 20,000 of them."""

from pathlib import Path
from typing import Any

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.messages import LANGUAGES
from bot.nlu.examples import Example, read_examples


class Importer(RasaFileImporter):
    """The messages of `en` and `es` read by a quick parser; rules, lookups and all else as Rasa reads them.

    Those messages carry no marked entities: what is extracted is told by lookups and rules.
    """

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
    ) -> None:
        paths = [training_data_paths] if isinstance(training_data_paths, str) else training_data_paths or []
        self._folders = [
            Path(path) for path in paths if all((Path(path) / language).is_dir() for language in LANGUAGES)
        ]
        others = [path for path in paths if Path(path) not in self._folders]
        super().__init__(
            config_file, domain_path, others + [str(f) for folder in self._folders for f in folder.glob("*.yml")]
        )

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """Every message, with the topic, the language and the English that its file gives it."""
        examples = [example for folder in self._folders for example in read_examples(folder) if _is_in_folder(example)]
        data = super().get_nlu_data(language)
        data.training_examples = [*map(message_of, examples), *data.training_examples]
        return data


class _Message(Message):
    """A training message that is quickly told from others and copied, both of which Rasa does with all, many times."""

    def __hash__(self) -> int:
        return hash(self.get(TEXT))

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Message":
        # What a message holds is replaced, never changed in place.
        return _Message(dict(self.data), set(self.output_properties), self.time, list(self.features))


def _is_in_folder(example: Example) -> bool:
    return example.file.startswith(tuple(f"{language}/" for language in LANGUAGES))


def message_of(example: Example) -> Message:
    """The example as Rasa passes it on."""
    return _Message.build(
        example.text,
        example.topic,
        intent_metadata={"language": example.language},
        example_metadata={"en": example.translation} if example.translation else None,
    )
