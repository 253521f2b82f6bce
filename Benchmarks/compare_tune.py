#!/usr/bin/env python3
"""Times updates of language models in transformers and in this program in turn, on one machine, and prints the ratios.

    python3 Benchmarks/compare_tune.py MODEL... [--rounds 5] [--batch 8] [--length 256] [--threads 2] [--program PATH]

MODEL is a folder with config.json and safetensors, which `sandbox text init` makes in any shape. It needs torch (CPU) and
transformers in the Python that runs it, and a built program (`make build`). An update is forward, backward, clipping and AdamW
of all parameters in fp32, on batch × length made-up ids, all of them targets; both programs have done one before anything is
timed, and the other one sleeps meanwhile.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from compare_text import ROOT, Timed, settings  # noqa: E402


def peer(folder, batch, length, threads):
    """A process that times an update for each line it reads."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1)
    size = model.config.vocab_size
    # One more token than passes through the model: the last one is a target alone.
    ids = torch.tensor([[((s * length + i) * 7919 + 3) % size for i in range(length + 1)] for s in range(batch)])

    def turn():
        start = time.perf_counter()
        logits = model(ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return {"train": batch * length / (time.perf_counter() - start)}

    turn()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


def compare(folder, options):
    sizes = ["--batch", str(options.batch), "--length", str(options.length)]
    ours = Timed(
        [options.program, "bench", "tune", "--model", folder, "--turns", "--workers", str(options.threads), *sizes],
        settings())
    theirs = Timed([sys.executable, __file__, "--peer", folder, *sizes, "--threads", str(options.threads)], settings())
    rounds = [(ours.turn()["train"], theirs.turn()["train"]) for _ in range(options.rounds)]
    ours.end()
    theirs.end()
    mine, other = ([turn[side] for turn in rounds] for side in (0, 1))
    print(
        f"{Path(folder).name:16} sandbox {statistics.median(mine):9.1f} tokens/s [{min(mine):.1f}, {max(mine):.1f}]"
        f"   transformers {statistics.median(other):9.1f} [{min(other):.1f}, {max(other):.1f}]"
        f"   ratio {statistics.median(mine) / statistics.median(other):.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--program", default=str(ROOT / ".build/release/sandbox"))
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.models[0], options.batch, options.length, options.threads)
    for folder in options.models:
        compare(folder, options)


if __name__ == "__main__":
    main()
