"""Reasons: kept as codes, said in the reader's language."""

from config.words import language
from pos.reasons import reason_word


def test_a_reason_is_kept_as_its_code_and_said_in_the_readers_language():
    say = language("de")
    assert reason_word("refuse-closing", say) == "Wir schließen gerade"
    assert reason_word("gone-products: Milk, Bread", say) == "Nicht mehr vorrätig: Milk, Bread."
    assert reason_word("No one picked it up in time.", say) == "Die Bestellung wurde nicht rechtzeitig abgeholt."
    assert reason_word("A cow stood in the way", say) == "A cow stood in the way"
    assert reason_word(None, say) == reason_word("", say) == ""
