"""What a scale says over its wire, and what is sold by it."""

import json
import os
import pty
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import DomainError, Invalid, Refused, Unreachable
from config.nodes.journal import Context
from pos.till import scale, scale_drivers
from pos.till.scale import PracticeScale
from pos.till.scale_drivers import FAULTS, WIRES, Weighing, driver
from tests.builders import NOON, STORE, OpenStore


class Wire:
    """The scale's end of a serial line: a pseudo terminal, and what the scale says on it."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        mode = termios.tcgetattr(theirs)
        mode[0] = mode[1] = mode[3] = 0
        termios.tcsetattr(theirs, termios.TCSANOW, mode)
        self.port, self._theirs = os.ttyname(theirs), theirs
        self.asked = b""

    def answer(self, said: bytes) -> None:
        """Answer the next question."""

        def speak() -> None:
            self.asked += os.read(self.ours, 16)
            os.write(self.ours, said)

        threading.Thread(target=speak, daemon=True).start()

    def chatter(self, said: bytes) -> Callable[[], None]:
        """Say the same again and again until the returned is called."""
        over = threading.Event()

        def speak() -> None:
            while not over.wait(0.02):
                os.write(self.ours, said)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()

        def stop() -> None:
            over.set()
            thread.join()

        return stop

    def close(self) -> None:
        os.close(self.ours)
        os.close(self._theirs)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Give a serial line with a scale at its other end."""
    made = Wire()
    yield made
    made.close()


# --- over a real terminal ---


@pytest.mark.parametrize(
    ("said", "grams"), [(b"\x0200.312\r", 312), (b"\x0200312\r", 312), (b"\x0201.250kg\r", 1250), (b"\x0200.000\r", 0)]
)
def test_a_polled_scale_is_asked_and_answers(wire: Wire, said: bytes, grams: int) -> None:
    wire.answer(said)
    assert driver(f"toledo:{wire.port}").weigh() == Weighing(grams, stable=True)
    assert wire.asked == b"W"


def test_pounds_become_grams(wire: Wire) -> None:
    wire.answer(b"\x0201.00\r")
    assert driver(f"toledo:{wire.port},unit=lb").weigh().grams == 454


def test_a_moving_scale_has_not_settled(wire: Wire) -> None:
    wire.answer(b"\x02?\x01\r")
    weighing = driver(f"toledo:{wire.port}").weigh()
    assert not weighing.stable
    with pytest.raises(Refused, match="The scale is still moving"):
        scale.settled(weighing)


@pytest.mark.parametrize(("status", "code"), [(b"\x02", "scale-overload"), (b"\x04", "scale-below-zero")])
def test_a_scale_that_cannot_weigh_says_what_to_do(wire: Wire, status: bytes, code: str) -> None:
    wire.answer(b"\x02?" + status + b"\r")
    with pytest.raises(Refused) as refused:
        driver(f"toledo:{wire.port}").weigh()
    assert refused.value.code == code


def test_a_silent_scale_is_told_within_its_second(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale_drivers, "ANSWER_S", 0.1)
    with pytest.raises(Unreachable, match="cable"):
        driver(f"toledo:{wire.port}").weigh()


def test_a_port_that_is_not_there_is_a_silent_scale(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as refused:
        driver(f"toledo:{tmp_path / 'nothing'}").weigh()
    assert refused.value.code == "scale-silent"


def test_a_talking_scale_is_listened_to_and_old_weights_are_thrown_away(wire: Wire) -> None:
    os.write(wire.ours, b"ST,GS,+  9.999kg\r\n" * 3)  # before the weighing
    stop = wire.chatter(b"ST,GS,+  0.312kg\r\n")
    try:
        assert driver(f"lines:{wire.port}").weigh() == Weighing(312, stable=True)
    finally:
        stop()


def test_a_continuous_frame_is_read_over_the_line(wire: Wire) -> None:
    stop = wire.chatter(b"\x02" + bytes([0x2D, 0x30, 0x20]) + b"000312000000\r")
    try:
        assert driver(f"continuous:{wire.port}").weigh() == Weighing(312, stable=True)
    finally:
        stop()


# --- what frames mean ---


@pytest.mark.parametrize(
    ("point", "flags", "more", "digits", "expected"),
    [
        (5, 0x30, 0x20, b"   312", (312, True)),
        (4, 0x30, 0x20, b"000031", (310, True)),
        (2, 0x30, 0x21, b"000312", (312, True)),  # grams
        (4, 0x20, 0x20, b"000100", (454, True)),  # pounds
        (5, 0x38, 0x20, b"000312", (312, False)),  # in motion
        (1, 0x30, 0x21, b"000031", (310, True)),
    ],
)
def test_status_words_say_point_unit_and_motion(
    point: int, flags: int, more: int, digits: bytes, expected: tuple[int, bool]
) -> None:
    frame = b"\x02" + bytes([0x28 | point, flags, more]) + digits + b"000000\r"
    assert scale_drivers.read_continuous(b"noise" + frame, "kg") == Weighing(*expected)
    assert scale_drivers.read_continuous(frame[:-1], "kg") is None


@pytest.mark.parametrize(("flags", "code"), [(0x34, "scale-overload"), (0x32, "scale-below-zero")])
def test_status_words_say_what_cannot_be_weighed(flags: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        scale_drivers.read_continuous(b"\x02" + bytes([0x2D, flags, 0x20]) + b"000312000000\r", "kg")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"ST,GS,+  0.312kg\r\n", (312, True)),
        (b"US,NT,+00312 g\r\n", (312, False)),
        (b"ST,+01.50 lb\r\n", (680, True)),
        (b"12kg\r\nUS,GS,  0.300kg\r\nST,GS,  0.312kg\r\nST,GS,  9.", (312, True)),
    ],
)
def test_lines_are_read_whatever_their_dialect(said: bytes, expected: tuple[int, bool]) -> None:
    assert scale_drivers.read_lines(said, "kg") == Weighing(*expected)


