"""What is installed and how: the package, the services of systemd, the web server before a node."""

import configparser
import os
import re
import runpy
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from store_app.runtime import outgoing

ROOT = Path(__file__).resolve().parent.parent
SERVICES = sorted((ROOT / "docs" / "services").glob("*.service"))
TEXTS = (".py", ".toml", ".js", ".html", ".conf", ".service", ".md")
LEAST = {
    "User": "cornerstore", "NoNewPrivileges": "true", "ProtectSystem": "strict", "ProtectHome": "true",
    "PrivateTmp": "true", "ReadWritePaths": "/var/lib/cornerstore", "ProtectKernelTunables": "true",
    "ProtectKernelModules": "true", "ProtectKernelLogs": "true", "ProtectControlGroups": "true",
    "ProtectProc": "invisible", "RestrictNamespaces": "true", "RestrictSUIDSGID": "true", "LockPersonality": "true",
    "CapabilityBoundingSet": "", "UMask": "0077", "SystemCallFilter": "@system-service",
    "SystemCallArchitectures": "native",
}  # fmt: skip


def unit(path: Path) -> dict[str, str]:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(path.read_text("utf-8"))
    return dict(found["Service"])


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_runs_as_an_account_of_its_own_with_nothing_it_does_not_need(path: Path) -> None:
    service = unit(path)
    assert {name: service.get(name) for name in LEAST} == LEAST
    assert set(service["RestrictAddressFamilies"].split()) <= {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}
    assert service["ExecStart"].startswith("/opt/cornerstore/bin/cornerstore "), "a program it cannot write itself"
    assert not {"StandardOutput", "StandardError", "AmbientCapabilities", "PermissionsStartOnly"} & set(service)
    assert not re.search(r"(key|secret|password)=", path.read_text("utf-8"), re.IGNORECASE)


def test_the_web_server_before_a_node_speaks_tls_as_the_node_does_and_frames_requests_once() -> None:
    text = (ROOT / "docs" / "services" / "nginx.conf").read_text("utf-8")
    said = dict(re.findall(r"^\s+(\w+) (.+);$", text, re.MULTILINE))
    assert set(said["ssl_protocols"].split()) == {"TLSv1.2", "TLSv1.3"}
    assert said["ssl_ciphers"] == outgoing.CIPHERS
    given = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    given.set_ciphers(said["ssl_ciphers"])
    suites = {one["name"]: one for one in given.get_ciphers()}
    assert all(
        one["aead"] and (one["protocol"] == "TLSv1.3" or name.startswith("ECDHE-")) for name, one in suites.items()
    )
    assert (said["proxy_http_version"], said["ignore_invalid_headers"], said["proxy_request_buffering"]) == (
        "1.1",
        "on",
        "on",
    )
    in_the_clear = text.partition("listen 443")[0]
    assert re.search(r"location /api/ \{\s+return 403;", in_the_clear), "what a program sends is not led on in silence"
    assert "proxy_pass" not in in_the_clear
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text, (
        "what a visitor says of themselves is not passed on"
    )


def test_the_log_leaves_the_computer_over_tls_with_certificates_on_both_sides() -> None:
    found = configparser.ConfigParser()
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(ROOT / "docs" / "services" / "journal-upload.conf")
    upload = dict(found["Upload"])
    assert upload["URL"].startswith("https://")
    assert {"ServerKeyFile", "ServerCertificateFile", "TrustedCertificateFile"} <= set(upload)


@pytest.mark.parametrize("builder", [WheelBuilder, SdistBuilder])
def test_no_package_carries_the_history_of_the_source_or_a_secret(builder: Any) -> None:
    files = {file.distribution_path: Path(file.path) for file in builder(str(ROOT)).recurse_included_files()}
    assert "store_app/node/doctor.py" in files
    made = {
        "pos/documents/fonts/NotoSans_700Bold.ttf",
        "store_app/static/built/till/till.js",
        "store_app/static/built/vendor/zxing_reader.wasm",
    }
    assert made & files.keys() == (made if builder is WheelBuilder else set()), "a store bundles nothing itself"
    stray = re.compile(
        r"(^|/)(\.git|\.svn|\.hg|\.venv|\.tools|\.env|cornerstore-state|node_modules)(/|$)|\.(pem|key|db|toml\.part|sqlite3)$"
    )
    assert [name for name in files if stray.search(name)] == []
    of_ours = (path for name, path in files.items() if not name.startswith("tests/") and path.suffix in TEXTS)
    assert [
        path for path in of_ours if re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s", path.read_text("utf-8"))
    ] == []


@pytest.mark.skipif(os.name != "posix", reason="what stands in for uv here is a script of the shell")
def test_the_locks_are_renewed_without_the_environment_that_is_made_from_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "run", tmp_path)
    version = re.search(r'UV_VERSION = "(.+)"', (ROOT / "run").read_text("utf-8"))[1]  # type: ignore[index]
    (tmp_path / ".tools" / f"uv-{version}.dist-info").mkdir(parents=True)
    uv = tmp_path / ".tools" / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text('#!/bin/sh\necho "$1 $2" >> asked\n', "utf-8")
    uv.chmod(0o700)
    done = subprocess.run([sys.executable, tmp_path / "run", "lock"], env={"PATH": ""}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "asked").read_text("utf-8").splitlines() == ["pip compile"] * 2


def test_nothing_is_made_again_where_nothing_was_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was edited was made as the tests began."""
    asked: list[Any] = []
    monkeypatch.setattr(subprocess, "run", lambda *words, **_: asked.append(words))
    runpy.run_path(str(ROOT / "run"))["make_what_changed"]()
    assert asked == []
