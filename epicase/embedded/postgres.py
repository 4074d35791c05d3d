"""The embedded PostgreSQL: passwords only, no network, its own user when the caller is root."""

import os
import secrets
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from epicase.embedded import binaries, leftovers
from epicase.embedded.identity import Identity, nobody, reachable, server_identity
from epicase.embedded.places import EmbeddedError, last_lines, private_dir

SUPERUSER = "postgres"
# Recovery after a kill may have much to repeat.
START_SECONDS = 180
STOP_SECONDS = 20
HBA = "local all all scram-sha-256\nlocal replication all reject\n"
# Statements and rows can hold personal data: the server's log names errors, never their values.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "logging_collector": "off",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class Postgres:
    """The database server of one state directory."""

    state_dir: Path

    @property
    def data(self) -> Path:
        return self.state_dir / "postgres"

    @property
    def sockets(self) -> Path:
        return self.state_dir / "pgsock"

    @property
    def log(self) -> Path:
        return self.state_dir / "postgres.log"

    @property
    def admin_url(self) -> str:
        """The superuser's address, with the password, over the socket."""
        password = quote((self.state_dir / "postgres.password").read_text().strip(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/postgres?host={quote(str(self.sockets), safe='')}"

    def is_ready(self) -> bool:
        """Whether the superuser can sign in; a living server that refuses the password is an error."""
        if (
            not (self.sockets / ".s.PGSQL.5432").exists()
            or not (self.state_dir / "postgres.password").exists()
        ):
            return False
        try:
            with psycopg.connect(self.admin_url, connect_timeout=5) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"{self.state_dir} lost the database's password: run make demo-reset"
                ) from None
            return False
        return True

    def start(self) -> None:
        """Bring the server up, making its data first if there is none, and wait until it answers."""
        identity = server_identity(self.state_dir, self.data, place=0)
        postgres = reachable(binaries.postgres(), self.state_dir / "programs", identity)
        if not (self.data / "PG_VERSION").exists():
            self._create(postgres.with_name("initdb"), identity)
        self._refuse_other_version()
        private_dir_for(self.sockets, identity)
        self._forget_dead_server()
        self._launch(postgres.with_name("pg_ctl"), identity)
        self._wait()

    def stop(self) -> None:
        """End the server: first politely, then by force; the data survive either."""
        pid = leftovers.pid_in(self.data / "postmaster.pid")
        if pid is None or not self._is_ours(pid):
            return
        for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                return
            if leftovers.wait_until_gone(pid, seconds):
                return
        raise EmbeddedError(f"the database server (pid {pid}) does not end: end it by hand")

    def _create(self, initdb: Path, identity: Identity) -> None:
        """Make the data in a folder beside, so that a half-made cluster never carries the real name."""
        maker = nobody() if identity.is_dropped else identity
        new = self.state_dir / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        private_dir_for(new, maker)
        password = secrets.token_urlsafe(32)
        _write_private(new / "password", password, maker)
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
        passwords = f"--pwfile={new / 'password'}"
        made = maker.run([initdb, "-D", new / "data", "-U", SUPERUSER, passwords, *options])
        if made.returncode != 0:
            raise EmbeddedError(f"initdb failed: {made.stdout.decode(errors='replace').strip()[-400:]}")
        (new / "data" / "pg_hba.conf").write_text(HBA)
        _write_private(self.state_dir / "postgres.password", password, Identity())
        identity.own_tree(new / "data")
        shutil.rmtree(self.data, ignore_errors=True)
        (new / "data").rename(self.data)
        shutil.rmtree(new)

    def _refuse_other_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != binaries.POSTGRES_TREE.removeprefix("pginstall"):
            raise EmbeddedError(f"{self.data} was made by PostgreSQL {version}: run make demo-reset")

    def _forget_dead_server(self) -> None:
        """Remove the marks of a killed server that PostgreSQL itself would take for a living one.

        It looks only whether the process id is in use; after a kill or a reboot it may be anyone's.
        """
        deadline = time.monotonic() + 10
        while leftovers.works_in(self.data) and time.monotonic() < deadline:
            # Children of a killed server end by themselves as soon as they notice.
            time.sleep(0.05)
        if leftovers.works_in(self.data):
            return
        for mark in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            pid = leftovers.pid_in(mark)
            if pid is None or not self._is_ours(pid):
                mark.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        if not leftovers.is_alive(pid):
            return False
        return not leftovers.PROC.is_dir() or pid in leftovers.works_in(self.data)

    def _launch(self, pg_ctl: Path, identity: Identity) -> None:
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = " ".join(f"-c {name}={_quoted(value)}" for name, value in settings.items())
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as log:
            start: tuple[str | Path, ...] = ("start", "--no-wait", "--silent", "-D", self.data, "-o", options)
            ended = identity.run([pg_ctl, *start], output=log)
        if ended.returncode != 0:
            raise EmbeddedError(f"the database server did not start: {last_lines(self.log)}")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            pid = leftovers.pid_in(self.data / "postmaster.pid")
            gone = pid is not None and not leftovers.is_alive(pid)
            if gone or time.monotonic() > deadline:
                raise EmbeddedError(f"the database server does not answer: {last_lines(self.log)}")
            time.sleep(0.03)


def private_dir_for(path: Path, identity: Identity) -> Path:
    """A directory that this identity alone may enter."""
    if path.exists() and identity.is_dropped and path.lstat().st_uid == identity.uid:
        return path
    private_dir(path)
    identity.own(path)
    return path


def _write_private(path: Path, content: str, owner: Identity) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    owner.own(path)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
