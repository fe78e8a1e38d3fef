"""One way to run `jen1 generate` of a set."""

from types import SimpleNamespace

import pytest

from jen1cli.cli.app import run
from scale_support import SHORT


@pytest.fixture
def generate(capfd, monkeypatch, tmp_path):
    """Run `jen1 generate --from prompts.jsonl` with the tiny model, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, source="prompts.jsonl"):
        options = [*SHORT, "--devices", "1", *map(str, arguments)]  # any option of sets makes one
        code = run(["generate", "--from", str(source), *options])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return call
