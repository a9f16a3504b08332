#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Publishes for long to a local stage that misbehaves, and tells what came of it.

    soak.py STAGE_PROGRAM [--minutes 60] [--every 20] [--seed 1] [--only FAULT]

A fault every so many seconds, chosen at random (by the seed); gst-launch-1.0 publishes
sound and a picture all the while. GST_PLUGIN_PATH says where the element is. At the end
a table: what was delivered of what was possible, per fault how long no picture came, and
what the publisher's process holds at the start and at the end. The exit status is 0 if it
published to the end, came back each time before the next fault (or, where it said that it
would wait for longer, soon after that wait), delivered what such faults leave, and holds
no more than it did.
"""
import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

FPS = 30
WARM_UP = 15  # s: plugins are loaded, buffers are filled
ATTEMPT = 5  # s: from the end of a wait to the first picture, on a busy computer
# Of all pictures: one fault in two ends what is live for 6 to 12 s of 20.
DELIVERED = 0.6
# What may come on top in the process: a session that is being closed has some of each.
MORE_DESCRIPTORS, MORE_THREADS, MORE_RSS = 12, 8, 1.3

FAULTS = {  # name: requests to api/faults; "+N" waits for N seconds
    "killed": [{"rule": "kill"}],
    "DTLS close": [{"rule": "dtls-close"}],
    "UDP cut for 3 s": [{"rule": "cut", "ms": 3000}],
    "UDP cut for 12 s": [{"rule": "cut", "ms": 12000}],
    "frozen session": [{"rule": "freeze"}],
    "frozen process for 10 s": ["stop", "+10", "continue"],
    "closed, refused twice": [{"rule": "unreachable", "count": 2}, {"rule": "dtls-close"}],
    "closed, throttled": [{"rule": "throttled", "count": 1, "retry_after": 3}, {"rule": "dtls-close"}],
    "closed, slow answer": [{"rule": "slow", "ms": 2000, "count": 1}, {"rule": "dtls-close"}],
    "10 % loss for 5 s": [{"rule": "loss", "percent": 10}, "+5", {"rule": "loss", "percent": 0}],
}


class Stage:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "--quiet", "--die-with-parent"],
                                        stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.ready["api"] + path, data, timeout=30) as answer:
            return json.load(answer)

    def act(self, step):
        if step == "stop":
            self.process.send_signal(signal.SIGSTOP)
        elif step == "continue":
            self.process.send_signal(signal.SIGCONT)
        elif isinstance(step, str):
            time.sleep(int(step))
        else:
            try:
                self.ask("/faults", step)
            except urllib.error.HTTPError as error:
                if error.code != 409:  # nobody publishes just now
                    raise


class Publisher:
    def __init__(self, stage, folder):
        self.stage = stage
        self.token_file = os.path.join(folder, "token")
        self.log_file = os.path.join(folder, "log")
        self.heard, self.losses = 0, 0
        self.fresh_token()
        words = ("gst-launch-1.0 -m videotestsrc is-live=true pattern=ball "
                 f"! video/x-raw,width=320,height=240,framerate={FPS}/1 ! ivsstagesink name=s "
                 f"max-retries=-1 auth-token-file={self.token_file} "
                 "audiotestsrc is-live=true ! s.").split()
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)

    def fresh_token(self):
        token = self.stage.ask("/token", {})["participantToken"]["token"]
        with open(self.token_file + ".new", "w", encoding="utf-8") as file:
            file.write(token)
        os.replace(self.token_file + ".new", self.token_file)

    def measure(self):
        proc = f"/proc/{self.process.pid}"
        with open(proc + "/statm", encoding="ascii") as file:
            rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        return {"RSS, MB": round(rss, 1), "descriptors": len(os.listdir(proc + "/fd")),
                "threads": len(os.listdir(proc + "/task"))}

    def read_news(self):
        """What it has said since this was asked last."""
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            file.seek(self.heard)
            news = file.read()
            self.heard = file.tell()
        self.losses += news.count("ivs-stage-lost,")
        return news


class Sight:
    """What the stage has seen, session by session."""

    def __init__(self, stage):
        self.stage = stage
        self.frames = {}
        self.made = 0

    def look(self):
        """True: pictures have come since the last look."""
        before = sum(self.frames.values())
        everyone = self.stage.ask("/state")["participants"]
        self.made = sum(one["sessions"]["made"] for one in everyone)
        for one in everyone:
            session = one["session"]
            if session and session["video"]:
                self.frames[session["id"]] = session["video"]["frames"]
        return sum(self.frames.values()) > before


class Pictures:
    """When pictures came, and whether they came back when they should."""

    def __init__(self, sight, publisher):
        self.sight, self.publisher = sight, publisher
        self.last = time.monotonic()
        self.waits_until = 0  # as the publisher has told

    def watch(self, until):
        """The longest time without a picture; None: it is due and has not come."""
        longest = 0.0
        while time.monotonic() < until:
            if self.publisher.process.poll() is not None:
                raise SystemExit("soak.py: the publisher has ended:\n" +
                                 open(self.publisher.log_file, encoding="utf-8").read()[-3000:])
            time.sleep(0.2)
            comes = self.sight.look()
            now = time.monotonic()
            for wait in re.findall(r"follows in ([0-9.]+) s", self.publisher.read_news()):
                self.waits_until = now + float(wait) + ATTEMPT
            longest = max(longest, now - self.last)
            if comes:
                self.last = now
        return None if self.are_missing() and time.monotonic() > self.waits_until else longest

    def are_missing(self):
        return time.monotonic() - self.last > 2


def make_fault(stage, publisher, name):
    publisher.fresh_token()
    for step in FAULTS[name]:
        stage.act(step)


def report(options, sight, publisher, pauses, start, end, seconds):
    delivered = sum(sight.frames.values()) / FPS
    failed = [name for name, pause in pauses if pause is None]
    print(f"\n{seconds / 60:.1f} minutes, seed {options.seed}, {len(pauses)} faults\n")
    print("| what | value |\n| --- | --- |")
    print(f"| sessions made | {sight.made} |")
    print(f"| lost, as the element told | {publisher.losses} |")
    print(f"| faults after which media came back | {len(pauses) - len(failed)} of {len(pauses)} |")
    print(f"| seconds of picture delivered | {delivered:.0f} of {seconds:.0f} "
          f"({100 * delivered / seconds:.1f} %) |")
    for name, value in start.items():
        print(f"| {name} at the start, at the end | {value}, {end[name]} |")
    print("\n| fault | times | longest time without a picture, s: mean, worst |\n| --- | --- | --- |")
    for name in FAULTS:
        found = [pause for fault, pause in pauses if fault == name and pause is not None]
        if found:
            print(f"| {name} | {len(found)} | {sum(found) / len(found):.1f}, {max(found):.1f} |")
    return not failed and delivered >= DELIVERED * seconds


def is_flat(start, end):
    return (end["descriptors"] <= start["descriptors"] + MORE_DESCRIPTORS and
            end["threads"] <= start["threads"] + MORE_THREADS and
            end["RSS, MB"] <= start["RSS, MB"] * MORE_RSS)


def soak(options, stage, publisher):
    sight, pauses = Sight(stage), []
    pictures = Pictures(sight, publisher)
    dice = random.Random(options.seed)
    if pictures.watch(time.monotonic() + WARM_UP) is None:
        raise SystemExit("soak.py: nothing is published:\n" +
                         open(publisher.log_file, encoding="utf-8").read()[-3000:])
    start, began = publisher.measure(), time.monotonic()
    sight.frames = {}
    sight.look()
    already = sum(sight.frames.values())
    while time.monotonic() - began < options.minutes * 60:
        name = options.only or dice.choice(list(FAULTS))
        at, was_missing = time.monotonic(), pictures.are_missing()
        make_fault(stage, publisher, name)
        if not was_missing and "process" not in name:  # nobody looked while the fault was made
            pictures.last = time.monotonic()
        pause = pictures.watch(at + options.every)
        pauses.append((name, pause))
        holds = ", ".join(f"{value} {what}" for what, value in publisher.measure().items())
        print(f"{time.monotonic() - began:5.0f} s  {name}: "
              f"{'no picture when it was due' if pause is None else f'{pause:.1f} s without a picture'}"
              f"{', and it waits' if pictures.are_missing() else ''} ({holds})",
              flush=True)
    seconds = time.monotonic() - began
    end = publisher.measure()
    sight.frames["before"] = -already
    return report(options, sight, publisher, pauses, start, end, seconds) and is_flat(start, end)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage_program")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FAULTS), help="this fault, each time")
    options = parser.parse_args()
    stage = Stage(options.stage_program)
    with tempfile.TemporaryDirectory() as folder:
        publisher = Publisher(stage, folder)
        try:
            is_good = soak(options, stage, publisher)
        finally:
            stage.process.send_signal(signal.SIGCONT)
            publisher.process.send_signal(signal.SIGINT)
            publisher.process.wait(15)
            stage.process.terminate()
            stage.process.wait(15)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
