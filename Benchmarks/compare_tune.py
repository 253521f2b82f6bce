#!/usr/bin/env python3
"""Times updates of language models in transformers and in this program in turn, on one machine, and prints the ratios.

    python3 Benchmarks/compare_tune.py MODEL... [--precision bf16] [--rounds 5] [--batch 8] [--length 256] [--threads 2]

MODEL is a folder with config.json and safetensors, which `sandbox text init` makes in any shape. It needs torch (CPU) and
transformers in the Python that runs it, and a built program (`make build`). An update is forward, backward, clipping and AdamW
(torch's fused one there) of all parameters, on batch × length made-up ids, all of them targets; all programs have done one
before anything is timed, and the others sleep meanwhile.

In bf16 this program rounds the operands of products and keeps the rest in fp32. Its peers are transformers with a model, its
gradients and moments in bfloat16, and with torch's autocast, which like this program keeps fp32 weights.
"""

import contextlib
import sys
import time

import turns


def peer(folder, options):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(options.threads)
    dtype = torch.bfloat16 if options.peer == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1, fused=True)
    size = model.config.vocab_size
    batch, length = options.batch, options.length
    # One more token than passes through the model: the last one is a target alone.
    ids = torch.tensor([[((s * length + i) * 7919 + 3) % size for i in range(length + 1)] for s in range(batch)])

    def turn():
        start = time.perf_counter()
        casting = torch.autocast("cpu", dtype=torch.bfloat16) if options.peer == "autocast" else contextlib.nullcontext()
        with casting:
            logits = model(ids[:, :-1], use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return {"train": batch * length / (time.perf_counter() - start)}

    turns.answer(turn)


def main():
    parser = turns.parser(__doc__)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    options = parser.parse_args()
    if options.peer:
        return peer(options.models[0], options)
    sizes = ["--batch", str(options.batch), "--length", str(options.length)]
    threads = str(options.threads)
    for folder in options.models:
        turns.compare(
            folder, options.rounds,
            [options.program, "bench", "tune", "--model", folder, "--precision", options.precision, "--turns",
             "--workers", threads, *sizes],
            {
                f"transformers, {kind}": [sys.executable, __file__, folder, "--peer", kind, "--threads", threads, *sizes]
                for kind in (["bf16", "autocast"] if options.precision == "bf16" else ["fp32"])
            })


if __name__ == "__main__":
    main()
