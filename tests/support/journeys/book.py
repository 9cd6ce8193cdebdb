"""All journeys: those that a killed worker is tried with, and those that a failing store is."""

from __future__ import annotations

from tests.support.journeys.account import ACCOUNT, CLOSE
from tests.support.journeys.background import BACKGROUND
from tests.support.journeys.commands import COMMANDS
from tests.support.journeys.doors import DOORS
from tests.support.journeys.recovery import (
    CHANGE_PASSWORD,
    CONFIRM_MOVE,
    FORGET,
    MOVE,
    RECOVERY,
    RESET,
)
from tests.support.journeys.sessions import (
    END_A_SESSION,
    LOG_OUT,
    LOG_OUT_EVERYWHERE,
    REFRESH,
    SESSIONS,
    SIGN_IN_AGAIN,
    SIGN_IN_FIRST,
)
from tests.support.journeys.sign_up import (
    DISCLOSE,
    REGISTER,
    REGISTER_OPENLY,
    RESEND,
    RESEND_OPENLY,
    SIGN_UP,
    VERIFY,
    VERIFY_ON_THE_PAGE,
)

__all__ = ["DISCLOSE", "KILLED", "STRUCK"]

KILLED = [
    REGISTER,
    RESEND,
    VERIFY,
    SIGN_IN_FIRST,
    SIGN_IN_AGAIN,
    REFRESH,
    LOG_OUT,
    LOG_OUT_EVERYWHERE,
    END_A_SESSION,
    CLOSE,
    REGISTER_OPENLY,
    RESEND_OPENLY,
    RESET,
    CHANGE_PASSWORD,
    CONFIRM_MOVE,
    FORGET,
    MOVE,
    VERIFY_ON_THE_PAGE,
]
STRUCK = [*SIGN_UP, *SESSIONS, *ACCOUNT, *RECOVERY, *DOORS, *COMMANDS, *BACKGROUND]
