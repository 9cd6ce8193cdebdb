from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.kernel.ids import id_text
from service.users.schemas import ProfileBody, UserOut
from tests.unit.users.conftest import make_user


def test_a_user_is_shown_without_its_epoch_and_its_lookup_keys():
    user = make_user(display_name="", locale="", verified_ms=None)
    shown = UserOut.of(user).model_dump(mode="json")
    assert shown == {
        "user_id": id_text(user.user_id),
        "email": "ada@example.com",
        "username": "ada",
        "display_name": None,
        "locale": None,
        "state": "active",
        "scope": "",
        "created_at": "2027-01-15T07:59:59Z",
        "email_verified_at": None,
    }


@pytest.mark.parametrize("field", ["email", "username", "scope", "state", "user_id", "epoch", "st"])
def test_mass_assignment_a_field_that_is_not_of_the_profile_is_refused(field):
    with pytest.raises(ValidationError):
        ProfileBody.model_validate({field: "x"})


@pytest.mark.parametrize("body", [{"display_name": "x" * 65}, {"locale": "x"}, {"locale": "de_AT"}, {"locale": 7}])
def test_what_is_no_profile_is_refused(body):
    with pytest.raises(ValidationError):
        ProfileBody.model_validate(body)


def test_an_empty_text_clears_a_field_and_what_is_left_out_stays():
    assert ProfileBody.model_validate({"locale": ""}).model_dump(exclude_none=True) == {"locale": ""}
