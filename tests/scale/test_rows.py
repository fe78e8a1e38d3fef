"""Rows of prompt files: lines, CSV and Parquet, from a path, a URL or stdin, whole or in shards."""

import bz2
import gzip
import io
import json
import lzma
import os
import tracemalloc

import pytest

from jen1cli.errors import ConfigError, DataError
from jen1cli.jsonfiles import MAX_BYTES
from jen1cli.scale.rows import read_rows
from jen1cli.shards import Shard

VALUES = [
    {"prompt": "lofi piano", "seed": 7, "bpm": 90.5},
    {"prompt": 'techno, "hard"', "seconds": 2.0},
    {"prompt": "a\u2028b"},
]


def write(folder, kind):
    path = folder / f"prompts.{kind}"
    if kind == "jsonl":
        path.write_text("\n\n".join(map(json.dumps, VALUES)))
    elif kind == "csv":
        path.write_text(
            "prompt,seed,bpm,seconds\nlofi piano,7,90.5,\n\n"
            '"techno, ""hard""",,,2.0\na\u2028b,,,\n',
            encoding="utf-8-sig",
        )
    else:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(VALUES, pyarrow.schema({
            "prompt": pyarrow.string(), "seed": pyarrow.int64(), "bpm": pyarrow.float64(),
            "seconds": pyarrow.float64(),
        })), path, row_group_size=2)  # fmt: skip
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_every_kind_has_the_same_rows(tmp_path, kind):
    rows = list(read_rows(str(write(tmp_path, kind))))
    assert [row.index for row in rows] == [0, 1, 2]
    assert [row.fault for row in rows] == [None] * 3
    expected = VALUES
    if kind == "csv":
        assert all(row.is_text for row in rows)
        expected = [{key: str(value) for key, value in values.items()} for values in VALUES]
    assert [dict(row.values) for row in rows] == expected
    assert all(row.where.startswith("line ") for row in rows)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_shards_share_the_rows_out(tmp_path, kind):
    path = str(write(tmp_path, kind))
    whole = list(read_rows(path))
    parts = [list(read_rows(path, Shard(index, 2))) for index in range(2)]
    assert [row.index for row in parts[0]] == [0, 2]
    assert sorted(parts[0] + parts[1], key=lambda row: row.index) == whole


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_url_of_fsspec_is_a_source(tmp_path, kind):
    pytest.importorskip("fsspec")
    path = write(tmp_path, kind)
    rows = list(read_rows(f"file://{path}"))
    assert [row.values for row in rows] == [row.values for row in read_rows(str(path))]


