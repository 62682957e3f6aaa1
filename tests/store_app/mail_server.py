"""A mail server for what is sent by e-mail."""

import socket
import threading

import pytest

from store_app.mail.carriers import SmtpCarrier


@pytest.fixture
def mail_server():
    """A mail server of a few lines: `answer` is what it says of an address; it keeps the mails it takes."""
    kept, state, door = [], {"answer": b"250 fine"}, socket.create_server(("127.0.0.1", 0))

    def talk(line):
        mail = None
        with line, line.makefile("rb") as said:
            line.sendall(b"220 here\r\n")
            for raw in said:
                if mail is not None:
                    mail.append(raw)
                    if raw == b".\r\n":
                        kept.append(b"".join(mail[:-1]))
                        mail = None
                        line.sendall(b"250 taken\r\n")
                elif raw.upper().startswith(b"DATA"):
                    mail = []
                    line.sendall(b"354 go on\r\n")
                elif raw.upper().startswith(b"RCPT"):
                    line.sendall(state["answer"] + b"\r\n")
                elif raw.upper().startswith(b"QUIT"):
                    line.sendall(b"221 bye\r\n")
                    return
                else:
                    line.sendall(b"250 fine\r\n")

    def serve():
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            talk(line)

    threading.Thread(target=serve, daemon=True).start()
    carrier = SmtpCarrier(f"smtp://127.0.0.1:{door.getsockname()[1]}?from=store@example.com")
    yield carrier, kept, state
    door.close()
