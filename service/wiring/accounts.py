"""The journeys of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.accounts.change_email import ChangeEmail
from service.accounts.change_password import ChangePassword
from service.accounts.close import CloseAccount
from service.accounts.export import ExportAccount
from service.accounts.export_repo import HeldRepo
from service.accounts.forgot_password import ForgotPassword
from service.accounts.register import Register
from service.accounts.resend_email import ResendEmail
from service.accounts.reset_password import ResetPassword
from service.accounts.rules import SignUpRules
from service.accounts.verify_email import VerifyEmail
from service.audit.repo import EventRepo

if TYPE_CHECKING:
    from service.wiring.core import Core


def sign_up_services(core: Core) -> list[object]:
    """From nothing to an account."""
    settings = core.settings
    return [
        SignUpRules(locale=settings.locale),
        Register(
            accounts=core.accounts,
            users=core.users,
            identities=core.identities,
            hasher=core.hasher,
            onetime=core.sign_ups,
            links=core.links,
            outbox=core.outbox,
            quotas=core.mail_quotas,
            decoys=core.decoys,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
            discloses=settings.registration == "disclose",
        ),
        VerifyEmail(
            accounts=core.accounts,
            identities=core.identities,
            onetime=core.sign_ups,
            throttle=core.throttle,
            lanes=core.lanes,
            audit=core.audit,
            clock=core.clock,
        ),
        ResendEmail(
            accounts=core.accounts,
            identities=core.identities,
            onetime=core.sign_ups,
            links=core.links,
            outbox=core.outbox,
            quotas=core.mail_quotas,
            decoys=core.decoys,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
        ),
    ]


def recovery_services(core: Core) -> list[object]:
    """Forgotten and changed passwords."""
    return [
        ForgotPassword(
            recovery=core.recovery,
            users=core.users,
            identities=core.identities,
            proofs=core.resets,
            decoys=core.decoys,
            links=core.links,
            outbox=core.outbox,
            quotas=core.mail_quotas,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
            locale=core.settings.locale,
        ),
        ResetPassword(
            recovery=core.recovery,
            users=core.users,
            identities=core.identities,
            proofs=core.resets,
            new_passwords=core.new_passwords,
            hasher=core.hasher,
            outbox=core.outbox,
            revocations=core.revocations,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
            locale=core.settings.locale,
        ),
        ChangePassword(
            recovery=core.recovery,
            proof=core.proof,
            new_passwords=core.new_passwords,
            hasher=core.hasher,
            outbox=core.outbox,
            revocations=core.revocations,
            audit=core.audit,
            clock=core.clock,
            locale=core.settings.locale,
        ),
    ]


def account_services(core: Core) -> list[object]:
    """What else an owner does with an account."""
    return [
        ChangeEmail(
            recovery=core.recovery,
            users=core.users,
            identities=core.identities,
            proof=core.proof,
            proofs=core.changes,
            links=core.links,
            outbox=core.outbox,
            quotas=core.mail_quotas,
            audit=core.audit,
            clock=core.clock,
            entropy=core.entropy,
            locale=core.settings.locale,
        ),
        ExportAccount(
            held=HeldRepo(dynamo=core.dynamo),
            sessions=core.sessions,
            events=EventRepo(dynamo=core.dynamo),
            audit=core.audit,
            clock=core.clock,
        ),
        CloseAccount(
            accounts=core.accounts,
            users=core.users,
            sessions=core.sessions,
            revocations=core.revocations,
            audit=core.audit,
            clock=core.clock,
        ),
    ]
