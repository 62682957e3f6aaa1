"""What a node connects to: what its settings name, over TLS of today, and nothing else."""

import ast
import datetime as dt
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from config import settings as node_settings
from config.errors import DomainError, Invalid, Refused, Unreachable
from config.nodes.signing import Signer
from config.settings import Settings
from store_app.commands import print_agent
from store_app.mail import carriers
from store_app.mail.carriers import SmtpCarrier, WebhookCarrier
from store_app.node import doctor, joining
from store_app.runtime import outgoing
from store_app.sync import sender
from tests.store_app.conftest import NOON
from tests.store_app.mail.test_notifying import ENVELOPE

ROOT = Path(__file__).resolve().parents[3]
GOES_OUT = (
    "aiohttp", "asyncio", "distributed", "ftplib", "http.client", "imaplib", "paramiko", "poplib", "requests",
    "smtplib", "socket", "socketserver", "subprocess", "telnetlib", "urllib.request", "urllib3", "xmlrpc",
)  # fmt: skip
STAYS = {
    "config/nodes/bell.py": "rings at 127.0.0.1",
    "pos/printing/wires.py": "starts the computer's own spooler",
    "store_app/commands/serve.py": "looks whether a port is free, starts its own worker",
    "store_app/first_run/application.py": "a database in memory, behind screens that have none",
    "store_app/web/security.py": "asks its own name",
    "store_app/static/build_hook.py": "builds, and is in no package",
}
"""Files that import what could go out, and why they do not."""


