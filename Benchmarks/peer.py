"""What every peer of compare.py does the same way: the task's sizes, and steps timed when asked for."""

import json
import resource
import sys
import time

SIZES = {"tiny": (64, 3, 2), "small": (128, 6, 4), "standard": (256, 12, 8)}
BATCH, DIMS, POINTS = 64, 20, 41


def serve(step):
    """Warms `step` up, then answers every number of steps on standard input with their milliseconds."""
    for _ in range(3):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps(times), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak_rss_bytes": peak}), flush=True)
