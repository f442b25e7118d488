"""The time that was agreed, as a file for a calendar. Only the clinic agrees on a time, so only then is there one."""

from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event
from itsdangerous import BadSignature, URLSafeSerializer

from bot.content import Content
from bot.store.requests import Request, Requests

LENGTH = timedelta(minutes=30)
REMINDER = timedelta(hours=-2)


def calendar_file(code: str, at: datetime, title: str, phone: str) -> bytes:
    """An iCalendar file with one entry and a reminder two hours before.

    Args:
        code: Of the request; the entry's identity, so that a changed time takes the place of the old one.
        at: When, in any zone.
        title: What the entry is called; nothing of the person's health, since calendars are shared.
        phone: Whom to call, as people read it.
    """
    event = Event()
    event.add("uid", f"{code}@musebot")
    event.add("dtstamp", datetime.now(UTC))
    event.add("dtstart", at.astimezone(UTC))
    event.add("dtend", at.astimezone(UTC) + LENGTH)
    event.add("summary", title)
    event.add("description", phone)
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("description", title)
    reminder.add("trigger", REMINDER)
    event.add_component(reminder)
    calendar = Calendar()
    calendar.add("prodid", "-//musebot//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


class Calendars:
    """The files of requests for which a time was agreed, behind addresses that nobody can guess."""

    def __init__(self, content: Content, requests: Requests, secret: str, address: str) -> None:
        """The files. `address`: where people reach us."""
        self._content = content
        self._requests = requests
        self._signer = URLSafeSerializer(secret, salt="calendar")
        self._address = address

    def link(self, request: Request) -> str | None:
        """Where the file of a request is; None where no time was agreed."""
        if request.agreed_at is None:
            return None
        signed = self._signer.dumps(request.code)
        return f"{self._address}/calendar/{signed if isinstance(signed, str) else signed.decode()}.ics"

    def file(self, signed: str) -> bytes | None:
        """The file behind a link of ours; None where there is none, or no time is agreed any more. May block."""
        try:
            code = str(self._signer.loads(signed))
        except BadSignature:
            return None
        request = self._requests.find(code)
        if request is None or request.state != "scheduled" or request.agreed_at is None:
            return None
        title = self._content.booking.staff["calendar"].of(request.language).format(code=code)
        return calendar_file(code, request.agreed_at, title, self._content.clinic.phone)
