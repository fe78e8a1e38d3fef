"""`jen1 generate` of sets: shards, layouts, resumption, batches, failures."""

import dataclasses
import itertools
import json
import os
import signal
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from jen1cli.cli.app import run
from jen1cli.manifest import read_folder
from jen1cli.pipeline import generating
from jen1cli.recipe import Recipe, read_recipe
from jen1cli.scale import folder as set_folder
from jen1cli.scale import planning
from jen1cli.scale import run as set_run
from jen1cli.scale.models import ModelSource
from jen1cli.scale.pieces import MakerSpec, PieceMaker
from midi_support import notes, song, track
from scale_support import SHORT, TINY, lines_of, made, manifest, tree, write_prompts

ROWS = [
    {"prompt": "lofi piano", "seconds": 0.2},
    "techno with a long text of many words",
    {"prompt": "jazz", "seed": 3, "bpm": 90},
    "folk",
    {"prompt": "ambient", "seconds": 0.2, "negative": "drums"},
    {"prompt": "waltz", "steps": 2},
    "samba",
]


@pytest.fixture
def prompts(tmp_path):
    return write_prompts(tmp_path / "prompts.jsonl", ROWS)


def test_a_set_is_made_of_rows(generate, prompts):
    result = generate("-o", "out", "--resume", "--seed", 10)
    assert result.code == 0, result.err
    assert result.out == f"{Path('out').absolute() / 'manifest.jsonl'}\n"
    lines = manifest("out")
    assert [line["seed"] for line in lines] == [10, 11, 3, 13, 14, 15, 16]
    assert [line["seconds"] for line in lines] == [0.2, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1]
    for line in lines:
        recipe = read_recipe(Path("out") / line["audio"])
        assert (recipe.prompt, recipe.seed) == (line["captions"][0], line["seed"])
        facts = json.loads((Path("out") / line["audio"]).with_suffix(".json").read_text())
        assert Recipe.from_dict(facts["recipe"]) == recipe
    assert lines[2]["attributes"]["bpm"] == 90
    assert not Path("out/errors.jsonl").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("layout", ["files", "tar"])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_row_has_the_same_bytes_in_any_shard(generate, prompts, layout, batch):
    arguments = ["--resume", "--seed", 10, "--layout", layout, "--batch", batch]
    assert generate("-o", "whole", *arguments).code == 0
    for index in (2, 0, 1):
        result = generate("-o", "parts", *arguments, "--shard", f"{index}/3", "--json")
        assert result.code == 0, result.err
        assert json.loads(result.out)["is_complete"] == (index == 1)  # the last to be made
    assert made("parts") == made("whole")
    if layout == "files":
        assert {n: d for n, d in tree("parts").items() if n != "manifest.jsonl"} == {
            n: d for n, d in tree("whole").items() if n != "manifest.jsonl"
        }
    else:
        assert sorted(path.name for path in Path("parts").glob("*.tar")) == [
            f"shard-{index:05d}.tar" for index in range(3)
        ]


@pytest.mark.heavy
def test_a_row_alone_is_what_it_is_in_a_set(generate, prompts, tmp_path):
    """A batch of one row against one of eight; the settings are the same."""
    assert generate("-o", "whole", "--batch", 8, "--seed", 10).code == 0
    for number, row in enumerate(ROWS):
        alone = {"prompt": row} if isinstance(row, str) else row
        source = write_prompts(tmp_path / "one.jsonl", [{"seed": 10 + number, **alone}])
        arguments = ["-o", f"one-{number}", "--batch", 8, "--seed", 99]
        assert generate(*arguments, source=source).code == 0
        assert made(f"one-{number}")[0] == made("whole")[number]


@pytest.mark.heavy
def test_a_set_of_batches_of_one_holds_what_generate_makes_with_one_thread(generate, prompts):
    assert torch.get_num_threads() == 1
    assert generate("-o", "set", "--batch", 1, "--seed", 10).code == 0
    Path("plain").mkdir()
    plain = ["generate", "--from", "prompts.jsonl", "-o", "plain/{index}.flac", "--seed", "10"]
    assert run([*plain, *SHORT]) == 0
    for line in manifest("set"):
        piece, plain = Path("set") / line["audio"], Path(f"plain/{line['piece'] + 1}.flac")
        np.testing.assert_array_equal(soundfile.read(piece)[0], soundfile.read(plain)[0])
        assert read_recipe(plain) == dataclasses.replace(read_recipe(piece), threads=0)


