"""Answers GET /hello until its standard input ends."""

import sys

import signalbox

with signalbox.Engine(port=0, signaling_enabled=False) as engine:
    @engine.mount("/hello")
    def hello(request):
        return "hello from Python"

    print("listening on port", engine.port, flush=True)
    sys.stdin.read()
