#!/usr/bin/env python3
"""Collects the published curves of contextual fine-tuning into one small file.

    python3 Tests/Fixtures/make_published.py DIR > plots/published/choi2025.json

DIR holds what github.com/rgklab/Contextual-Fine-Tuning (MIT) publishes in `synthetic-exp`: loss.csv, innerprod.csv and
the metrics.json of each model, named <class>-<layout>.metrics.json. Its class `sumdot` is `multilinear` here and its
layout `uft` is `cpt`. Losses and inner products are averaged over steps that lie within a factor of 1.2, so that the
noise of single batches does not hide the curves.
"""
import csv
import json
import os
import sys

CLASSES = {"polynomial": "polynomial", "sumdot": "multilinear", "relu": "relu"}
LAYOUTS = {"uft": "cpt", "cft": "cft", "neg-cft": "neg-cft"}
DIMS, POINTS = 20, 41
NOTE = (
    "The published cpt run stands at shifted positions; bands are 5–95 %, losses and alignments are means over steps "
    "within a factor of 1.2. The published alignment is that of the last query; with which gradient that of multilinear "
    "was measured is not said, and the values fit the class's own."
)


def short(values):
    return [float(f"{value:.5g}") for value in values]


def error_curves(folder):
    for class_name, our_class in CLASSES.items():
        for layout, our_layout in LAYOUTS.items():
            with open(os.path.join(folder, f"{class_name}-{layout}.metrics.json")) as file:
                (model,) = json.load(file)["standard"].values()
            yield {
                "function_class": our_class, "layout": our_layout, "quantity": "squared_error",
                "x": list(range(len(model["mean"]))), "mean": short(model["mean"]),
                "low": short(model["bootstrap_low"]), "high": short(model["bootstrap_high"]),
            }


def step_curves(path, quantity, factor):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    for column in rows[0]:
        if column == "Step":
            continue
        class_name, layout = column.split("_")[:2]
        records = [(int(row["Step"]), float(row[column])) for row in rows if row[column]]
        groups = []
        for step, value in records:
            if groups and step <= 1.2 * groups[-1][0][0]:
                groups[-1].append((step, value))
            else:
                groups.append([(step, value)])
        yield {
            "function_class": CLASSES[class_name], "layout": LAYOUTS[layout], "quantity": quantity,
            "x": [round(sum(s for s, _ in group) / len(group)) for group in groups],
            "mean": short(factor * sum(v for _, v in group) / len(group) for group in groups),
        }


def main():
    folder = sys.argv[1]
    # The public code divides the loss by the mean of max(d - i, 0).
    normalizer = sum(max(DIMS - i, 0) for i in range(POINTS)) / POINTS
    curves = list(error_curves(folder))
    curves += step_curves(os.path.join(folder, "loss.csv"), "train_loss", normalizer)
    curves += step_curves(os.path.join(folder, "innerprod.csv"), "gradient_alignment", 1)
    order = list(LAYOUTS.values())
    curves.sort(key=lambda c: (c["quantity"], c["function_class"], order.index(c["layout"])))
    head = {
        "source": "Choi et al., ICLR 2025: github.com/rgklab/Contextual-Fine-Tuning, synthetic-exp (MIT)",
        "model": "12 layers, 8 heads, width 256, d = 20, 41 points; 50,000 steps",
        "dims": DIMS, "note": NOTE,
    }
    lines = ",\n".join("  " + json.dumps(curve, separators=(",", ":")) for curve in curves)
    print(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "curves": [\n' + lines + "\n ]\n}")


main()
