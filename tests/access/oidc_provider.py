"""A small OpenID Connect provider on this machine: it conforms, unless a test tells it what to do wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

CLIENT, SECRET = "epicase", "a secret of the tests: +/%"
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Change = Callable[[dict[str, Any]], None]


@dataclass
class Key:
    """A signing key with its name."""

    kid: str
    private: Any

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def public(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return {**json.loads(algorithm.to_jwk(self.private.public_key())), "kid": self.kid, "use": "sig"}

    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@dataclass
class Asked:
    """A request at the authorization endpoint whose code waits to be redeemed."""

    query: dict[str, str]
    subject: str
    auth_time: int


@dataclass
class Provider:
    """What the provider knows, and what it does wrong.

    claims, header: change what is signed. sign: makes the token instead. answers: body by path instead of the right
    one. drips: paths whose answers come byte by byte.
    signed_in_at: since when the person's session at the provider is open; `prompt=login` renews it.
    """

    subject: str = "subject-of-the-tests"
    keys: list[Key] = field(default_factory=lambda: [Key("first", _RSA)])
    signed_in_at: float = field(default_factory=lambda: time.time() - 3600)
    obeys_prompt: bool = True
    claims: Change = lambda claims: None
    sign: Callable[[dict[str, Any]], str] | None = None
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    drips: set[str] = field(default_factory=set)
    hits: list[str] = field(default_factory=list)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    waiting: dict[str, Asked] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def rotate(self, key: Key) -> None:
        self.keys = [key]

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to, as if the person had signed in here."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        if query.get("prompt") == "login" and self.obeys_prompt:
            self.signed_in_at = time.time()
        code = secrets.token_urlsafe(16)
        self.waiting[code] = Asked(query, self.subject, int(self.signed_in_at))
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.redeemed.append(form)
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote(given[0]), unquote(given[2])) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self.waiting.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked.query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked.query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self._id_token(asked)}

    def _id_token(self, asked: Asked) -> str:
        claims = {
            "iss": self.issuer,
            "sub": asked.subject,
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            "nonce": asked.query["nonce"],
            "auth_time": asked.auth_time,
        }
        self.claims(claims)
        return self.signed(claims) if self.sign is None else self.sign(claims)

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        key = self.keys[-1]
        headers = {"kid": key.kid, **header}
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers=headers)


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.hits.append(parts.path)
        bodies = {
            "/.well-known/openid-configuration": self.provider.described,
            "/keys": lambda: {"keys": [key.public() for key in self.provider.keys]},
        }
        if parts.path in self.provider.answers:
            self._send(*self.provider.answers[parts.path])
        elif parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(query))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(200, json.dumps(bodies[parts.path]()).encode())

    def do_POST(self) -> None:
        self.provider.hits.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path in self.provider.answers:
            self._send(*self.provider.answers[self.path])
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, answer = self.provider.token(form, self.headers.get("Authorization", ""))
        self._send(status, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status in (301, 302, 307, 308):
            self.send_header("Location", body.decode())
        self.send_header("Content-Type", "application/json")
        if urlsplit(self.path).path not in self.provider.drips:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if urlsplit(self.path).path in self.provider.drips:
                for _ in range(100):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_words: Any) -> None:
        """Nothing: the tests look at `hits`."""


@contextmanager
def listening(certificate: Path | None = None) -> Iterator[tuple[Provider, Callable[[], None]]]:
    """A provider that has its port, and what lets it answer there, until the end of the block."""
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    provider.port = server.server_address[1]
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        provider.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    try:
        yield provider, thread.start
    finally:
        if thread.is_alive():
            server.shutdown()
            thread.join()
        server.server_close()


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Provider]:
    """A provider that answers, until the end of the block; with a certificate over TLS."""
    with listening(certificate) as (provider, begin):
        begin()
        yield provider


def self_signed(folder: Path) -> Path:
    """Key and certificate of this machine, which nobody vouches for."""
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "provider.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def new_rsa(kid: str, bits: int = 2048) -> Key:
    return Key(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits))


def new_ec(kid: str) -> Key:
    return Key(kid, ec.generate_private_key(ec.SECP256R1()))
