"""What the assistant does, as Rasa actions: thin, run in the same process. Wording lives in `content/`."""

from collections.abc import Container, Mapping

from rasa_sdk import Action

from actions.eligibility import CompareWithStudy
from actions.language import ChangeLanguage
from actions.reply import MoreDetail, SayTopic, ShowSource
from actions.unsure import Unsure


def all_actions(answered: Container[str], kinds: Mapping[str, str]) -> list[Action]:
    """Every action, with what it needs. `answered`: topics that have an answer; `kinds`: the kind of each topic."""
    return [
        SayTopic(answered),
        CompareWithStudy(),
        MoreDetail(answered),
        ShowSource(answered),
        ChangeLanguage(),
        Unsure(kinds),
    ]
