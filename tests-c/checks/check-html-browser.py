#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML manual in headless Chromium. Every link resolves in the DOM. The search finds functions by name and by
title, and can be used with the keyboard alone. Without JavaScript the index is complete. No page scrolls sideways on a
phone. Text has enough contrast, light and dark. Nothing outside the manual is requested.

usage: check-html-browser.py MANUAL SCREENSHOTS MAP...

Chromium is driven through a pipe (--remote-debugging-pipe): messages are JSON, each ended by a NUL byte.
"""
import base64
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urldefrag

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE, NARROW, DESKTOP = (390, 844), (320, 568), (1280, 900)
SECONDS = 60

# The smallest contrast of a visible text with its background, and the text. WCAG requires 4.5.
CONTRAST = """(() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const linear = c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = channels(colour).map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = node => {
    const colour = getComputedStyle(node).backgroundColor;
    return (channels(colour)[3] ?? 1) > 0 || !node.parentElement ? colour : back(node.parentElement);
  };
  let worst = [99, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(back(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, texts.currentNode.data];
  }
  return worst;
})()"""

failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"html: {what}")


class Browser:
    def __init__(self, profile):
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if not program:
            raise SystemExit("html: cannot find Chromium in PATH")
        # Chromium reads from descriptor 3 and writes to 4. Its sandbox fails for root and in some containers; the pages
        # are our own.
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null >/dev/null 2>&1', "sh", program, "--headless=new",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.commands, self.answers = self.process.stdin, self.process.stdout
        self.number, self.buffer, self.session, self.events = 0, b"", None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.answers.fileno(), 1 << 16) if ready else b""
            if not data:
                raise SystemExit(f"html: Chromium {'closed its pipe' if ready else 'does not answer'}")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"html: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, address):
        # If only the fragment changes, the page is not loaded again.
        self.call("Page.navigate", url="about:blank")
        self.wait(lambda: self.evaluate("location.href === 'about:blank'"))
        self.call("Page.navigate", url=address)
        self.wait(lambda: self.evaluate("location.href !== 'about:blank' && document.readyState === 'complete'"))

    def wait(self, holds):
        """Waits until a condition holds, at most 10 seconds, and returns whether it does."""
        deadline = time.monotonic() + 10
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"html: {expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, name, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, text=text if kind == "keyDown" else "",
                      windowsVirtualKeyCode={"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}.get(name, 0))

    def write(self, text):
        self.call("Input.insertText", text=text)

    def size(self, size, is_phone):
        self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                  deviceScaleFactor=2 if is_phone else 1, mobile=is_phone)

    def scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def end(self):
        """Ends Chromium, which exits when its pipe is closed."""
        self.commands.close()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def check_pages(browser, manual):
    """Width, code boxes and links of each page."""
    links, anchors = {}, {}
    for path in sorted(manual.glob("*.html")):
        browser.size(PHONE, True)
        browser.open(path.as_uri())
        for width in (PHONE, NARROW):
            browser.size(width, True)
            wide = browser.evaluate("document.documentElement.scrollWidth")
            check(wide <= width[0], f"{path.name} is {wide} pixels wide on a screen of {width[0]}")
        check(browser.evaluate("[...document.querySelectorAll('pre')]"
                               ".every(e => getComputedStyle(e).overflowX === 'auto')"),
              f"code of {path.name} does not scroll in its box")
        check(not browser.evaluate("document.getElementById('search').hidden"), f"{path.name} has no search box")
        links[path.name] = browser.evaluate("[...document.querySelectorAll('[href]')].map(e => e.href)")
        anchors[path.as_uri()] = browser.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    for name in ("style.css", "search.js", "search-index.js"):
        anchors[(manual / name).as_uri()] = []
    count = 0
    for name, addresses in links.items():
        for address in addresses:
            file, fragment = urldefrag(address)
            count += 1
            resolves = file in anchors and (not fragment or unquote(fragment) in anchors[file])
            check(resolves, f"{name} links to {address}, which does not exist")
    return len(links), count


def results(browser):
    return browser.evaluate("[...document.querySelectorAll('#results [role=option] code')].map(e => e.textContent)")


def check_search(browser, manual):
    page = manual / "index.html"
    browser.open(page.as_uri() + "#q=mm_ipc_connect")
    found = results(browser)
    check(found[:1] == ["mm_ipc_connect()"], f"the search for mm_ipc_connect finds {found}")
    for query in ("ipc_connect", "MM_IPC_CONNECT()", "mm_ipc_con"):
        browser.open(f"{page.as_uri()}#q={query}")
        check(results(browser)[:1] == ["mm_ipc_connect()"], f"the search for {query} finds {results(browser)}")
    index = (manual / "search-index.js").read_text(encoding="utf-8")
    title = re.search(r'^\["mm_ipc_connect\(\)", "(.*?)"', index, re.M).group(1)
    browser.open(f"{page.as_uri()}#q={title.replace(' ', '+').upper()}")
    check("mm_ipc_connect()" in results(browser), f"the search for '{title}' finds {results(browser)}")
    browser.open(f"{page.as_uri()}#q=xyzzy")
    check(results(browser) == [], f"the search for xyzzy finds {results(browser)}")
    check("Nothing" in browser.evaluate("document.getElementById('results').textContent"),
          "the search does not report that it found nothing")

    # With the keyboard alone.
    browser.open((manual / "mm_open.3.html").as_uri())
    browser.key("/", "/")
    check(browser.evaluate("document.activeElement.id") == "query", "'/' does not focus the search box")
    browser.evaluate("document.getElementById('query').focus()")
    check(browser.evaluate("document.activeElement.value") == "", "'/' is written into the search box")
    browser.write("mm_ipc_conn")
    selected = "[...document.querySelectorAll('#results [role=option]')].findIndex(e => e.ariaSelected === 'true')"
    check(browser.evaluate(selected) == 0, "the first result is not selected")
    browser.key("ArrowDown")
    check(browser.evaluate(selected) == 1, "the arrow does not select the second result")
    browser.key("ArrowUp")
    browser.key("Escape")
    check(browser.evaluate("document.getElementById('results').hidden"), "Escape does not close the results")
    browser.key("ArrowDown")
    browser.key("Enter", "\r")
    check(browser.wait(lambda: browser.evaluate("location.pathname.endsWith('/mm_ipc_connect.3.html')")),
          f"Enter opens {browser.evaluate('location.href')}")


def check_without_scripts(browser, manual, names):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open((manual / "index.html").as_uri())
    check(browser.evaluate("document.getElementById('search').getClientRects().length") == 0,
          "the search box shows without JavaScript")
    shown = browser.evaluate("[...document.querySelectorAll('main dt a')].filter(e => e.getClientRects().length)"
                             ".map(e => e.textContent)")
    for name in names:
        check(f"{name}()" in shown, f"without JavaScript, the index lacks {name}()")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def take_screenshots(browser, manual, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        for kind, size in (("phone", PHONE), ("desktop", DESKTOP)):
            browser.size(size, kind == "phone")
            for name, place in (("index", "index.html"), ("functions", "index.html#functions"),
                                ("search", "index.html#q=connect"), ("page", "mm_ipc_connect.3.html"),
                                ("family", "mm_log.3.html"), ("anchor", "mm_stat.3.html#mm_fstat")):
                browser.open(f"{manual.as_uri()}/{place}")
                ratio, text = browser.evaluate(CONTRAST)
                check(ratio >= 4.5, f"{place}, {scheme}: '{text.strip()}' has a contrast of {ratio:.1f}")
                browser.screenshot(directory / f"{name}-{kind}-{scheme}.png")


def main(manual, screenshots, *version_maps):
    manual = Path(manual).resolve()
    names = [name for version_map in version_maps
             for name in re.findall(r"^ *(_?mm_\w+);$", Path(version_map).read_text(encoding="utf-8"), re.M)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            pages, links = check_pages(browser, manual)
            check_search(browser, manual)
            check_without_scripts(browser, manual, names)
            take_screenshots(browser, manual, Path(screenshots))
        finally:
            browser.end()
        for event in browser.events:
            parameters = event.get("params", {})
            address = parameters.get("request", {}).get("url", "about:blank")
            check(address == "about:blank" or address.startswith(manual.as_uri() + "/"), f"{address} is requested")
            check(event["method"] != "Runtime.exceptionThrown", f"an exception: {parameters}")
            check(parameters.get("entry", {}).get("level") != "error", f"Chromium logs: {parameters}")
    if failures:
        raise SystemExit(f"html: {len(failures)} failures in Chromium")
    print(f"html: {pages} pages with {links} links in Chromium; the search finds mm_ipc_connect()")


if __name__ == "__main__":
    main(*sys.argv[1:])
