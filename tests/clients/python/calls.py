"""Calls that are made again while the gateway is away, as the documentation says: the same key, and waits."""

import collections
import threading
import time

import httpx
from gistmill_client.models import Problem

PATIENCE_S = 180.0
WAIT_MIN_S, WAIT_MAX_S = 0.05, 1.0


class Refused(Exception):
    """An answer that no repetition makes better."""

    def __init__(self, answer):
        problem = answer.parsed
        super().__init__(f"{answer.status_code.value} {problem.code}: {problem.detail}" if problem else answer.content)
        self.status, self.problem = answer.status_code.value, problem


class Calls:
    """Makes calls of the generated client, and counts why they were made again."""

    def __init__(self):
        self.repeated = collections.Counter()
        self._lock = threading.Lock()

    def noted(self, why):
        with self._lock:
            self.repeated[why] += 1

    def make(self, operation, *arguments, begins=lambda: None, **named):
        """What an operation answers, after as many repetitions as it takes; `begins` is called before each."""
        deadline, wait_s = time.monotonic() + PATIENCE_S, WAIT_MIN_S
        while True:
            begins()
            try:
                answer = operation.sync_detailed(*arguments, **named)
            except httpx.TransportError as error:
                why, told_s = type(error).__name__, None
            else:
                status = answer.status_code.value
                if status < 300:
                    return answer.parsed
                if status != 429 and status < 500:
                    raise Refused(answer)
                # A generated client that does not know the body of a problem would be none.
                assert isinstance(answer.parsed, Problem), answer
                why, told_s = f"{status} {answer.parsed.code}", answer.headers.get("retry-after")
            self.noted(why)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{operation.__name__}: {why} for {PATIENCE_S:.0f} s")
            time.sleep(float(told_s) if told_s else wait_s)
            wait_s = min(2 * wait_s, WAIT_MAX_S)

    def pages(self, operation, *arguments, **named):
        """All rows of a listing, page by page; and how many pages there were."""
        rows, pages, more = [], 0, {}
        while True:
            page = self.make(operation, *arguments, **named, **more)
            rows.extend(page.items)
            pages += 1
            if not page.next_:
                return rows, pages
            more = {"cursor": page.next_}
