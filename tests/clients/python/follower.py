"""Follows `/api/v1/events` over breaks: each event once, with its place in the topics."""

import json
import threading
import time

import httpx
from gistmill_client.api.digests import listen

# A sign of life comes each 15 s.
SILENCE_S = 30.0
TOPICS = {
    "window": ("w", "group.window.ready.v1"),
    "digest": ("p", "digest.persisted.v1"),
    "blocked": ("b", "digest.blocked.v1"),
    "delivery": ("d", "digest.delivered.v1"),
}


def places(event_id):
    """The id of an event: the next offset of each partition, by letter and partition."""
    parts = (part.split(":") for part in event_id.split(","))
    return {(letter, int(partition)): int(offset) for letter, partition, offset in parts}


class Follower(threading.Thread):
    """Hears events. `heard` has, for each, the places that it may be of (topic, partition, offset), and what it says."""

    def __init__(self, client, calls):
        super().__init__(name="follower", daemon=True)
        self._client, self._calls = client, calls
        self._last = None
        self._is_over = threading.Event()
        self.start_places = None
        self.heard, self.breaks = [], 0
        self.error = None

    def stop(self):
        self._is_over.set()

    def run(self):
        try:
            while not self._is_over.is_set():
                try:
                    self._listen()
                except httpx.TransportError as error:
                    self._calls.noted(f"events: {type(error).__name__}")
                self.breaks += 1
                time.sleep(0.1)
        except Exception as error:  # told by the main thread
            self.error = error

    def _listen(self):
        # The generated function would read the stream to its end, which it does not have: its request is made here.
        named = {"last_event_id": self._last} if self._last else {}
        request = listen._get_kwargs(**named)
        with self._client.get_httpx_client().stream(**request, timeout=SILENCE_S) as answer:
            if answer.status_code != 200:
                answer.read()
                self._calls.noted(f"events: {answer.status_code} {answer.json().get('code')}")
                if answer.status_code not in (429, 503):
                    raise RuntimeError(f"events are refused: {answer.text}")
                time.sleep(float(answer.headers.get("retry-after", 1)))
                return
            event = {}
            for line in answer.iter_lines():
                if self._is_over.is_set():
                    return
                if line:
                    name, _, value = line.partition(":")
                    event[name] = value.removeprefix(" ")
                elif event:
                    self._takes(event)
                    event = {}

    def _takes(self, event):
        if event.get("event") == "dropped":
            self._calls.noted(f"events: dropped {event['data']}")
            return
        if not event.get("id"):
            return
        before, now = self._last and places(self._last), places(event["id"])
        self._last = event["id"]
        if before is None:
            # An id tells where to go on, and so what comes from here: this one is where the comparison begins.
            self.start_places = now
        elif "data" in event:
            letter, topic = TOPICS[event["event"]]
            # More than one may have moved: ends of transactions have offsets too.
            moved = [key for key in now if key[0] == letter and now[key] != before[key]]
            may_be = [(topic, partition, now[(of, partition)] - 1) for of, partition in moved]
            self.heard.append((may_be, json.loads(event["data"])))
