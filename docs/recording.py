"""Makes ``docs/recording.gif``, which the README begins with: ``make recording``.

It starts the demo with nothing loaded, opens its page in two windows, changes a city in the left one, and puts pictures
of both, and of what the terminal prints, side by side. It needs Chromium, its driver, selenium and Pillow.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "recording.gif"
WIDTH, HEIGHT, STRIP = 480, 470, 92
COLOURS = 64
MOST_BYTES = 1_000_000


class Recorder:
    """Takes pictures of two windows and of the terminal."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.windows = [_window(), _window()]
        self.frames: list[tuple[Image.Image, int]] = []
        self._font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), 13)

    def take(self, milliseconds: int) -> None:
        """Add a picture that is shown for so long."""
        whole = Image.new("RGB", (2 * WIDTH + 6, HEIGHT + STRIP), "#39424f")
        for number, window in enumerate(self.windows):
            picture = Image.open(io.BytesIO(window.get_screenshot_as_png())).convert("RGB")
            whole.paste(picture.crop((0, 0, WIDTH, HEIGHT)), (number * (WIDTH + 6), 0))
        draw = ImageDraw.Draw(whole)
        draw.rectangle((0, HEIGHT, 2 * WIDTH + 6, HEIGHT + STRIP), fill="#10151c")
        for number, line in enumerate(self._terminal()):
            draw.text((12, HEIGHT + 10 + 18 * number), line[:118], font=self._font, fill="#cfe3d4")
        self.frames.append((whole, milliseconds))

    def _terminal(self) -> list[str]:
        lines = [line for line in self._log.read_text().splitlines() if re.match(r"[\d,]+ of|Airport |    \w", line)]
        return ["$ make run", *lines[-3:]]

    def _palette(self) -> Image.Image:
        """Return an image with the colours of the whole recording: of the map when it is full, and of the end."""
        full = max(self.frames, key=lambda each: len(each[0].getcolors(1_000_000) or ()))[0]
        both = Image.new("RGB", (full.width, 2 * full.height))
        both.paste(full, (0, 0))
        both.paste(self.frames[-1][0], (0, full.height))
        return both.quantize(COLOURS)

    def save(self) -> None:
        """Write the file."""
        palette = self._palette()
        pictures = [frame.quantize(COLOURS, palette=palette, dither=Image.Dither.NONE) for frame, _ in self.frames]
        times = [each for _, each in self.frames]
        pictures[0].save(TARGET, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)
        size = TARGET.stat().st_size
        print(f"{TARGET.relative_to(ROOT)}: {len(pictures)} pictures, {size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"it is larger than {MOST_BYTES:,} bytes")


def _window() -> Chrome:
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    window = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return window


def main() -> None:
    """Record it."""
    with tempfile.TemporaryDirectory() as place, (Path(place) / "log").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-u", "docs/examples/airports/main.py", "--port", "8977", "--data", f"{place}/data"]
        demo = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _record(Recorder(Path(place) / "log"), Path(place) / "data" / "address")
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


def _record(recorder: Recorder, note: Path) -> None:
    left, right = recorder.windows
    while not (note.exists() and note.read_text()):
        time.sleep(0.02)
    address = note.read_text()
    for window in recorder.windows:
        window.get(address)
    until = time.monotonic() + 60
    while not left.find_element(By.ID, "told").text.startswith("25,") and time.monotonic() < until:
        recorder.take(160)
    time.sleep(1)
    recorder.take(900)
    for window in recorder.windows:
        window.execute_script("document.querySelector('#choose').scrollIntoView({block: 'start'})")
        window.execute_script("document.querySelector('.columns .rows').style.height = '12rem'")
    right.execute_script("document.querySelector('#diffs').style.height = '6rem'")
    recorder.take(1200)
    _edit(recorder, left, "Olinda")
    for _ in range(4):
        recorder.take(500)
    recorder.take(2500)
    recorder.save()
    for window in recorder.windows:
        window.quit()


def _edit(recorder: Recorder, window: Chrome, city: str) -> None:
    cell = window.find_elements(By.CSS_SELECTOR, "#airports td[aria-label*='city of']")[1]
    cell.send_keys(Keys.ENTER)
    recorder.take(700)
    field = window.switch_to.active_element
    for letter in city:
        field.send_keys(letter)
        recorder.take(120)
    field.send_keys(Keys.ENTER)


if __name__ == "__main__":
    main()
