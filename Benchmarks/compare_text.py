#!/usr/bin/env python3
"""Times language models in transformers and in this program in turn, on one machine, and prints the ratios.

    python3 Benchmarks/compare_text.py MODEL... [--rounds 5] [--prompt-tokens 256] [--tokens 64] [--program PATH]

MODEL is a folder with config.json and safetensors, which `sandbox text init` makes in any shape. It needs torch (CPU) and
transformers in the Python that runs it, and a built program (`make build`). Both read a prompt of made-up ids and then add
tokens one at a time with a cache, in fp32 on two threads; both have done so once before anything is timed, and the other one
sleeps meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def peer(folder, prompt_tokens, tokens, threads):
    """A process that times a round for each line it reads."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    size = model.config.vocab_size
    prompt = torch.tensor([[(i * 7919 + 3) % size for i in range(prompt_tokens)]])

    @torch.inference_mode()
    def turn():
        start = time.perf_counter()
        cache = model(prompt, use_cache=True, logits_to_keep=1).past_key_values
        middle = time.perf_counter()
        for place in range(tokens):
            token = torch.tensor([[(place * 104729 + 5) % size]])
            cache = model(token, past_key_values=cache, use_cache=True).past_key_values
        return {"prefill": prompt_tokens / (middle - start), "decode": tokens / (time.perf_counter() - middle)}

    turn()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


class Timed:
    def __init__(self, command, settings):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings)
        answer = self.process.stdout.readline().strip()
        if answer != "ready":
            raise SystemExit(f"{command[0]} did not start: {answer}")

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def settings():
    """The environment without what it may say to BLAS libraries."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "OMP_"))}


def compare(folder, options):
    sizes = ["--prompt-tokens", str(options.prompt_tokens), "--tokens", str(options.tokens)]
    ours = Timed(
        [options.program, "bench", "text", "--model", folder, "--turns", "--workers", str(options.threads), *sizes],
        settings())
    theirs = Timed([sys.executable, __file__, "--peer", folder, *sizes, "--threads", str(options.threads)], settings())
    rounds = [(ours.turn(), theirs.turn()) for _ in range(options.rounds)]
    ours.end()
    theirs.end()
    for kind in ("prefill", "decode"):
        mine, other = ([turn[side][kind] for turn in rounds] for side in (0, 1))
        print(
            f"{Path(folder).name:16} {kind:8} sandbox {statistics.median(mine):9.1f} tokens/s [{min(mine):.1f}, {max(mine):.1f}]"
            f"   transformers {statistics.median(other):9.1f} [{min(other):.1f}, {max(other):.1f}]"
            f"   ratio {statistics.median(mine) / statistics.median(other):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--program", default=str(ROOT / ".build/release/sandbox"))
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.models[0], options.prompt_tokens, options.tokens, options.threads)
    for folder in options.models:
        compare(folder, options)


if __name__ == "__main__":
    main()
