"""What the library refuses or cannot do: one class for each error code of the C ABI."""

import builtins

from . import _core


class Error(Exception):
    """`code` is the C ABI's error code, `text` says what was wrong."""

    code: int = _core.E_INTERNAL

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return self.text


class InvalidError(Error, ValueError):
    """An argument or option that cannot be accepted."""

    code = _core.E_INVALID


class StateError(Error):
    """The call does not fit the state of the engine."""

    code = _core.E_STATE


class AddressError(Error):
    """The listening address is in use, not ours, or forbidden."""

    code = _core.E_ADDRESS


class SystemError(Error):
    """The system refused memory, descriptors or threads."""

    code = _core.E_SYSTEM


class UnavailableError(Error):
    """A service that is needed does not answer."""

    code = _core.E_UNAVAILABLE


class InternalError(Error):
    """A defect in the library."""

    code = _core.E_INTERNAL


class TimeoutError(Error, builtins.TimeoutError):
    """The answer did not come in time."""

    code = _core.E_TIMEOUT


class GoneError(Error):
    """The socket is gone."""

    code = _core.E_GONE


_CLASSES = {each.code: each for each in (InvalidError, StateError, AddressError, SystemError,
                                         UnavailableError, InternalError, TimeoutError, GoneError)}


def from_code(code: int, text: str) -> Error:
    """The error for a code of the C ABI; one that is newer than this module is a plain Error."""
    return _CLASSES.get(code, Error)(code, text)


def invalid(text: str) -> InvalidError:
    return InvalidError(_core.E_INVALID, text)
