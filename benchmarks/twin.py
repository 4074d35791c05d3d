"""Talks to the plain twin's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any

from benchmarks import stage


class Twin:
    """The plain twin, alive inside a `with` block: `twin.do("list", [1, 2])`."""

    def __init__(self) -> None:
        address = stage.make_plain_database()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.plain"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=stage.CHECKOUT,
            env={**os.environ, "PLAIN_DATABASE_URL": address},
        )  # fmt: skip
        self.do("tables")

    def do(self, order: str, *given: Any) -> Any:
        """What the twin answers to an order; raises when it died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([order, *given]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the plain twin ended with {self._process.wait()}")
        return json.loads(answer)

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
