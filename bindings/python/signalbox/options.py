"""The options of an engine, as the library lists them, under the names of keyword arguments."""

from typing import Mapping, NamedTuple, Sequence, Union

from . import _core
from .errors import InvalidError, invalid

#: What an option can be given as; lists are for those that the library separates by commas.
OptionValue = Union[str, int, bool, Sequence[str]]


class Option(NamedTuple):
    """An option: `name` is the library's (listen.port), `default` the text of its default; one that is
    `live` can be changed by Engine.set."""

    name: str
    type: str
    unit: str
    minimum: int
    maximum: int
    default: str
    doc: str
    live: bool


_TYPES = ("string", "integer", "boolean", "list")


def _read() -> dict[str, Option]:
    return {row[0].replace(".", "_"): Option(row[0], _TYPES[row[1]], *row[2:])
            for row in _core.options()}


#: Every option by its keyword: OPTIONS["listen_port"].name is "listen.port".
OPTIONS: Mapping[str, Option] = _read()


def to_pairs(options: Mapping[str, OptionValue]) -> list[tuple[str, str]]:
    """What the library is told. TypeError for a keyword that is no option, or a value that cannot be
    one; whether the value is allowed, the library says."""
    return [(_option(keyword).name, _text(keyword, value)) for keyword, value in options.items()]


def documentation() -> str:
    """One line for each option."""
    lines = []
    for keyword, option in OPTIONS.items():
        unit = f", {option.unit}" if option.unit else ""
        live = ", live" if option.live else ""
        lines.append(f"    {keyword} ({option.type}{unit}; {option.default!r}{live}): {option.doc}")
    return "\n".join(lines)


def _option(keyword: str) -> Option:
    try:
        return OPTIONS[keyword]
    except KeyError:
        pass
    try:
        _core.Engine([(keyword.replace("_", ".", 1), "")], 0)
    except InvalidError as error:  # it names the option that may have been meant
        raise TypeError(f"unexpected keyword argument '{keyword}': {error}") from None
    raise AssertionError(f"the library knows an option '{keyword}' that it does not list")


def _text(keyword: str, value: OptionValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        if any("," in each for each in value):
            raise invalid(f"option {keyword}: a comma inside an element of a list")
        return ",".join(value)
    raise TypeError(f"option {keyword}: {value!r} is no text, number, truth value or list of texts")
