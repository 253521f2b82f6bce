#!/usr/bin/env python3
"""Makes the fixtures that hold the Llama models against Hugging Face's LlamaForCausalLM.

How to run (CPU only; needed only to make the fixtures anew):

    python3 -m venv /tmp/parity
    /tmp/parity/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    /tmp/parity/bin/python Tests/Fixtures/make_llama.py

For each case it writes a folder llama/<case> as `save_pretrained` does (config.json and model.safetensors, or
shards with their index) and beside the weights

    ids.json               a list of equal-length lists of ids
    expected.safetensors   logits F32 [B, T, V]; loss F32 [1], the mean cross-entropy of the next tokens in nats;
                           grad.<name> F32 for every parameter

computed in single precision with the weights as they were saved (F16 and BF16 read into fp32) and eager attention.
Each case varies one option or a few; `older` in CASES rewrites config.json in the spelling of transformers 4
(rope_theta, rope_scaling, torch_dtype). The weights are drawn anew, normal with standard deviation 0.2, so that every
part has an effect; norms are 1 + 0.2 z.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).resolve().parent / "llama"

BASE = dict(
    vocab_size=37, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, max_position_embeddings=64, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=False,
)

CASES = {
    # name: (options of the configuration, B, T, dtype, older spelling, shard size)
    "plain": ({}, 2, 9, torch.float32, False, None),
    "older": ({"rms_norm_eps": 1e-5}, 2, 9, torch.float32, True, None),
    "tied-grouped": ({"num_key_value_heads": 2, "tie_word_embeddings": True}, 3, 13, torch.float32, False, None),
    "one-key-head": ({"num_key_value_heads": 1, "eos_token_id": [2, 3]}, 2, 17, torch.float32, True, None),
    "wide-heads": ({"head_dim": 6}, 2, 7, torch.float32, False, None),
    "biases": ({"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 2}, 2, 12, torch.float32, False, None),
    "llama3": (
        {"rope_parameters": {"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
                             "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
         "head_dim": 16, "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 128},
        1, 70, torch.float32, False, None),
    "llama3-older": (
        {"rope_parameters": {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0,
                             "high_freq_factor": 4.0, "original_max_position_embeddings": 16}},
        2, 40, torch.float32, True, None),
    "theta": ({"rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}}, 1, 33, torch.float32, False, None),
    "half": ({"num_key_value_heads": 2}, 2, 9, torch.float16, False, None),
    "bfloat-sharded": ({"num_key_value_heads": 2}, 2, 9, torch.bfloat16, False, "6KB"),
    "single": ({"num_hidden_layers": 1}, 1, 2, torch.float32, False, None),
}


def older(config: dict) -> dict:
    """The same configuration in the spelling of transformers 4."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else {"type": kind, **rope}
    config["torch_dtype"] = config.pop("dtype")
    return config


def make(index: int, name: str) -> None:
    options, batch, length, dtype, is_older, shards = CASES[name]
    torch.manual_seed(100 + index)
    config = LlamaConfig(**{**BASE, **options}, attn_implementation="eager")
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.normal_(0, 0.2)
            if "norm" in key:
                value.add_(1)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, **({"max_shard_size": shards} if shards else {}))
    (folder / "generation_config.json").unlink(missing_ok=True)
    if is_older:
        path = folder / "config.json"
        path.write_text(json.dumps(older(json.loads(path.read_text())), indent=2) + "\n")
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(0, config.vocab_size, (batch, length))
    # Every id that a table has a row for may come twice, and the first one does.
    ids[:, -1] = ids[:, 0]
    logits = model(ids).logits
    loss = torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, config.vocab_size), ids[:, 1:].reshape(-1))
    loss.backward()
    expected = {"logits": logits.detach(), "loss": loss.detach().reshape(1)}
    for key, value in model.named_parameters():
        expected["grad." + key] = value.grad
    (folder / "ids.json").write_text(json.dumps(ids.tolist()) + "\n")
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors")
    print(f"{name:16} loss {loss.item():.6f}, {sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for index, name in enumerate(CASES):
        make(index, name)
