"""Redis: a real server with TLS and tight limits, as small plans give it; it can be stopped like a crash."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.leash import leashed
from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "a-password-for-the-tests"


class RedisServer:
    """One server on loopback that only speaks TLS, with a certificate that signs itself; `limits` are its settings."""

    def __init__(self, folder: Path, **limits: str) -> None:
        self._folder, self._limits, self.port = folder, limits, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = folder / "broker.pem"
        self._key = folder / "broker.key"
        sign_itself(self.certificate, self._key)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"rediss://:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """How a process is told of it."""
        return {"REDIS_URL": self.url, "REDIS_TLS_CA": str(self.certificate)}

    def client(self, **more: Any) -> redis.Redis:
        """It says nothing of itself, as the product does: Redis before 7.2 would count an error for each time."""
        return redis.Redis.from_url(
            self.url, ssl_ca_certs=str(self.certificate), protocol=2, driver_info=None, **more
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "port": "0", "tls-port": str(self.port), "bind": "127.0.0.1", "tls-cert-file": self.certificate.name,
            "tls-key-file": self._key.name, "tls-auth-clients": "no", "requirepass": PASSWORD,
            "dir": str(self._folder), "appendonly": "yes", "save": "", "maxmemory-policy": "noeviction", **self._limits,
        }
        command = [str(self._program()), *(part for name, one in settings.items() for part in (f"--{name}", one))]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(leashed(command), cwd=self._folder, stdout=log, stderr=log)
        wait_until(self._answers, what=f"an answer of Redis; log: {self._folder}/redis.log")

    def _program(self) -> Path:
        """The server by its own name, by which it knows what it is to do; Debian's tools hold it under another."""
        if found := shutil.which("redis-server"):
            return Path(found)
        found = shutil.which("redis-check-rdb")
        assert found, "no redis-server; run .ci/redis"
        ours = self._folder / "redis-server"
        ours.unlink(missing_ok=True)
        ours.symlink_to(Path(found).resolve())
        return ours

    def _answers(self) -> bool:
        try:
            with self.client(socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def sign_itself(certificate: Path, key: Path) -> None:
    """Write a certificate for loopback that nobody but itself vouches for, and its key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a broker of the tests")])
    now = datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(secret.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )  # fmt: skip
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
