"""What a guard knows of revocations: applied, looked up, forgotten in time, and bounded. Pure rules.

One thread applies and forgets; any number may ask meanwhile. Each question is two look-ups in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyturn.principal import Principal
    from keyturn.revocation_statement import Statement, UserEnded

MAX_ENTRIES: Final = 100_000
"""Some 30 MB."""

_MAX_OF_USER: Final = 16


def is_below(ended: tuple[UserEnded, ...], *, epoch: int, session_id: str | None) -> bool:
    """Whether a token of ``epoch`` and ``session_id`` is dead by what ended its user's sessions."""
    return any(epoch < one.epoch and (one.kept is None or one.kept != session_id) for one in ended)


def epoch_of(principal: Principal) -> int:
    """The epoch that the token tells; lower than any where it tells none, so that it counts as an old one."""
    epoch = principal.claims.get("epoch")
    return epoch if type(epoch) is int and epoch >= 0 else -1


@dataclass(kw_only=True, slots=True)
class KnownRevocations:
    """What has been heard.

    Beyond ``max_entries`` the oldest entries give way to one rule: tokens issued until then are refused. Whoever has a
    living session gets a new one by refreshing, and a dead session gets none; so a flood costs honest clients a
    refresh, and opens no door.
    """

    max_entries: int = MAX_ENTRIES
    _sessions: OrderedDict[str, int] = field(default_factory=OrderedDict, repr=False)
    _users: OrderedDict[str, tuple[UserEnded, ...]] = field(default_factory=OrderedDict, repr=False)
    _retain_seconds: int = 0
    _settle_seconds: int = 0
    _forgotten: int | None = None

    def __len__(self) -> int:
        return len(self._sessions) + len(self._users)

    def is_revoked(self, principal: Principal) -> bool:
        """Whether a token of ``principal`` is dead by what is known."""
        if principal.session_id in self._sessions:
            return True
        ended = self._users.get(principal.subject)
        if ended is not None and is_below(ended, epoch=epoch_of(principal), session_id=principal.session_id):
            return True
        # Read once: another thread may be raising it.
        forgotten = self._forgotten
        return forgotten is not None and principal.issued_at <= forgotten + self._settle_seconds

    def is_blind(self, *, now_ms: int) -> bool:
        """Whether so much was forgotten that even a token issued now would be refused: then nothing can be known."""
        return self._forgotten is not None and now_ms < (self._forgotten + self._settle_seconds + 1) * 1000

    def apply(self, statement: Statement) -> None:
        """Learn what ``statement`` says. Saying it twice changes nothing."""
        # A shorter life of access tokens does not shorten that of those which are out.
        self._retain_seconds = max(self._retain_seconds, statement.retain_seconds)
        self._settle_seconds = max(self._settle_seconds, statement.settle_seconds)
        if statement.forgotten is not None:
            self._forget_until(statement.forgotten)
        for session in statement.sessions:
            self._sessions.setdefault(session.session_id, session.at)
        for user in statement.users:
            known = self._users.get(user.subject, ())
            if (ended := _with(known, user)) != known:
                self._users[user.subject] = ended
                self._users.move_to_end(user.subject)
        while len(self) > self.max_entries:
            self._forget_oldest()

    def expire(self, *, now_ms: int) -> None:
        """Let go of what no living token can be of. Entries come in the order of time, give or take seconds."""
        oldest = now_ms // 1000 - self._retain_seconds
        while self._sessions and next(iter(self._sessions.values())) < oldest:
            self._sessions.popitem(last=False)
        while self._users and next(iter(self._users.values()))[-1].at < oldest:
            self._users.popitem(last=False)
        if self._forgotten is not None and self._forgotten < oldest:
            self._forgotten = None

    def _forget_oldest(self) -> None:
        session_at = next(iter(self._sessions.values()), None)
        user_at = next(iter(self._users.values()))[-1].at if self._users else None
        if user_at is None or (session_at is not None and session_at <= user_at):
            self._forget_until(session_at or 0)
            self._sessions.popitem(last=False)
        else:
            self._forget_until(user_at)
            self._users.popitem(last=False)

    def _forget_until(self, at: int) -> None:
        self._forgotten = at if self._forgotten is None else max(self._forgotten, at)


def _with(known: tuple[UserEnded, ...], new: UserEnded) -> tuple[UserEnded, ...]:
    """``known`` and ``new``, without what another says as well; the latest time last."""
    if any(one == new for one in known):
        return known
    everything = (*known, new)
    whole = max((one.epoch for one in everything if one.kept is None), default=-1)
    kept = [one for one in everything if one.kept is not None and one.epoch > whole]
    ended = [one for one in everything if one.kept is None and one.epoch == whole][-1:]
    if len(kept) >= _MAX_OF_USER:
        # Nobody changes a password so often; the newest counts, and keeps nobody.
        newest = max(everything, key=lambda one: one.epoch)
        return (type(newest)(subject=newest.subject, epoch=newest.epoch, kept=None, at=new.at),)
    return tuple(sorted((*ended, *kept), key=lambda one: one.at))
