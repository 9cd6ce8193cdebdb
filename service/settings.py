"""Every setting, read once, in one place. Only the edge (app, wiring, cli) may import this module.

A setting is an environment variable: the field's name in upper case with ``KEYTURN_`` before it. AWS's own variables
(region, endpoint, credentials) are AWS's and do not stand here.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from service.settings_proxies import ambiguous_in_prod, trusted_proxy_preset
from service.settings_rules import (
    IN_PROCESS,
    base_url,
    counter_url,
    keys_by_id,
    no_keys_or_keys_by_id,
    origins,
    problems_of,
    raw_key,
    unsafe_in_prod,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "KEYTURN_"
# Read elsewhere, before there is a service: where the command keeps the engines that it fetched.
_NOT_OURS = frozenset({"KEYTURN_ENGINES_DIR"})

Seconds = Annotated[int, Field(gt=0, le=86_400)]
Lifetime = Annotated[int, Field(gt=0, le=10 * 366 * 86_400)]
# Below this many code points a password needs both lists and strength (NIST SP 800-63B-4 section 3.1.1.2).
_LENGTH_ALONE = 15
_MIN_SCORE_OF_SHORT = 3
Keys = Annotated[SecretStr, AfterValidator(keys_by_id)]


class SettingsError(Exception):
    """Settings that are missing, broken or unsafe; one line each, with the cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """What an operator may choose. Secrets show a mask when printed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: Literal["dev", "prod"] = "prod"
    issuer: Annotated[str, AfterValidator(base_url)]
    audience: str = Field(default="", max_length=255)
    service_name: str = Field(default="Keyturn", min_length=1, max_length=64)
    table_prefix: str = Field(default="keyturn", pattern=r"^[a-zA-Z0-9_.-]{1,200}$")

    access_ttl_seconds: Annotated[int, Field(gt=0, le=86_400)] = 300
    refresh_idle_seconds: Lifetime = 30 * 86_400
    refresh_absolute_seconds: Lifetime = 90 * 86_400
    refresh_grace_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    clock_skew_seconds: Annotated[int, Field(ge=0, le=30)] = 2
    store_deadline_seconds: Annotated[int, Field(gt=0, le=60)] = 10
    store_client: Literal["lean", "plain"] = "lean"
    recent_sign_in_seconds: Seconds = 600

    refresh_keys: Keys
    key_encryption_keys: Keys
    identity_key: Annotated[SecretStr, AfterValidator(raw_key)]
    signing_algorithm: Literal["ES256", "EdDSA", "RS256"] = "ES256"
    key_rotation_seconds: Annotated[int, Field(ge=3600)] = 30 * 86_400
    key_publish_ahead_seconds: Annotated[int, Field(ge=0)] = 86_400
    kms_key_id: str = ""

    revocation_feed_keys: Annotated[SecretStr, AfterValidator(no_keys_or_keys_by_id)] = SecretStr("")
    revocation_feed_cache_seconds: Annotated[int, Field(ge=1, le=60)] = 1

    registration: Literal["private", "disclose"] = "private"
    password_min_length: Annotated[int, Field(ge=8, le=64)] = 15
    password_min_score: Annotated[int, Field(ge=0, le=4)] = 3
    breach_list: Literal["online", "offline", "off"] = "online"
    breach_url: Annotated[str, AfterValidator(base_url)] = "https://api.pwnedpasswords.com"
    breach_away: Literal["offline", "refuse"] = "offline"
    argon2_memory_kib: Annotated[int, Field(ge=8, le=1_048_576)] = 19_456
    argon2_time_cost: Annotated[int, Field(ge=1, le=20)] = 2
    argon2_parallelism: Annotated[int, Field(ge=1, le=16)] = 1
    argon2_engine: Literal["argon2-cffi", "libsodium"] = "argon2-cffi"
    hash_slots: Annotated[int, Field(ge=0, le=256)] = 0
    hash_queue: Annotated[int, Field(ge=1, le=10_000)] = 64
    hash_nice: Annotated[int, Field(ge=0, le=19)] = 10

    mail_url: SecretStr = SecretStr("")
    mail_from: str = ""
    mail_sending: Literal["process", "stream"] = "process"
    mail_templates: str = ""
    locale: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")

    audit_retention_days: Annotated[int, Field(ge=1, le=3650)] = 400
    trusted_proxies: Annotated[int, BeforeValidator(trusted_proxy_preset)] = 0
    cors_origins: Annotated[str, AfterValidator(origins)] = ""
    body_limit_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] = 16_384
    throttle: Literal["on", "off"] = "on"
    answer_beat_ms: Annotated[int, Field(ge=0, le=1000)] = 150
    coarse_limits_url: Annotated[SecretStr, AfterValidator(counter_url)] = SecretStr(IN_PROCESS)
    management_host: str = "127.0.0.1"
    management_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def is_dev(self) -> bool:
        """Whether this is a laptop: readable logs, /docs open, unsafe settings allowed."""
        return self.env == "dev"

    @property
    def expected_audience(self) -> str:
        """The audience of access tokens; the issuer's own address unless another is set."""
        return self.audience or self.issuer

    @property
    def publishes_revocations(self) -> bool:
        """Whether there is a revocation feed: each revocation is written down for it, and tokens say their epoch."""
        return self.revocation_feed_keys.get_secret_value() != ""

    @property
    def coalesce_seconds(self) -> int:
        """How long a generation must stand before it may rotate again: W + 2d + 2d + D (docs/adr/0003)."""
        return self.refresh_grace_seconds + 4 * self.clock_skew_seconds + self.store_deadline_seconds

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins that browsers may call from."""
        return tuple(self.cors_origins.split())


def load(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``. Raises SettingsError that names each problem and its cure; never a value."""
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in _NOT_OURS and value != ""
    }
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(problems_of(error, PREFIX)) from None
    problems = _contradictions(settings) + _missing_packages(settings)
    if not settings.is_dev:
        problems += unsafe_in_prod(settings) + ambiguous_in_prod(environ)
    if problems:
        raise SettingsError(problems)
    return settings