@pytest.mark.heavy
def test_again_makes_the_bytes_of_a_batch(generate, prompts):
    assert generate("-o", "set", "--batch", 4, "--format", "wav").code == 0
    line = manifest("set")[1]
    path = Path("set") / line["audio"]
    assert run(["again", str(path), "-o", "same.wav", "--device", "cpu"]) == 0
    assert Path("same.wav").read_bytes() == path.read_bytes()


@pytest.mark.heavy
def test_copies_of_a_row_have_seeds_of_their_own(generate, prompts):
    assert generate("-o", "out", "--resume", "--seed", 10, "-n", 2, "--shard", "0/2").code == 0
    assert generate("-o", "out", "--resume", "--seed", 10, "-n", 2, "--shard", "1/2").code == 0
    seeds = {line["piece"]: line["seed"] for line in manifest("out")}
    assert seeds == {**{piece: 10 + piece for piece in range(14)}, 4: 3, 5: 4}


@pytest.mark.heavy
def test_without_a_seed_one_is_drawn_for_all_shards(generate, prompts):
    assert generate("-o", "out", "--shard", "0/2").code == 0
    assert generate("-o", "out", "--shard", "1/2").code == 0
    first = {line["seed"] - line["piece"] for line in manifest("out") if line["piece"] != 2}
    assert len(first) == 1
    assert first != {0}


@pytest.mark.heavy
@pytest.mark.parametrize("layout", ["files", "tar"])
def test_training_and_evaluation_read_a_set(generate, prompts, layout):
    assert generate("-o", "out", "--layout", layout, "--seed", 1, "-s", 1).code == 0
    clips = read_folder(Path("out"))
    assert [clip.captions[0] for clip in clips] == [line["captions"][0] for line in manifest("out")]
    assert all(read_recipe(clip.source).prompt == clip.captions[0] for clip in clips)
    code = run(["evaluate", "stats", "out", "-e", "handcrafted", "-o", "stats.npz", "-q"])
    assert code == 0
    Path("out/manifest.jsonl").unlink()  # the files alone say as much
    again = read_folder(Path("out"))
    assert [clip.captions for clip in again] == [clip.captions for clip in clips]
    assert [clip.seconds for clip in again] == [clip.seconds for clip in clips]


def test_tar_files_are_webdataset(generate, prompts):
    assert generate("-o", "out", "--layout", "tar").code == 0
    with tarfile.open("out/shard-00000.tar") as tar:
        names = tar.getnames()
        assert names == [f"{n:09d}.{kind}" for n in range(7) for kind in ("flac", "json")]
        facts = json.loads(tar.extractfile("000000002.json").read())
    assert facts["captions"] == ["jazz"]
    assert sorted(path.name for path in Path("out").iterdir()) == [
        ".set", "manifest.jsonl", "shard-00000.tar",
    ]  # fmt: skip


@pytest.mark.heavy
def test_blocks_of_a_shard_have_tar_files_of_their_own(generate, prompts, monkeypatch):
    monkeypatch.setattr(set_folder, "BLOCK_ROWS", 2)
    for index in range(2):
        assert generate("-o", "out", "--layout", "tar", "--shard", f"{index}/2").code == 0
    names = [path.name for path in sorted(Path("out").glob("*.tar"))]
    assert names == [f"shard-{number:05d}.tar" for number in range(4)]
    assert [line["piece"] for line in manifest("out")] == [0, 2, 1, 3, 4, 6, 5]


# --- what goes wrong ---