@pytest.mark.parametrize(
    ("said", "code"), [(b"OL,GS,+999999kg\r", "scale-overload"), (b"ST,GS,- 0.1kg\r", "scale-below-zero")]
)
def test_lines_say_what_cannot_be_weighed(said: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        scale_drivers.read_lines(said, "kg")
    assert refused.value.code == code


@given(
    st.sampled_from(sorted(WIRES)),
    st.one_of(st.binary(max_size=64), st.from_regex(rb"\x02[0-9 .?kgSTUOL,+\-]{0,30}\r")),
)
def test_noise_on_the_line_is_never_a_traceback_and_never_below_zero(name: str, noise: bytes) -> None:
    found: Weighing | None = None
    try:
        found = WIRES[name].read(noise, "kg")
    except DomainError as refused:
        code = refused.code
    else:
        code = "scale-empty"
    assert code in FAULTS
    assert found is None or found.grams >= 0


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "toledo",
        "toledo:",
        "bizerba:/dev/x",
        "toledo:/dev/x,unit=stone",
        "lines:/dev/x,baud=fast",
        "lines:/dev/x,echo=1",
    ],
)
def test_a_setting_nobody_can_mean_is_refused(setting: str) -> None:
    with pytest.raises(Invalid):
        driver(setting)


# --- the practice scale, tare and settings ---


def test_a_practice_scale_says_what_was_laid_on_it(tmp_path: Path) -> None:
    practice = PracticeScale(tmp_path / "scale.json")
    assert practice.weigh() == Weighing(0, stable=True)
    practice.put(312)
    assert practice.weigh() == Weighing(312, stable=True)
    practice.put(312, stable=False)
    assert not practice.weigh().stable
    with pytest.raises(Invalid):
        practice.put(-1)


def test_a_practice_scale_plays_a_script_and_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    path.write_text(json.dumps([{"grams": 100, "stable": False}, {"fault": "scale-overload"}, {"grams": 312}]))
    practice = PracticeScale(path)
    assert practice.weigh() == Weighing(100, stable=False)
    with pytest.raises(Refused):
        practice.weigh()
    assert [practice.weigh().grams for _ in range(2)] == [312, 312]


@pytest.mark.parametrize("content", ["", "{", "[]", "[1]", '{"grams": "x"}', '{"grams": 1.5}', "null", "7"])
def test_a_spoilt_practice_file_is_a_silent_or_empty_scale(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scale.json"
    path.write_text(content)
    try:
        assert PracticeScale(path).weigh().grams == 0
    except Unreachable as refused:
        assert refused.code == "scale-silent"  # noqa: PT017 - either is right, a traceback is not


def test_tare_is_taken_off_and_the_box_alone_is_nothing(store: OpenStore) -> None:
    assert scale.net(Weighing(312, stable=True), 12) == Weighing(300, stable=True, tare_grams=12)
    for grams, code in ((12, "tare-heavier"), (5, "tare-heavier"), (0, "scale-empty")):
        with pytest.raises(Refused) as refused:
            scale.net(Weighing(grams, stable=True), 12)
        assert refused.value.code == code
    assert scale.net(Weighing(5, stable=False), 12).grams == 0
    with pytest.raises(Invalid):
        scale.net(Weighing(5, stable=True), -1)


def test_a_product_has_its_own_tare_until_it_is_taken_away(store: OpenStore) -> None:
    def tare(sku: str, grams: int) -> None:
        with store.write() as session:
            scale.set_tare(Context(session, store.wei, NOON), STORE, sku, grams)

    tare("cheese", 15)
    assert store.read(lambda s: scale.tares(s, STORE)) == {"cheese": 15}
    tare("cheese", 8)
    tare("cheese", 8)
    assert store.read(lambda s: scale.tares(s, STORE)) == {"cheese": 8}
    tare("cheese", 0)
    assert store.read(lambda s: scale.tares(s, STORE)) == {}
    with pytest.raises(Refused):
        tare("milk", 5)
    with pytest.raises(Invalid):
        tare("cheese", -5)
    with pytest.raises(DomainError):
        tare("gone", 5)


def test_each_till_may_have_its_own_scale(tmp_path: Path) -> None:
    setting = "T1=toledo:/dev/ttyS0,unit=lb; T2=practice"
    assert scale.setting_for(setting, "T1") == "toledo:/dev/ttyS0,unit=lb"
    assert scale.setting_for(setting, "T2") == "practice"
    assert scale.setting_for(setting, "T3") == ""
    assert scale.setting_for("toledo:/dev/ttyS0,unit=lb", "T9") == "toledo:/dev/ttyS0,unit=lb"
    assert scale.open_scale("", tmp_path) is None
    assert isinstance(scale.open_scale("practice", tmp_path), PracticeScale)
    assert isinstance(scale.open_scale("lines:/dev/ttyS0", tmp_path), scale_drivers.SerialScale)
