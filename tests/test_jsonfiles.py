"""The one strict reader of JSON: what it takes, and every fault by file, line and field."""

import ast
import json
from pathlib import Path

import pytest

import jen1cli
from jen1cli.jsonfiles import (
    MAX_DEPTH,
    JsonError,
    parse_json,
    parse_object,
    read_lines,
    read_object,
    to_json,
)

PACKAGE = Path(jen1cli.__file__).parent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": ', "x is not JSON (Expecting value, column 7)"),
        ('{"a": 1,\n"b" 2}', "x is not JSON (Expecting ':' delimiter, line 2 column 5)"),
        ("", "x is not JSON"),
        ('{"a": {"b": NaN}}', "x has a number that is not finite in 'a.b'"),
        ('{"a": [1, -Infinity]}', "x has a number that is not finite in 'a.1'"),
        ('{"bpm": 1e400}', "x has a number that is not finite in 'bpm'"),
        ("1e999", "x has a number that is not finite;"),
        ('{"seed": ' + "7" * 5000 + "}", "x has a number that is not finite in 'seed'"),
        ('{"seed": ' + "7" * 400 + "}", "x has a number that is not finite in 'seed'"),
        ("[" * 100_000, "x is nested more than 64 deep"),
        ("[" * 65 + "]" * 65, "x is nested more than 64 deep"),
        ('{"a": 1, "b": 2, "a": 3}', "x has the key 'a' twice"),
        (r'{"prompt": "\ud83c"}', "x has a broken letter (half a surrogate pair) in 'prompt'"),
        (r'{"\udcff": 1}', "x has a broken letter (half a surrogate pair) in the key"),
        (r'{"name": "\ud83c"}', "half a surrogate pair"),
        (b'{"a": "\xff"}', "x is not UTF-8 text (byte 8); save it as UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "x is not UTF-8 text (byte 1); save it as UTF-8"),
    ],
)
def test_every_fault_is_one_line(text, words):
    with pytest.raises(JsonError) as caught:
        parse_json(text, "x")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_what_is_right_is_read():
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x")
    assert parse_json('\ufeff{"a": "é\u2028"}'.encode(), "x") == {"a": "é\u2028"}
    state = 2**128 - 1  # as numpy's generators have
    assert parse_json(str(state), "x") == state
    assert parse_json(r'"\ud83c\udfb5"', "x") == "🎵"
    assert parse_object(r'{"audio": "caf\udce9.wav"}', "x")["audio"] == "caf\udce9.wav"


def test_another_value_is_no_object():
    with pytest.raises(JsonError, match="x is a list, where an object"):
        parse_object("[1]", "x")
    with pytest.raises(JsonError, match=r"x is text \('hello'\), where an object"):
        parse_object('"hello"', "x")


def test_lines_end_at_line_feeds_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    odd = "a\u2028b\u0085c\x0cd\x1ce\rf"
    path.write_bytes(f"\ufeff{odd}\r\n\n  \nlast".encode())
    expected = [(f"line 1 of {path}", odd), (f"line 4 of {path}", "last")]
    assert list(read_lines(path)) == expected
    assert [text for _, text in read_lines(path.read_bytes(), "x")] == [odd, "last"]
    with pytest.raises(JsonError, match="line 2 of x is not UTF-8"):
        list(read_lines(b"good\nb\xe9d", "x"))


def test_files_without_end_are_not_swallowed(monkeypatch):
    monkeypatch.setattr("jen1cli.jsonfiles.MAX_BYTES", 2**20)
    with pytest.raises(JsonError, match="/dev/zero has more than 1 MB"):
        read_object(Path("/dev/zero"))
    with pytest.raises(JsonError, match="line 1 of /dev/zero has more than 1 MB"):
        list(read_lines(Path("/dev/zero")))


def test_what_is_written_can_be_read_back():
    values = {"audio": "caf\udce9.wav", "captions": ["로파이"]}
    assert to_json(values).isascii()
    assert parse_json(to_json(values).encode(), "x") == values
    assert "로파이" in to_json({"captions": ["로파이"]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(float("nan"))


@pytest.mark.heavy
def test_nothing_else_reads_json():
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("loads", "load", "JSONDecoder"):
                found += [path.name] * (getattr(node.value, "id", "") == "json")
    assert found == ["jsonfiles.py"]


def test_python_alone_would_take_it():
    """Why there is a reader: each of these passes, or fails with another error."""
    assert json.loads('{"a": NaN, "b": 1, "b": 2}')["b"] == 2
    with pytest.raises(RecursionError):
        json.loads("[" * 100_000)
