"""Other people's networks: the real classes of transformers with random weights, saved and read."""

import numpy as np
import pytest
import torch

from jen1cli.errors import CheckpointError
from jen1cli.evaluation.embeddings.embedding import load_embedding
from jen1cli.evaluation.embeddings.vggish import Vggish, log_mel


@pytest.fixture(scope="module")
def clap_folder(tmp_path_factory):
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel
    from transformers.models.clap.configuration_clap import ClapAudioConfig, ClapTextConfig

    audio = ClapAudioConfig(
        window_size=8, num_mel_bins=64, spec_size=256, patch_size=4, patch_stride=[4, 4],
        patch_embeds_hidden_size=8, depths=[1, 1], num_attention_heads=[1, 2], hidden_size=16,
        num_classes=4, projection_dim=16,
    )  # fmt: skip
    text = ClapTextConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, projection_dim=16, max_position_embeddings=66,
    )  # fmt: skip
    torch.manual_seed(0)
    config = ClapConfig(text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=16)
    folder = tmp_path_factory.mktemp("clap")
    ClapModel(config).save_pretrained(folder)
    ClapFeatureExtractor(
        feature_size=64, fft_window_size=1024, hop_length=480, truncation="rand_trunc"
    ).save_pretrained(folder)
    _save_tokenizer(folder)
    return folder


def _save_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", "lofi", "piano"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=64
    ).save_pretrained(folder)


@pytest.mark.heavy
def test_clap_hears_and_reads(clap_folder, music):
    embedding = load_embedding(f"clap={clap_folder}")
    rows = embedding.embed(music(seconds=2.0), 48_000)
    text = embedding.embed_text(["lofi piano", "piano"])
    own = embedding.match(music(seconds=2.0), 48_000)
    assert rows.shape == (1, 16)
    assert np.linalg.norm(text, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert np.linalg.norm(own) == pytest.approx(1, abs=1e-5)
    assert len(embedding.version) == 64
    assert not np.allclose(text[0], text[1])


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore:At least one mel filter")  # of the extractor that is saved here
def test_an_audioset_tagger_labels(tmp_path, music):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    config = ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_length=1024, num_mel_bins=128, num_labels=5,
    )  # fmt: skip
    torch.manual_seed(0)
    ASTForAudioClassification(config).save_pretrained(tmp_path)
    ASTFeatureExtractor().save_pretrained(tmp_path)
    embedding = load_embedding(f"audioset={tmp_path}")
    labels = embedding.classify(music(), 48_000)
    assert labels.shape == (5,)
    assert labels.sum() == pytest.approx(1)
    assert embedding.embed(music(), 48_000).shape == (1, 16)


@pytest.mark.heavy
def test_vggish_reads_torchvggish_names(tmp_path):
    with pytest.raises(CheckpointError, match="not shipped"):
        load_embedding("vggish")
    with pytest.raises(CheckpointError, match="no VGGish weights"):
        load_embedding(f"vggish={tmp_path}")
    with torch.device("meta"):
        names = Vggish().state_dict()
    assert set(names) == {
        f"{part}.{i}.{kind}"
        for part, places in (("features", (0, 3, 6, 8, 11, 13)), ("embeddings", (0, 2, 4)))
        for i in places
        for kind in ("weight", "bias")
    }


@pytest.mark.slow  # 290 MB
def test_vggish_embeds_each_second(tmp_path, music):
    from safetensors.torch import save_file

    with torch.device("meta"):
        names = Vggish().state_dict()
    save_file({n: torch.full(t.shape, 1e-3) for n, t in names.items()}, tmp_path / "v.safetensors")
    rows = load_embedding(f"vggish={tmp_path}").embed(music(seconds=2.0), 48_000)
    assert rows.shape == (2, 128)


def test_vggish_hears_every_ten_milliseconds():
    t = torch.arange(16_000) / 16_000
    mel = log_mel(torch.sin(2 * torch.pi * 1000 * t))
    assert mel.shape == (98, 64)
    # 64 bands from 125 to 7500 Hz, evenly spaced in mel: 1000 Hz lies in the 22nd
    mels = 1127 * np.log1p(np.array([125.0, 1000.0, 7500.0]) / 700)
    place = 65 * (mels[1] - mels[0]) / (mels[2] - mels[0]) - 1
    assert abs(int(mel.mean(0).argmax()) - place) <= 1


def test_a_missing_model_says_what_to_do(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match=r"neither a folder nor .* clap=FOLDER"):
        load_embedding("clap")
