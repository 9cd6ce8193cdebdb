"""What people do in a day, and what a busy second is made of: every number that the simulation believes."""

from __future__ import annotations

from dataclasses import dataclass

DAY_SECONDS = 86_400
CORE_MS = {
    "refresh": 1.3,
    "sign in": 30.0,
    "wrong password": 30.0,
    "log out": 1.3,
    "sign up": 40.0,
    "reset": 30.0,
}
"""Milliseconds of a core, rounded up from docs/benchmarks.md with argon2-cffi.

What is not measured there is taken for a sign-in where it hashes, and for a refresh where it does not.
"""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Averages over all registered users. ``peak`` is how much busier the busiest minutes are than the day."""

    users: int = 100_000_000
    daily_share: float = 0.25
    refreshes_a_day: float = 24.0
    sign_ins_a_day: float = 0.15
    wrong_passwords_a_day: float = 0.03
    logouts_a_day: float = 0.05
    sign_ups_a_day: float = 0.002
    resets_a_day: float = 0.002
    sessions_per_user: float = 1.5
    peak: float = 3.0
    known_device_share: float = 0.7

    def per_second(self, times_a_day: float) -> float:
        """How often all active users together do a thing in a busy second."""
        return self.users * self.daily_share * times_a_day / DAY_SECONDS * self.peak

    def usual(self) -> dict[str, float]:
        """What all of them do in a busy second, by name."""
        return {
            "refresh": self.per_second(self.refreshes_a_day),
            "sign in": self.per_second(self.sign_ins_a_day),
            "wrong password": self.per_second(self.wrong_passwords_a_day),
            "log out": self.per_second(self.logouts_a_day),
            "sign up": self.per_second(self.sign_ups_a_day),
            "reset": self.per_second(self.resets_a_day),
        }


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A busy second, and how it differs from the usual one. Rates are a second's.

    ``load`` is how much of the usual there is. All of ``processes`` are polled for the revocation feed.
    """

    name: str
    behaviour: Behaviour = Behaviour()
    load: float = 1.0
    refresh_factor: float = 1.0
    hot_user_refreshes: int = 0
    guesses_at_one_account: int = 0
    guesses_at_many_accounts: int = 0
    processes: int = 100

    def rates(self) -> dict[str, int]:
        """Operations in one second, by name."""
        usual = {name: rate * self.load for name, rate in self.behaviour.usual().items()}
        usual["refresh"] *= self.refresh_factor
        return {
            **{name: round(rate) for name, rate in usual.items()},
            "hot refresh": self.hot_user_refreshes,
            "guess at one": self.guesses_at_one_account,
            "guess at many": self.guesses_at_many_accounts,
        }


def full(name: str, processes: int) -> Scenario:
    """So much of the usual as ``processes`` can serve, with a core each that does nothing else."""
    needed_ms = sum(rate * CORE_MS[what] for what, rate in Behaviour().usual().items())
    return Scenario(name=name, load=processes * 1000 / needed_ms, processes=processes)


SCENARIOS = (
    Scenario(name="a busy evening"),
    Scenario(name="everybody opens the app within a minute", refresh_factor=14.0),
    Scenario(name="one user's script refreshes 2,000 times a second", hot_user_refreshes=2_000),
    Scenario(name="20,000 guesses a second at one account", guesses_at_one_account=20_000),
    Scenario(name="20,000 guesses a second at as many accounts", guesses_at_many_accounts=20_000),
)
SIZES = (
    full("one worker", 1),
    full("one machine, 8 workers", 8),
    full("a hundred machines, 800 workers", 800),
    Scenario(name="one hot user, and nobody else", load=0.0, hot_user_refreshes=2_000, processes=0),
)
