"""Every error the assistant raises on purpose.

BotError
├── ContentError      content files are wrong: refuse to start; .problems lists each one
├── SettingsError     the environment is wrong: refuse to start
├── ModelError        the model is missing or its recipe cannot run here: refuse to start
├── RequestError      a request for a call cannot be changed so
├── StaffError        staff cannot do this; .key names the sentence in the words of the console
├── DeliveryError     something did not reach the clinic's staff: it is tried again
└── MessageError      what came in is no message of ours; a script is told why, a person gets the contact line
"""

from collections.abc import Sequence


class BotError(Exception):
    """The root: its text is a sentence that a person can act on."""


class ContentError(BotError):
    """One or more entries of the content folder are wrong.

    Attributes:
        problems: One sentence each, naming file, entry and reason.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The content cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))


class SettingsError(BotError):
    """A setting is missing or wrong."""


class ModelError(BotError):
    """The model is missing, or `config.yml` asks for something that cannot run here."""


class MessageError(BotError):
    """An incoming message cannot be read."""


class RequestError(BotError):
    """A request for a call does not exist, or cannot be changed in this way."""


class StaffError(BotError):
    """What someone of the staff wants cannot be done.

    Attributes:
        key: Of the sentence in `bot/console/words/problems.yml`, which they read in their language.
    """

    def __init__(self, key: str, sentence: str) -> None:
        self.key = key
        super().__init__(sentence)


class DeliveryError(BotError):
    """A message did not reach the clinic's staff. Its text names the way and the kind of failure, nothing else."""
