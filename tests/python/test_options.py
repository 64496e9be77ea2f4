"""Options as keyword arguments, and errors with their texts."""

import pytest
import signalbox
import socketio
from signalbox import _core, errors

Engine = signalbox.Engine


def test_every_option_is_a_keyword():
    assert len(signalbox.OPTIONS) == len(_core.options()) > 30
    for keyword, option in signalbox.OPTIONS.items():
        assert keyword.isidentifier()
        value = option.default.split(",") if option.type == "list" and option.default else option.default
        Engine(**{keyword: value}).close()
        assert keyword in Engine.__doc__


@pytest.mark.parametrize("options", [
    {"listen_port": 1, "cors_origins": ["https://a.example", "https://b.example"]},
    {"signaling_enabled": False, "limits_join_enabled": True}, {"cors_origins": []},
    {"limits_join_count": "7"}, {"port": 1}, {"host": "::1", "port": 0}])
def test_values(options):
    Engine(**options).close()


@pytest.mark.parametrize("options,text", [
    ({"listen_prot": 1}, "'listen_prot'.*did you mean listen.port"),
    ({"nonsense_without_end": 1}, "unknown option 'nonsense.without_end'$"),
    ({"listen_port": 1.5}, "1.5"), ({"redis_url": None}, "None"), ({"cors_origins": [1]}, "cors_origins"),
    ({"port": 1, "listen_port": 1}, "both port and listen_port")])
def test_type_errors(options, text):
    with pytest.raises(TypeError, match=text):
        Engine(**options)


@pytest.mark.parametrize("options,text", [
    ({"port": 65536}, "option listen.port: '65536' is not allowed; an integer from 0 to 65535"),
    ({"signaling_enabled": "perhaps"}, "signaling.enabled.*true or false"),
    ({"cors_origins": ["nonsense"]}, "cors.origins"), ({"host": ""}, "listen.host"),
    ({"cors_origins": ["https://a.example,https://b.example"]}, "comma"),
    ({"host": "127.0.0.1\0"}, "NUL")])
def test_values_that_are_not_allowed(options, text):
    with pytest.raises(signalbox.InvalidError, match=text) as info:
        Engine(**options)
    assert isinstance(info.value, ValueError)
    assert info.value.code == -1 and info.value.text == str(info.value)


def test_every_error_code_has_a_class():
    codes = {name: value for name, value in vars(_core).items() if name.startswith("E_")}
    assert len(codes) >= 8
    classes = set()
    for code in codes.values():
        error = errors.from_code(code, "text")
        assert (error.code, type(error).code, str(error)) == (code, code, "text")
        assert type(error) is not signalbox.Error and isinstance(error, signalbox.Error)
        assert type(error).__doc__.lower().startswith(_core.error_text(code))
        classes.add(type(error))
    assert len(classes) == len(codes)
    assert type(errors.from_code(-99, "newer")) is signalbox.Error


def test_version():
    assert signalbox.__version__ == _core.version()


def test_live_options_change_while_it_serves(engine, connect):
    @engine.on("fence")
    def fence(socket):
        return None

    first = connect(engine)
    engine.set(limits_connections=1, shutdown_drain=0)
    first.call("fence")  # what was told before has happened by then
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect(engine)
    engine.set(limits_connections=5)
    first.call("fence")
    connect(engine)


@pytest.mark.parametrize("options,error,text", [
    ({"listen_port": 1}, signalbox.InvalidError, "cannot change while the engine serves"),
    ({"limits_connections": 0}, signalbox.InvalidError, "from 1 to"),
    ({"limits_conections": 1}, TypeError, "did you mean limits.connections"),
    ({"limits_connections": 1.5}, TypeError, "1.5")])
def test_what_cannot_change(engine, options, error, text):
    with pytest.raises(error, match=text):
        engine.set(**options)


def test_options_say_whether_they_are_live(engine):
    for keyword, option in signalbox.OPTIONS.items():
        value = option.default.split(",") if option.type == "list" and option.default else option.default
        if option.live:
            engine.set(**{keyword: value})
        else:
            with pytest.raises(signalbox.InvalidError):
                engine.set(**{keyword: value})


def test_only_an_engine_that_serves_can_change():
    engine = Engine(0, "127.0.0.1", signaling_enabled=False)
    with pytest.raises(signalbox.StateError):
        engine.set(limits_connections=1)
    with engine:
        engine.set(limits_connections=1)
    with pytest.raises(signalbox.StateError):
        engine.set(limits_connections=1)
