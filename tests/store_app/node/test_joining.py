"""A store joins by a code that is good once, pins the network's own certificate, and believes nobody else."""

import contextlib
import datetime as dt
import shutil
import ssl
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from werkzeug.serving import make_server

from config import settings as node_settings
from config.errors import Invalid, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from config.settings import Settings
from pos.store import joining as store_joining
from pos.store.store import store_for_key, store_of
from store_app.commands.cli import main
from store_app.node import joining
from store_app.runtime.doors import open_doors
from store_app.sync import sender
from tests.store_app.conftest import STORE, House

OLGA = Actor("olga", "Olga", "operator", "network")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    """Give a folder with our own authority (ca.pem), a server's certificate of it, and a stranger's (other.pem)."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine: certificates cannot be made")
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "other"):
        openssl("req", "-x509", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
                "-days", "30")  # fmt: skip
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "server.pem", "-days", "30", "-extfile", "names")  # fmt: skip
    return folder


@pytest.fixture
def network(build, authority) -> House:
    """Give a network whose certificate is of its own authority."""
    return build(role="network", node_id="network", network_ca=authority / "ca.pem", public_url="https://localhost")


@pytest.fixture
def served(network, authority) -> Iterator[str]:
    """Serve it over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    server = make_server("127.0.0.1", 0, network.app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def invite(network: House, store_id: str = STORE) -> str:
    with network.doors.write() as session:
        return store_joining.invite(Context(session, OLGA, network.doors.now()), store_id)


def ask(network: House, code: object) -> tuple[int, str]:
    answer = network.visitor().post("/api/join", json={"code": code})
    return answer.status_code, answer.json.get("error", {}).get("code", "")


def test_a_shop_joins_with_one_command_and_speaks_with_its_network_alone(
    network, served, authority, tmp_path, monkeypatch
):
    path = tmp_path / "shop.toml"
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(path))
    words = ["join", served, invite(network), "--folder", str(tmp_path / "state"), "--port", "0"]
    done = CliRunner().invoke(main, [*words, "--fingerprint", joining.fingerprint((authority / "ca.pem").read_text())])
    assert done.exit_code == 0, done.output
    written = tomllib.loads(path.read_text())
    assert written["node_id"] == STORE
    assert written["network_key"] not in done.output
    assert path.stat().st_mode & 0o077 == 0
    loaded = node_settings.load()
    doors = open_doors(loaded, network.clock)
    with doors.read() as session:
        assert store_of(session, STORE).name == "Store S01", "the store knows who it is"
    with sender.client_for(loaded) as client:
        assert sender.contact(doors.database, loaded, client, network.clock).fault is None
    with sender.client_for(loaded.model_copy(update={"network_ca": authority / "other.pem"})) as client:
        assert "certificate" in str(sender.contact(doors.database, loaded, client, network.clock).fault).lower()
    doors.database.engine.dispose()
    with network.doors.read() as session:
        assert store_for_key(session, written["network_key"]) == STORE
        reported = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.like("store.%"))).all()
    assert reported == ["store.invited", "store.joined"]


def test_a_certificate_that_is_not_the_one_on_the_invitation_ends_it_before_the_code_is_said(
    network, served, authority, tmp_path
):
    code = invite(network)
    with pytest.raises(Refused, match="s certificate differs from the one on the"):
        joining.fetch_ca(served, joining.fingerprint((authority / "other.pem").read_text()), tmp_path / "ca.pem")
    assert not (tmp_path / "ca.pem").exists()
    assert ask(network, code) == (200, "")


def test_only_the_certificate_that_was_compared_is_kept(authority, tmp_path):
    ours, theirs = ((authority / name).read_text().strip() for name in ("ca.pem", "other.pem"))
    wanted = joining.fingerprint(ours)
    padded = ours.replace("\n-----END", "=\n-----END").replace("==\n-----END", "=\n-----END")
    for sent in (f"{ours}\n{theirs}", f"{theirs}\n{ours}", padded.replace("\n-----END", f"\n{theirs}\n-----END"), ""):
        with pytest.raises(Invalid, match="ask the operator for the network"):
            joining.fingerprint(sent)
        with _sending(sent) as url, pytest.raises(Invalid, match="ask the operator for the network"):
            joining.fetch_ca(url, wanted, tmp_path / "ca.pem")
        assert not (tmp_path / "ca.pem").exists()
    with _sending(f"words before\n{ours}\nand after") as url:
        kept = joining.fetch_ca(url, wanted, tmp_path / "ca.pem").read_text()
    assert kept.strip() == ours, "the words around it are gone"


