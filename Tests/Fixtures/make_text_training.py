#!/usr/bin/env python3
"""Makes the fixtures that hold text fine-tuning (full, LoRA, DPO) against PyTorch, PEFT and TRL.

How to run (CPU only; needed only to make the fixtures anew; under a minute):

    python3 -m venv /tmp/text-training
    /tmp/text-training/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6 \\
        peft==0.21.2 trl==1.16.0 accelerate==1.15.0 datasets==5.2.0
    /tmp/text-training/bin/python Tests/Fixtures/make_text_training.py

It writes the folder text-training anew, in single precision, with eager attention, fixed seeds and one thread. One
tiny Llama (`base`, with biases, grouped queries and an untied head; weights normal with deviation 0.2, norms
1 + 0.2 z) is trained on three ragged sequences:

    manifest.json    versions, settings, and how far rounding alone moves each result
    sequences.json   [{"tokens": [T], "lossWeights": [T]}]; lossWeights[t] weighs -log p(tokens[t] | tokens[..<t])
    base/            config.json, model.safetensors
    full/            expected.json, gradients.safetensors; <variant>/step1.safetensors, step2.safetensors
    lora/<variant>/  expected.json, gradients.safetensors, initial/, step1/, step2/ (PEFT's format),
                     merged/ (config.json, model.safetensors: merge_and_unload after step 2), logits.safetensors
    dpo/             worked.json, pairs.json, expected.json, gradients.safetensors, policy/; the reference is base

A step accumulates two micro-batches, sequences {0, 1} and {2}: loss = sum of w l / sum of w over the whole step, one
torch.nn.utils.clip_grad_norm_ to 1, one torch.optim.AdamW. Gradients are those of step 1 before clipping.
lora's variants train A and B with the same optimizer, decay on both. dpo/worked.json is computed here in double
precision from the formula in `worked_case`; dpo's other files come from TRL: trl.DPOTrainer.compute_loss with loss_type
"sigmoid", and trl.DPOTrainer.compute_ref_log_probs for the log-probabilities. TRL 1.16's "sigmoid" ignores
label_smoothing, so the smoothed losses come from its loss_type "aot" on one pair at a time, where aot's sorting does
nothing and its formula is DPO's with smoothing. Every result is held against a second computation before it is kept.
"""

import copy
import json
import math
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import datasets
import torch
import transformers
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

HERE = Path(__file__).resolve().parent / "text-training"
PACKAGES = ["torch", "transformers", "safetensors", "numpy", "peft", "trl", "accelerate", "datasets"]
CONFIGURATION = dict(
    vocab_size=50, hidden_size=24, intermediate_size=30, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
)
ADAMW = dict(lr=1e-3, betas=(0.9, 0.95), eps=1e-5)
WEIGHT_DECAY = 0.1
MAXIMUM_NORM = 1.0
MICRO_BATCHES = [[0, 1], [2]]
# The first as continued pretraining, the second after a prompt, the third two turns of which the second counts half.
SEQUENCES = [
    {"tokens": [1, 17, 4, 33, 8, 8, 21, 40, 2], "lossWeights": [0] + [1] * 8},
    {"tokens": [1, 12, 45, 9, 30, 7, 26, 11, 49, 3, 14, 2], "lossWeights": [0] * 7 + [1] * 5},
    {"tokens": [1, 5, 28, 36, 19, 2, 41, 6, 6, 47, 23, 38, 10, 44, 16, 2],
     "lossWeights": [0] * 3 + [1] * 3 + [0] * 5 + [0.5] * 5},
]
LORA = {
    "query-value": ["q_proj", "v_proj"],
    "all-linear": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}
BETA = 0.1
SMOOTHING = 0.1
PAIRS = [
    {"prompt": [1, 20, 31, 7], "chosen": [15, 42, 9, 2], "rejected": [18, 2]},
    {"prompt": [1, 13, 35], "chosen": [27, 48, 2], "rejected": [29, 3, 22, 39, 46, 2]},
]


def write(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def tensors(path: Path, named: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().clone().contiguous() for name, value in named.items()}, path,
              metadata={"format": "pt"})


def agree(one: float, other: float, tolerance: float, what: str) -> None:
    assert abs(one - other) <= tolerance * max(abs(one), abs(other), 1e-30), f"{what}: {one} against {other}"


