"""Checks of prompts that take no longer than the prompt deserves."""

import time

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.texts import check_prompt


@pytest.mark.parametrize("letter", ["a", "\0", "é "])
def test_a_huge_prompt_is_refused_at_once(letter):
    prompt = letter * 4_000_000
    start = time.process_time()
    with pytest.raises(ConfigError, match="characters; at most 1,000 are read"):
        check_prompt(prompt)
    assert time.process_time() - start < 0.5  # character by character it takes seconds
