#!/usr/bin/env python3
"""Computes a fine-tuned model's mean token loss with transformers and PEFT, to hold sandbox's own against it.

How to run:

    python3 -m venv /tmp/text-training
    /tmp/text-training/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6 peft==0.21.2
    /tmp/text-training/bin/python Tests/Fixtures/check_text_training.py --model DIR [--adapter DIR] \\
        --examples examples.json [--expected LOSS]

--model is a folder as `save_pretrained` writes it, --adapter one of PEFT's on top of it, and examples.json is a list of
{"tokens": [T], "lossWeights": [T]}, where lossWeights[t] weighs -log p(tokens[t] | tokens[..<t]). Prints the sum of
w l / the sum of w over all examples, in nats, computed in single precision one example at a time and summed in double.
With --expected it prints the relative difference too, and exits with 1 when that is above 2e-4. A tensor that is
missing or left over is an error, because transformers and PEFT would put random numbers in its place or pass over it.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

TOLERANCE = 2e-4


def load(folder: Path, adapter: Path | None):
    for place in filter(None, [folder, adapter]):
        if not place.is_dir():
            sys.exit(f"{place}: there is no such folder.")
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True, local_files_only=True)
    wrong = {key: value for key, value in report.items() if value}
    if wrong:
        sys.exit(f"{folder}: loading reports {wrong}.")
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
        expected, found = set(get_peft_model_state_dict(model)), set(load_file(adapter / "adapter_model.safetensors"))
        if expected != found:
            sys.exit(f"{adapter}: missing or left over are {sorted(expected ^ found)}.")
    return model.eval()


def read(path: Path, vocabulary: int) -> list[dict]:
    """The examples, each of which must be one that the formula has a meaning for."""
    examples = json.loads(path.read_text())
    for index, example in enumerate(examples):
        tokens, weights = example["tokens"], example["lossWeights"]
        if len(tokens) != len(weights) or len(tokens) < 2:
            sys.exit(f"{path}: example {index} has {len(tokens)} tokens and {len(weights)} lossWeights; "
                     "give as many of each, two or more.")
        if weights[0] != 0:
            sys.exit(f"{path}: example {index} weighs its first token, which nothing predicts, "
                     f"with {weights[0]}; give 0.")
        if not all(0 <= token < vocabulary for token in tokens):
            sys.exit(f"{path}: example {index} has tokens outside 0..<{vocabulary}, the model's vocabulary.")
    if not any(weight > 0 for example in examples for weight in example["lossWeights"]):
        sys.exit(f"{path}: no token has a loss weight above 0.")
    return examples


def mean_loss(model, examples: list[dict]) -> tuple[float, float]:
    """The sum of w l / the sum of w, and the sum of w."""
    total, weight = 0.0, 0.0
    for example in examples:
        tokens, weights = torch.tensor([example["tokens"]]), torch.tensor(example["lossWeights"], dtype=torch.float64)
        with torch.inference_mode():
            logits = model(tokens).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")
        total += (losses.double() * weights[1:]).sum().item()
        weight += weights.sum().item()
    return total / weight, weight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, metavar="DIR")
    parser.add_argument("--adapter", type=Path, metavar="DIR")
    parser.add_argument("--examples", type=Path, required=True, metavar="FILE")
    parser.add_argument("--expected", type=float, metavar="LOSS")
    arguments = parser.parse_args()
    model = load(arguments.model, arguments.adapter)
    examples = read(arguments.examples, model.config.vocab_size)
    loss, weight = mean_loss(model, examples)
    print(f"loss {loss:.7f} over {len(examples)} examples, target weight {weight:g}")
    if arguments.expected is not None:
        difference = abs(loss - arguments.expected) / abs(loss)
        within = math.isfinite(difference) and difference <= TOLERANCE
        outcome = "ok" if within else f"FAILED, above {TOLERANCE}"
        print(f"expected {arguments.expected:.7f}, relative difference {difference:.2e}: {outcome}")
        sys.exit(0 if within else 1)


if __name__ == "__main__":
    main()
