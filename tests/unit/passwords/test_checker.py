from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Unavailable
from service.kernel.email import parse_email
from service.kernel.secret import Secret
from service.kernel.username import parse_username
from service.passwords.breach import Breach, NullBreachList
from service.passwords.checker import PasswordChecker
from service.passwords.offline import OfflineBreachList
from service.passwords.policy import PasswordContext
from service.passwords.strength_meter import StrengthMeter
from tests.support.people import PASSWORD

GOOD = "seven bright red ducks"
NOBODY = PasswordContext()
ALICE = PasswordContext(
    email=parse_email("alice.liddell@wonderland.example"), username=parse_username("white_rabbit"), product="ignored"
)


class ScriptedList:
    """A breach list that answers as told and remembers how often it was asked."""

    def __init__(self, answer=Breach.CLEAN):
        self.answer = answer
        self.asked = 0

    async def contains(self, password):
        self.asked += 1
        return self.answer


@pytest.fixture
async def meter():
    meter = StrengthMeter()
    yield meter
    await meter.close()


@pytest.fixture
def service():
    return ScriptedList()


@pytest.fixture
def make(meter, service):
    def checker(**fields):
        defaults = {
            "min_length": 15,
            "min_score": 3,
            "product": "Acme Portal",
            "meter": meter,
            "common": OfflineBreachList.embedded(),
            "breached": service,
            "refuses_when_away": False,
        }
        return PasswordChecker(**{**defaults, **fields})

    return checker


async def codes(checker, password, context=NOBODY):
    return [finding.code for finding in await checker.check(Secret(password), context)]


@pytest.mark.parametrize("password", [PASSWORD, GOOD, "пароль из многих слов", "kX9$2mP!7qR4@wZ5"])
async def test_a_good_password_passes_and_scores_four(make, password):
    assessment = await make().assess(Secret(password), ALICE)
    assert (assessment.ok, assessment.findings, assessment.score) == (True, (), 4)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("ducks", "password_too_short"),
        ("d" * 257, "password_too_long"),
        ("seven bright\tred ducks", "password_control_character"),
        ("half a pair \ud800 of ducks", "password_not_text"),
        ("white_rabbit-1234", "password_like_username"),
        ("alice.liddell12345", "password_like_email"),
        ("acme portal 12345", "password_like_product"),
        ("password1234567", "password_breached"),
        ("passwordpassword", "password_breached"),
        ("longpassword123", "password_too_weak"),
        ("zzzzzzzzzzzzzzzzzzz", "password_too_weak"),
    ],
)
async def test_a_bad_password_is_refused_with_its_code_and_a_sentence(make, service, password, code):
    findings = await make().check(Secret(password), ALICE)
    assert code in {finding.code for finding in findings}
    assert all(password not in finding.message for finding in findings)
    assert all(finding.message.endswith(".") for finding in findings)
    assert service.asked == 0


async def test_a_password_that_the_service_knows_is_refused(make, service):
    service.answer = Breach.LISTED
    assert await codes(make(), GOOD) == ["password_breached"]


async def test_the_outside_is_asked_once_and_only_about_what_is_fine_here(make, service):
    for password in ("short", "password1234567", "longpassword123", "d" * 257, "\ud800" * 20):
        await make().check(Secret(password), NOBODY)
    assert service.asked == 0
    await make().check(Secret(GOOD), NOBODY)
    assert service.asked == 1


async def test_while_the_service_is_away_the_embedded_list_decides(make, service):
    service.answer = Breach.UNKNOWN
    assert await codes(make(), GOOD) == []
    assert await codes(make(), "dragonbaseball12") == ["password_breached"]


async def test_attack_while_the_service_is_away_no_password_is_set_where_its_answer_is_demanded(make, service):
    service.answer = Breach.UNKNOWN
    with pytest.raises(Unavailable) as refused:
        await make(refuses_when_away=True).check(Secret(GOOD), NOBODY)
    assert refused.value.headers() == {"Retry-After": "30"}


async def test_an_answer_that_is_demanded_and_given_counts(make, service):
    assert await codes(make(refuses_when_away=True), GOOD) == []


async def test_without_lists_and_without_a_least_score_the_rules_stand_alone(make):
    checker = make(min_score=0, common=NullBreachList(), breached=NullBreachList())
    assert await codes(checker, "aaaaaaaaaaaaaab") == []
    assert await codes(checker, "aaaa") == ["password_too_short"]


@pytest.mark.parametrize(("min_score", "expected"), [(2, []), (3, ["password_too_weak"])])
async def test_the_least_score_is_a_setting(make, min_score, expected):
    assert await codes(make(min_score=min_score), "Summer2024Summer2024") == expected


async def test_a_shorter_minimum_lets_shorter_passwords_through_that_are_strong(make):
    checker = make(min_length=8)
    assert await codes(checker, "vR7#qLx2") == []
    assert await codes(checker, "sunshine") == ["password_breached"]


async def test_strength_knows_the_names_of_the_owner(make):
    context = PasswordContext(email=parse_email("quorlbex.vandrimp@example.com"))
    password = "vandrimpquorlbex"
    assert await codes(make(), password, context) == ["password_too_weak"]
    assert await codes(make(), password) == []


async def test_the_product_of_the_installation_counts_whatever_the_caller_says(make):
    context = PasswordContext(product="something else")
    assert await codes(make(), "acmeportal12345", context) == ["password_like_product"]


async def test_a_password_that_cannot_be_judged_scores_nothing(make):
    assert (await make().assess(Secret("x" * 3000), NOBODY)).score == 0


@given(st.text(st.characters(), max_size=400))
async def test_no_text_makes_it_raise(password):
    meter = StrengthMeter()
    checker = PasswordChecker(
        min_length=8,
        min_score=3,
        product="Acme",
        meter=meter,
        common=OfflineBreachList.embedded(),
        breached=NullBreachList(),
        refuses_when_away=True,
    )
    assessment = await checker.assess(Secret(password), ALICE)
    await meter.close()
    assert assessment.score in range(5)
    assert assessment.ok is (assessment.findings == ())
