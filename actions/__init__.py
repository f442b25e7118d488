"""What the assistant does, as Rasa actions: thin, run in the same process. Wording lives in `content/`."""

from collections.abc import Callable, Container, Mapping

from rasa_sdk import Action

from actions.booking import AskStep, BeginRequest, Book, ChangeRequest, Human, TakeAnswer, TellStatus
from actions.eligibility import CompareWithStudy
from actions.language import ChangeLanguage
from actions.reply import MoreDetail, SayTopic, ShowSource
from actions.unsure import Unsure
from bot.booking import BookingForm
from bot.store.requests import Request


def all_actions(
    answered: Container[str],
    kinds: Mapping[str, str],
    form: BookingForm,
    book: Book,
    calendar: Callable[[Request], str | None],
) -> list[Action]:
    """Every action, with what it needs.

    Args:
        answered: Topics that have an answer.
        kinds: The kind of each topic.
        form: Reads what is said to a request for a call.
        book: The requests that were sent.
        calendar: Where the appointment of a request can be had as a file.
    """
    return [
        SayTopic(answered),
        CompareWithStudy(),
        MoreDetail(answered),
        ShowSource(answered),
        ChangeLanguage(),
        Unsure(kinds),
        BeginRequest(),
        TakeAnswer(form, book, kinds),
        AskStep(form),
        ChangeRequest(form, book),
        TellStatus(book, calendar),
        Human(),
    ]