def save_model(model, folder: Path) -> None:
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def load(folder: Path):
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def make_base() -> None:
    torch.manual_seed(2025)
    model = LlamaForCausalLM(LlamaConfig(**CONFIGURATION, attn_implementation="eager"))
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.normal_(0, 0.2)
            if "norm" in name:
                value.add_(1)
    save_model(model, HERE / "base")


def weighted_sums(model, sequences: list[dict]) -> torch.Tensor:
    """The sum of w l of every sequence, as one batch padded on the right."""
    longest = max(len(sequence["tokens"]) for sequence in sequences)
    padded = {key: torch.tensor([row[key] + [0] * (longest - len(row[key])) for row in sequences])
              for key in ["tokens", "lossWeights"]}
    mask = torch.tensor([[1] * len(row["tokens"]) + [0] * (longest - len(row["tokens"])) for row in sequences])
    logits = model(padded["tokens"], attention_mask=mask).logits
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), padded["tokens"][:, 1:], reduction="none")
    return (losses * padded["lossWeights"][:, 1:]).sum(1)


def backward(model, micro_batches: list[list[int]]) -> float:
    """Accumulates the gradients of sum w l / sum w over all micro-batches, and gives that loss."""
    total = sum(sum(row["lossWeights"]) for row in SEQUENCES)
    loss = 0.0
    for indices in micro_batches:
        part = weighted_sums(model, [SEQUENCES[index] for index in indices]).sum() / total
        part.backward()
        loss += part.item()
    return loss


def mean_loss(model) -> float:
    with torch.no_grad():
        return weighted_sums(model, SEQUENCES).sum().item() / sum(sum(row["lossWeights"]) for row in SEQUENCES)


def train(model, groups, micro_batches=MICRO_BATCHES, keep=lambda step: None) -> dict:
    """Two steps; `keep` is called with 0 when the first gradients are there, with 1 and 2 after each step."""
    optimizer = torch.optim.AdamW(groups, **ADAMW)
    parameters = [value for group in optimizer.param_groups for value in group["params"]]
    losses, norms = [], []
    for step in [1, 2]:
        optimizer.zero_grad()
        losses.append(backward(model, micro_batches))
        if step == 1:
            keep(0)
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM).item())
        optimizer.step()
        keep(step)
    return {"losses": losses + [mean_loss(model)], "gradientNorms": norms}


def trainable(model) -> dict:
    """Parameters that are trained, by the names of the files: PEFT leaves out the adapter's name."""
    return {name.replace(".default.", "."): value for name, value in model.named_parameters() if value.requires_grad}


def rounding(make_model, make_groups) -> dict:
    """How far rounding alone moves the results: another grouping of the batch and weights moved by half a last bit."""
    results = []
    for grouping, noise in [(MICRO_BATCHES, 0), ([[0, 1, 2]], 0), ([[2], [1], [0]], 0), (MICRO_BATCHES, 2**-24)]:
        model = make_model()
        torch.manual_seed(7)
        with torch.no_grad():
            for value in model.parameters():
                value.mul_(1 + noise * torch.randn_like(value).sign())
        found = {}

        def keep(step):
            if step:
                found[f"step{step}"] = {name: value.detach().clone() for name, value in trainable(model).items()}
            else:
                found["gradients"] = {name: value.grad.clone() for name, value in trainable(model).items()}

        found.update(train(model, make_groups(model), grouping, keep))
        results.append(found)
    spread = {}
    for key in ["losses", "gradientNorms"]:
        spread[key] = max(abs(a / b - 1) for other in results[1:] for a, b in zip(other[key], results[0][key]))
    for key in ["gradients", "step1", "step2"]:
        spread[key] = max((other[key][name] - value).abs().max().item()
                          for other in results[1:] for name, value in results[0][key].items())
    # One batch of three is the accumulated micro-batches: nothing but the order of sums differs.
    assert spread["losses"] < 1e-6 and spread["gradientNorms"] < 1e-5 and spread["gradients"] < 1e-5, spread
    return spread


def decay_all(model):
    return [{"params": list(trainable(model).values()), "weight_decay": WEIGHT_DECAY}]


