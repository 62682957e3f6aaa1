"""The practice terminal: one payment per id, however often it is asked, and every way real ones misbehave."""

import pytest

from config.errors import Invalid, NotFound, Unreachable
from pos.payments import wallet_codes
from pos.payments.practice_terminal import SCRIPTS, WELL, PracticeTerminal
from pos.payments.providers import ANSWERS, NEVER_SEEN, WAYS, Outcome, Providers, Request
from tests.builders import NOON


def request(amount_minor=1200, way="terminal", id="pay-00000001", **wishes):
    given = {"id": id, "sale_id": "sale-0000001", "till_id": "T1", "way": way, "amount_minor": amount_minor}
    return Request(**given | {"currency": "EUR", "merchant": "Corner of Elm Street", "country": "DE"} | wishes)


@pytest.fixture
def terminal(tmp_path):
    """Give a scripted terminal."""
    return PracticeTerminal(tmp_path, scripted=True)


def reported(ask, *given, **named):
    """Return the state of an answer; a time-out is the unknown."""
    try:
        return ask(*given, at=NOON, **named).state
    except Unreachable:
        return "unknown"


@pytest.mark.parametrize(
    ("way", "answers"),
    [("terminal", ["requested", "captured"]), ("customer_code", ["captured", "captured"]),
     ("store_code", ["requested", "requested", "captured"])],
)  # fmt: skip
def test_a_well_behaved_payment_is_captured(tmp_path, way, answers):
    terminal = PracticeTerminal(tmp_path)
    wallet = wallet_codes.read("134567890123456789") if way == "customer_code" else None
    asked = request(1201, way, wallet=wallet)
    assert [reported(terminal.begin, asked)] + [reported(terminal.query, asked) for _ in answers[1:]] == answers


@pytest.mark.parametrize(("ending", "script"), SCRIPTS.items())
def test_every_script_is_told_word_for_word(terminal, ending, script):
    asked = request(1200 + int(ending))
    assert reported(terminal.begin, asked) == script.begin
    assert tuple(reported(terminal.query, asked) for _ in script.queries) == script.queries
    assert reported(terminal.query, asked) == script.queries[-1]


def test_the_same_id_again_moves_no_money_twice_and_another_program_meets_the_same_terminal(tmp_path):
    first, second = PracticeTerminal(tmp_path), PracticeTerminal(tmp_path)
    asked = request()
    one = first.begin(asked, at=NOON)
    assert second.begin(asked, at=NOON) == one
    assert second.query(asked, at=NOON).state == "captured"
    assert first.begin(asked, at=NOON) == Outcome("captured", one.reference)


def test_what_was_never_asked_is_said_to_be_so(terminal):
    assert terminal.query(request(), at=NOON) == Outcome("declined", reason=NEVER_SEEN)
    assert terminal.cancel(request(), at=NOON) == Outcome("cancelled", reason=NEVER_SEEN)
    assert terminal.reverse(request(), 1, key="k", at=NOON).state == "declined"


@pytest.mark.parametrize(("ending", "after"), [("02", "cancelled"), ("07", "captured"), ("08", "captured")])
def test_cancelling_may_come_too_late(terminal, ending, after):
    asked = request(1200 + int(ending))
    terminal.begin(asked, at=NOON)
    assert reported(terminal.cancel, asked) == ("captured" if ending == "08" else "cancelled")
    assert [reported(terminal.query, asked) for _ in range(2)][-1] == ("requested" if ending == "08" else after)


def test_money_goes_back_once_per_key_and_never_more_than_was_taken(terminal):
    asked = request()
    terminal.begin(asked, at=NOON)
    terminal.query(asked, at=NOON)
    assert [reported(terminal.reverse, asked, 700, key="a") for _ in range(3)] == ["captured"] * 3
    assert reported(terminal.reverse, asked, 600, key="b") == "declined"
    assert reported(terminal.reverse, asked, 500, key="c") == "captured"
    assert terminal.given_back_minor(asked.id) == 1200


def test_a_reversal_that_timed_out_is_asked_again_by_the_same_key(terminal):
    asked = request(1209)
    terminal.begin(asked, at=NOON)
    assert [reported(terminal.reverse, asked, 1209, key="a") for _ in range(3)] == ["unknown", "captured", "captured"]
    assert terminal.given_back_minor(asked.id) == 1209


def test_the_shown_code_names_shop_and_amount(terminal):
    shown = terminal.begin(request(1250, "store_code", city="Berlin"), at=NOON).shown_code
    assert "5303978540512.505802DE5920Corner of Elm Street6006Berlin" in shown


def test_scripts_speak_the_protocol():
    for script in [*SCRIPTS.values(), *WELL.values()]:
        assert {script.begin, script.cancel, *script.queries, *script.after_cancel, *script.back} <= set(ANSWERS)
    with pytest.raises(Invalid):
        Outcome("approved")


def test_providers_are_known_by_name_and_made_once(tmp_path):
    providers = Providers()
    assert providers.for_way("terminal") is None
    providers.add("practice", lambda: PracticeTerminal(tmp_path))
    assert providers.named("practice") is providers.named("practice")
    assert providers.for_way("store_code") is providers.named("practice")
    assert providers.named("practice").ways == frozenset(WELL) < frozenset(WAYS), "a transfer answers nobody"
    assert providers.for_way("cheque") is None
    with pytest.raises(NotFound):
        providers.named("bank")
