"""The accounts of the staff, where they are logged in, and what they did."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, cast, get_args

from sqlalchemy import Engine, Select, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot.errors import StaffError
from bot.messages import Language
from bot.store import models

Role = Literal["viewer", "reviewer", "clinician", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may

INVITED_FOR = timedelta(days=3)
IDLE = timedelta(hours=2)  # so long a session lives without being used ...
LONGEST = timedelta(hours=12)  # ... and so long at all
FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)  # after so many wrong passwords; twice as long after each further one
LONGEST_WAIT = timedelta(minutes=15)
FORGIVEN_AFTER = timedelta(hours=1)  # without another try


@dataclass(frozen=True)
class Member:
    """Someone of the staff.

    Attributes:
        login: What they log in with; it also stands in the audit and beside what they do.
        name: What patients are told: a first name.
        joined: Whether they have chosen a password.
        guarded: Whether they log in with an authenticator app, too.
    """

    id: int
    login: str
    name: str
    role: Role
    language: Language
    active: bool
    joined: bool
    guarded: bool
    seen_at: datetime | None

    def may(self, role: Role) -> bool:
        """Whether they may do what `role` may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Attempt:
    """What a login is checked against."""

    member: Member
    password: str | None
    totp: str | None
    totp_used: int | None


@dataclass(frozen=True)
class Deed:
    """What somebody did or saw."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str


class Staff:
    """The accounts of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Member]:
        with Session(self._engine) as session:
            return [_member(row) for row in session.scalars(select(models.Staff).order_by(models.Staff.login))]

    def find(self, login: str) -> Member | None:
        with Session(self._engine) as session:
            row = session.scalar(_named(login))
            return _member(row) if row else None

    def add(self, login: str, name: str, role: Role, language: Language) -> Member:
        """A new account; nobody can log in before `invite` was used.

        Raises:
            StaffError: The login is taken, or something is empty.
        """
        login, name = login.strip().casefold(), name.strip()
        if not login or not name or len(login) > 64 or len(name) > 64 or " " in login:
            raise StaffError(
                "bad_account", "An account needs a login without blanks and a first name, at most 64 letters each."
            )
        with Session(self._engine) as session, session.begin():
            if session.scalar(_named(login)):
                raise StaffError("taken", f"There is an account '{login}' already.")
            row = models.Staff(login=login, name=name, role=role, language=language, created_at=datetime.now(UTC))
            session.add(row)
            session.flush()
            return _member(row)

    def change(self, login: str, *, role: Role | None = None, active: bool | None = None) -> Member:
        """Another role, or an account disabled or enabled again. Where it is disabled, its sessions end at once.

        Raises:
            StaffError: There is no such account, or no admin would be left.
        """
        with Session(self._engine) as session, session.begin():
            row = _one(session, login)
            had_admin = _has_admin(session)
            row.role = role or row.role
            row.active = row.active if active is None else active
            session.flush()
            if had_admin and not _has_admin(session):
                raise StaffError("last_admin", "This is the last admin. Make another one first.")
            if not row.active:
                session.execute(delete(models.StaffSession).where(models.StaffSession.staff_id == row.id))
                session.execute(delete(models.Invitation).where(models.Invitation.staff_id == row.id))
            return _member(row)

    def speak(self, login: str, language: Language) -> None:
        """The language of the pages."""
        with Session(self._engine) as session, session.begin():
            _one(session, login).language = language

    def guard(self, login: str, totp: str | None) -> None:
        """Logging in asks for a code of the app that holds this secret; with None it no longer does."""
        with Session(self._engine) as session, session.begin():
            row = _one(session, login)
            row.totp, row.totp_used = totp, None

    # --- invitations --------------------------------------------------------------------------------------------------

    def invite(self, login: str) -> str:
        """The token of a link with which a password is chosen, once; earlier links of the account no longer work.

        Raises:
            StaffError: There is no such account, or it is disabled.
        """
        token = secrets.token_urlsafe(24)
        with Session(self._engine) as session, session.begin():
            row = _one(session, login)
            if not row.active:
                raise StaffError("disabled", f"The account '{login}' is disabled.")
            session.execute(delete(models.Invitation).where(models.Invitation.staff_id == row.id))
            expires = datetime.now(UTC) + INVITED_FOR
            session.add(models.Invitation(token=_hash(token), staff_id=row.id, expires_at=expires))
        return token

    def invite_first(self) -> str | None:
        """The token of an invitation for the first admin; None where an admin has a password already."""
        with Session(self._engine) as session:
            if _has_admin(session):
                return None
        waiting = [each for each in self.all() if each.role == "admin" and each.active]
        if not waiting and self.find("admin"):  # disabled, or made something else: `musebot staff` mends it
            return None
        first = waiting[0] if waiting else self.add("admin", "Admin", "admin", "es")
        return self.invite(first.login)

    def invited(self, token: str) -> Member | None:
        """Whose invitation it is; None where it is used, too old or none of ours."""
        with Session(self._engine) as session:
            row = session.get(models.Invitation, _hash(token))
            good = row is not None and row.expires_at > datetime.now(UTC) and row.staff.active
            return _member(row.staff) if row and good else None

    def join(self, token: str, name: str, password: str) -> Member | None:
        """Uses an invitation: the password, as a hash, is the account's from now on, and older sessions end."""
        with Session(self._engine) as session, session.begin():
            row = session.get(models.Invitation, _hash(token))
            if row is None or row.expires_at <= datetime.now(UTC) or not row.staff.active:
                return None
            staff = row.staff
            used = session.execute(delete(models.Invitation).where(models.Invitation.token == _hash(token)))
            if not cast(Any, used).rowcount:  # somebody was quicker
                return None
            staff.password, staff.name = password, name.strip()[:64] or staff.name
            session.execute(delete(models.StaffSession).where(models.StaffSession.staff_id == staff.id))
            return _member(staff)

    # --- logging in ---------------------------------------------------------------------------------------------------

    def wait(self, key: str) -> timedelta:
        """Counts a try to log in under `key` before it is made; how long it must wait, and then it is not counted.

        Tries at the same moment are counted one after the other, so that none slips through. `forgive` forgets them.
        """
        now, guess = datetime.now(UTC), models.Guess
        free = or_(guess.locked_until.is_(None), guess.locked_until <= now)
        number = case((guess.last_at < now - FORGIVEN_AFTER, 1), else_=guess.number + 1)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(guess).where(guess.last_at < now - LONGEST))
            counted = session.scalar(
                update(guess)
                .where(guess.key == _hash(key), free)
                .values(number=number, last_at=now, locked_until=None)
                .returning(guess.number)
            )
            if counted is None:
                row = session.get(guess, _hash(key))
                if row is not None:
                    return max((row.locked_until or now) - now, timedelta(seconds=1))
                session.add(guess(key=_hash(key), number=1, last_at=now))
            elif counted >= FREE_TRIES:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(counted - FREE_TRIES, 10))
                session.execute(update(guess).where(guess.key == _hash(key)).values(locked_until=now + wait))
        return timedelta()

    def forgive(self, key: str) -> None:
        """Forgets the tries under `key`: one of them was right."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(models.Guess).where(models.Guess.key == _hash(key)))

    def attempt(self, login: str) -> Attempt | None:
        """What a login is to be checked against; None where nobody can log in with it."""
        with Session(self._engine) as session:
            row = session.scalar(_named(login))
            if row is None or not row.active:
                return None
            return Attempt(_member(row), row.password, row.totp, row.totp_used)

    def enter(self, member: Member, code: int | None = None) -> str:
        """The token of a new session. `code`: the moment of the app's code, which is good once.

        Raises:
            StaffError: The code was used meanwhile.
        """
        now, token = datetime.now(UTC), secrets.token_urlsafe(32)
        with Session(self._engine) as session, session.begin():
            unused = or_(models.Staff.totp_used.is_(None), models.Staff.totp_used < (code or 0))
            values = {"seen_at": now} if code is None else {"seen_at": now, "totp_used": code}
            mine = update(models.Staff).where(models.Staff.id == member.id).values(**values)
            done = session.execute(mine if code is None else mine.where(unused))
            if not cast(Any, done).rowcount:
                raise StaffError("code_used", "This code was used already. Wait for the next one.")
            session.execute(delete(models.StaffSession).where(models.StaffSession.created_at < now - LONGEST))
            session.add(models.StaffSession(token=_hash(token), staff_id=member.id, created_at=now, seen_at=now))
        return token

    def member(self, token: str, *, awake: bool = True) -> Member | None:
        """Who is logged in with a token; None where the session is over.

        Args:
            token: Of the session.
            awake: Whether somebody does something; a page that only looks for news keeps no session alive.
        """
        now = datetime.now(UTC)
        with Session(self._engine) as session:
            row = session.get(models.StaffSession, _hash(token))
            if row is None or row.seen_at < now - IDLE or row.created_at < now - LONGEST or not row.staff.active:
                return None
            found = _member(row.staff)
            if awake and now - row.seen_at > timedelta(minutes=1):  # not a write for each page
                row.seen_at = row.staff.seen_at = now
                session.commit()
            return found

    def leave(self, token: str) -> None:
        """Ends a session."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(models.StaffSession).where(models.StaffSession.token == _hash(token)))


