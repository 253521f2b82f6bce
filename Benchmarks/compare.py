#!/usr/bin/env python3
"""Times training steps of PyTorch, JAX and this program in turn, on one machine, and prints the ratios.

    python3 Benchmarks/compare.py [--rounds 5] [--models tiny,small,standard] [--program PATH]

makes a throw-away environment (--venv, default /tmp/sandbox-peers) with torch (CPU), transformers and jax, builds nothing:
run `make build` first. Every peer is a process that has compiled and warmed up before anything is timed; then, round after
round, each takes its turn while the others sleep. A step is the same for all: fresh prompts, forward, mean squared error at
the x positions of the last `points` points, backward, clipping to norm 1, Adam; batch 64, d = 20, 41 points (T = 82 for cpt,
164 for cft), two threads. The ratio is the best peer's median over ours.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = {
    "torch": ["peer_torch.py", "eager"],
    "torch.compile": ["peer_torch.py", "compile"],
    "jax": ["peer_jax.py", "jit"],
    "torch bf16": ["peer_torch.py", "autocast"],
}
PACKAGES = ["torch", "transformers", "numpy", "jax"]


def environment(path, threads):
    """The environment's python, made and filled when it is missing."""
    python = path / "bin" / "python"
    if not python.exists():
        venv.create(path, with_pip=True)
    probe = subprocess.run([python, "-c", "import torch, transformers, jax"], capture_output=True)
    if probe.returncode != 0:
        index = ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
        subprocess.run([python, "-m", "pip", "install", "-q", *index, *PACKAGES], check=True)
    # Each peer gets the same threads; nothing else of the user's settings may slow it down.
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "OMP_"))}
    settings.update(
        OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), JAX_PLATFORMS="cpu",
        XLA_FLAGS=f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={threads}")
    return python, settings


class Peer:
    """A process that times steps when it is asked to."""

    def __init__(self, python, settings, command, cell, threads):
        self.process = subprocess.Popen(
            [python, HERE / command[0], command[1], json.dumps(cell), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings)
        answer = self.process.stdout.readline().strip()
        self.is_ready = answer == "ready"

    def time(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """Peak resident memory in bytes, as the process reports it at its end."""
        self.process.stdin.close()
        answer = self.process.stdout.readline()
        self.process.wait()
        return json.loads(answer)["peak_rss_bytes"] if answer else 0


def ours(program, cell, steps, threads, precision):
    command = [program, "bench", "step", "--model", cell["model"], "--layout", cell["layout"],
               "--steps", str(steps), "--warmup", "2", "--workers", str(threads), "--precision", precision,
               "--json"]
    settings = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    answer = subprocess.run(command, capture_output=True, text=True, env=settings)
    if answer.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def compare(cell, names, arguments, python, settings):
    peers = {name: Peer(python, settings, PEERS[name], cell, arguments.threads) for name in names}
    for name in [name for name, peer in peers.items() if not peer.is_ready]:
        print(f"  {name} did not start and is left out", file=sys.stderr)
        del peers[name]
    times = {name: [] for name in [*peers, "sandbox"]}
    report = None
    for _ in range(arguments.rounds):
        report = ours(
            arguments.program, cell, arguments.steps, arguments.threads, arguments.precision)
        times["sandbox"].append(report["median_ms"])
        for name, peer in peers.items():
            times[name].append(statistics.median(peer.time(arguments.steps)))
    memory = {name: peer.close() for name, peer in peers.items()}
    memory["sandbox"] = report["peak_rss_bytes"]
    medians = {name: statistics.median(values) for name, values in times.items()}
    best = min((name for name in medians if name != "sandbox"), key=medians.get)
    ratios = [a / b for a, b in zip(times[best], times["sandbox"])]
    return {
        **cell, "median_ms": medians, "rounds_ms": times, "peak_rss_bytes": memory, "best_peer": best,
        "ratio": medians[best] / medians["sandbox"], "ratio_range": [min(ratios), max(ratios)],
        "gflops": report["gflops"], "peak_gflops": report["peak_gflops"]}


def row(result):
    shown = [f"{name} {value:.0f}" for name, value in result["median_ms"].items()]
    low, high = result["ratio_range"]
    memory = ", ".join(f"{n} {b / 2**30:.2f}" for n, b in result["peak_rss_bytes"].items())
    return (f"| {result['model']} | {result['tokens']} | {', '.join(shown)} | {result['best_peer']} | "
            f"{result['ratio']:.2f} ({low:.2f}–{high:.2f}) | "
            f"{100 * result['gflops'] / result['peak_gflops']:.0f} % of {result['peak_gflops']:.0f} | {memory} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="timed steps of each turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", default="tiny,small,standard")
    parser.add_argument("--layouts", default="cpt,cft")
    parser.add_argument("--peers", default="torch,torch.compile,jax")
    parser.add_argument("--precision", default="fp32", help="ours: fp32 or bf16; the peer in bf16 is 'torch bf16'")
    parser.add_argument("--venv", type=Path, default=Path("/tmp/sandbox-peers"))
    parser.add_argument("--program", default=".build/release/sandbox")
    parser.add_argument("--json", type=Path, help="write every round's times here")
    arguments = parser.parse_args()
    python, settings = environment(arguments.venv, arguments.threads)
    versions = subprocess.run(
        [python, "-c", "import torch, transformers, jax; print('torch', torch.__version__, 'transformers', "
         "transformers.__version__, 'jax', jax.__version__)"], capture_output=True, text=True).stdout.strip()
    print(f"{platform.processor() or platform.machine()}, {arguments.threads} threads; {versions}; ms per step, "
          f"medians of {arguments.rounds} rounds of {arguments.steps} steps; sandbox in {arguments.precision}\n")
    print("| model | T | ms | best peer | ratio (range) | products | peak GiB |")
    print("|---|---|---|---|---|---|---|", flush=True)
    results = []
    for model in arguments.models.split(","):
        for layout in arguments.layouts.split(","):
            cell = {"model": model, "layout": layout, "tokens": 164 if layout == "cft" else 82}
            results.append(compare(cell, arguments.peers.split(","), arguments, python, settings))
            print(row(results[-1]), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(results, indent=1))
    mean = statistics.geometric_mean([result["ratio"] for result in results])
    print(f"\ngeometric mean of the ratios: {mean:.2f}")


if __name__ == "__main__":
    main()
