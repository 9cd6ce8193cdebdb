"""What a route may ask for beyond a valid token."""

from __future__ import annotations

import pytest

from keyturn import Requirement, errors
from keyturn.requirements import require_acr, require_amr, require_recent, require_scopes

MFA = {"amr": ("pwd", "otp"), "acr": "urn:two"}


@pytest.fixture
def principal(keyturn_issuer):
    def principal(**options):
        return keyturn_issuer.verifier().verify(keyturn_issuer.token_for("user", **options))

    return principal


@pytest.fixture
def holds(keyturn_issuer, principal):
    """Whether a requirement holds of who signed in with some options."""

    def holds(requirement, **options):
        try:
            keyturn_issuer.verifier().require(principal(**options), requirement)
        except (errors.InsufficientScope, errors.StepUpRequired) as error:
            return error
        return True

    return holds


def test_every_scope_is_needed(holds):
    both = Requirement.of("notes:read", "notes:write")
    assert holds(both, scopes=["notes:write", "notes:read", "more"]) is True
    for scopes in ([], ["notes:read"], ["notes:read notes:writes"], ["NOTES:READ", "NOTES:WRITE"]):
        assert holds(both, scopes=scopes).scopes == ("notes:read", "notes:write")


def test_no_requirement_holds_of_anybody(holds):
    assert holds(Requirement()) is True


@pytest.mark.parametrize(("age", "recent"), [(0, True), (295, True), (320, False)])
def test_a_sign_in_is_recent_up_to_its_age(holds, age, recent):
    asked = holds(Requirement(max_age_seconds=300), age=age)
    assert asked is True if recent else asked.max_age_seconds == 300


def test_who_never_signed_in_is_never_recent(keyturn_issuer):
    guard = keyturn_issuer.verifier()
    machine = guard.verify(keyturn_issuer.token_for_client("billing", scopes=["notes:read"]))
    guard.require(machine, Requirement.of("notes:read"))
    for requirement in (Requirement(max_age_seconds=10**9), Requirement(amr=("pwd",)), Requirement(acr_values=("x",))):
        with pytest.raises(errors.StepUpRequired):
            guard.require(machine, requirement)


def test_every_method_and_one_of_the_contexts_is_needed(holds):
    assert holds(Requirement(amr=("pwd", "otp")), **MFA) is True
    assert holds(Requirement(amr=("otp", "hwk")), **MFA) is not True
    assert holds(Requirement(acr_values=("urn:three", "urn:two")), **MFA) is True
    assert holds(Requirement(acr_values=("urn:three", "urn:four")), **MFA).acr_values == ("urn:three", "urn:four")


def test_a_missing_scope_is_told_before_a_step_up_that_would_not_help(holds):
    assert isinstance(holds(Requirement.of("admin", max_age_seconds=1), age=60), errors.InsufficientScope)


def test_a_step_up_asks_for_everything_at_once(holds):
    asked = holds(Requirement(max_age_seconds=30, acr_values=("urn:two",)), age=60, acr="urn:two")
    assert (asked.max_age_seconds, asked.acr_values) == (30, ("urn:two",))


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a\\", "a\n", "\u00e4", 'x", error="none'])
def test_response_splitting_a_name_that_could_break_the_challenge_is_refused_where_it_is_written(name):
    for make in (
        lambda: Requirement.of(name),
        lambda: Requirement(amr=(name,)),
        lambda: Requirement(acr_values=(name,)),
    ):
        with pytest.raises(ValueError, match="character"):
            make()


def test_an_age_below_zero_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="below zero"):
        Requirement(max_age_seconds=-1)


def test_each_rule_stands_alone(principal):
    mine = principal(scopes=["a"], **MFA)
    now_ms = mine.issued_at * 1000
    require_scopes(mine, "a")
    require_recent(mine, max_age_seconds=0, now_ms=now_ms)
    require_amr(mine, "pwd", "otp")
    require_acr(mine, "urn:one", "urn:two")
    for rule in (
        lambda: require_recent(mine, max_age_seconds=0, now_ms=now_ms + 1),
        lambda: require_amr(mine, "hwk"),
        lambda: require_acr(mine, "urn:one"),
        lambda: require_acr(mine),
    ):
        with pytest.raises(errors.StepUpRequired):
            rule()
    with pytest.raises(errors.InsufficientScope):
        require_scopes(mine, "a", "b")


def test_a_lone_text_is_one_name_and_not_its_letters():
    assert Requirement.of(amr="otp", acr_values="aal2") == Requirement.of(amr=["otp"], acr_values=["aal2"])
    for given in ({"scopes": "admin"}, {"amr": "otp"}, {"acr_values": "aal2"}):
        with pytest.raises(ValueError, match="tuple"):
            Requirement(**given)
