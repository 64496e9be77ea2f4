"""A Socket.IO 4 compatible server with WebRTC signaling, inside your program.

    import signalbox

    engine = signalbox.Engine(port=3000, signaling_enabled=False)

    @engine.on("message")
    def message(socket, text):
        socket.emit("message", text.upper())

    engine.run()
"""

from . import _core
from .engine import Engine
from .errors import (AddressError, Error, GoneError, InternalError, InvalidError, StateError,
                     SystemError, TimeoutError, UnavailableError)
from .options import OPTIONS, Option
from .requests import Connect, Refuse, Request, Response, RoomRequest
from .socket import Call, Socket

__version__ = _core.version()

__all__ = [
    "OPTIONS", "AddressError", "Call", "Connect", "Engine", "Error", "GoneError", "InternalError",
    "InvalidError", "Option", "Refuse", "Request", "Response", "RoomRequest", "Socket",
    "StateError", "SystemError", "TimeoutError", "UnavailableError",
]