def test_no_code_goes_over_a_line_that_others_could_read(network, tmp_path, monkeypatch):
    path = tmp_path / "shop.toml"
    path.write_text('role = "store"\n')
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(path))
    code = invite(network)
    for url in ("http://network.example", "network.example", "ftp://network.example"):
        done = CliRunner().invoke(main, ["join", url, code, "--folder", str(tmp_path / "state")])
        assert (done.exit_code, "https://" in done.output, "Nothing was sent" in done.output) == (2, True, True)
    assert path.read_text() == 'role = "store"\n'
    assert not (tmp_path / "state").exists()
    assert ask(network, code) == (200, ""), "the code is not spent"


@contextlib.contextmanager
def _sending(text: str) -> Iterator[str]:
    """Answer every question with a text."""

    def answer(_environ, start_response):
        start_response("200 OK", [("Content-Type", "application/x-pem-file")])
        return [text.encode()]

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_code_is_good_once_for_a_day_and_only_the_newest(network):
    first = invite(network)
    second = invite(network)
    assert ask(network, first) == (409, "wrong-code")
    assert ask(network, second.replace("-", " ").lower()) == (200, "")
    assert ask(network, second) == (409, "wrong-code")
    third = invite(network)
    network.clock.advance(24 * 3600 + 1)
    assert ask(network, third) == (409, "wrong-code")


def test_a_shop_that_joins_has_a_node_from_then_on(network):
    with network.doors.write() as session:
        store = store_of(session, STORE)
        store.has_node = False
        code = store_joining.invite(Context(session, Actor.system("test", "network"), network.clock.now()), STORE)
        assert not store.has_node
        store_joining.join(session, code, at=network.clock.now())
        assert store.has_node


def test_wrong_codes_keep_no_right_one_out_and_only_the_first_of_a_quarter_hour_are_journalled(network):
    def noted() -> int | None:
        query = sa.select(sa.func.count()).where(JournalEntry.verb == "store.join_refused")
        with network.doors.read() as session:
            return session.scalar(query)

    code = invite(network)
    tries = {ask(network, f"ABCD{n:04d}WXYZ") for n in range(store_joining.WRONG_NOTED + 5)}
    assert tries == {(409, "wrong-code")}
    assert noted() == store_joining.WRONG_NOTED
    assert ask(network, code) == (200, "")
    network.clock.advance(int(store_joining.WRONG_WITHIN.total_seconds()) + 1)
    ask(network, code)
    assert noted() == store_joining.WRONG_NOTED + 1, "the next quarter of an hour is noted again"


def test_a_code_is_too_long_to_be_guessed_at_any_rate():
    a_day_of_tries, open_codes = 1000 * 24 * 3600, 1000
    assert a_day_of_tries * open_codes / len(store_joining.LETTERS) ** store_joining.LENGTH < 1e-12


@pytest.mark.parametrize("code", [None, 5, "", "x" * 41, ["a"], "码码码码", {"code": 1}])
def test_what_is_no_code_is_refused_with_a_sentence(network, code):
    assert ask(network, code) == (422, "bad-code")


def test_only_a_code_s_hash_is_kept(network):
    code = invite(network)
    with network.doors.read() as session:
        kept = session.scalars(sa.select(store_joining.Invitation)).all()
    assert all(code.replace("-", "") not in str(vars(row)) for row in kept)
    assert dt.timedelta(0) < store_joining.GOOD_FOR <= dt.timedelta(days=1)


@pytest.mark.parametrize("url", ["http://network.example", "http://10.0.0.5:8000", "ftp://x"])
def test_facts_leave_over_tls_alone(url):
    with pytest.raises(ValueError, match="https://"):
        Settings(role="store", node_id=STORE, secret_key="k" * 32, network_url=url)
    Settings(role="store", node_id=STORE, secret_key="k" * 32, network_url="http://127.0.0.1:8000")


def test_a_certificate_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(Invalid, match=r"ca\.pem"):
        sender.trusted(tmp_path / "ca.pem")
