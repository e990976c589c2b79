"""The gateway in a process of its own, killed at moments drawn from a seed."""

import os
import random
import signal
import subprocess
import threading
import time
import urllib.request

READY_S = 60.0
# Kills that are kept for the time after the last post, when digests come.
KEPT = 5


class Gateway:
    """A gateway on one address; `log` has what all its processes said."""

    def __init__(self, binary, port, log):
        self.url = f"http://127.0.0.1:{port}"
        self._command = [binary, "gateway", "run"]
        self._environment = {**os.environ, "GISTMILL_GATEWAY__LISTEN": f"127.0.0.1:{port}"}
        self._log = open(log, "ab")
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command, env=self._environment, stderr=self._log)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait(self):
        deadline = time.monotonic() + READY_S
        while not self.is_ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"the gateway ended by itself with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the gateway is not ready after {READY_S:.0f} s")
            time.sleep(0.02)

    def kill(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"the gateway ended by itself with {self._process.returncode}")
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
        self._log.close()


class Killer(threading.Thread):
    """Kills the gateway and starts it again: most times within a post that has just begun, then whenever."""

    def __init__(self, gateway, kills, seed):
        super().__init__(name="killer", daemon=True)
        self._gateway, self._kills, self._chance = gateway, kills, random.Random(seed)
        self._begun, self._are_posted = threading.Event(), threading.Event()
        self._post_s = 1.0
        self.done = self.within_posts = 0
        self.error = None

    def post_begins(self):
        self._begun.set()

    def post_took(self, seconds):
        """A post that nothing disturbed: moments are drawn from as long a time."""
        self._post_s = seconds

    def all_are_posted(self):
        self._are_posted.set()
        self._begun.set()

    def run(self):
        try:
            while self.done < self._kills:
                self._gateway.wait()
                self._moment()
                self._gateway.kill()
                self.done += 1
                time.sleep(self._chance.uniform(0.0, 0.5))
                self._gateway.start()
            self._gateway.wait()
        except (OSError, RuntimeError) as error:
            self.error = error

    def _moment(self):
        if self.done >= self._kills - KEPT:
            self._are_posted.wait()
        if self._are_posted.is_set():
            time.sleep(self._chance.uniform(0.0, 3.0))
            return
        self._begun.clear()
        self._begun.wait()
        self.within_posts += not self._are_posted.is_set()
        # Most moments lie late in a post, where it may be in the log and not answered yet.
        time.sleep(self._post_s * self._chance.triangular(0.0, 1.2, 1.0))
