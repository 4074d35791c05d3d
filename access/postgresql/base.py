"""The backend: stamps the actor lazily, before a statement, whenever it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from access import actor
from access.postgresql import tickets

_WEAR = "select set_config('epi.ticket', %s, true), set_config('role', %s, true)"


class DatabaseWrapper(base.DatabaseWrapper):
    """Settings are LOCAL to the transaction: outside one, the login has no right to anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base_role: str | None = self.settings_dict.get("BASE_ROLE")
        self.execute_wrappers.append(self._stamp_before)
        self._stamped: actor.Actor | None = None
        self._stamp_ends = 0.0
        self._may_stamp = True

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._forget_stamp()
        if self.base_role:
            with self.connection.cursor() as cursor:
                cursor.execute("select set_config('role', %s, false)", [self.base_role])
            if not self.get_autocommit():
                self.connection.commit()

    def create_cursor(self, name: str | None = None) -> Any:
        self._stamp()
        return super().create_cursor(name)

    def _stamp_before(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        self._stamp()
        return execute(sql, params, many, context)

    def _stamp(self) -> None:
        if self.base_role or not self._may_stamp or not self.in_atomic_block or self.connection is None:
            return
        wanted = actor.current()
        if wanted == self._stamped and time.time() < self._stamp_ends:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        ticket, ends = tickets.issue(wanted, self.connection.info.backend_pid)
        with self.connection.cursor() as cursor:
            cursor.execute(_WEAR, [ticket, wanted.pg_role])
        self._stamped, self._stamp_ends = wanted, ends - tickets.RENEW_SECONDS

    def _forget_stamp(self) -> None:
        self._stamped = None
        self._stamp_ends = 0.0

    # Django's own hooks, which its type stubs do not know.
    def _commit(self) -> Any:
        self._forget_stamp()
        return super()._commit()  # type: ignore[misc]

    def _rollback(self) -> Any:
        self._forget_stamp()
        return super()._rollback()  # type: ignore[misc]

    def _set_autocommit(self, autocommit: bool) -> None:
        self._forget_stamp()
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        # An aborted transaction takes no statement but this one; LOCAL settings made since are undone by it.
        self._may_stamp = False
        try:
            super()._savepoint_rollback(sid)  # type: ignore[misc]
        finally:
            self._may_stamp = True
            self._forget_stamp()
