"""What a ZVT terminal reports by a number, in words: how far a customer is, and why a card was not taken."""

from config.words import N_

CONNECTING = N_("Connecting to the card terminal.")
PRESENT = N_("Waiting for the card at the terminal.")
_PIN = N_("The customer enters the PIN at the terminal.")
_WRONG_PIN = N_("Wrong PIN. The customer may try again.")
_REMOVE = N_("The customer should remove the card.")
_BANK = N_("The terminal is asking the bank.")
_WAIT = N_("The terminal is working.")
_NOT_TAKEN = N_("The terminal does not accept this card.")
STOPPING = N_("The terminal is canceling the payment.")
_STEPS = (
    (PRESENT, (0x00, 0x0A)), (_PIN, (0x01, 0x02)), (_NOT_TAKEN, (0x03, 0x07, 0x08, 0x09, 0x0C, 0x10, 0x13, 0x14, 0x1D)),
    (_BANK, (0x04, 0xC7, 0xD2, 0xD3)), (STOPPING, (0x05, 0x0D)), (_REMOVE, (0x0B, *range(0x41, 0x60))),
    (_WRONG_PIN, (0x15,)),
)  # fmt: skip

DECLINED = N_("The bank declined the card.")
STOPPED = N_("Canceled at the terminal, or no card was presented.")
_NO_MONEY = N_("Not enough money on the card's account.")
_EXPIRED = N_("The card has expired.")
_BAD_PIN = N_("Wrong PIN.")
_PIN_LOCKED = N_("The PIN was entered wrong too often.")
_BANK_SILENT = N_("The card's bank could not be reached. Try again or choose another payment method.")
_UNREADABLE = N_("The terminal could not read the card. Try again.")
_BLOCKED = N_("The card is blocked.")
_NOT_FOR_CARD = N_("The terminal cannot do this with this card.")
_CURRENCY = N_("The terminal is set to another currency. Ask its provider.")
_TOO_MUCH = N_("The amount is above the terminal's limit.")
_TOO_LITTLE = N_("The amount is below the terminal's minimum.")
_DAY_FULL = N_("The terminal needs its end-of-day closing first.")
_PRINTER = N_("The terminal's printer is not ready. Check its paper.")
_SERVICE = N_("The terminal needs service. Ask its provider.")
_BUSY = N_("The terminal is busy. Wait a moment and try again.")
_REVERSED = N_("This payment was already reversed.")
NOT_REVERSIBLE = N_("The terminal can no longer reverse this payment.")
_FAILED = N_("The terminal did not accept the payment.")
_RESULTS = (
    (_NO_MONEY, (0x33, 0x71)), (_EXPIRED, (0x21, 0x36, 0x78)), (_BAD_PIN, (0x37,)), (_PIN_LOCKED, (0x26, 0x4B)),
    (_BANK_SILENT, (0x5B, 0x5C, 0x60, 0x7D, 0x9B, 0xA1, 0xA3)),
    (_UNREADABLE, (0x64, 0x65, 0x66, 0x72, 0x73, 0xDD, 0xDE)),
    (_NOT_FOR_CARD, (0x67, 0x68, 0x79, 0x7A, 0x7B, 0x7C, 0xC4, 0xC5, 0xD2)), (STOPPED, (0x6C,)),
    (_BLOCKED, (0x6E, 0xC1)),
    (_CURRENCY, (0x6F, 0xC6, 0xCB)), (_TOO_MUCH, (0xC3,)), (_TOO_LITTLE, (0xC8, 0xC9)),
    (_DAY_FULL, (0x6A, 0xB1, 0xB2, 0xF0)), (_PRINTER, (0xCC,)), (_BUSY, (0x9C, 0xA0, 0xDC)), (_REVERSED, (0xB4,)),
    (NOT_REVERSIBLE, (0xB5,)),
    (_SERVICE, (0x6B, 0x83, 0x85, 0x89, 0xBF, 0xC0, 0xC2, 0xE0, 0xE2, 0xE3, 0xE4, 0xED, 0xFC, 0xFF)),
)  # fmt: skip
_LAST_OF_BANK = 0x63
"""Results up to here are the bank's own."""
_STEP_WORDS = {number: words for words, numbers in _STEPS for number in numbers}
_RESULT_WORDS = {number: words for words, numbers in _RESULTS for number in numbers}


def step_word(number: int) -> str:
    """Return how far the payment is at the terminal."""
    return _STEP_WORDS.get(number, _WAIT)


def result_word(number: int) -> str:
    """Return why a transaction was not done."""
    return _RESULT_WORDS.get(number, DECLINED if number <= _LAST_OF_BANK else _FAILED)


def fault_word(number: int | None, otherwise: str) -> str:
    """Return what keeps the terminal from working; what is said of a card is no answer."""
    return otherwise if number is None or number <= _LAST_OF_BANK else _RESULT_WORDS.get(number, otherwise)
