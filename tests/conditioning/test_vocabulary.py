"""Words of a prompt that no caption of the training music had."""

import logging

import pytest

from jen1cli.conditioning.vocabulary import Vocabulary
from jen1cli.errors import CheckpointError
from jen1cli.training.text_encoder.job import known_words
from jen1cli.weightsets import find_weights


@pytest.fixture
def vocabulary():
    return Vocabulary.of(["Warm jazz trio, brushed drums at 90 bpm", "a dance through the city"])


def test_words_that_no_caption_had_are_named_once(vocabulary):
    found = vocabulary.unknown("warm Metallica jazz with theremin, Metallica")
    assert found == ("Metallica", "theremin")


def test_forms_of_known_words_are_known(vocabulary):
    assert vocabulary.unknown("warmly dancing trios, cities, jazzy brushes, dancer") == ()
    assert vocabulary.unknown("brush citizen") == ("citizen",)


def test_short_words_function_words_numbers_and_chords_are_not_words(vocabulary):
    assert vocabulary.unknown("I want a jazz trio in 3/4 with Cmaj7 | Dm7b5 and 808 for my") == ()


def test_it_is_kept_beside_the_encoder(vocabulary, tmp_path):
    assert Vocabulary.load(tmp_path) is None
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path).words == vocabulary.words
    (tmp_path / "words.txt").write_bytes(b"jazz \xff")
    with pytest.raises(CheckpointError, match=r"cannot read the list of words .*words\.txt"):
        Vocabulary.load(tmp_path)


def test_a_trained_encoder_knows_its_captions_and_the_packages_words(tmp_path):
    (tmp_path / "captions.jsonl").write_text('{"caption": "wistful zither", "attributes": {}}\n')
    words = known_words([tmp_path / "captions.jsonl"]).words
    assert {"wistful", "zither", "lofi", "reggae"} <= words


def test_generation_names_them_in_one_warning(tiny, vocabulary, monkeypatch, caplog):
    monkeypatch.setattr(tiny.networks.text_encoder, "vocabulary", vocabulary)
    with caplog.at_level(logging.WARNING):
        tiny.generate("warm kazoo jazz", seconds=0.2, seed=1, steps=1, negative_prompt="bagpipes")
    assert "the music may not follow: kazoo, bagpipes" in caplog.text
    caplog.clear()
    tiny.generate("warm jazz", seconds=0.2, seed=1, steps=1)
    assert "may not follow" not in caplog.text


def test_the_bundled_model_has_its_words():
    vocabulary = Vocabulary.load(find_weights("jen1-mini").folder / "text_encoder")
    prompt = "lofi piano with rain, like something for a bossa nova film noir, no drums"
    assert vocabulary.unknown(prompt) == ()
    assert vocabulary.unknown("don't use drums, it isn’t that fast, couldn't be less sad") == ()
    assert vocabulary.unknown("didgeridoo by Metallica") == ("didgeridoo", "Metallica")
