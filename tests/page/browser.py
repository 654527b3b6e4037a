"""A page in headless Chromium, driven through its pipe of DevTools messages: what a user does, and what the page then says.

    with Browser("page.html") as page: page.evaluate("document.title")
"""
import json
import os
import shutil
import subprocess
import tempfile


class Browser:
    def __init__(self, path, size=(1280, 900)):
        self.folder = tempfile.mkdtemp()
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def wire():  # Chromium reads messages from descriptor 3 and answers on 4
            os.dup2(to_browser, 63)
            os.dup2(from_browser, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND",
             "--remote-debugging-pipe", f"--window-size={size[0]},{size[1]}", f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder})
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.session = b"", 0, None
        self.faults, self.requests = [], []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(domain + ".enable")
        self.loaded = False
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not self.loaded:
            self.note(self.receive())
        self.wait("document.documentElement.dataset.ready === 'yes'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.write_end)
        self.process.terminate()
        self.process.wait(20)
        os.close(self.read_end)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.buffer:
            more = os.read(self.read_end, 1 << 20)
            if not more:
                raise RuntimeError("the browser has gone")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def note(self, event):
        name, said = event.get("method"), event.get("params", {})
        if name == "Runtime.exceptionThrown":
            self.faults.append(said["exceptionDetails"].get("exception", {}).get("description", said["exceptionDetails"]["text"]))
        elif name == "Runtime.consoleAPICalled":
            self.faults.append("console: " + " ".join(str(a.get("value")) for a in said["args"]))
        elif name == "Log.entryAdded":
            self.faults.append("log: " + said["entry"]["text"])
        elif name == "Page.loadEventFired":
            self.loaded = True
        elif name == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])

    def evaluate(self, script):
        said = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise RuntimeError(f"{script}: {said['exceptionDetails'].get('exception', {}).get('description')}")
        return said["result"].get("value")

    def wait(self, condition):
        self.evaluate(f"new Promise(done => {{ const look = () => {condition} ? done(true) : setTimeout(look, 20); look(); }})")

    def key(self, key, code=0, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def resize(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def picture(self, path, whole=False):
        import base64
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
