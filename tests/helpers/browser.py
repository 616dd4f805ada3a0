"""The page's server in a process of its own, and a real browser in front of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240  # seconds, on a machine that has other things to do
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


class Server:
    """demo.py on a free port, its temporary files in `folder`.

    Attributes:
        url, process, folder: where it answers, what it is, where its files are.
    """

    def __init__(self, folder, *options):
        self.folder = folder
        environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "demo.py"), "--port", str(port), *options],
            env=environment,
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.process.stdout.read()
        self.url = found.group(0)

    def files(self):
        """What a visitor's uploads and results are now, without empty files."""
        return [p for p in self.folder.rglob("*") if p.is_file() and p.stat().st_size]

    def stop(self, number=signal.SIGINT):
        """Ctrl-C; returns the exit code and what was printed meanwhile."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


class Visit:
    """A browser with the page open.

    Args:
        server: whose page.
        downloads: the folder for them.
    """

    def __init__(self, server, downloads):
        from selenium import webdriver
        from selenium.webdriver.common.by import By

        self.css, self.downloads = By.CSS_SELECTOR, downloads
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(argument)
        options.add_argument("--window-size=1400,1700")
        options.add_argument("--no-proxy-server")
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.driver.get(server.url)
        self.until(lambda: self.all("#pair_fuse"))
        time.sleep(1)  # its scripts listen by then

    def until(self, condition):
        """Wait for a condition and return what it gave."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            if found := condition():
                return found
            time.sleep(0.2)
        self.driver.save_screenshot(str(self.downloads / "failed.png"))
        raise AssertionError(f"waited in vain; on the page: {self.text('body')[-1500:]}")

    def all(self, selector):
        return self.driver.find_elements(self.css, selector)

    def one(self, selector):
        return self.until(lambda: self.all(selector))[0]

    def text(self, selector):
        return self.one(selector).text

    def click(self, selector):
        self.one(selector).click()

    def tab(self, name):
        next(b for b in self.all("button[role=tab]") if b.text == name and b.is_displayed()).click()

    def upload(self, name, *paths):
        self.one(f"#{name} input[type=file]").send_keys("\n".join(map(str, paths)))
        self.until(lambda: len(self.all(f"#{name} a[href*='file=']")) == len(paths))  # on the server

    def errors(self):
        """The lines of the messages that are shown."""
        return [e.text for e in self.all(".toast-body .toast-text") if e.text]

    def picture(self, selector):
        """What is seen there, (H, W, 3)."""
        return cv2.imdecode(np.frombuffer(self.one(selector).screenshot_as_png, np.uint8), cv2.IMREAD_COLOR)


@contextmanager
def visit(server, downloads):
    found = Visit(server, downloads)
    try:
        yield found
    finally:
        found.driver.quit()
