"""Settings, read once from the environment and `.env`. Every field is explained in `.env.example`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError
from bot.messages import Language

ROOT = Path(__file__).resolve().parent.parent
OUR_ENCODER = ROOT / "bot" / "nlu" / "encoder"


class Settings(BaseSettings):
    """What a clinic may set. Paths to files are relative to the project's folder unless absolute."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_url: str = ""
    web_origins: Annotated[tuple[str, ...], NoDecode] = ()
    database_url: str = f"sqlite:///{ROOT / 'var' / 'musebot.db'}"
    secret_key: SecretStr | None = None
    home_country: str = "co"
    show_draft_effects: bool = True
    request_months: int = Field(12, ge=1, le=60)
    hold_minutes: int = Field(30, ge=1, le=24 * 60)
    staff_language: Language = "es"
    telegram_bot_token: SecretStr | None = None
    telegram_api: str = "https://api.telegram.org"
    voice_model: Path | None = None
    staff_telegram_chat: str | None = None
    staff_email: str | None = None
    mail_from: str | None = None
    smtp_url: SecretStr | None = None
    staff_webhook: str | None = None
    staff_webhook_key: SecretStr | None = None
    review_grace_days: int = Field(90, ge=0)
    content_folder: Path = ROOT / "content"
    nlu_folder: Path = ROOT / "nlu_data"
    config_file: Path = ROOT / "config.yml"
    domain_file: Path = ROOT / "domain.yml"
    model_file: Path = ROOT / "models" / "musebot.tar.gz"
    encoder_folder: Path | None = OUR_ENCODER

    @field_validator("content_folder", "nlu_folder", "config_file", "domain_file", "model_file")
    @classmethod
    def _from_the_project(cls, value: Path) -> Path:
        return ROOT / value  # an absolute path stays as it is

    @field_validator("web_origins", mode="before")
    @classmethod
    def _addresses_of_sites(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        return tuple(_origin(each.strip().rstrip("/")) for each in given)

    @field_validator("voice_model")
    @classmethod
    def _a_folder_of_the_project(cls, value: Path | None) -> Path | None:
        return value and ROOT / value

    @field_validator("encoder_folder", mode="before")
    @classmethod
    def _a_sentence_model(cls, value: str | Path | None) -> Path | None:
        """Ours may be missing; a folder that somebody names must hold one."""
        if value is None or value == "none":
            return None
        folder = ROOT / value
        if folder != OUR_ENCODER and not (folder / "model.onnx").is_file():
            raise ValueError("this folder holds no model.onnx")
        return folder

    @property
    def origins(self) -> tuple[str, ...]:
        """The sites whose pages may use the chat: those of the clinic, and our own as people reach it."""
        return (*self.web_origins, _origin(self.address))

    @property
    def address(self) -> str:
        """Where people reach us, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def telegram_webhook(self) -> str | None:
        """Where Telegram calls us; None where it cannot, so that we must ask."""
        return f"{self.public_url.rstrip('/')}/telegram" if self.public_url else None

    @property
    def https(self) -> bool:
        """Whether people reach us over https, so that cookies must say so."""
        return self.public_url.startswith("https://")


def _origin(address: str) -> str:
    """An address as browsers name the site: in small letters, without the usual port and without a path.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("give addresses such as https://clinic.example, with commas between them")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


@contextmanager
def throwaway_database(settings: Settings, *, instead: str | None = None) -> Iterator[Settings]:
    """The settings with a database that is gone afterwards; with `instead`, that one."""
    if instead:
        url = instead if "://" in instead else f"sqlite:///{Path(instead).resolve()}"
        yield settings.model_copy(update={"database_url": url})
        return
    with tempfile.TemporaryDirectory() as folder:
        yield settings.model_copy(update={"database_url": f"sqlite:///{Path(folder) / 'throwaway.db'}"})


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: A value cannot be used; the sentence names the variable, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"A setting cannot be used ({wrong}). See .env.example for what each one may be.") from None
