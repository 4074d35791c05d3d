"""The embedded Valkey: a socket only, nothing kept on disk, its own user when the caller is root."""

import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from epicase.embedded import binaries, leftovers
from epicase.embedded.identity import reachable, server_identity
from epicase.embedded.places import EmbeddedError, last_lines
from epicase.embedded.postgres import private_dir_for

START_SECONDS = 20
STOP_SECONDS = 10


@dataclass(frozen=True)
class Valkey:
    """The broker of one state directory."""

    state_dir: Path

    @property
    def folder(self) -> Path:
        return self.state_dir / "valkey"

    @property
    def socket(self) -> Path:
        return self.folder / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.folder / "valkey.log"

    @property
    def url(self) -> str:
        """The address in the form that Celery understands."""
        return f"redis+socket://{self.socket}"

    def is_ready(self) -> bool:
        """Whether the server answers."""
        return self._ask(b"PING\r\n").startswith(b"+PONG")

    def start(self) -> None:
        """Bring the server up and wait until it answers."""
        identity = server_identity(self.state_dir, self.folder, place=1)
        server = reachable(binaries.valkey(), self.state_dir / "programs", identity)
        private_dir_for(self.folder, identity)
        self.socket.unlink(missing_ok=True)
        ended = identity.run([server, *self._options()])
        if ended.returncode != 0:
            said = ended.stdout.decode(errors="replace").strip()[-200:]
            raise EmbeddedError(f"the broker did not start: {said or last_lines(self.log)}")
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise EmbeddedError(f"the broker does not answer: {last_lines(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server; what was queued is gone, and the tasks that matter are found again by beat."""
        pid = self._process_id()
        self._ask(b"SHUTDOWN NOSAVE\r\n")
        if pid is None or leftovers.wait_until_gone(pid, STOP_SECONDS):
            return
        os.kill(pid, signal.SIGKILL)
        if not leftovers.wait_until_gone(pid, STOP_SECONDS):
            raise EmbeddedError(f"the broker (pid {pid}) does not end: end it by hand")

    def _options(self) -> list[str | Path]:
        return [
            *("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "600"),
            *("--save", "", "--appendonly", "no", "--dir", self.folder),
            *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
            *("--daemonize", "yes", "--logfile", self.log, "--pidfile", self.folder / "valkey.pid"),
        ]

    def _process_id(self) -> int | None:
        """The living server's process id, as it says itself: a pid file may be old."""
        for line in self._ask(b"INFO server\r\n").split(b"\r\n"):
            if line.startswith(b"process_id:"):
                return int(line.partition(b":")[2])
        return None

    def _ask(self, command: bytes) -> bytes:
        """The first part of the server's answer; nothing when there is no server."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(4096)
            except OSError:
                return b""
