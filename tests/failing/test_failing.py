"""Fails, so that the runner can be seen to notice."""


def test_fails():
    assert False