BAD = [
    '{"prompt": 3}', "lofi", '{"prompt": "x", "tempo": 9}', "{", '{"prompt": "y", "seconds": -1}',
    "привет", "jazz",
]  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("layout", ["files", "tar"])
def test_bad_rows_are_named_and_do_not_end_the_run(generate, tmp_path, layout):
    write_prompts(tmp_path / "prompts.jsonl", BAD)
    result = generate("-o", "out", "--layout", layout, "--seed", 10)
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("jen1: error: 5 of 7 rows failed")
    errors = lines_of("out/errors.jsonl")
    assert [error["row"] for error in errors] == [0, 2, 3, 4, 5]
    assert [error["where"] for error in errors] == [
        f"line {n} of prompts.jsonl" for n in (1, 3, 4, 5, 6)
    ]
    for error, words in zip(
        errors, ["must be text", "'tempo'", "not JSON", "-1", "Latin"], strict=True
    ):
        assert words in error["error"]
    before = made("out")
    assert sorted(before) == [1, 6]
    write_prompts(tmp_path / "prompts.jsonl", ["soul", "lofi", *BAD[2:]])  # one is mended
    result = generate("-o", "out", "--layout", layout, "--seed", 10, "--resume", "--json")
    assert result.code == 1
    assert json.loads(result.out)["made"] == 1
    assert json.loads(result.out)["reused"] == 2
    assert len(Path("out/errors.jsonl").read_text().splitlines()) == 4
    after = made("out")
    assert sorted(after) == [0, 1, 6]
    assert {piece: after[piece] for piece in before} == before


@pytest.mark.heavy
def test_a_piece_that_fails_spoils_no_other_of_its_batch(generate, prompts, monkeypatch):
    make = generating.make_pieces

    def failing(networks, generation, orders, *arguments, **options):
        if any(order.prompt == "folk" for order in orders):
            raise ZeroDivisionError("no folk")
        return make(networks, generation, orders, *arguments, **options)

    monkeypatch.setattr(generating, "make_pieces", failing)
    assert generate("-o", "out", "--batch", 8, "--seed", 10).code == 1
    (error,) = lines_of("out/errors.jsonl")
    assert error == {
        "row": 3, "piece": 3, "where": "line 4 of prompts.jsonl",
        "error": "ZeroDivisionError: no folk",
    }  # fmt: skip
    monkeypatch.undo()
    os.chdir(prompts.parent)
    assert sorted(made("out")) == [0, 1, 2, 4, 5, 6]
    assert generate("-o", "out", "--batch", 8, "--seed", 10, "--resume").code == 0
    assert generate("-o", "whole", "--batch", 8, "--seed", 10).code == 0
    assert tree("out") == tree("whole")


@pytest.mark.heavy
def test_failed_rows_of_all_shards_are_in_one_file(generate, prompts):
    write_prompts(prompts, ["{", "lofi", "jazz", '{"bpm": 1}', "folk", "rock"])
    for index in (1, 0):
        assert generate("-o", "out", "--shard", f"{index}/2", "--seed", 1).code == 1
        assert Path("out/errors.jsonl").exists() == (index == 0)
    assert [line["row"] for line in lines_of("out/errors.jsonl")] == [0, 3]
    assert [line["row"] for line in lines_of("out/errors-00001.jsonl")] == [3]
    write_prompts(prompts, ["{", "lofi", "jazz", "blues", "folk", "rock"])
    assert generate("-o", "out", "--shard", "1/2", "--seed", 1, "--resume").code == 0
    assert [line["row"] for line in lines_of("out/errors.jsonl")] == [0]
    assert len(manifest("out")) == 5


