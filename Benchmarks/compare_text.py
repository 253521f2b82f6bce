#!/usr/bin/env python3
"""Times language models in transformers and in this program in turn, on one machine, and prints the ratios.

    python3 Benchmarks/compare_text.py MODEL... [--rounds 5] [--prompt-tokens 256] [--tokens 64] [--program PATH]

MODEL is a folder with config.json and safetensors, which `sandbox text init` makes in any shape. It needs torch (CPU) and
transformers in the Python that runs it, and a built program (`make build`). Both read a prompt of made-up ids and then add
tokens one at a time with a cache, in fp32 on two threads; both have done so once before anything is timed, and the other one
sleeps meanwhile.
"""

import sys
import time

import turns


def peer(folder, options):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(options.threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    size = model.config.vocab_size
    prompt = torch.tensor([[(i * 7919 + 3) % size for i in range(options.prompt_tokens)]])

    @torch.inference_mode()
    def turn():
        start = time.perf_counter()
        cache = model(prompt, use_cache=True, logits_to_keep=1).past_key_values
        middle = time.perf_counter()
        for place in range(options.tokens):
            token = torch.tensor([[(place * 104729 + 5) % size]])
            cache = model(token, past_key_values=cache, use_cache=True).past_key_values
        return {
            "prefill": options.prompt_tokens / (middle - start),
            "decode": options.tokens / (time.perf_counter() - middle),
        }

    turns.answer(turn)


def main():
    parser = turns.parser(__doc__)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    if options.peer:
        return peer(options.models[0], options)
    sizes = ["--prompt-tokens", str(options.prompt_tokens), "--tokens", str(options.tokens)]
    threads = str(options.threads)
    for folder in options.models:
        turns.compare(
            folder, options.rounds,
            [options.program, "bench", "text", "--model", folder, "--turns", "--workers", threads, *sizes],
            {"transformers": [sys.executable, __file__, folder, "--peer", "fp32", "--threads", threads, *sizes]})


if __name__ == "__main__":
    main()