def decay_matrices(model):
    """Decay on matrices only: none on the norms' weights and the biases, the vectors."""
    values = trainable(model).values()
    return [{"params": [value for value in values if value.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [value for value in values if value.ndim == 1], "weight_decay": 0.0}]


def make_full() -> dict:
    with torch.no_grad():
        sums = weighted_sums(load(HERE / "base"), SEQUENCES).tolist()
    expected = {"weightedSums": sums, "weights": [float(sum(row["lossWeights"])) for row in SEQUENCES], "variants": {}}
    spreads = {}
    for variant, groups in {"decay-all": decay_all, "decay-matrices": decay_matrices}.items():
        model = load(HERE / "base")

        def keep(step):
            if step:
                tensors(HERE / "full" / variant / f"step{step}.safetensors", model.state_dict())
            else:
                tensors(HERE / "full" / "gradients.safetensors",
                        {name: value.grad for name, value in trainable(model).items()})

        expected["variants"][variant] = result = train(model, groups(model), keep=keep)
        agree(result["losses"][0], sum(sums) / sum(expected["weights"]), 1e-6, "the first loss")
        spreads["full/" + variant] = rounding(lambda: load(HERE / "base"), groups)
    write(HERE / "full" / "expected.json", expected)
    return spreads


def save_adapter(model, folder: Path) -> None:
    """As PEFT saves it, but for the model card, the base's path and the order of the targets, which is a set's."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    configuration = json.loads(path.read_text())
    configuration["base_model_name_or_path"] = "base"
    configuration["target_modules"].sort()
    path.write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n")


def check_merged(merged, adapted) -> None:
    """Every merged matrix is W + (alpha / rank) B A, and nothing else has changed."""
    pairs, base = trainable(adapted), load(HERE / "base").state_dict()
    for name, value in merged.state_dict().items():
        stem = "base_model.model." + name.removesuffix("weight")
        wanted = base[name]
        if name.endswith("weight") and stem + "lora_A.weight" in pairs:
            wanted = wanted + 8 / 4 * pairs.pop(stem + "lora_B.weight") @ pairs.pop(stem + "lora_A.weight")
        assert (value - wanted).abs().max() < 1e-6, name
    assert not pairs, f"not merged: {list(pairs)}"


def make_lora(variant: str) -> dict:
    folder = HERE / "lora" / variant
    torch.manual_seed(4 + len(LORA[variant]))
    configuration = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LORA[variant], bias="none",
                               task_type="CAUSAL_LM")
    model = get_peft_model(load(HERE / "base"), configuration)
    with torch.no_grad():
        for value in trainable(model).values():
            # B too, whose zeros would leave A without a gradient.
            value.normal_(0, 0.2)
    save_adapter(model, folder / "initial")

    def adapted(step="initial"):
        return PeftModel.from_pretrained(load(HERE / "base"), folder / step, is_trainable=True)

    def keep(step):
        if step:
            save_adapter(model, folder / f"step{step}")
        else:
            assert set(trainable(model)) == set(get_peft_model_state_dict(model))
            tensors(folder / "gradients.safetensors", {name: value.grad for name, value in trainable(model).items()})

    expected = {"baseLoss": mean_loss(load(HERE / "base")), **train(model, decay_all(model), keep=keep)}
    agree(mean_loss(adapted("step2")), expected["losses"][2], 1e-6, "the saved adapter's loss")
    save_model(model.merge_and_unload(), folder / "merged")
    merged = load(folder / "merged")
    check_merged(merged, adapted("step2"))
    expected["mergedLoss"] = mean_loss(merged)
    agree(expected["mergedLoss"], expected["losses"][2], 1e-5, "the merged loss")
    with torch.no_grad():
        tensors(folder / "logits.safetensors", {
            f"logits.{index}": merged(torch.tensor([row["tokens"]])).logits[0] for index, row in enumerate(SEQUENCES)})
    write(folder / "expected.json", expected)
    return {"lora/" + variant: rounding(adapted, decay_all)}


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x: float) -> float:
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


NAMES = ["policyChosen", "policyRejected", "referenceChosen", "referenceRejected"]


def dpo_loss(values, beta: float, smoothing: float) -> float:
    margin = (values[0] - values[1]) - (values[2] - values[3])
    # -log sigmoid(x) = softplus(-x)
    return (1 - smoothing) * softplus(-beta * margin) + smoothing * softplus(beta * margin)


def worked_case(values, smoothing: float) -> dict:
    """Direct preference optimisation (Rafailov et al. 2023, equation 7) of one pair, by hand.

    h = (policyChosen - policyRejected) - (referenceChosen - referenceRejected)
    loss = -(1 - e) log sigmoid(b h) - e log sigmoid(-b h)
    d loss / d h = b (-(1 - e) sigmoid(-b h) + e sigmoid(b h))
    and d h / d (policyChosen, policyRejected, referenceChosen, referenceRejected) = (1, -1, -1, 1).
    """
    margin = (values[0] - values[1]) - (values[2] - values[3])
    slope = BETA * (-(1 - smoothing) * sigmoid(-BETA * margin) + smoothing * sigmoid(BETA * margin))
    gradient = [slope, -slope, -slope, slope]
    for index in range(4):
        moved = [[value + (sign if place == index else 0) for place, value in enumerate(values)]
                 for sign in (1e-4, -1e-4)]
        central = (dpo_loss(moved[0], BETA, smoothing) - dpo_loss(moved[1], BETA, smoothing)) / 2e-4
        assert abs(central - gradient[index]) < 1e-8, f"{central} against {gradient[index]}"
    return {"beta": BETA, "labelSmoothing": smoothing, **dict(zip(NAMES, values)), "margin": margin,
            "loss": dpo_loss(values, BETA, smoothing), "gradient": dict(zip(NAMES, gradient))}


def word(index: int) -> str:
    # Brackets, because a special token is found inside of words too: 2 in 20.
    return f"<{index}>"


def words(ids) -> str:
    return " ".join(map(word, ids))


def make_trainer(policy, reference, loss_type: str, folder: str) -> DPOTrainer:
    """A trainer on PAIRS, which reads them as text whose words are the ids."""
    vocabulary = {word(index): index for index in range(CONFIGURATION["vocab_size"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=word(0)))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    rows = [{"prompt": words(pair["prompt"]), "chosen": " " + words(pair["chosen"]),
             "rejected": " " + words(pair["rejected"])} for pair in PAIRS]
    arguments = DPOConfig(
        output_dir=folder, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none", max_length=None,
        beta=BETA, loss_type=[loss_type], label_smoothing=SMOOTHING if loss_type == "aot" else 0.0)
    trainer = DPOTrainer(
        model=policy, ref_model=reference, args=arguments, train_dataset=Dataset.from_list(rows),
        processing_class=PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token=word(0), bos_token=word(1), eos_token=word(2)))
    for row, pair in zip(trainer.train_dataset, PAIRS):
        assert all(row[f"{key}_ids"] == pair[key] for key in pair), f"TRL reads {row}"
    return trainer


def answer_sums(model, answer: str) -> list[torch.Tensor]:
    """The log-probability of each pair's answer, a second time: without padding and without TRL."""
    rows = [{"tokens": pair["prompt"] + pair[answer],
             "lossWeights": [0] * len(pair["prompt"]) + [1] * len(pair[answer])} for pair in PAIRS]
    return [-weighted_sums(model, [row])[0] for row in rows]


def check_gradients(policy, reference, gradients: dict) -> float:
    """Holds TRL's gradients against those of the formula's own mean loss; gives the largest difference."""
    chosen, rejected = answer_sums(policy, "chosen"), answer_sums(policy, "rejected")
    with torch.no_grad():
        margins = [a - b for a, b in zip(answer_sums(reference, "chosen"), answer_sums(reference, "rejected"))]
    losses = [torch.nn.functional.softplus(-BETA * (a - b - c)) for a, b, c in zip(chosen, rejected, margins)]
    torch.stack(losses).mean().backward()
    difference = max((value.grad - gradients[name]).abs().max().item() for name, value in policy.named_parameters())
    assert difference < 2e-6, difference
    return difference


def make_dpo() -> dict:
    folder = HERE / "dpo"
    cases = [[-12.5, -14.0, -13.25, -13.5], [-30.0, -18.0, -22.0, -21.0], [-7.0, -9.0, -7.0, -9.0],
             [-4.0, -1004.0, -2.0, -2.0], [-1004.0, -4.0, -2.0, -2.0]]
    write(folder / "worked.json",
          [worked_case(values, smoothing) for values in cases for smoothing in (0.0, SMOOTHING)])
    write(folder / "pairs.json", PAIRS)
    policy, reference = load(HERE / "base"), load(HERE / "base")
    torch.manual_seed(22)
    with torch.no_grad():
        for value in policy.parameters():
            value.add_(0.05 * torch.randn_like(value))
    save_model(policy, folder / "policy")
    plain = copy.deepcopy(policy), copy.deepcopy(reference)
    with tempfile.TemporaryDirectory() as temporary:
        trainer = make_trainer(policy, reference, "sigmoid", temporary)
        rows = list(trainer.train_dataset)
        batch = trainer.data_collator(rows)
        policy.zero_grad()
        loss = trainer.compute_loss(policy, batch)
        loss.backward()
        gradients = {name: value.grad for name, value in policy.named_parameters()}
        tensors(folder / "gradients.safetensors", gradients)
        sums = {}
        for name, model in [("policy", trainer.model), ("reference", trainer.ref_model)]:
            chosen, rejected = trainer.compute_ref_log_probs(model, batch)
            sums[name] = {"chosen": chosen.tolist(), "rejected": rejected.tolist()}
        with torch.no_grad():
            each = [trainer.compute_loss(policy, trainer.data_collator([row])).item() for row in rows]
        smoothing = make_trainer(*map(copy.deepcopy, plain), "aot", temporary)
        with torch.no_grad():
            smoothed = [smoothing.compute_loss(smoothing.model, smoothing.data_collator([row])).item() for row in rows]
    rewards = {key: [BETA * (a - b) for a, b in zip(sums["policy"][key], sums["reference"][key])]
               for key in ["chosen", "rejected"]}
    signs = [chosen > rejected for chosen, rejected in zip(rewards["chosen"], rewards["rejected"])]
    assert signs == [True, False], f"one pair should be ranked rightly and one wrongly, for tests of both: {rewards}"
    for model, name in zip(plain, ["policy", "reference"]):
        for key in ["chosen", "rejected"]:
            for one, other in zip(sums[name][key], answer_sums(model, key)):
                agree(one, other.item(), 1e-5, f"{name} {key}")
    for index in range(len(PAIRS)):
        values = [sums[name][key][index] for name in ["policy", "reference"] for key in ["chosen", "rejected"]]
        agree(each[index], dpo_loss(values, BETA, 0), 1e-5, "TRL's loss and the formula")
        agree(smoothed[index], dpo_loss(values, BETA, SMOOTHING), 1e-5, "TRL's smoothed loss and the formula")
    agree(loss.item(), sum(each) / len(each), 1e-6, "the batch's loss and the mean of its pairs")
    spread = {"dpo": {"gradients": check_gradients(*plain, gradients)}}
    write(folder / "expected.json", {
        "beta": BETA, "loss": loss.item(), "losses": each, "logProbabilities": sums, "rewards": rewards,
        "smoothed": {"labelSmoothing": SMOOTHING, "loss": sum(smoothed) / len(smoothed), "losses": smoothed}})
    return spread


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    shutil.rmtree(HERE, ignore_errors=True)
    write(HERE / "sequences.json", SEQUENCES)
    make_base()
    spreads = make_full()
    for variant in LORA:
        spreads.update(make_lora(variant))
    spreads.update(make_dpo())
    write(HERE / "manifest.json", {
        "madeBy": "make_text_training.py",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "microBatches": MICRO_BATCHES,
        "optimizer": {"learningRate": ADAMW["lr"], "betas": ADAMW["betas"], "epsilon": ADAMW["eps"],
                      "weightDecay": WEIGHT_DECAY, "maximumNorm": MAXIMUM_NORM},
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": LORA},
        "rounding": {"reason": "another grouping of the batch, and weights moved by half a last bit: relative for "
                               "losses and gradientNorms, otherwise the largest absolute difference; dpo: "
                               "TRL against the formula without padding", **spreads},
    })
    for path in sorted(HERE.rglob("expected.json")):
        print(path.relative_to(HERE), json.dumps(json.loads(path.read_text())))
    print(sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file()), "bytes")


if __name__ == "__main__":
    main()
