from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn import matching

from service.passwords import strength
from service.passwords.policy import MAX_LENGTH
from service.passwords.strength import MAX_JUDGED, MAX_SPELLINGS, judge, spellings_of

SIGNS = "@4({<[|!1$5+7%2863908"


@pytest.mark.parametrize(
    "password",
    [
        "password1234567",
        "aaaaaaaaaaaaaab",
        "aaaaaaaaaaaaaaa",
        "               ",
        "qwertyuiopasdfgh",
        "abcdefghijklmnop",
        "123456789012345",
        "password password",
        "hunter2hunter2hunter2",
        "Summer2024Summer2024",
        "Welcome1Welcome1",
        "letmein123456789",
        "longpassword123",
        "P@ssw0rd12345678",
        "🦆🦊🦉" * 5,
        "administrator" * 10,
        "1234567890" * 20,
    ],
)
def test_what_is_easy_to_guess_scores_below_three(password):
    assert judge(password).score < 3


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "wrong horse battery staple",
        "seven bright red ducks",
        "пароль из многих слов",
        "七只红色的鸭子在湖上游泳吃面包",
        "kX9$2mP!7qR4@wZ5",
        "Tr0ub4dor&3 und zwei Enten",
        SIGNS,
        "a" * 100 + " seven bright red ducks swim home",
    ],
)
def test_what_is_hard_to_guess_scores_four(password):
    assert judge(password).score == 4


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("aaaaaaaaaaaaaaa", "Repeated"),
        ("abcdefghijklmnop", "Sequences"),
        ("zsedcftgbhunji", "Rows of keys"),
        ("11.12.1984", "Dates"),
        ("password1234567", "Common words"),
        ("xk", "another word"),
        ("", "another word"),
    ],
)
def test_the_hint_says_what_is_wrong(password, word):
    assert word in judge(password).hint


@given(st.text(st.sampled_from("abcde12345!@ "), min_size=6, max_size=60))
def test_the_hint_never_repeats_the_password(password):
    hint = judge(password).hint
    assert password not in hint or password in "".join({judge("").hint, hint})
    assert "{" not in hint


def test_the_words_of_the_owner_are_known_to_the_guesser():
    words = ("quorlbex", "vandrimp", "quorlbexvandrimp")
    assert judge("quorlbexvandrimp").score == 4
    known = judge("quorlbexvandrimp", words=words)
    assert known.score == 0
    assert "your address" in known.hint
    assert judge("vandrimp99" * 3, words=words).score < 3


def test_the_words_of_one_owner_are_gone_with_the_next():
    judge("anything", words=("quorlbexvandrimp",))
    assert judge("quorlbexvandrimp").score == 4
    assert "user_inputs" not in matching.RANKED_DICTIONARIES


def test_a_capital_or_full_width_letters_hide_nothing():
    assert judge("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441234567").score == judge("password1234567").score


def test_a_strong_end_makes_up_for_a_weak_beginning_and_the_other_way_round():
    strong = "seven bright red ducks"
    for password in ("a" * 200 + strong, strong + "a" * 200):
        assert judge(password).score == 4


def test_eight_signs_without_a_pattern_score_three_and_seven_do_not():
    assert judge("q7#kfw2!").score == 3
    assert judge("q7#kfw2").score == 2


class Work:
    """Counts what zxcvbn looks up: substrings in dictionaries, which is where its time goes."""

    def __init__(self, monkeypatch):
        self.substrings = 0
        original = matching.dictionary_match

        def counted(password, *args, **kwargs):
            self.substrings += len(password) * (len(password) + 1) // 2
            return original(password, *args, **kwargs)

        monkeypatch.setattr(matching, "dictionary_match", counted)
        monkeypatch.setattr(
            "service.passwords.strength._CHEAP_MATCHERS",
            tuple(counted if matcher is original else matcher for matcher in strength._CHEAP_MATCHERS),
        )


# Once as it is, once backwards, once for each spelling; and the parts that repeat, each at most half as long.
MOST_SUBSTRINGS = 2 * 2 * (2 + MAX_SPELLINGS) * (MAX_JUDGED * (MAX_JUDGED + 1) // 2)


def hostile_passwords():
    chance = random.Random(20260101)
    yield from (alphabet * MAX_LENGTH for alphabet in ("1", "ab1", SIGNS, SIGNS + "x", "0123456789", "19901991abc"))
    yield SIGNS * 2 + "x" * 300
    for alphabet in (SIGNS, "1234567", "ab", "1!|@4", "0123456789", "passwordlove", "4@8(369!|1$5"):
        for _ in range(4):
            yield "".join(chance.choice(alphabet) for _ in range(MAX_LENGTH))


@pytest.mark.parametrize("password", [text[:MAX_LENGTH] for text in hostile_passwords()])
def test_attack_no_password_costs_more_than_its_bound(password, monkeypatch):
    work = Work(monkeypatch)
    assert judge(password).score in range(5)
    assert 0 <= work.substrings <= MOST_SUBSTRINGS


def test_attack_a_password_of_signs_would_be_read_in_hundreds_of_ways(monkeypatch):
    assert spellings_of(SIGNS) > 500
    work = Work(monkeypatch)
    matching.omnimatch((SIGNS * 4)[:72], matching.RANKED_DICTIONARIES)
    assert work.substrings > 10 * MOST_SUBSTRINGS


@pytest.mark.parametrize("password", ["P@$$w0rd+1234567890", "P455w0rd+1234567890"])
def test_signs_that_are_not_read_in_every_way_still_hide_no_common_word(password):
    assert spellings_of(password) > MAX_SPELLINGS
    assert judge(password).score < 4


def test_each_sign_is_read_as_each_of_its_letters_at_least_once():
    for letter, signs in matching.L33T_TABLE.items():
        for sign in signs:
            assert letter in {reading[sign] for reading in strength._READINGS}, (sign, letter)


@given(st.text(st.characters(), max_size=300), st.lists(st.text(max_size=20), max_size=4))
def test_no_text_makes_it_raise(password, words):
    assert judge(password, words=words).score in range(5)


@given(st.text(st.sampled_from("@4({<[|!1$5+7%2863908abc\u0130\u0131\u017f\u212a\xb2\u0663 "), max_size=120))
def test_no_mixture_of_signs_and_letters_that_change_their_length_makes_it_raise(password):
    assert judge(password, words=("ada",)).score in range(5)
