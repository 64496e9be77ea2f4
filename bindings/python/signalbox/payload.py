"""Python values as JSON text with attachments, and back."""

import json
from typing import Any, Callable, Sequence

from .errors import invalid


def encode(args: Sequence[Any]) -> tuple[bytes, list[bytes]]:
    """The text of a JSON array, and the bytes, bytearrays and memoryviews found in it."""
    attachments: list[bytes] = []

    def attach(value: object) -> object:
        if isinstance(value, (bytes, bytearray, memoryview)):
            attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(attachments) - 1}
        raise TypeError(f"a value of type {type(value).__name__} cannot be sent")

    text = dump(args, attach)
    return text, attachments


def dump(value: Any, default: Callable[[object], object] | None = None) -> bytes:
    """The JSON text of a value. InvalidError for what JSON has no words for."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"),
                          default=default)
    except ValueError as error:
        raise invalid(f"NaN, infinities and circular values cannot be sent: {error}") from None
    # Half a surrogate pair, which JavaScript allows, has no UTF-8; JSON escapes it this very way.
    return text.encode(errors="backslashreplace")


def decode(text: str, attachments: Sequence[bytes]) -> list[Any]:
    """The arguments that `encode` would make this of."""
    if not attachments:
        return json.loads(text)  # type: ignore[no-any-return]

    def attached(value: dict[str, Any]) -> object:
        return attachments[value["num"]] if value.get("_placeholder") is True else value

    return json.loads(text, object_hook=attached)  # type: ignore[no-any-return]


def returned(value: object) -> Sequence[Any]:
    """The arguments that a handler's return value stands for."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def answered(args: Sequence[Any]) -> Any:
    """The return value that arguments stand for: None, the only one, or a tuple."""
    if not args:
        return None
    return args[0] if len(args) == 1 else tuple(args)
