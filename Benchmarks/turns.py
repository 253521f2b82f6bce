"""What the comparisons of language models share: processes that measure a round for each line they read, asked in turn."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Timed:
    """A process that says "ready", then answers each line with a JSON object of tokens a second."""

    def __init__(self, command):
        # Without what the environment may say to BLAS libraries.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "OMP_", "KMP_", "GOMP_", "DNNL_", "ONEDNN_"))}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean)
        self.name = " ".join(command)
        answer = self.process.stdout.readline().strip()
        if answer != "ready":
            raise SystemExit(f"{self.name} did not start: {answer}")

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended")
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def answer(turn):
    """The other side of Timed: one round that warms up, then one for each line."""
    turn()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


def parser(description):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("models", nargs="+", metavar="MODEL")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--program", default=str(ROOT / ".build/release/sandbox"))
    made.add_argument("--peer", help=argparse.SUPPRESS)
    return made


def compare(folder, rounds, ours, peers):
    """Asks `ours` and each of `peers`, a dict of commands, in turn, another one first in each round, and prints medians, extremes
    and ratios."""
    programs = {"sandbox": Timed(ours)} | {name: Timed(command) for name, command in peers.items()}
    order = list(programs)
    results = []
    for number in range(rounds):
        shift = number % len(order)
        results.append({name: programs[name].turn() for name in order[shift:] + order[:shift]})
    for program in programs.values():
        program.end()
    for kind in results[0]["sandbox"]:
        rates = {name: [result[name][kind] for result in results] for name in programs}
        mine = statistics.median(rates["sandbox"])
        print(f"{Path(folder).name} {kind}, {rounds} rounds", flush=True)
        for name, values in rates.items():
            middle = statistics.median(values)
            ratio = "" if name == "sandbox" else f"   ratio {mine / middle:.2f}"
            print(f"  {name:22} {middle:9.1f} tokens/s [{min(values):.1f}, {max(values):.1f}]{ratio}", flush=True)