class Deeds:
    """The audit of one database. There is no way to change or delete what it holds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, who: str, action: str, subject: str = "", detail: str = "") -> None:
        """Notes what somebody did or saw.

        Args:
            who: Their login.
            action: A key of `audit` in the words of the console.
            subject: What it was about, as "conversation:12"; never what was said in it.
            detail: Why, or what was changed.
        """
        with Session(self._engine) as session, session.begin():
            session.add(
                models.Audit(
                    at=datetime.now(UTC), who=who[:64], action=action, subject=subject[:128], detail=detail[:256]
                )
            )

    def find(self, *, who: str = "", subject: str = "", before: int | None = None, most: int = 100) -> Sequence[Deed]:
        """What was done, the newest first; of one person, about one thing, or before a number."""
        query = select(models.Audit).order_by(models.Audit.id.desc()).limit(most)
        if who:
            query = query.where(models.Audit.who == who)
        if subject:
            query = query.where(models.Audit.subject == subject)
        if before is not None:
            query = query.where(models.Audit.id < before)
        with Session(self._engine) as session:
            return [Deed(r.id, r.at, r.who, r.action, r.subject, r.detail) for r in session.scalars(query)]


def _named(login: str) -> Select[models.Staff]:
    return select(models.Staff).where(models.Staff.login == login.strip().casefold())


def _one(session: Session, login: str) -> models.Staff:
    row = session.scalar(_named(login))
    if row is None:
        raise StaffError("no_account", f"There is no account '{login}'.")
    return row


def _has_admin(session: Session) -> bool:
    """Whether there is an admin who can log in."""
    staff = models.Staff
    able = select(func.count()).where(staff.role == "admin", staff.active, staff.password.is_not(None))
    return bool(session.scalar(able))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _member(row: models.Staff) -> Member:
    return Member(
        id=row.id,
        login=row.login,
        name=row.name,
        role=cast(Role, row.role),
        language=cast(Language, row.language),
        active=row.active,
        joined=row.password is not None,
        guarded=row.totp is not None,
        seen_at=row.seen_at,
    )