def test_every_way_out_of_the_program_is_listed():
    found, asking = set(), set()
    for package in ("config", "forecasting", "pos", "supply", "store_app"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
            if name.startswith(("store_app/demo/", "config/migrations/")) or "node_modules" in name:
                continue  # the demonstration asks the nodes that it serves itself
            for node in ast.walk(ast.parse(text)):
                named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(f"{one}.".startswith(f"{out}.") for one in named for out in GOES_OUT):
                    found.add(name)
            if re.search(r"httpx2\.(Async)?(Client|get|head|post|put|patch|delete|request|stream)\(", text):
                asking.add(name)
            if re.search(r"create_engine\(|psycopg\.connect\(", text):
                found.add(name)
    assert asking == {"store_app/runtime/outgoing.py"}, "requests leave by `outgoing.client` alone"
    listed = {file for way in outgoing.WAYS for file in way.files}
    assert found - set(STAYS) == listed - asking
    assert set(STAYS) <= found


def test_the_operators_manual_lists_every_connection():
    rows = [f"| {way.to} | {way.named_by} | {way.port} | {way.why} |" for way in outgoing.WAYS]
    assert "\n".join(rows) in (ROOT / "docs/manual/en/system/connections.md").read_text("utf-8")


@contextmanager
def http(leads_to: str = "") -> Iterator[tuple[str, list[str]]]:
    """Serve, counting who asks, and send everybody on to another address."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(307 if leads_to else 200)
            self.send_header("Location", leads_to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 - so the library asks for them

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_no_request_follows_a_redirect_or_goes_to_another_address(tmp_path):
    (tmp_path / "key").write_text("a-key")
    with http() as (other, reached), http(leads_to=other) as (ours, asked):
        given = Settings(node_id="S01", state_folder=tmp_path, secret_key="k" * 32, network_url=ours, network_key="key")
        for way in (sender.client_for(given), print_agent.client_for(ours, tmp_path / "key"), outgoing.client(ours)):
            with way as client:
                assert client.post("/x", content=b"books").status_code == 307
                with pytest.raises(Refused, match="This request may go only to"):
                    client.get(f"{other}/x")
        for ask in (
            lambda: WebhookCarrier(ours, "key").send(ENVELOPE, at=NOON),
            lambda: joining.fetch_ca(ours, "AB", tmp_path / "ca.pem"),
            lambda: joining.exchange(ours, "code", None, Signer.make()),
        ):
            with pytest.raises(DomainError):
                ask()
        assert (len(asked), reached) == (6, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Give the certificate of this computer, with its key, an authority of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(raw + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("suites", "most", "agrees"),
    [
        ("ALL", ssl.TLSVersion.TLSv1_3, True),
        ("ECDHE+AESGCM", ssl.TLSVersion.TLSv1_2, True),
        ("ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256", ssl.TLSVersion.TLSv1_2, False),  # CBC
        ("AES256-GCM-SHA384:AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2, False),  # no forward secrecy
    ],
)
def test_tls_of_forward_secrecy_and_authenticated_encryption_alone_is_spoken(certificate, suites, most, agrees):
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    theirs.minimum_version, theirs.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, most
    theirs.set_ciphers(suites)
    ours = outgoing.context(certificate)
    here, there = socket.socketpair()

    def answer() -> None:
        with there:
            try:
                with theirs.wrap_socket(there, server_side=True):
                    pass
            except OSError:
                pass

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with here, ours.wrap_socket(here, server_hostname="localhost") as line:
            spoken = line.cipher()[0]
    except OSError:
        spoken = ""
    thread.join()
    assert spoken.startswith(("TLS_", "ECDHE-")) == agrees, spoken


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Give a settings file of a network, and no settings from outside."""
    for name in ("CORNERSTORE_SETTINGS", "CREDENTIALS_DIRECTORY", "PGHOST", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)

    def given(**values: str) -> Settings:
        return node_settings.load(role="network", state_folder=tmp_path, **{"secret_key": "k" * 32} | values)

    return given


BOOKS = "postgresql+psycopg://node:word@{}/books{}"


@pytest.mark.parametrize(
    "line",
    [
        {"database_url": BOOKS.format("10.0.0.5", "")},
        {"database_url": BOOKS.format("books.internal", "?sslmode=require")},
        {"database_url": BOOKS.format("", "?host=/run/postgresql&host=10.0.0.5")},
        {"database_url": BOOKS.format("localhost", "?hostaddr=10.0.0.5")},
        {"database_url": BOOKS.format("[fd00::1]:5433", "?sslmode=prefer")},
        {"notify": "log; http://10.0.0.5/send"},
        {"forecast_cluster": "tcp://10.0.0.5:8786"},
    ],
)
def test_books_and_messages_leave_the_computer_over_tls_alone(bare, line):
    with pytest.raises(Invalid, match=f"{next(iter(line))}: .*(TLS|https|tls)"):
        bare(**line)
    bare(**line, trusted_wires="10.0.0.5, Books.internal, fd00::1")


def test_a_socket_this_computer_and_a_checked_certificate_are_no_open_line(bare, monkeypatch):
    for place, how in (("", ""), ("", "?host=/run/postgresql"), ("localhost", ""), ("127.0.0.1:5433", "")):
        bare(database_url=BOOKS.format(place, how))
    bare(database_url=BOOKS.format("10.0.0.5", "?sslmode=verify-full"), forecast_cluster="tls://10.0.0.5:8786")
    with pytest.raises(Invalid, match="no address of a database"):
        bare(database_url="books")
    monkeypatch.setenv("PGHOST", "10.0.0.5")
    with pytest.raises(Invalid, match=r"10\.0\.0\.5 over TLS"):
        bare(database_url=BOOKS.format("", ""))
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    bare(database_url=BOOKS.format("", ""))


def test_no_message_goes_to_another_host_whose_encryption_somebody_took_away(mail_server, bare):
    here, kept, _ = mail_server
    address = f"smtp://127.1:{here._port}?from=store@example.com"  # this computer, by a name that says it of none
    with pytest.raises(Unreachable, match="no encryption"):
        SmtpCarrier(address).send(ENVELOPE, at=NOON)
    assert kept == []
    (trusted,) = carriers.carriers(bare(notify=address, trusted_wires="127.1"))
    trusted.send(ENVELOPE, at=NOON)
    assert len(kept) == 1


def test_the_doctor_says_what_a_firewall_has_to_let_through(build):
    house = build(
        network_url="https://network.example", notify="smtps://u:p@mail.example?from=a@b.c; https://sms.example:8443/x",
        printer="net:192.168.1.50:9100",
    )  # fmt: skip
    (word,) = [word for word in doctor.examine(house.doors, outside=False) if word.thing == "outgoing"]
    assert word.sentence == (
        "This node connects to: network.example:443 (network_url); mail.example:465 (notify); "
        "sms.example:8443 (notify); 192.168.1.50:9100 (printer)."
    )


def test_secrets_come_from_the_folder_a_vault_gives(bare, monkeypatch, tmp_path):
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "metrics_key").write_text("from-the-vault\n")
    (vault / "host").write_text("0.0.0.0")
    (tmp_path / "node.toml").write_text('metrics_key = "from-the-file"\nnotify_key = "kept"\n')
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "node.toml"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(vault))
    found = bare()
    assert (found.metrics_key, found.notify_key, found.host) == ("from-the-vault", "kept", "127.0.0.1")
