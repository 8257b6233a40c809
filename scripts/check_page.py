#!/usr/bin/env python3
"""Opens report pages in headless Chromium at three widths (phone, tablet, desk), light and dark, and looks for requests, console
messages, anything wider than the window, and overlapping text in charts. Exit code 1 if there is any of these, 77 without a Chromium.

    scripts/check_page.py [--screenshots DIR] PAGE.html...

With --screenshots DIR, it also writes PAGE-390-light.png and so on, and PAGE.pdf as printed.
"""

import argparse
import base64
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
WIDTHS = {390: 844, 1024: 768, 1280: 900}

# Everything that sticks out of the window, and texts of a chart that overlap or are outside it.
FIND_FAULTS = """(() => {
  document.querySelectorAll('details').forEach(fold => fold.open = true);
  const faults = [], width = document.documentElement.clientWidth;
  const say = (element, what) => faults.push(what + ': <' + element.tagName + '> ' + (element.textContent || '').trim().slice(0, 60));
  if (document.documentElement.scrollWidth > width) faults.push('the page is ' + document.documentElement.scrollWidth + ' wide');
  const hidden = element => element.closest('thead') && getComputedStyle(element.closest('thead')).position === 'absolute';
  const scrolls = element => { for (let at = element; at; at = at.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true; return false; };
  for (const element of document.querySelectorAll('body *')) {
    if (hidden(element) || scrolls(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.width > 0 && (box.right > width + 1 || box.left < -1)) say(element, 'sticks out');
    const clips = ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    if (clips && element.scrollWidth > element.clientWidth + 1) say(element, 'is clipped');
  }
  for (const chart of document.querySelectorAll('svg')) {
    const frame = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll('text')].map(text => [text, text.getBoundingClientRect()]);
    texts.forEach(([text, box], i) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        say(text, 'lies outside of its chart');
      for (const [other, place] of texts.slice(i + 1)) {
        const over = Math.min(box.right, place.right) - Math.max(box.left, place.left);
        const deep = Math.min(box.bottom, place.bottom) - Math.max(box.top, place.top);
        if (over > 1 && deep > Math.min(box.height, place.height) / 3) say(text, 'lies over "' + other.textContent + '"');
      }
    });
  }
  return faults;
})()"""


class Browser:
    """A Chromium controlled over two pipes with the DevTools protocol: JSON, each message terminated by a zero byte."""

    def __init__(self, program):
        read, self.commands = os.pipe()
        self.answers, write = os.pipe()
        # Out of the way of 3 and 4, where the browser looks for them.
        to_read, to_write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (read, write))
        self.folder = tempfile.mkdtemp(prefix="check-page-")
        flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + self.folder]
        self.process = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: (os.dup2(to_read, 3), os.dup2(to_write, 4)),
                                        pass_fds=(3, 4))
        for end in (read, write, to_read, to_write):
            os.close(end)
        self.buffer, self.count, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log"]:
            self.call(domain + ".enable")

    def message(self):
        while b"\0" not in self.buffer:
            more = os.read(self.answers, 1 << 20)
            if not more:
                sys.exit("check_page: the browser ended")
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.count += 1
        request = {"id": self.count, "method": method, "params": parameters}
        if getattr(self, "session", None):
            request["sessionId"] = self.session
        os.write(self.commands, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") != self.count:
                self.events.append(answer)
            elif "error" in answer:
                sys.exit(f"check_page: {method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, url):
        self.events = []
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())

    def evaluate(self, text):
        return self.call("Runtime.evaluate", expression=text, returnByValue=True)["result"].get("value")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def said(events, url):
    """Requests other than for the page, and console messages."""
    for event in events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            asked = parameters["request"]["url"]
            if asked != url and not asked.startswith("data:"):
                yield "asks for " + asked
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            yield "console: " + json.dumps(parameters)[:200]
        if method == "Log.entryAdded":
            yield "console: " + parameters["entry"]["text"]


def check(browser, page, screenshots):
    url = page.resolve().as_uri()
    faults = []
    for width, height in WIDTHS.items():
        for scheme in ["light", "dark"]:
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                         mobile=width < 600)
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.open(url)
            found = browser.evaluate(FIND_FAULTS) + list(said(browser.events, url))
            faults += [f"{page.name} at {width}, {scheme}: {fault}" for fault in found]
            if screenshots:
                shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
                name = f"{page.stem}-{width}-{scheme}.png"
                (screenshots / name).write_bytes(base64.b64decode(shot["data"]))
    if screenshots:
        printed = browser.call("Page.printToPDF", preferCSSPageSize=True)
        (screenshots / f"{page.stem}.pdf").write_bytes(base64.b64decode(printed["data"]))
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="DIR")
    parser.add_argument("pages", nargs="+", type=pathlib.Path, metavar="PAGE.html")
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("check_page: found no Chromium, expected one of " + ", ".join(BROWSERS))
        return 77
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    browser = Browser(program)
    try:
        faults = [fault for page in arguments.pages for fault in check(browser, page, arguments.screenshots)]
    finally:
        browser.close()
    print("\n".join(faults) or f"check_page: {len(arguments.pages)} pages, nothing found")
    return 1 if faults else 0


sys.exit(main())
