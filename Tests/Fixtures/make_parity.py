#!/usr/bin/env python3
"""Makes the fixtures that hold the engine against PyTorch and Hugging Face.

How to run (CPU only; needed only to make the fixtures anew):

    python3 -m venv /tmp/parity
    /tmp/parity/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    /tmp/parity/bin/python Tests/Fixtures/make_parity.py

It writes, beside itself, parity/*.safetensors, schedules.json, safetensors/*.safetensors and
manifest.json (versions, tolerances with their reasons, SHA-256 of every fixture). The committed files
were made with Python 3.11 and the versions above on x86-64; they are written without time stamps, so a
second run with the same versions gives the same files up to the last bits of PyTorch's sums.

The model is the public form of the in-context learner (Garg et al., NeurIPS 2022): a linear read-in, a
GPT-2 backbone without token embeddings, a linear read-out; predictions are read at even positions.

Each parity file holds, float32:

    inputs [B, T, d], targets [B, n]     the batch; the loss is the mean squared error of the last n
                                         predictions of every sequence
    param.<name>                         the parameters, by state-dict name
    predictions [B, ceil(T/2)], loss [1] the expected results, and the gradients of the loss
    grad.<name>, grad.inputs
    adam_losses [10], adam.<name>        losses before each of 10 Adam steps (lr 1e-3, betas 0.9 and
                                         0.999, eps 1e-8) on that batch, and some parameters after them
    adamw_losses [10], adamw.<name>      the same with AdamW (weight decay 0.1 on every parameter) after
    adamw_norms [10]                     clipping the global gradient norm to 1; the norms before clipping
    float32.predictions, float32.loss    what PyTorch itself computes in single precision

All expected values but the last two are computed in double precision from the float32 inputs and
parameters, and rounded once. The file's metadata has one key, case: JSON with n_dims, n_embd, n_layer,
n_head, n_positions, position_offset (the position of the first token), batch, positions and targets.
"""

import copy
import hashlib
import json
import platform
from pathlib import Path

import numpy
import safetensors
import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import GPT2Config, GPT2Model

HERE = Path(__file__).resolve().parent

CASES = {
    # name: d, C, L, H, B, T, n, n_positions, offset. Head sizes 8, 16, 32; T even and odd; n below and at all.
    "even": (3, 16, 2, 2, 3, 10, 5, 5, 0),
    "odd": (5, 64, 1, 4, 2, 33, 17, 17, 0),
    "second-half": (4, 32, 2, 4, 2, 24, 6, 12, 0),
    "shifted": (3, 16, 2, 2, 3, 12, 6, 12, 12),
    "one-head": (2, 32, 3, 1, 2, 17, 9, 11, 0),
    "single": (1, 8, 1, 1, 4, 1, 1, 1, 0),
    "long": (20, 32, 2, 2, 2, 82, 41, 41, 0),
}


class TransformerModel(nn.Module):
    """Read-in, GPT-2 backbone, read-out, with the public state dict's names."""

    def __init__(self, d, channels, layers, heads, n_positions):
        super().__init__()
        self._read_in = nn.Linear(d, channels)
        self._backbone = GPT2Model(
            GPT2Config(
                vocab_size=1,  # no token is ever embedded
                bos_token_id=None,
                eos_token_id=None,
                n_positions=2 * n_positions,
                n_embd=channels,
                n_layer=layers,
                n_head=heads,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                use_cache=False,
                attn_implementation="eager",
            )
        )
        self._read_out = nn.Linear(channels, 1)

    def forward(self, inputs, offset=0):
        positions = offset + torch.arange(inputs.shape[1]).expand(inputs.shape[:2])
        hidden = self._backbone(
            inputs_embeds=self._read_in(inputs), position_ids=positions
        ).last_hidden_state
        return self._read_out(hidden)[:, ::2, 0]

    def named(self):
        """The parameters without the unused token embedding."""
        return [(n, p) for n, p in self.named_parameters() if not n.endswith("wte.weight")]


def randomize(model, generator, scale=0.2):
    """Weights large enough that no part of the gradient is lost in rounding, layer norms off their start."""
    with torch.no_grad():
        for name, parameter in model.named():
            noise = torch.randn(parameter.shape, generator=generator)
            is_gain = ".ln_" in name and name.endswith("weight")
            parameter.copy_(1 + 0.3 * noise if is_gain else scale * noise)


def loss_of(predictions, targets):
    return ((predictions[:, -targets.shape[1]:] - targets) ** 2).mean()


