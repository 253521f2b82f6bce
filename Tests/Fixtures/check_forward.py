#!/usr/bin/env python3
"""Holds `sandbox forward` against Hugging Face's GPT2Model on random shapes.

How to run, after `make build` (the packages are those of make_parity.py):

    python3 -m venv /tmp/parity
    /tmp/parity/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    /tmp/parity/bin/python Tests/Fixtures/check_forward.py .build/release/sandbox --shapes 20 --seed 0

For every shape it writes a directory in the public form (config.yaml, model.safetensors) and a batch,
runs

    sandbox forward --checkpoint DIR --input in.safetensors --output out.safetensors --gradients

and compares predictions, loss and every gradient with the same model in double precision. The error of
a tensor is its largest difference divided by its largest expected magnitude; at most 2e-4 is allowed.
Among the shapes are odd and even lengths, one token, head sizes from 2 to 64, targets for all or some
of the predictions, lengths up to the last position, small and large weights, and state dicts with the
tensors a reader must skip: a token embedding, causal masks as BOOL or U8, scalar mask values.
Without targets only predictions may be written; one shape in five checks that.
Prints one line per shape, with the error of PyTorch's own single precision beside ours; exits with 1
when any shape fails. --keep DIR keeps the files.
"""

import argparse
import copy
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from make_parity import TransformerModel, loss_of, randomize

TOLERANCE = 2e-4


def random_shape(index, choose):
    """A model and a batch: the first shapes are the edges, the others random."""
    edges = [
        dict(d=1, heads=1, head_size=8, layers=1, tokens=1, batch=1),
        dict(d=3, heads=1, head_size=2, layers=2, tokens=2, batch=1),
        dict(d=20, heads=8, head_size=32, layers=3, tokens=81, batch=2),
    ]
    shape = dict(
        d=choose.randint(1, 24),
        heads=choose.choice([1, 2, 3, 4, 8]),
        head_size=choose.choice([2, 4, 5, 8, 16, 24, 32, 64]),
        layers=choose.randint(1, 4),
        tokens=choose.choice([choose.randint(1, 12), choose.randint(13, 101)]),
        batch=choose.choice([1, 2, 3, 5, 8, 17]),
    )
    if index < len(edges):
        shape = edges[index]
    predictions = (shape["tokens"] + 1) // 2
    shape["targets"] = choose.choice([predictions, choose.randint(1, predictions)])
    shape["n_positions"] = predictions + choose.choice([0, 1, 7])
    shape["scale"] = choose.choice([0.02, 0.1, 0.2])
    shape["interleaved"] = choose.random() < 0.5
    shape["extras"] = choose.choice(["", "bool", "u8"]) if index else "bool"
    shape["full_config"] = choose.random() < 0.5
    shape["without_targets"] = index % 5 == 4
    return shape


def write_config(path, shape):
    """The public code's configuration; the other sections are what its training runs leave in the file."""
    channels = shape["heads"] * shape["head_size"]
    lines = [
        "model:", "  family: gpt2", f"  n_dims: {shape['d']}", f"  n_embd: {channels}",
        f"  n_head: {shape['heads']}", f"  n_layer: {shape['layers']}",
        f"  n_positions: {shape['n_positions']}",
    ]
    if shape["full_config"]:
        lines = ["inherit:", "- base.yaml"] + lines + [
            "out_dir: ../models/linear_regression/0", "test_run: false", "training:", "  batch_size: 64",
            "  curriculum:", "    dims:", f"      end: {shape['d']}", "      inc: 1", "      interval: 2000",
            "      start: 5", "    points:", "      end: 41", "      inc: 2", "      interval: 2000",
            "      start: 11", "  data: gaussian", "  keep_every_steps: 100000", "  learning_rate: 0.0001",
            "  num_tasks: null", "  num_training_examples: null", "  resume_id: null",
            "  save_every_steps: 1000", "  task: linear_regression", "  task_kwargs: {}",
            "  train_steps: 500001", "wandb:", "  entity: someone", "  log_every_steps: 100",
            "  name: linear", "  notes: ''", "  project: in-context-training",
        ]
    path.write_text("\n".join(lines) + "\n")


def state_of(model, shape, generator):
    """The state dict as public checkpoints hold it, at times with the tensors a reader must skip."""
    state = {name: parameter.detach().clone() for name, parameter in model.named()}
    if shape["extras"]:
        channels = shape["heads"] * shape["head_size"]
        vocabulary = 50257 if channels <= 32 else 97
        state["_backbone.wte.weight"] = torch.randn(vocabulary, channels, generator=generator)
        rows = 2 * shape["n_positions"]
        mask = torch.ones(rows, rows, dtype=torch.bool).tril().reshape(1, 1, rows, rows)
        for layer in range(shape["layers"]):
            prefix = f"_backbone.h.{layer}.attn."
            state[prefix + "bias"] = mask.clone() if shape["extras"] == "bool" else mask.to(torch.uint8)
            state[prefix + "masked_bias"] = torch.tensor(-10000.0)
    return state


