#!/usr/bin/env python3
"""Writes Sources/Tokenizers/UnicodeRanges.swift: \\p{L}, \\p{N} and \\s as Hugging Face's `tokenizers` sees them.

The classes decide where words end, so they decide ids; Unicode adds letters every year, and neither
Swift's nor Python's own tables are of the same year as the library's. The script therefore asks the
library about every scalar.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3
    venv/bin/python Tests/Fixtures/make_unicode_ranges.py
"""

from pathlib import Path

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

TARGET = Path(__file__).resolve().parents[2] / "Sources/Tokenizers/UnicodeRanges.swift"
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def members(pattern):
    """The scalars that `pattern`, which matches one character, matches."""
    split = Split(Regex(pattern), "removed")
    left = set()
    for i in range(0, len(SCALARS), 2048):
        block = SCALARS[i : i + 2048]
        for _, (a, b) in split.pre_tokenize_str("".join(map(chr, block))):
            left.update(block[a:b])
    return [c for c in SCALARS if c not in left]


def ranges(scalars):
    out = []
    for c in scalars:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def literal(name, comment, pattern):
    scalars = members(pattern)
    numbers = [f"0x{c:X}" for pair in ranges(scalars) for c in pair]
    lines, line = [], "       "
    for number in numbers:
        if len(line) + len(number) + 2 > 100:
            lines.append(line)
            line = "       "
        line += f" {number},"
    lines.append(line)
    body = "\n".join(lines)
    return (
        f"    /// {comment}: {len(scalars):,} scalars, first and last of each range.\n"
        f"    static let {name}: [UInt32] = [\n{body}\n    ]\n"
    )


TARGET.write_text(
    "// Made by Tests/Fixtures/make_unicode_ranges.py from the Python package"
    f" tokenizers {tokenizers.__version__}; not edited by hand.\n\n"
    "/// Character classes of the word patterns.\n"
    "enum UnicodeRanges {\n"
    + literal("letters", "`\\p{L}`", r"\p{L}")
    + "\n"
    + literal("numbers", "`\\p{N}`", r"\p{N}")
    + "\n"
    + literal("spaces", "`\\s`", r"\s")
    + "}\n"
)
