"""HTTP paths that are answered in Python."""

import asyncio

import pytest
import requests
import signalbox

from conftest import PATIENCE


def get(engine, path, **options):
    return requests.get(engine.url + path, timeout=PATIENCE, **options)


@pytest.mark.parametrize("returned,status,kind,body", [
    ("text ü", 200, "text/plain; charset=utf-8", "text ü".encode()),
    (b"\0\xff", 200, "application/octet-stream", b"\0\xff"),
    ({"a": [1, "ü"]}, 200, "application/json", '{"a":[1,"ü"]}'.encode()),
    ([], 200, "application/json", b"[]"),
    (None, 204, None, b""),
    ((404, {"error": "no"}), 404, "application/json", b'{"error":"no"}'),
    (signalbox.Response("<p>", 201, {"content-type": "text/html", "X-One": "1"}), 201, "text/html",
     b"<p>")])
def test_answers(engine, returned, status, kind, body):
    engine.mount("/mine")(lambda request: returned)
    answer = get(engine, "/mine/path")
    assert (answer.status_code, answer.headers.get("content-type"), answer.content) == (
        status, kind, body)
    if status == 201:
        assert answer.headers["X-One"] == "1"


def test_request():
    requests_seen = []
    with signalbox.Engine(0, "127.0.0.1", signaling_enabled=False, http_headers=["x-test"]) as engine:
        check_request(engine, requests_seen)


def check_request(engine, requests_seen):
    @engine.mount("/mine")
    def mine(request):
        requests_seen.append(request)
        return request.json()

    answer = requests.post(f"{engine.url}/mine/a%20b?x=1&y=%C3%BC&x=2", json={"body": [1]},
                           headers={"X-Test": "value"}, timeout=PATIENCE)
    assert answer.json() == {"body": [1]}
    (request,) = requests_seen
    assert (request.method, request.path, request.address) == ("POST", "/mine/a b", "127.0.0.1")
    assert request.headers["x-test"] == "value"
    assert request.query == {"x": "2", "y": "ü"}
    assert request.query_pairs == [("x", "1"), ("y", "ü"), ("x", "2")]
    assert request.text() == request.body.decode() == '{"body": [1]}'


def test_longest_prefix_answers(engine):
    engine.mount("/a")(lambda request: "a")
    engine.mount("/a/b")(lambda request: "b")
    assert [get(engine, path).text for path in ("/a", "/a/c", "/a/b", "/a/b/c")] == [*"aabb"]
    assert get(engine, "/ab").status_code == 404


def test_answer_of_a_coroutine(engine):
    @engine.mount("/later")
    async def later(request):
        await asyncio.sleep(0)
        return {"path": request.path}

    assert get(engine, "/later/on").json() == {"path": "/later/on"}


@pytest.mark.parametrize("returned", [
    (99, ""), object(), float("nan"), signalbox.Response("", 200, {"Content-Length": "7"}), (1, 2, 3)])
def test_answers_that_cannot_be_sent_are_500(engine, errors, returned):
    engine.mount("/mine")(lambda request: returned)
    assert get(engine, "/mine").status_code == 500
    assert errors()


@pytest.mark.parametrize("later", [False, True])
def test_exception_is_500_and_logged(engine, errors, later):
    def broken(request):
        raise KeyError("secret")

    async def broken_later(request):
        broken(request)

    engine.mount("/broken")(broken_later if later else broken)
    answer = get(engine, "/broken")
    assert answer.status_code == 500 and "secret" not in answer.text
    assert "KeyError: 'secret'" in errors()[0]


@pytest.mark.parametrize("prefix", ["", "mine", "/mine/"])
def test_prefixes_that_are_not_allowed(engine, prefix):
    with pytest.raises(signalbox.InvalidError):
        engine.mount(prefix)(print)
