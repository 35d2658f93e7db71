"""An exception on its way from one process to another."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass


class RemoteTracebackError(Exception):
    """The traceback of an exception raised in another process, as text; the cause of that exception here."""


@dataclass(frozen=True)
class Failure:
    """An exception on its way to another process (a stand-in where it cannot be pickled), with its traceback."""

    error: Exception
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The failure that reports `error`."""
        trace = "".join(traceback.format_exception(error)[-3:])[-2000:]
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001  whatever an exception's own pickling raises
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return cls(error, trace)

    def exception(self) -> Exception:
        """The exception, with the other process's traceback as its cause."""
        self.error.__cause__ = RemoteTracebackError(f"\n{self.trace}")
        return self.error
