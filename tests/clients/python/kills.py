"""Posts messages and follows events with a generated client, while the gateway is killed again and again.

Ends with 1 unless each message is in Kafka once, and the follower heard each event of the topics once.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

import topics
from calls import Calls, Refused
from follower import TOPICS, Follower
from gistmill_client import AuthenticatedClient
from gistmill_client.api.digests import list_digests, show_claim, show_digest
from gistmill_client.api.groups import change_settings, list_groups
from gistmill_client.api.messages import list_messages, send_messages
from gistmill_client.api.operation import show_lag
from gistmill_client.models import SettingsChange
from gistmill_client.types import File
from process import Gateway, Killer

TENANT = "acme"
GROUPS = ("north", "south")
BEGIN = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
# Some hundred messages in each window of four hours.
APART = datetime.timedelta(minutes=2)
QUIET_S, QUIET_WITHIN_S = 2.0, 600.0
# Share of posts that are made again though they were answered.
LOST = 0.2
WORDS = "release server backup review deploy query index garden budget ticket queue report answer design".split()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gistmill", required=True, help="the program")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a directory for logs")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def client(gistmill, gateway, role):
    command = [gistmill, "gateway", "key", "create", "--tenant", TENANT, "--role", role, "--name", f"clients-{role}"]
    key = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return AuthenticatedClient(base_url=gateway.url, token=key.strip(), timeout=60)


def line(chance, number):
    author = chance.randrange(9)
    text = " ".join(chance.choice(WORDS) for _ in range(chance.randint(4, 16))).capitalize()
    return {
        "id": number,
        "sent_at": (BEGIN + number * APART).isoformat(),
        "author": {"id": f"u{author}", "name": f"Author {author}"},
        "text": text + chance.choice("?..!"),
    }


def posts(chance, count):
    """Posts of a hundred to two hundred messages; the last says that the group is told."""
    lines, bodies = [line(chance, number) for number in range(1, count + 1)], []
    while lines:
        size = chance.randint(100, 200)
        bodies.append(lines[:size])
        lines = lines[size:]
    bodies[-1].append({"complete_until": (BEGIN + (count + 1000) * APART).isoformat()})
    return ["".join(json.dumps(each) + "\n" for each in body) for body in bodies]


class Poster(threading.Thread):
    """Posts a group's messages in order, each post until it is answered."""

    def __init__(self, group, chance, bodies, caller, calls, killer):
        super().__init__(name=f"poster {group}", daemon=True)
        self._group, self._bodies, self._caller, self._calls, self._killer = group, bodies, caller, calls, killer
        self._chance = chance
        self.posts = self.messages = self.already = self.again = 0
        self.error = None

    def run(self):
        try:
            for number, body in enumerate(self._bodies):
                self._post(f"post-{number}", body)
        except Exception as error:  # told by the main thread
            self.error = error

    def _post(self, key, body):
        began, before = time.monotonic(), self._killer.done
        lines = File(payload=body.encode())
        named = {"client": self._caller, "body": lines, "idempotency_key": key, "begins": self._killer.post_begins}
        accepted = self._calls.make(send_messages, self._group, **named)
        if self._killer.done == before and not accepted.already:
            self._killer.post_took(time.monotonic() - began)
        self.posts += 1
        self.messages += accepted.messages
        self.already += accepted.already
        if self._chance.random() < LOST:
            # As if the answer had been lost on its way.
            again = self._calls.make(send_messages, self._group, **named)
            if not again.already or again.messages != accepted.messages:
                raise RuntimeError(f"{key} was posted again, and answered with {again}")
            self.again += 1


def until(what, within_s, holds, threads=()):
    deadline = time.monotonic() + within_s
    while not holds():
        for thread in threads:
            if thread.error is not None:
                raise RuntimeError(f"{thread.name} failed") from thread.error
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.2)


def is_quiet(calls, owner):
    """Whether nothing is on its way, twice with a pause between."""
    for pause_s in (QUIET_S, 0):
        lag = calls.make(show_lag, client=owner)
        if lag.outbox_rows or any(unit.of_tenant for unit in lag.units):
            return False
        time.sleep(pause_s)
    return True


def compared(heard, expected):
    """What is untrue of the events that were heard, and how many came again."""
    untrue, times = [], collections.Counter()
    for may_be, data in heard:
        places = [place for place in may_be if place in expected and is_of(data, expected[place])]
        if len(places) != 1:
            untrue.append(f"an event is of {len(places)} records: {may_be} {data}")
        times.update(places)
    untrue += [f"missing: {place}" for place in expected if place not in times]
    repeats = sum(count - 1 for count in times.values())
    return untrue + ([f"{repeats} events came again"] if repeats else []), repeats


def is_of(data, value):
    """Whether an event tells of a record: times are told otherwise there, names and ids are not."""
    texts = {name for name, each in value.items() if isinstance(each, str) and isinstance(data.get(name), str)}
    timeless = {name for name in texts if not value[name][:4].isdigit()}
    return bool(timeless) and all(data[name] == value[name] for name in timeless)


