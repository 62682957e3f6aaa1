"""A mail server that speaks as much IMAP as we do, over TLS, and hangs up when it is told to."""

import datetime as dt
import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def message(*files: tuple[str, bytes], sender: str = "Mill Farm <bills@farm.example>", kind: str = "xml") -> bytes:
    """Write an e-mail with files attached."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "invoices@store.example", "Invoice"
    made.set_content("Please find it attached.")
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype=kind, filename=name)
    return made.as_bytes()


@dataclass
class MailServer:
    """Its messages by number, which of them are read, and after how many commands it hangs up."""

    messages: dict[int, bytes]
    password: str = "right"
    seen: set[int] = field(default_factory=set)
    fetched: list[int] = field(default_factory=list)
    hangs_up_after: int = 10_000
    port: int = 0

    def answer(self, tag: str, line: str) -> bytes:
        """Answer one command."""
        word, _, rest = line.partition(" ")
        if word == "LOGIN" and not rest.endswith(f'"{self.password}"'):
            return f"{tag} NO [AUTHENTICATIONFAILED] Wrong password\r\n".encode()
        if word == "SELECT":
            if "INBOX" not in rest:
                return f"{tag} NO no such folder\r\n".encode()
            return f"* {len(self.messages)} EXISTS\r\n{tag} OK done\r\n".encode()
        if word == "UID":
            return self._uid(rest) + f"{tag} OK done\r\n".encode()
        told = b"* CAPABILITY IMAP4rev1\r\n" if word == "CAPABILITY" else b""
        return told + f"{tag} OK done\r\n".encode()

    def _uid(self, rest: str) -> bytes:
        if rest.startswith("SEARCH"):
            return ("* SEARCH " + " ".join(str(n) for n in self.messages if n not in self.seen) + "\r\n").encode()
        n = int(re.search(r"\d+", rest)[0])
        raw = self.messages[n]
        if rest.startswith("STORE"):
            self.seen.add(n)
            return b""
        if "BODYSTRUCTURE" in rest:
            kinds = " ".join(one.decode() for one in re.findall(rb"Content-Type: ([\w/-]+)", raw))
            return f'* {n} FETCH (UID {n} RFC822.SIZE {len(raw)} BODYSTRUCTURE ("{kinds}"))\r\n'.encode()
        self.fetched.append(n)
        return f"* {n} FETCH (UID {n} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"

    def serve(self, certificate: Path) -> "socketserver.ThreadingTCPServer":
        """Serve in a thread of its own; the caller shuts it down."""
        box = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    with context.wrap_socket(self.request, server_side=True) as line:
                        talk(line)
                except OSError:
                    pass

        def talk(line: ssl.SSLSocket) -> None:
            line.sendall(b"* OK ready\r\n")
            for command in line.makefile("rb"):
                if box.hangs_up_after <= 0:
                    return
                box.hangs_up_after -= 1
                tag, _, rest = command.decode().strip().partition(" ")
                line.sendall(box.answer(tag, rest))
                if rest == "LOGOUT":
                    return

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        server.daemon_threads = True
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


def certificate(path: Path) -> Path:
    """Write the certificate of this computer, with its key, an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
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
    path.write_bytes(raw + made.public_bytes(serialization.Encoding.PEM))
    return path
