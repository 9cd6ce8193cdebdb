"""What people do in a day, and what a busy second is made of: every number that the simulation believes."""

from __future__ import annotations

from dataclasses import dataclass

DAY_SECONDS = 86_400


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


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A busy second, and how it differs from the usual one. Rates are a second's."""

    name: str
    behaviour: Behaviour = Behaviour()
    refresh_factor: float = 1.0
    hot_user_refreshes: int = 0
    guesses_at_one_account: int = 0
    guesses_at_many_accounts: int = 0
    processes: int = 100

    def rates(self) -> dict[str, int]:
        """Operations in one second, by name."""
        of = self.behaviour.per_second
        daily = self.behaviour
        return {
            "refresh": round(of(daily.refreshes_a_day) * self.refresh_factor),
            "sign in": round(of(daily.sign_ins_a_day)),
            "wrong password": round(of(daily.wrong_passwords_a_day)),
            "log out": round(of(daily.logouts_a_day)),
            "sign up": round(of(daily.sign_ups_a_day)),
            "reset": round(of(daily.resets_a_day)),
            "hot refresh": self.hot_user_refreshes,
            "guess at one": self.guesses_at_one_account,
            "guess at many": self.guesses_at_many_accounts,
        }


SCENARIOS = (
    Scenario(name="a busy evening"),
    Scenario(name="everybody opens the app within a minute", refresh_factor=14.0),
    Scenario(name="one user's script refreshes 2,000 times a second", hot_user_refreshes=2_000),
    Scenario(name="20,000 guesses a second at one account", guesses_at_one_account=20_000),
    Scenario(name="20,000 guesses a second at as many accounts", guesses_at_many_accounts=20_000),
)