def _contradictions(settings: Settings) -> list[str]:
    """Settings that are each fine and together break a promise, in whatever environment."""
    problems = []
    if 2 * settings.coalesce_seconds >= settings.access_ttl_seconds:
        problems.append(
            "KEYTURN_ACCESS_TTL_SECONDS: must be more than twice grace + 4 x skew + store deadline "
            f"(more than {2 * settings.coalesce_seconds}): raise it, or lower "
            "KEYTURN_REFRESH_GRACE_SECONDS, KEYTURN_CLOCK_SKEW_SECONDS or KEYTURN_STORE_DEADLINE_SECONDS"
        )
    if settings.refresh_idle_seconds > settings.refresh_absolute_seconds:
        problems.append("KEYTURN_REFRESH_IDLE_SECONDS: must not be longer than KEYTURN_REFRESH_ABSOLUTE_SECONDS")
    if settings.argon2_engine == "libsodium" and settings.argon2_parallelism != 1:
        problems.append("KEYTURN_ARGON2_ENGINE: libsodium knows one lane; set KEYTURN_ARGON2_PARALLELISM=1")
    if settings.key_publish_ahead_seconds >= settings.key_rotation_seconds:
        problems.append("KEYTURN_KEY_PUBLISH_AHEAD_SECONDS: must be shorter than KEYTURN_KEY_ROTATION_SECONDS")
    weak = settings.breach_list == "off" or settings.password_min_score < _MIN_SCORE_OF_SHORT
    if settings.password_min_length < _LENGTH_ALONE and weak:
        problems.append(
            f"KEYTURN_PASSWORD_MIN_LENGTH: below {_LENGTH_ALONE} needs KEYTURN_BREACH_LIST=online or offline "
            f"and KEYTURN_PASSWORD_MIN_SCORE={_MIN_SCORE_OF_SHORT} or more"
        )
    return problems


def _missing_packages(settings: Settings) -> list[str]:
    """What a setting needs beside the service, and is not installed."""
    if settings.coarse_limits_url.get_secret_value() == IN_PROCESS or find_spec("redis") is not None:
        return []
    cure = "pip install 'keyturn[service,redis]', or set memory://"
    return [f"KEYTURN_COARSE_LIMITS_URL: needs the package redis, which is not installed; {cure}"]
