#!/usr/bin/env python3
"""Opens a folder of runs in TensorBoard's page and saves a picture of each view, for a person to look at.

How to run, with Debian's chromium:

    apt-get install -y --no-install-recommends chromium fonts-dejavu-core
    python3 -m venv /tmp/tensorboard
    /tmp/tensorboard/bin/pip install tensorboard==2.21.0 setuptools==65.5.0 playwright==1.65.2
    /tmp/tensorboard/bin/python Tests/Fixtures/screenshot_tensorboard.py runs/polynomial OUT

writes OUT/training.png, curves.png (x-axis = k), images.png, hparams.png and text.png.
"""

import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

VIEWS = {
    "training": "?tagFilter=train%2F#timeseries",
    "curves": "?tagFilter=%5E(squared_error%7Cgradient_alignment)#timeseries",
    "images": "#images",
    "hparams": "#hparams",
    "text": "#text",
}


def main(logdir, out):
    Path(out).mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", logdir]
    server = subprocess.Popen(command + ["--port", port, "--host", "127.0.0.1"])
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1600, "height": 1200})
            for _ in range(60):  # seconds until the server runs and has read something
                page.wait_for_timeout(1000)
                try:
                    if page.request.get(address + "data/runs").json():
                        break
                except Error:
                    continue
            for name, view in VIEWS.items():
                page.goto(address + view)
                page.reload()  # a change of the fragment alone loads nothing
                page.wait_for_timeout(8000)
                page.screenshot(path=f"{out}/{name}.png")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:3]) if len(sys.argv) == 3 else sys.exit(__doc__)