@pytest.mark.heavy
def test_rows_that_fail_are_counted_not_pieces(generate, tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", ["lofi", {"prompt": "jazz", "style": "nothing"}, "{"])
    result = generate("-o", "out", "-n", 3, "--composer", "rules", "--json")
    assert result.code == 1
    assert json.loads(result.out)["failed"] == 2
    assert "2 of 3 rows failed, the others are made" in result.err


def test_a_row_of_which_every_copy_fails_counts_once(generate, prompts, monkeypatch):
    def failing(*arguments, **options):
        raise ZeroDivisionError("nothing")

    monkeypatch.setattr(generating, "make_pieces", failing)
    write_prompts(prompts, ["lofi"])
    result = generate("-o", "out", "-n", 3, "--json")
    assert [line["piece"] for line in lines_of("out/errors.jsonl")] == [0, 1, 2]
    facts = json.loads(result.out)
    assert (facts["rows"], facts["failed"], facts["is_complete"]) == (1, 1, False)
    assert "1 of 1 row failed; see" in result.err


def test_a_set_without_a_piece_is_not_complete(generate, tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", ["{", "привет"])
    result = generate("-o", "out", "--json", "--seed", 1)
    assert result.code == 1
    assert not json.loads(result.out)["is_complete"]
    assert "2 of 2 rows failed; see" in result.err
    assert "made" not in result.err.splitlines()[-1]
    assert not Path("out/manifest.jsonl").exists()
    write_prompts(tmp_path / "prompts.jsonl", ["lofi", "jazz"])
    assert generate("-o", "out", "--resume", "--seed", 1).code == 0
    assert len(manifest("out")) == 2


def test_a_score_that_changes_or_vanishes_is_named(generate, prompts):
    write_prompts(prompts, [{"prompt": "lofi", "score": "theme.mid"}, "jazz"])
    Path("theme.mid").write_bytes(song(track(*notes([60, 67, 72, 67] * 2))))
    assert generate("-o", "out", "--seed", 1).code == 0
    before = made("out")
    Path("theme.mid").write_bytes(song(track(*notes([64, 67, 72, 67] * 2))))
    result = generate("-o", "out", "--seed", 1, "--resume")
    assert "line 1 of prompts.jsonl, or its score, is not what piece 0 of" in result.err
    Path("theme.mid").unlink()
    result = generate("-o", "out", "--seed", 1, "--resume", "--json")
    assert json.loads(result.out)["failed"] == 1
    (error,) = lines_of("out/errors.jsonl")
    assert "theme.mid" in error["error"]
    assert error["error"].endswith("(what was made of the row is kept)")
    assert made("out") == before


@pytest.mark.heavy
def test_the_speed_is_measured_from_when_the_model_is_loaded(generate, prompts, monkeypatch):
    opened = MakerSpec.open

    def slow(self):
        time.sleep(1.0)
        return opened(self)

    clock = []
    make = PieceMaker.make

    def timed(self, jobs):
        began = time.monotonic()
        outcomes = make(self, jobs)
        clock.append(time.monotonic() - began)
        return outcomes

    monkeypatch.setattr(MakerSpec, "open", slow)
    monkeypatch.setattr(PieceMaker, "make", timed)
    result = generate("-o", "out", "--seed", 10, "--json")
    assert sum(clock) <= json.loads(result.out)["seconds"] < sum(clock) + 0.9


@pytest.mark.heavy
@pytest.mark.parametrize("layout", ["files", "tar"])
def test_what_is_lost_is_made_again(generate, prompts, layout):
    arguments = ["-o", "out", "--layout", layout, "--seed", 10, "--resume"]
    assert generate(*arguments).code == 0
    before = tree("out")
    lost = Path("out") / manifest("out")[3]["audio"]
    lost.unlink()
    result = generate(*arguments, "--json")
    assert json.loads(result.out)["made"] == (1 if layout == "files" else 7)
    assert tree("out") == before


@pytest.mark.heavy
def test_a_changed_row_is_refused(generate, prompts, tmp_path):
    assert generate("-o", "out", "--seed", 10).code == 0
    write_prompts(tmp_path / "prompts.jsonl", [*ROWS[:3], "other", *ROWS[4:]])
    result = generate("-o", "out", "--seed", 10, "--resume")
    assert result.code == 1
    assert "line 4 of prompts.jsonl, or its score, is not what piece 3 of" in result.err


@pytest.mark.heavy
def test_rows_that_are_added_are_made(generate, prompts, tmp_path):
    assert generate("-o", "out", "--seed", 10, "--layout", "tar").code == 0
    write_prompts(tmp_path / "prompts.jsonl", [*ROWS, "polka"])
    result = generate("-o", "out", "--seed", 10, "--layout", "tar", "--resume", "--json")
    assert (json.loads(result.out)["made"], json.loads(result.out)["reused"]) == (1, 7)
    assert generate("-o", "whole", "--seed", 10, "--layout", "tar").code == 0
    assert tree("out") == tree("whole")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seed", 11], "another seed (10, now 11)"),
        (["--shard", "0/2"], "another number of shards (1, now 2)"),
        (["--layout", "tar"], "another layout"),
        (["--format", "wav"], "another --format"),
        (["--batch", 2], "another batch"),
        (["--bpm", 100], "another value of an option for all rows"),
        (["-n", 2], "another --count"),
    ],
)
def test_other_settings_are_refused(generate, prompts, arguments, words):
    assert generate("-o", "out", "--seed", 10).code == 0
    before = tree("out")
    result = generate("-o", "out", "--resume", *arguments)
    assert result.code == 1
    assert words in result.err
    assert tree("out") == before


def test_a_set_with_a_watermark_key_goes_on_with_no_other_and_not_without(
    generate, prompts, monkeypatch
):
    plain = ModelSource.facts
    monkeypatch.setattr(ModelSource, "facts", lambda self: {**plain(self), "watermark": "1a2b3c4d"})
    assert generate("-o", "out", "--seed", 10).code == 0
    assert generate("-o", "out", "--resume", "--seed", 10).code == 0
    monkeypatch.setattr(ModelSource, "facts", plain)
    result = generate("-o", "out", "--resume", "--seed", 10)
    assert result.code == 1
    assert 'another watermark ("1a2b3c4d", now null)' in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume"], "give -o FOLDER"),
        (["--resume", "-o", "-"], "give -o FOLDER"),
        (["--resume", "-o", "{seed}.wav"], "give -o FOLDER"),
        (["--resume", "-o", "out", "--force"], "give --resume"),
        (["-o", "out", "--shard", "4/4"], "--shard 4/4"),
        (["-o", "out", "--layout", "zip"], "unknown --layout 'zip'"),
        (["-o", "out", "--batch", 0], "--batch 0"),
        (["-o", "out", "--devices", "some"], "--devices some"),
        (["-o", "out", "--devices", 0], "--devices 0"),
        (["-o", "out", "--resume", "--count", 0], "--count 0"),
        (["-o", "out", "--resume", "--seed", -1], "--seed -1"),
        (["-o", "out", "--resume", "--format", "midi"], "unknown --format 'midi'"),
        (["-o", "full", "--resume"], "is not empty and no set"),
        (["a prompt", "-o", "out", "--resume"], "the rows of --from FILE alone"),
    ],
)
def test_what_makes_no_set_is_refused_before_a_folder_is_made(generate, prompts, arguments, words):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    result = generate(*arguments)
    assert result.code == 1
    assert words in result.err.splitlines()[-1]
    assert not Path("out").exists()
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_source_without_rows_leaves_no_folder(generate, tmp_path, content):
    (tmp_path / "prompts.jsonl").write_text(content)
    assert "has no prompts" in generate("-o", "out", "--resume").err
    assert not Path("out").exists()
    assert "cannot be read" in generate("-o", "out", "--resume", source="none.jsonl").err
    assert not Path("out").exists()


