import json

import pytest
import torch

from jen1cli.conditioning.t5 import T5Encoder, T5Shape, relative_buckets

SHAPES = {
    "first": T5Shape(16, 24, 2, 2, 40, 4, activation="relu", gated=False),
    "v1.1": T5Shape(16, 24, 3, 2, 40, 8, buckets=8, max_distance=20, epsilon=1e-5, pad=3),
    "gelu": T5Shape(12, 24, 1, 3, 40, 4, activation="gelu", gated=False),
}


@pytest.mark.heavy
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_it_computes_what_transformers_computes(shape, tmp_path):
    from transformers.models.t5.configuration_t5 import T5Config
    from transformers.models.t5.modeling_t5 import T5EncoderModel

    torch.manual_seed(1)
    theirs = T5EncoderModel(T5Config(**shape.values())).eval()
    for parameter in theirs.parameters():  # its own start leaves all distances alike
        torch.nn.init.normal_(parameter, std=0.5)
    ours = T5Encoder(T5Shape.read(json.loads(theirs.config.to_json_string())))
    tensors = theirs.state_dict()
    tensors.pop("encoder.embed_tokens.weight")
    ours.load_state_dict(tensors)
    assert ours.shape == shape
    tokens = torch.randint(0, 40, (2, 150))
    mask = torch.arange(150) < torch.tensor([[150], [7]])
    with torch.no_grad():
        wanted = theirs(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        found = ours(tokens, mask)
    torch.testing.assert_close(found[mask], wanted[mask], atol=2e-4, rtol=2e-4)


def test_flan_t5_is_read_as_its_files_have_it():
    large = {"model_type": "t5", "d_model": 1024, "d_ff": 2816, "num_layers": 24, "d_kv": 64,
             "num_heads": 16, "vocab_size": 32128, "feed_forward_proj": "gated-gelu"}  # fmt: skip
    shape = T5Shape.read(large)
    assert shape == T5Shape(1024, 2816, 24, 16, 32_128)
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in T5Encoder(shape).parameters())
    assert count == 341_231_104  # of google/flan-t5-large's encoder


@pytest.mark.parametrize("change", [{"model_type": "bert"}, {"feed_forward_proj": "swish"}])
def test_what_is_no_t5_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change.values()))):
        T5Shape.read({"model_type": "t5", **change})


def test_near_distances_have_buckets_of_their_own_and_far_ones_share():
    buckets = relative_buckets(300, SHAPES["first"])
    assert buckets[20, 13:28].tolist() == [7, 6, 5, 4, 3, 2, 1, 0, 17, 18, 19, 20, 21, 22, 23]
    assert len(set(buckets[299, :150].tolist())) == 1
    assert buckets.max() == 31
