#!/usr/bin/env python3
"""Holds the model folders that sandbox writes and reads against Hugging Face's transformers.

How to run, after `make build`:

    python3 -m venv /tmp/models
    /tmp/models/bin/pip install torch==2.13.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6
    /tmp/models/bin/python Tests/Fixtures/check_models.py .build/release/sandbox

For every configuration below, in the older and the newer spelling, it runs

    sandbox text init --config config.json --output DIR --dtype DTYPE [--shard-size SIZE]

and loads DIR with LlamaForCausalLM.from_pretrained: no key may be missing or unexpected, the model must
have the file's type, its sizes and its rotary frequencies must be those of a model that transformers
makes of the same config.json, and a forward pass must be finite. Then it saves the model with
save_pretrained into shards and initialises once more from what that wrote. Prints one line for each and
exits with 1 when any fails.

    … check_models.py --write Tests/Fixtures/models

writes the folders of ModelFixtureTests instead: what save_pretrained makes, with checksums.json, which
has for every tensor the sum of value · (index mod 97 + 1) in double precision.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
SIZES = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}
CONFIGURATIONS = {
    "plain": SIZES,
    "older": {
        **SIZES,
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "num_key_value_heads": 2,
        "rope_theta": 500000.0,
        "rope_scaling": LLAMA3,
        "tie_word_embeddings": True,
        "rms_norm_eps": 1e-05,
        "torch_dtype": "float16",
        "eos_token_id": [2, 3],
    },
    "newer": {
        **SIZES,
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "num_key_value_heads": 1,
        "head_dim": 10,
        "attention_bias": True,
        "mlp_bias": True,
        "rope_parameters": {"rope_theta": 500000.0, **LLAMA3},
        "dtype": "bfloat16",
        "bos_token_id": None,
    },
}
COMPARED = [*SIZES, "num_key_value_heads", "head_dim", "rms_norm_eps", "tie_word_embeddings"]
COMPARED += ["attention_bias", "mlp_bias", "bos_token_id", "eos_token_id", "rope_parameters"]


def load(folder, dtype):
    """The model in `folder`, which must hold exactly its tensors, as `dtype`."""
    model, report = LlamaForCausalLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
    wrong = {key: value for key, value in report.items() if value}
    assert not wrong, f"loading reports {wrong}"
    types = {parameter.dtype for parameter in model.parameters()}
    assert types == {dtype}, f"types are {types}"
    return model


def check(model, expected):
    """The model's configuration and frequencies against those of `expected`, and a pass."""
    for key in COMPARED:
        ours, theirs = getattr(model.config, key), getattr(expected, key)
        assert ours == theirs, f"{key} is {ours}, not {theirs}"
    frequencies = model.model.rotary_emb.inv_freq
    wanted = LlamaForCausalLM(expected).model.rotary_emb.inv_freq
    assert torch.equal(frequencies.float(), wanted.float()), "rotary frequencies differ"
    ids = torch.arange(40).reshape(2, 20) % model.config.vocab_size
    assert model.float()(ids).logits.isfinite().all(), "logits are not finite"
    deviation = model.model.embed_tokens.weight.std().item()
    assert abs(deviation - 0.02) < 0.002, f"the embeddings' deviation is {deviation}"


def initialize(program, config, output, *flags):
    command = [program, "text", "init", "--config", config, "--output", output, *flags]
    outcome = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr


def check_one(program, values, dtype, shards, folder):
    config = folder / "config.json"
    config.write_text(json.dumps(values))
    flags = ["--dtype", dtype] + (["--shard-size", "6KB"] if shards else [])
    initialize(program, config, folder / "ours", *flags)
    files = list((folder / "ours").glob("model-*.safetensors"))
    assert (len(files) > 2) == shards, f"{len(files)} shards"
    # What an empty configuration would take from here is not what is compared.
    expected = LlamaConfig.from_dict(values)
    model = load(folder / "ours", DTYPES[dtype])
    check(model, expected)
    model = load(folder / "ours", DTYPES[dtype])
    model.save_pretrained(folder / "theirs", max_shard_size="6KB" if shards else "5GB")
    initialize(program, folder / "theirs" / "config.json", folder / "again", *flags)
    check(load(folder / "again", DTYPES[dtype]), expected)
    for name in [path.name for path in files] or ["model.safetensors"]:
        first = (folder / "ours" / name).read_bytes()
        assert first == (folder / "again" / name).read_bytes(), f"{name} hangs on the spelling"


def checksum(tensor):
    values = tensor.double().flatten()
    return float((values * (torch.arange(len(values)) % 97 + 1)).sum())


def write_fixtures(folder):
    """Small models as save_pretrained writes them."""
    small = {"vocab_size": 30, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}
    for name, dtype, shard in [("plain", "f32", "5GB"), ("older", "f16", "1KB"), ("newer", "bf16", "1KB")]:
        torch.manual_seed(len(name))
        values = {**CONFIGURATIONS[name], **small}
        model = LlamaForCausalLM(LlamaConfig.from_dict(values)).to(DTYPES[dtype])
        for parameter in model.parameters():
            parameter.data.normal_()
        target = folder / f"{name}-{dtype}"
        shutil.rmtree(target, ignore_errors=True)
        model.save_pretrained(target, max_shard_size=shard)
        sums = {key: checksum(value) for key, value in model.state_dict().items()}
        (target / "checksums.json").write_text(json.dumps(sums, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", type=Path)
    parser.add_argument("--write", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    if arguments.write:
        return write_fixtures(arguments.write)
    failures = 0
    for name, values in CONFIGURATIONS.items():
        for dtype in DTYPES:
            for shards in [False, True]:
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        check_one(arguments.program.resolve(), values, dtype, shards, Path(folder))
                        outcome = "ok"
                    except AssertionError as error:
                        outcome = f"FAILED: {error}"
                        failures += 1
                print(name, dtype, "shards" if shards else "one file", outcome, flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
