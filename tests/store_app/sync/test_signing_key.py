"""A store's signing key on its page, at the network's page and as commands; and the file it lies in."""

import datetime as dt
import tomllib

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.errors import Invalid
from config.nodes import signing, signing_keys
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.node import this_node
from config.nodes.signing import Signer
from store_app.commands.cli import main
from store_app.sync import signing_key, wire
from tests.store_app.conftest import NOON, STORE, House, post

ANA = Actor("ana", "Ana", "shopkeeper", STORE)


def of(house: House) -> dict[str, str]:
    with house.doors.read() as session:
        return {key.public: key.state for key in signing_keys.of(session, STORE)}


def wait_for(house: House) -> Signer:
    """Let a key ask to be recognized or allowed."""
    signer = Signer.make()
    with house.doors.write() as session:
        signing_keys.recognised(Context(session, ANA, NOON), STORE, [(signer.public, "", "")])
    return signer


def test_a_key_lies_in_one_file_of_its_owner_s_and_is_never_overwritten_by_making_one(tmp_path):
    path = tmp_path / "closed" / "S01.signing-key.pem"
    first = Signer.make().keep(path)
    assert Signer.make().keep(path).public == first.public
    assert signing.load(path).public == first.public
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    second = Signer.make().keep(path, replace=True)
    assert signing.load(path).public == second.public != first.public
    assert [one.name for one in path.parent.iterdir()] == [path.name], "nothing is left beside it"
    path.write_text("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
    with pytest.raises(Invalid, match="cannot be read"):
        signing.load(path)


def test_a_signature_for_one_purpose_is_good_for_no_other():
    signer = Signer.make()
    said = signing.statement("facts", "S01", "text")
    signature = signer.sign(said)
    assert signing.is_signed(signer.public, said, signature)
    for other in (signing.statement("request", "S01", "text"), signing.statement("facts", "S02", "text"), said + b" "):
        assert not signing.is_signed(signer.public, other, signature)
    for damaged in ("", "00" * 64, signature[:-2], "x" * 128):
        assert not signing.is_signed(signer.public, said, damaged)
    assert not signing.is_signed("no key", said, signature)


def test_the_shopkeeper_reads_the_fingerprint_makes_a_new_key_and_recognizes_an_earlier_one(build):
    house = build(network_url="http://127.0.0.1:1")
    browser = house.signed_in("shopkeeper")
    assert "None yet. It is created at the first sync" in browser.get("/signing-key/").text
    first = signing_key.present(house.doors)
    assert signing.fingerprint(first.public) in browser.get("/signing-key/").text
    assert post(browser, "/signing-key/change").status_code == 303
    second = signing.load(house.doors.settings.signing_key)
    assert of(house) == {first.public: "withdrawn", second.public: "good"}
    earlier, foreign = wait_for(house), wait_for(house)
    page = browser.get("/signing-key/").text
    assert signing.fingerprint(second.public) in page
    assert "Was this key yours?" in page
    with house.doors.read() as session:
        epoch = this_node(session).epoch
    assert post(browser, f"/signing-key/{signing.name_of(earlier.public)}/trust").status_code == 303
    assert post(browser, f"/signing-key/{signing.name_of(foreign.public)}/refuse").status_code == 303
    assert (of(house)[earlier.public], of(house)[foreign.public]) == ("good", "refused")
    with house.doors.write() as session:
        assert this_node(session).epoch != epoch
        assert this_node(session).peer_nonce is None, "the next contact fetches what it signed"
        this_node(session).last_fault = wire.PAUSES[signing_keys.UNKNOWN]
    page = browser.get("/signing-key/").text
    assert "Was this key yours?" not in page
    assert "read out its fingerprint" in page, "the page says what to do"
    assert post(browser, "/signing-key/00000000/trust").status_code == 404
    house.doors.settings.signing_key.write_text("damaged")
    assert "cannot be read" in browser.get("/signing-key/").text


def command(house: House, monkeypatch, tmp_path, *words: str) -> tuple[int, str]:
    given, path = house.doors.settings, tmp_path / "node.toml"
    lines = {"role": given.role, "node_id": given.node_id, "database_url": given.database_url, "secret_key": "k" * 32}
    path.write_text(
        "".join(f'{name} = "{value}"\n' for name, value in lines.items()) + f'state_folder = "{given.state_folder}"\n'
    )
    assert tomllib.loads(path.read_text())
    path.chmod(0o600)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(path))
    done = CliRunner().invoke(main, list(words))
    return done.exit_code, done.output


def test_a_store_s_key_is_shown_changed_and_recognized_by_commands(house, monkeypatch, tmp_path):
    first = signing_key.present(house.doors)
    code, reported = command(house, monkeypatch, tmp_path, "key", "show")
    assert (code, signing.fingerprint(first.public) in reported) == (0, True)
    code, reported = command(house, monkeypatch, tmp_path, "key", "change")
    assert (code, signing.fingerprint(signing.load(house.doors.settings.signing_key).public) in reported) == (0, True)
    earlier = wait_for(house)
    code, reported = command(house, monkeypatch, tmp_path, "key", "trust", signing.fingerprint(earlier.public))
    assert (code, of(house)[earlier.public]) == (0, "good")
    code, reported = command(house, monkeypatch, tmp_path, "key", "trust", "0000")
    assert code == 2
    assert "has no signing key 0000" in reported


def test_the_operator_allows_refuses_and_withdraws_by_commands(network, monkeypatch, tmp_path):
    good, bad = wait_for(network), wait_for(network)
    for option, key, state in (
        ("--allow", good, "good"),
        ("--refuse", bad, "refused"),
        ("--withdraw", good, "withdrawn"),
    ):
        words = [
            option,
            signing.fingerprint(key.public),
            *(["--since", "2026-03-01"] if option == "--withdraw" else []),
        ]
        code, reported = command(network, monkeypatch, tmp_path, "store", "signing-key", STORE, *words)
        assert (code, of(network)[key.public]) == (0, state), reported
    with network.doors.read() as session:
        key = signing_keys.named(session, STORE, signing.name_of(good.public))
        assert key.doubted_since == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        verbs = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.like("signing key.%"))).all()
    assert verbs == ["signing key.good", "signing key.refused", "signing key.withdrawn"]
    for words in (["--since", "2026-03-01"], ["--allow", "x", "--refuse", "y"]):
        assert command(network, monkeypatch, tmp_path, "store", "signing-key", STORE, *words)[0] == 2
    code, reported = command(network, monkeypatch, tmp_path, "store", "signing-key", STORE, "--allow", good.public[:8])
    assert code == 2
    code, reported = command(network, monkeypatch, tmp_path, "store", "signing-key", "S99")
    assert code == 2
    operator = network.signed_in("operator")
    for verb in ("allow", "refuse", "withdraw"):
        answer = post(operator, f"/console/stores/{STORE}/signing-keys/00000000/{verb}")
        assert (answer.status_code, "has no signing key" in answer.text) == (404, True)