def read_digests(calls, viewer):
    """Lists digests page by page, and reads one with what its statements rest on."""
    digests, pages = calls.pages(list_digests, client=viewer, limit=5)
    assert len({each.digest_id for each in digests}) == len(digests) > 5, len(digests)
    digest = calls.make(show_digest, digests[-1].digest_id, client=viewer)
    assert digest.digest_id == digests[-1].digest_id and digest.start < digest.end
    claims = [calls.make(show_claim, digest.digest_id, 1, client=viewer)]
    claims += [calls.make(show_claim, digest.digest_id, number, client=viewer) for number in range(2, claims[0].of + 1)]
    assert all(claim.text and {each.id for each in claim.messages} <= set(claim.message_ids) for claim in claims)
    assert any(claim.messages for claim in claims)
    try:
        calls.make(show_digest, "no-such-digest", client=viewer)
        raise AssertionError("a digest that is not there was shown")
    except Refused as refused:
        assert (refused.status, refused.problem.code) == (404, "not_found"), refused
    print(f"read: {len(digests)} digests on {pages} pages; one of {len(claims)} statements")


def meets_the_limit(calls, viewer):
    """Asks until the key has no request left: the next is answered after the wait that is told."""
    before = calls.repeated["429 rate_limited"]
    for _ in range(1000):
        calls.make(list_groups, client=viewer)
        if calls.repeated["429 rate_limited"] > before:
            return
    raise AssertionError("a thousand requests at once met no limit")


def untrue_of_messages(options, calls, viewer, posters):
    each = options.messages // len(GROUPS)
    expected = {(group, number) for group in GROUPS for number in range(1, each + 1)}
    found = {key: times for key, times in topics.messages(TENANT).items() if key[0] in GROUPS}
    untrue = [f"{key} is {times} times in the log" for key, times in found.items() if times != 1]
    untrue += [f"{key} is not in the log" for key in expected - found.keys()]
    untrue += [f"{key} is in the log, and was not posted" for key in found.keys() - expected]
    if (answered := sum(poster.messages for poster in posters)) != len(expected):
        untrue.append(f"{answered} messages were answered for, not {len(expected)}")
    rows, _ = calls.pages(list_messages, GROUPS[0], client=viewer, limit=200)
    if sorted(row.id for row in rows) != list(range(1, each + 1)):
        untrue.append(f"{len(rows)} messages of {GROUPS[0]} are read by pages, not {each}")
    print(f"in Kafka: {len(found)} messages, {sum(found.values())} records of them")
    return untrue


def walk(options, gateway, calls):
    owner, member, viewer = (client(options.gistmill, gateway, role) for role in ("owner", "member", "viewer"))
    gateway.start()
    gateway.wait()
    follower = Follower(client(options.gistmill, gateway, "viewer"), calls)
    follower.start()
    for group in GROUPS:
        calls.make(change_settings, group, client=owner, body=SettingsChange(window_hours=[4]))
    time.sleep(1)
    # The first event, from which on the follower knows where it is.
    alone = line(random.Random(0), 1)
    body = "".join(json.dumps(each) + "\n" for each in (alone, {"complete_until": "2026-04-01T00:00:00Z"}))
    calls.make(send_messages, "first", client=member, body=File(payload=body.encode()), idempotency_key="first")
    until("the first event is heard", 120, lambda: follower.start_places, [follower])

    chance = random.Random(options.seed)
    killer = Killer(gateway, options.kills, chance.random())
    each = options.messages // len(GROUPS)
    posters = [
        Poster(group, random.Random(chance.random()), posts(chance, each), member, calls, killer) for group in GROUPS
    ]
    began = time.monotonic()
    for thread in (killer, *posters):
        thread.start()
    threads = [killer, follower, *posters]
    until("all is posted", 1800, lambda: not any(poster.is_alive() for poster in posters), threads)
    posted_s = time.monotonic() - began
    killer.all_are_posted()
    until("all kills are done", 300, lambda: not killer.is_alive(), threads)
    until("nothing is on its way", QUIET_WITHIN_S, lambda: is_quiet(calls, owner), threads)

    expected = topics.events(TENANT, dict(TOPICS.values()), follower.start_places)
    try:
        until("every event is heard", 60, lambda: len(follower.heard) >= len(expected), [follower])
    except TimeoutError:
        pass  # told below, event by event
    time.sleep(1)
    follower.stop()
    untrue, repeats = compared(follower.heard, expected)
    untrue += untrue_of_messages(options, calls, viewer, posters)
    if killer.done < options.kills:
        untrue.append(f"{killer.done} kills, not {options.kills}")
    print(
        f"posts: {sum(poster.posts for poster in posters)} in {posted_s:.0f} s,"
        f" of which {sum(poster.already for poster in posters)} were in the log when they were tried again after a break,"
        f" and {sum(poster.again for poster in posters)} were made again on purpose: all answered `already`;"
        f" kills: {killer.done}, {killer.within_posts} of them within posts; seed {options.seed}"
    )
    kinds = collections.Counter(topic for topic, _, _ in expected)
    told = ", ".join(f"{count} {topic}" for topic, count in sorted(kinds.items()))
    print(f"events: {len(expected)} in the topics ({told}), {len(follower.heard)} heard, {repeats} of them again")
    print(f"breaks of the follower: {follower.breaks}")
    meets_the_limit(calls, viewer)
    read_digests(calls, viewer)
    print("made again: " + ", ".join(f"{why} {count}" for why, count in sorted(calls.repeated.items())))
    return untrue


def main():
    options = arguments()
    calls = Calls()
    gateway = Gateway(options.gistmill, options.port, options.work / "gateway.log")
    try:
        untrue = walk(options, gateway, calls)
    finally:
        gateway.stop()
    for each in untrue[:20]:
        print(f"untrue: {each}", file=sys.stderr)
    if untrue:
        print(f"untrue: {len(untrue)} in all", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