def make_batch(shape, generator):
    inputs = torch.randn(shape["batch"], shape["tokens"], shape["d"], generator=generator)
    if shape["interleaved"]:
        inputs[:, 1::2, 1:] = 0  # a label is (y, 0, ..., 0)
    targets = torch.randn(shape["batch"], shape["targets"], generator=generator)
    return inputs, targets


def results_of(model, inputs, targets):
    """Predictions, loss and gradients by PyTorch, in the precision of the arguments."""
    x = inputs.clone().requires_grad_()
    predictions = model(x)
    loss = loss_of(predictions, targets)
    loss.backward()
    results = {"predictions": predictions.detach(), "loss": loss.detach().reshape(1)}
    results |= {f"grad.{name}": parameter.grad for name, parameter in model.named()}
    return results | {"grad.inputs": x.grad}


def compare(found, expected):
    """(error, tensor) of the worst tensor; missing, surplus or misshapen tensors are infinitely wrong."""
    for name in sorted(found.keys() ^ expected.keys()):
        return float("inf"), f"{'surplus' if name in found else 'missing'} {name}"
    errors = {}
    for name, wanted in expected.items():
        if found[name].shape != wanted.shape or found[name].dtype != torch.float32:
            return float("inf"), f"{name}: {found[name].dtype} {list(found[name].shape)}"
        difference = (found[name].double() - wanted).abs().max().item()
        largest = wanted.abs().max().item()
        error = 0.0 if difference == 0 else difference / largest if largest > 0 else float("inf")
        errors[name] = error if error == error else float("inf")
    worst = max(errors, key=errors.get)
    return errors[worst], worst


def check(binary, shape, seed, directory):
    """Runs one shape; returns (error, where, PyTorch's own worst float32 error)."""
    generator = torch.Generator().manual_seed(seed)
    checkpoint = directory / "model"
    checkpoint.mkdir(parents=True)
    channels = shape["heads"] * shape["head_size"]
    model = TransformerModel(shape["d"], channels, shape["layers"], shape["heads"], shape["n_positions"])
    randomize(model, generator, shape["scale"])
    write_config(checkpoint / "config.yaml", shape)
    save_file(state_of(model, shape, generator), checkpoint / "model.safetensors")
    inputs, targets = make_batch(shape, generator)
    batch = {"inputs": inputs} if shape["without_targets"] else {"inputs": inputs, "targets": targets}
    save_file(batch, directory / "in.safetensors")

    command = [binary, "forward", "--checkpoint", checkpoint, "--input", directory / "in.safetensors",
               "--output", directory / "out.safetensors"]
    if not shape["without_targets"]:
        command.append("--gradients")
    outcome = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    if outcome.returncode != 0:
        return float("inf"), f"exit code {outcome.returncode}: {outcome.stderr.strip()}", float("nan")
    expected = results_of(copy.deepcopy(model).double(), inputs.double(), targets.double())
    single = results_of(model, inputs, targets)
    if shape["without_targets"]:
        expected, single = ({"predictions": r["predictions"]} for r in (expected, single))
    found = load_file(directory / "out.safetensors")
    return compare(found, expected) + (compare(single, expected)[0],)


def main():
    parser = argparse.ArgumentParser(description="`sandbox forward` against Hugging Face's GPT2Model.")
    parser.add_argument("binary", help="the sandbox program, such as .build/release/sandbox")
    parser.add_argument("--shapes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    parser.add_argument("--keep", type=Path, help="a directory, to be created, that keeps all files")
    options = parser.parse_args()
    torch.set_num_threads(1)
    choose = random.Random(options.seed)
    failures, largest = 0, 0.0
    print("  #   d    C  L  H hs    T  B  n  npos scale skipped   error PyTorch worst tensor")
    with tempfile.TemporaryDirectory() as scratch:
        root = options.keep or Path(scratch)
        for index in range(options.shapes):
            shape = random_shape(index, choose)
            error, where, pytorch = check(options.binary, shape, 1000 * options.seed + index, root / str(index))
            failed = not error <= options.tolerance
            failures += failed
            largest = max(largest, error)
            channels = shape["heads"] * shape["head_size"]
            print(
                f"{index:3} {shape['d']:3} {channels:4} {shape['layers']:2} {shape['heads']:2} "
                f"{shape['head_size']:2} {shape['tokens']:4} {shape['batch']:2} {shape['targets']:2} "
                f"{shape['n_positions']:5} {shape['scale']:5} {shape['extras'] or '-':7} "
                f"{error:7.1e} {pytorch:7.1e} {where}{'  FAILED' if failed else ''}",
                flush=True,
            )
    print(
        f"{options.shapes - failures} of {options.shapes} shapes within {options.tolerance:g}; "
        f"largest error {largest:.1e}"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
