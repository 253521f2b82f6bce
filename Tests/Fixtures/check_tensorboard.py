#!/usr/bin/env python3
"""Opens a folder of runs with TensorBoard's own reader and checks what it finds there.

How to run, over one run, a sweep (runs/<sweep>) or all of runs/:

    python3 -m venv /tmp/tensorboard
    /tmp/tensorboard/bin/pip install tensorboard==2.21.0 setuptools==65.5.0 pillow==13.0.0
    /tmp/tensorboard/bin/python Tests/Fixtures/check_tensorboard.py runs/polynomial

Every folder that holds event files is read twice: record by record with TensorBoard's record reader,
which verifies checksums and keeps what a browser would hide, and whole with its EventAccumulator.
Checked for each folder:

- every file starts with its version record and reads to its last byte,
- every scalar tag has strictly increasing steps, so that no point stands there twice, and the
  accumulator has the same points,
- a folder in curves/ has the steps 0..n-1 and no hyper-parameters,
- every image decodes and has the size that its record states,
- a run has exactly one session start with at least one hyper-parameter, and at most one session end.

Prints a table (folder, tag, number of points, first and last step), then one line per failure; exits
with 1 when there is any, or when there is nothing to check.
"""

import argparse
import io
import sys
from collections import Counter, defaultdict
from pathlib import Path

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors, pywrap_tensorflow
from tensorboard.plugins.hparams import metadata

NO_LIMIT = {"scalars": 0, "images": 0, "tensors": 0}


def records(path, failures):
    """The events of one file, the version record first."""
    reader = pywrap_tensorflow.PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return
        except errors.DataLossError as error:
            failures.append(f"{path}: {error}")
            return
        yield event_pb2.Event.FromString(reader.record())


def raw_values(files, failures):
    """(step, value) of every summary value, in the order of the files' names and records."""
    values = []
    for path in files:
        events = list(records(path, failures))
        if not events or events[0].file_version != "brain.Event:2":
            failures.append(f"{path}: the first record is no version record")
        for event in events:
            values += [(event.step, value) for value in event.summary.value]
    return values


def check_image(value, where, failures):
    """The picture must decode whole, with the size its record states."""
    try:
        picture = Image.open(io.BytesIO(value.image.encoded_image_string))
        picture.load()
    except Exception as error:
        failures.append(f"{where}: the picture does not decode: {error}")
        return
    if picture.size != (value.image.width, value.image.height):
        failures.append(f"{where}: the picture is {picture.size}, its record says otherwise")


def check_sessions(values, is_run, where, failures):
    """Hyper-parameters stand in a run's own folder, once."""
    tags = Counter(value.tag for _, value in values)
    starts, ends = tags[metadata.SESSION_START_INFO_TAG], tags[metadata.SESSION_END_INFO_TAG]
    if starts != (1 if is_run else 0) or ends > (1 if is_run else 0):
        failures.append(f"{where}: {starts} session starts, {ends} session ends")
    for _, value in values:
        content = value.metadata.plugin_data.content
        if value.tag == metadata.SESSION_START_INFO_TAG:
            if not metadata.parse_session_start_info_plugin_data(content).hparams:
                failures.append(f"{where}: no hyper-parameters")
        elif value.tag == metadata.SESSION_END_INFO_TAG:
            metadata.parse_session_end_info_plugin_data(content)


def check(folder, name, failures):
    """Checks one folder and returns its rows of the table."""
    is_curve = folder.resolve().parent.name == "curves"
    values = raw_values(sorted(folder.glob("events.out.tfevents.*")), failures)
    check_sessions(values, (folder / "metadata.json").exists(), name, failures)
    steps = defaultdict(list)
    for step, value in values:
        steps[value.tag].append(step)
        if value.WhichOneof("value") == "image":
            check_image(value, f"{name} {value.tag} at step {step}", failures)
    accumulator = EventAccumulator(str(folder), size_guidance=NO_LIMIT, purge_orphaned_data=False)
    accumulator.Reload()
    scalars = {value.tag for _, value in values if value.WhichOneof("value") == "simple_value"}
    if scalars != set(accumulator.Tags()["scalars"]):
        failures.append(f"{name}: TensorBoard's tags are {accumulator.Tags()['scalars']}")
    for tag in sorted(scalars):
        found = steps[tag]
        wrong = [after for before, after in zip(found, found[1:]) if after <= before]
        if wrong:
            failures.append(f"{name} {tag}: step {wrong[0]} does not follow an earlier one")
        if is_curve and found != list(range(len(found))):
            failures.append(f"{name} {tag}: the steps are not 0..{len(found) - 1}")
        if [point.step for point in accumulator.Scalars(tag)] != found:
            failures.append(f"{name} {tag}: TensorBoard shows other points")
    if is_curve and not scalars:
        failures.append(f"{name}: a curve without points")
    return [(name, tag, str(len(s)), str(s[0]), str(s[-1])) for tag, s in sorted(steps.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("logdir", type=Path, help="a run, a sweep or all runs")
    logdir = parser.parse_args().logdir
    folders = sorted({path.parent for path in logdir.rglob("events.out.tfevents.*")})
    if not folders:
        sys.exit(f"no event files below {logdir}")
    failures, table = [], [("folder", "tag", "points", "first", "last")]
    for folder in folders:
        table += check(folder, str(folder.relative_to(logdir)), failures)
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    for row in table:
        cells = [cell.ljust(w) for cell, w in zip(row[:2], widths)]
        print("  ".join(cells + [cell.rjust(w) for cell, w in zip(row[2:], widths[2:])]))
    print(f"{len(folders)} folders, {len(table) - 1} tags, {len(failures)} failures")
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
