#!/usr/bin/env python3
"""Compares `sandbox text tokenize` with Hugging Face's `tokenizers` and SentencePiece on random strings.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 jinja2==3.1.6
    venv/bin/python Tests/Fixtures/fuzz_tokenizers.py                    # every kind, 100,000 strings each
    venv/bin/python Tests/Fixtures/fuzz_tokenizers.py llama3 --strings 1000 --seed 7
    venv/bin/python Tests/Fixtures/fuzz_tokenizers.py --file ~/models/llama/tokenizer.json

A kind is a vocabulary that this script trains itself (make_tokenizers.py lists them); --file takes one of
yours. The program answers line by line: a JSON string with the list of its ids; a list of ids with the JSON string
of their text. Each kind is asked in three modes: special tokens around a text and shown; --no-special, where they are
neither, and text that spells one is text (--literal); --stream, where the text comes id by id and is compared joined, but
where it holds U+FFFD: the library replaces whole runs of bytes that are no text, a stream cannot. --command is the
program, {file} stands for the tokenizer's path. Ends with status 1 when anything differs.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

import make_tokenizers as kinds

COMMAND = ".build/release/sandbox text tokenize --tokenizer {file} --json-lines"

# What the program is told, and for the library: whether special tokens are around a text and shown, and whether they are
# found in it.
MODES = {
    "whole": ([], True, False),
    "no special": (["--no-special", "--literal"], False, True),
    "stream": (["--stream"], True, False),
}

RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x61, 0x7A), (0x30, 0x39), (0x00, 0x1F), (0x7F, 0xA0), (0xA1, 0x17F), (0x300, 0x36F),
    (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1680, 0x1690),
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x218F), (0x2581, 0x2581), (0x2600, 0x27BF), (0x3000, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xE000, 0xE010), (0xF900, 0xFAFF), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0xFFF9, 0xFFFF), (0x10000, 0x10FFF),
    (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0x1, 0x10FFFF),
]  # fmt: skip
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u0085", "\x0b", "▁", " \n "]
GLUE = ["\u200d", "\ufe0f", "\u0301", "'", "’", "'s", "'LL", "'ſ", "-", "_", ".", "...", "<", ">", "</s>", "<s>", "<unk>"]


class Strings:
    def __init__(self, seed, pieces, added):
        self.rng = random.Random(seed)
        self.pieces = pieces or ["a"]
        self.added = added or ["<s>"]
        self.sentences = kinds.SENTENCES + kinds.TEXTS

    def scalar(self):
        low, high = self.rng.choice(RANGES)
        value = self.rng.randint(low, high)
        return chr(value) if not 0xD800 <= value < 0xE000 else "\ufffd"

    def part(self):
        rng = self.rng
        match rng.randrange(12):
            case 0 | 1:
                return "".join(self.scalar() for _ in range(rng.randrange(1, 6)))
            case 2:
                return self.scalar() * rng.randrange(1, 5)
            case 3 | 4:
                return rng.choice(SPACES) * rng.choice([1, 1, 1, 2, 3, 9])
            case 5:
                return rng.choice(GLUE)
            case 6:
                return rng.choice(self.added)
            case 7 | 8:
                return rng.choice(self.pieces)
            case 9:
                return str(rng.randrange(10 ** rng.randrange(1, 9)))
            case _:
                sentence = rng.choice(self.sentences)
                start = rng.randrange(len(sentence) + 1)
                return sentence[start : start + rng.randrange(1, 20)]

    def text(self):
        count = self.rng.choice([1, 1, 2, 2, 3, 4, 6, 10])
        if self.rng.random() < 0.003:
            count = 60
        return "".join(self.part() for _ in range(count))


def vocabulary(reference):
    """What to sprinkle into strings: pieces as text, and added tokens."""
    if reference.is_model:
        p = reference.processor
        pieces = [p.id_to_piece(i).replace("▁", " ") for i in range(p.get_piece_size())]
        return pieces, [p.id_to_piece(i) for i in range(p.get_piece_size()) if p.is_control(i)] + ["<user>", "abc", "▁word▁"]
    added = [t.content for t in reference.tokenizer.get_added_tokens_decoder().values()]
    rng = random.Random(0)
    ids = [rng.randrange(reference.size) for _ in range(2000)]
    return [reference.tokenizer.decode([i]) for i in ids] + ["patient", " doctor", " 123"], added


def compare(name, path, seed, count, command, mode):
    flags, special, literal = MODES[mode]
    reference = kinds.Reference(path, literal=literal)
    strings = Strings(f"{seed}/{name}/{mode}", *vocabulary(reference))
    name = f"{name}, {mode}"
    rng = strings.rng
    started = time.monotonic()
    process = subprocess.Popen(
        [word.replace("{file}", str(path)) for word in command.split()] + flags,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    asked = []
    for n in range(count):
        asked.append(strings.text())
        if n % 10 == 0:
            asked.append([rng.randrange(reference.size) for _ in range(rng.randrange(1, 20))])

    def feed():
        for question in asked:
            process.stdin.write((json.dumps(question, ensure_ascii=rng.random() < 0.5) + "\n").encode())
        process.stdin.close()

    thread = threading.Thread(target=feed)
    thread.start()
    different = answered = 0
    for question in asked:
        line = process.stdout.readline()
        if not line:
            break
        answered += 1
        answer = json.loads(line)
        if isinstance(question, str):
            expected = reference.encode(question, special)
        else:
            expected = reference.decode(question, skip=not special)
            if mode == "stream":
                answer = "".join(answer)
                if "\ufffd" in expected:
                    continue
        if answer != expected:
            different += 1
            if different <= 5:
                print(f"  {name}: {question!r}\n    expected {expected!r}\n    got      {answer!r}")
    if answered < len(asked):
        print(f"  {name}: the program stopped after {answered} of {len(asked)} lines, at {asked[answered]!r}")
        process.kill()
    thread.join()
    process.wait()
    texts = sum(isinstance(q, str) for q in asked)
    print(
        f"{name}: {texts} strings, {len(asked) - texts} id lists, seed {seed}: {different} differ "
        f"({time.monotonic() - started:.0f} s)",
        flush=True,
    )
    return different + len(asked) - answered


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", help="kinds to compare (default: all)")
    parser.add_argument("--file", action="append", default=[], help="a tokenizer.json or tokenizer.model to compare instead")
    parser.add_argument("--strings", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=4000, help="pieces of the vocabularies that are trained")
    parser.add_argument("--command", default=COMMAND)
    options = parser.parse_args()
    known = list(kinds.KINDS) + list(kinds.SENTENCEPIECE)
    unknown = set(options.kinds) - set(known)
    if unknown:
        parser.error(f"unknown kind {', '.join(unknown)}; known are {', '.join(known)}")
    differences = 0

    def compare_modes(name, path):
        # The modes share the strings that were asked for.
        count = options.strings // len(MODES)
        return sum(compare(name, path, options.seed, count, options.command, mode) for mode in MODES)

    for path in options.file:
        differences += compare_modes(os.path.basename(path), path)
    if not options.file:
        lines = kinds.corpus(options.seed, lines=20_000)
        with tempfile.TemporaryDirectory() as folder:
            for name in options.kinds or known:
                if name in kinds.KINDS:
                    path = f"{folder}/{name}.json"
                    kinds.KINDS[name](options.size, lines).save(path)
                else:
                    path = f"{folder}/{name}.model"
                    kinds.train_sentencepiece(name, min(options.size, 1200), lines, path)
                differences += compare_modes(name, path)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