def train(model, optimizer, inputs, targets, offset, clip=None):
    """Ten steps on one batch: the loss before each, and the gradient norms."""
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model(inputs, offset), targets)
        loss.backward()
        if clip is not None:
            parameters = [p for _, p in model.named()]
            norms.append(float(nn.utils.clip_grad_norm_(parameters, clip)))
        losses.append(loss.item())
        optimizer.step()
    return losses, norms


def relative(found, expected):
    """The largest error relative to the largest expected magnitude."""
    return float((found.double() - expected).abs().max() / expected.abs().max())


def kept(name):
    """The parameters whose trained values are stored: one of each kind, but not the attention biases.

    The gradient of the key bias is zero in exact arithmetic (softmax ignores a shift), so Adam divides
    rounding noise by its own size there and no two implementations agree; the loss does not depend on it.
    """
    return name in (
        "_read_in.weight",
        "_backbone.wpe.weight",
        "_backbone.h.0.ln_1.weight",
        "_backbone.h.0.mlp.c_proj.bias",
        "_backbone.h.0.attn.c_proj.weight",
        "_backbone.ln_f.bias",
        "_read_out.weight",
    )


def make_case(name, seed):
    d, channels, layers, heads, batch, positions, n, n_positions, offset = CASES[name]
    generator = torch.Generator().manual_seed(seed)
    single = TransformerModel(d, channels, layers, heads, n_positions).train()
    randomize(single, generator)
    inputs = torch.randn(batch, positions, d, generator=generator)
    targets = 2 * torch.randn(batch, n, generator=generator)
    tensors = {"inputs": inputs, "targets": targets}
    for key, parameter in single.named():
        tensors[f"param.{key}"] = parameter.detach().clone()

    def evaluate(model, x, y):
        x = x.clone().requires_grad_()
        predictions = model(x, offset)
        loss = loss_of(predictions, y)
        loss.backward()
        results = {"predictions": predictions.detach(), "loss": loss.detach().reshape(1)}
        for key, parameter in model.named():
            results[f"grad.{key}"] = parameter.grad.clone()
        results["grad.inputs"] = x.grad
        return results

    double = copy.deepcopy(single).double()
    x, y = inputs.double(), targets.double()
    exact = evaluate(copy.deepcopy(double), x, y)
    rounded = evaluate(copy.deepcopy(single), inputs, targets)
    tensors.update(exact)
    for key in ("predictions", "loss"):
        tensors[f"float32.{key}"] = rounded[key]
    deviation = {
        "predictions": relative(rounded["predictions"], exact["predictions"]),
        "loss": relative(rounded["loss"], exact["loss"]),
        "gradients": max(
            relative(rounded[key], exact[key])
            for key in exact
            if key.startswith("grad.") and exact[key].abs().max() > 0
        ),
    }

    for label, decay, clip in (("adam", 0.0, None), ("adamw", 0.1, 1.0)):
        runs = []
        for model, a, b in ((copy.deepcopy(double), x, y), (copy.deepcopy(single), inputs, targets)):
            parameters = [p for _, p in model.named()]
            options = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, foreach=False)
            optimizer = (
                torch.optim.AdamW(parameters, weight_decay=decay, **options)
                if decay
                else torch.optim.Adam(parameters, **options)
            )
            runs.append(train(model, optimizer, a, b, offset, clip) + (dict(model.named()),))
        (losses, norms, trained), (single_losses, _, single_trained) = runs
        tensors[f"{label}_losses"] = torch.tensor(losses)
        if clip is not None:
            tensors[f"{label}_norms"] = torch.tensor(norms)
            assert min(norms) > clip, f"{name}: clipping never happens"
        for key, parameter in trained.items():
            if kept(key):
                tensors[f"{label}.{key}"] = parameter.detach()
        deviation[f"{label}_losses"] = relative(torch.tensor(single_losses), torch.tensor(losses).double())
        deviation[f"{label}_parameters"] = max(
            relative(single_trained[key].detach(), trained[key].detach()) for key in trained if kept(key)
        )

    shape = {
        "n_dims": d, "n_embd": channels, "n_layer": layers, "n_head": heads, "n_positions": n_positions,
        "position_offset": offset, "batch": batch, "positions": positions, "targets": n,
    }
    # One key: the safetensors library writes several in a different order every time.
    metadata = {"case": json.dumps(shape)}
    tensors = {key: value.detach().float().contiguous() for key, value in tensors.items()}
    save_file(tensors, HERE / "parity" / f"{name}.safetensors", metadata)
    return {
        "shape": shape | {"seed": seed},
        "pytorch_float32_deviation": {key: float(f"{value:.2g}") for key, value in deviation.items()},
    }