@pytest.mark.heavy
def test_a_begun_set_is_gone_on_with_by_resume_alone(generate, prompts):
    assert generate("-o", "out", "--shard", "0/2", "--seed", 10).code == 0
    result = generate("-o", "out", "--shard", "0/2", "--seed", 10)
    assert result.code == 1
    assert "go on with --resume" in result.err
    assert generate("-o", "out", "--shard", "1/2", "--seed", 10).code == 0


@pytest.mark.heavy
def test_a_folder_that_vanishes_is_named(generate, prompts, monkeypatch):
    import shutil

    take = set_run._Shard.take

    def vanish(self, job, error):
        take(self, job, error)
        shutil.rmtree("out")

    monkeypatch.setattr(set_run._Shard, "take", vanish)
    result = generate("-o", "out", "--seed", 10)
    assert result.code == 1
    assert "cannot write" in result.err.splitlines()[-1]
    assert "out/000000" in result.err.splitlines()[-1]
    assert not Path("out").exists()


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="needs limits of a POSIX system")
def test_a_full_disk_is_named_and_the_rest_made_later(generate, prompts, monkeypatch):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        result = generate("-o", "out", "--seed", 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert result.code == 1
    assert "space on the disk" in result.err.splitlines()[-1]
    assert generate("-o", "out", "--seed", 10, "--resume").code == 0
    assert generate("-o", "whole", "--seed", 10).code == 0
    assert tree("out") == tree("whole")


@pytest.mark.heavy
@pytest.mark.skipif(os.name == "nt", reason="signals of a POSIX system")
@pytest.mark.parametrize("layout", ["files", "tar"])
def test_sigterm_finishes_the_piece_and_stops(generate, prompts, monkeypatch, layout):
    take = set_run._Shard.take
    sent = []

    def pre_empt(self, job, error):
        take(self, job, error)
        if self.tally.made == 3 and not sent:
            sent.append(os.kill(os.getpid(), signal.SIGTERM))

    monkeypatch.setattr(set_run._Shard, "take", pre_empt)
    handler = signal.getsignal(signal.SIGTERM)
    result = generate("-o", "out", "--seed", 10, "--layout", layout, "--json")
    assert result.code == 130
    assert signal.getsignal(signal.SIGTERM) is handler
    facts = json.loads(result.out)
    assert (facts["made"], facts["is_complete"]) == (3, False)
    assert "--resume goes on" in result.err
    result = generate("-o", "out", "--seed", 10, "--layout", layout, "--resume", "--json")
    facts = json.loads(result.out)
    assert (facts["made"], facts["reused"], facts["is_complete"]) == (4, 3, True)
    assert generate("-o", "whole", "--seed", 10, "--layout", layout).code == 0
    assert tree("out") == tree("whole")


# --- plan, and lists without a set ---


def test_a_plan_counts_and_makes_nothing(generate, tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", [*ROWS, "{"])
    result = generate("--plan", "--shard", "1/2", "--json", "-n", 2)
    assert result.code == 0, result.err
    plan = json.loads(result.out)
    assert (plan["rows"], plan["bad_rows"], plan["pieces"]) == (8, 1, 14)
    assert plan["hours"] == pytest.approx(2 * 0.9 / 3600)
    assert (plan["shard_pieces"], plan["shard_hours"]) == (6, pytest.approx(2 * 0.3 / 3600))
    assert plan["compute_hours"] == pytest.approx(plan["seconds_per_piece"] * 14 / 3600)
    assert plan["gigabytes"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prompts.jsonl"]
    words = generate("--plan", "--devices", 2)
    assert words.out.splitlines()[0] == "rows      8, 1 that cannot be read"
    assert "with 2 at once" in words.out


@pytest.mark.heavy
def test_a_plan_measures_what_a_loop_really_takes(generate, tmp_path, monkeypatch):
    """Eight bars at 60 bpm are 32 s; the probe makes two of them, and its facts say 8 s."""
    asked, clock = [], itertools.count(0.0)
    make = PieceMaker.make

    def noted(self, jobs):
        asked.extend(job.request.loop_bars for job in jobs)
        return make(self, jobs)

    monkeypatch.setattr(PieceMaker, "make", noted)
    monkeypatch.setattr(planning, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    write_prompts(tmp_path / "prompts.jsonl", [{"prompt": "lofi", "loop_bars": 8, "bpm": 60}])
    result = generate("--plan", "--json")
    assert result.code == 0, result.err
    plan = json.loads(result.out)
    assert asked == [1, 2]
    assert plan["hours"] == pytest.approx(32 / 3600)
    assert plan["seconds_per_piece"] == pytest.approx(32 * 1.0 / 8, rel=0.01)  # 1 s by this clock
    loop = {"prompt": "techno", "loop_bars": 2, "composer": "rules"}  # at no given tempo
    write_prompts(tmp_path / "prompts.jsonl", [loop])
    result = generate("--plan", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["hours"] == pytest.approx(4 / 3600)


def test_a_small_list_may_be_a_table(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("prompt,seed,seconds,bpm\nlofi,5,0.2,90\njazz,,,\n")
    Path("out").mkdir()
    assert run(["generate", "--from", "list.csv", "-o", "out/", "--seed", "1", *SHORT]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["jazz-2.wav", "lofi-5.wav"]
    recipe = read_recipe(Path("out/lofi-5.wav"))
    assert (recipe.seconds, recipe.controls.bpm) == (0.2, 90)
    Path("list.csv").write_text("prompt,seed\nlofi,five\n")
    assert run(["generate", "--from", "list.csv", "-o", "out/", *TINY]) == 1
    assert (
        "line 2 of list.csv: seed must be a whole number, not text ('five')"
        in capfd.readouterr().err
    )