@pytest.mark.parametrize("packing", [gzip, bz2, lzma])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_compressed_file_is_unpacked(tmp_path, kind, packing, scheme):
    if scheme:
        pytest.importorskip("fsspec")
    plain = write(tmp_path, kind)
    path = plain.with_suffix(f".{kind}.{ {gzip: 'gz', bz2: 'bz2', lzma: 'xz'}[packing] }")
    path.write_bytes(packing.compress(plain.read_bytes()))
    rows = list(read_rows(f"{scheme}{path}"))
    assert [row.values for row in rows] == [row.values for row in read_rows(str(plain))]


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("damage", ["half", "other"])
def test_a_compressed_file_that_is_not_whole_is_named(tmp_path, packing, damage):
    packed = {"gz": gzip, "bz2": bz2, "xz": lzma}[packing].compress(b"lofi piano\n" * 999)
    path = tmp_path / f"prompts.jsonl.{packing}"
    path.write_bytes(packed[: len(packed) // 2] if damage == "half" else b"lofi piano\n" * 99)
    with pytest.raises(DataError, match=r"--from .*prompts\.jsonl\.\w+ (is not whole|cannot be)"):
        list(read_rows(str(path)))


@pytest.mark.parametrize("suffix", ["zst", "zip", "tgz"])
def test_a_packing_that_is_not_unpacked_is_refused(tmp_path, suffix):
    path = tmp_path / f"prompts.jsonl.{suffix}"
    path.write_bytes(b"(\xb5/\xfd")
    with pytest.raises(DataError, match=rf"is packed as \.{suffix}.*give it as \.gz"):
        list(read_rows(str(path)))


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_missing_file_is_named_by_any_file_system(tmp_path, scheme):
    if scheme:
        pytest.importorskip("fsspec")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(read_rows(f"{scheme}{tmp_path}/none.jsonl"))


def test_lines_of_stdin_are_read_as_they_come():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            text = b"lofi piano\n" * 100
            buffer[: len(text)] = text
            return len(text)

    rows = read_rows("-", Shard(1, 2), stdin=io.BufferedReader(Endless(), 1100))
    assert [next(rows).index for _ in range(3)] == [1, 3, 5]


def test_rows_that_cannot_be_read_do_not_end_the_file(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbfpiano\n{"prompt": \n\xff\xfe\n' + b"x" * (MAX_BYTES + 10) + b"\ntechno\n"
    )
    rows = list(read_rows(str(path)))
    assert [row.index for row in rows] == [0, 1, 2, 3, 4]
    assert [row.fault is None for row in rows] == [True, False, False, False, True]
    assert rows[0].values == {"prompt": "piano"}
    assert rows[4].values == {"prompt": "techno"}
    assert "line 2 of" in str(rows[1].fault)
    assert "is not UTF-8" in str(rows[2].fault)
    assert "more than 64 MB" in str(rows[3].fault)


@pytest.mark.skipif(os.name == "nt", reason="devices of a POSIX system")
@pytest.mark.parametrize("name", ["zero", "urandom", "null"])
def test_a_device_without_end_is_refused_at_once(name):
    with pytest.raises(DataError, match=f"--from /dev/{name} is a device; give a file or a pipe"):
        next(read_rows(f"/dev/{name}"))


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("jen1cli.scale.rows.MAX_BYTES", 1_000)
    monkeypatch.setattr("jen1cli.scale.rows._LONGEST_LINE", 10_000)

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    with pytest.raises(DataError, match="line 1 of stdin has more than"):
        next(read_rows("-", stdin=io.BufferedReader(Endless())))


def test_a_table_row_that_cannot_be_read_does_not_end_the_file(tmp_path):
    path = tmp_path / "prompts.csv"
    path.write_text(f"prompt,seed\na,1,2\nb,2\n{'c' * 200_000},3\nd,4\n")
    rows = list(read_rows(str(path)))
    assert "3 cells, the header 2" in str(rows[0].fault)
    assert [row.values.get("prompt") for row in rows][1::2] == ["b", "d"]
    assert "is not CSV" in str(rows[2].fault)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "no column 'prompt'; its columns: none"),
        ("a.csv", b"text,seed\n", "its columns: text, seed"),
        ("a.csv", b"prompt,seed,seed\n", "names a column twice"),
        ("a.parquet", b"", "is not whole Parquet"),
        ("a.parquet", b"PAR1 and nothing more", "is not whole Parquet"),
    ],
)
def test_a_table_without_prompts_is_refused(tmp_path, name, content, words):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ConfigError, DataError), match=words):
        list(read_rows(str(tmp_path / name)))


@pytest.mark.parametrize(
    ("source", "words"),
    [("none.jsonl", "No such file"), ("file:///none/x.csv", "No such file"),
     ("nonsense://x/y.jsonl", "cannot be opened")],
)  # fmt: skip
def test_a_source_that_is_not_there_is_named(source, words):
    pytest.importorskip("fsspec")
    with pytest.raises(DataError, match=words) as refused:
        list(read_rows(source))
    assert f"--from {source}" in str(refused.value)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_memory_does_not_grow_with_the_file(tmp_path, kind):
    def peak(count):
        path = tmp_path / f"{count}.{kind}"
        path.write_text("prompt\n" * (kind == "csv") + "lofi piano, warm and slow\n" * count)
        tracemalloc.start()
        seen = sum(1 for _ in read_rows(str(path)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == count
        return most

    def least(count):  # other threads, such as Ray's after its own tests, allocate meanwhile
        return min(peak(count) for _ in range(3))

    assert least(6_000) < 1.2 * least(1_000) + 50_000


def test_a_list_is_no_prompt_but_brackets_are(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_text('["lofi", "jazz"]\n[1,2]\n[verse] lofi\n')
    first, second, third = read_rows(str(path))
    for row in (first, second):
        assert "is a list, where an object {…} is wanted" in str(row.fault)
    assert third.values == {"prompt": "[verse] lofi"}