def make_schedules():
    """The learning-rate factor of Hugging Face's schedules at every step, including one past the end."""
    parameter = nn.Parameter(torch.zeros(1))
    cases = []
    for warmup, total in ((0, 10), (4, 20), (5, 5), (10, 100), (1, 2)):
        makers = {
            "constant": lambda o: transformers.get_constant_schedule_with_warmup(o, warmup),
            "linear": lambda o: transformers.get_linear_schedule_with_warmup(o, warmup, total),
            "cosine": lambda o: transformers.get_cosine_schedule_with_warmup(o, warmup, total),
        }
        for kind, make in makers.items():
            schedule = make(torch.optim.SGD([parameter], lr=1.0))
            factor = schedule.lr_lambdas[0]
            cases.append(
                {"kind": kind, "warmup_steps": warmup, "total_steps": total,
                 "factors": [factor(step) for step in range(total + 2)]}
            )
    (HERE / "schedules.json").write_text(json.dumps(cases, indent=1) + "\n")


def make_storage():
    """Files as the safetensors library writes them: every element type, and one plain fp32 file."""
    generator = numpy.random.default_rng(7)
    values = torch.tensor(generator.normal(size=(3, 4)).astype(numpy.float32))
    special = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, float("inf"), float("-inf")])
    save_file(
        {
            "float32": values, "float16": values.half(), "bfloat16": values.bfloat16(),
            "float64": values.double() / 3, "special.float16": special.half(),
            "special.bfloat16": special.bfloat16(),
            "int64": torch.tensor([[-(2**63), -1, 0], [1, 2**40, 2**63 - 1]]),
            "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
            "int16": torch.tensor([-(2**15), 2**15 - 1], dtype=torch.int16),
            "int8": torch.tensor([-128, 127], dtype=torch.int8),
            "uint8": torch.tensor([0, 255], dtype=torch.uint8),
            "bool": torch.tensor([True, False, True]),
            "scalar": torch.tensor(4.5), "empty": torch.zeros(0, 3),
            "name \"quoted\" \u00e4\u4e2d\U0001f600\n": torch.tensor([1.0]),
        },
        HERE / "safetensors" / "types.safetensors",
        {"note": "a \"quoted\" line\nand \u00e4"},
    )
    expected = {"values": values, "thirds": (values.double() / 3).float()}
    save_file(
        {"a": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "b": torch.tensor([0.5]), **expected},
        HERE / "safetensors" / "plain.safetensors",
        {"made_by": "safetensors"},
    )


TOLERANCES = {
    "predictions": [
        1e-5,
        "relative to the largest prediction: twenty times what PyTorch's own float32 loses (case by case under "
        "cases), room for other summation orders and for polynomial exp and tanh",
    ],
    "loss": [1e-5, "relative: as for the predictions it is made of"],
    "gradients": [
        2e-5,
        "relative to the largest element of each tensor, because small elements are sums of large terms that "
        "cancel: twenty times what PyTorch's own float32 loses",
    ],
    "losses": [1e-5, "relative, adam_losses, adamw_losses and adamw_norms: as for the first loss"],
    "parameters": [
        1e-4,
        "relative to the largest element, after ten steps: Adam divides by the gradient's own size, so the "
        "rounding of a gradient element near zero may move that parameter by part of a step (1e-3)",
    ],
    "schedules": [1e-12, "relative: both sides compute in double precision"],
}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    (HERE / "parity").mkdir(exist_ok=True)
    (HERE / "safetensors").mkdir(exist_ok=True)
    cases = {name: make_case(name, seed) for seed, name in enumerate(CASES)}
    make_schedules()
    make_storage()
    files = sorted(
        path for path in HERE.rglob("*") if path.suffix in (".safetensors", ".json") and path.name != "manifest.json"
    )
    for path in files:
        path.chmod(0o644)
    manifest = {
        "made_by": "make_parity.py",
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__, "safetensors": safetensors.__version__,
            "numpy": numpy.__version__,
        },
        "reference": "double precision, rounded once to float32; float32.* is PyTorch in single precision",
        "tolerances": {key: {"relative": value, "reason": why} for key, (value, why) in TOLERANCES.items()},
        "cases": cases,
        "sha256": {
            str(path.relative_to(HERE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
        },
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    total = sum(path.stat().st_size for path in files)
    for name, case in cases.items():
        print(f"{name:12} {case['pytorch_float32_deviation']}")
    print(f"{len(files)} files, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
