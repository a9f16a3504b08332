#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links that really go down and up, between two network namespaces.

    netns.py STAGE_PROGRAM [CASE...]

A local stage is in the one, gst-launch-1.0 with the element in the other, a veth pair
between them. It needs root, iproute2 and a kernel that lets it make namespaces; else
it is skipped with the reason. GST_PLUGIN_PATH says where the element is. TAP.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TAG = f"ivs{os.getpid() % 100000}"
STAGE_NS, FIELD_NS = f"{TAG}s", f"{TAG}f"
STAGE_IP, FIELD_IP, OTHER_IP = "10.77.0.2", "10.77.0.1", "10.77.0.3"
NOTICE = 8.3  # s, and some for looking ten times a second
SLACK = 1  # s: a stage's jitter buffer, and looking is a process of its own each time
ASK = ("import json,sys,urllib.request as u;"
       "r=u.Request(sys.argv[1],data=sys.argv[2].encode() if len(sys.argv)>2 else None);"
       "print(u.urlopen(r,timeout=10).read().decode())")


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, text=True, capture_output=True)


def inside(namespace, *words):
    return ["ip", "netns", "exec", namespace, *words]


def why_not():
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in "ip", "gst-launch-1.0":
        if shutil.which(program) is None:
            return f"{program} is not installed"
    made = ip("netns", "add", STAGE_NS, check=False)
    if made.returncode != 0:
        return "no network namespace can be made: " + made.stderr.strip()
    # Entered means mounts of its own, which a chroot for one does not allow.
    entered = ip("netns", "exec", STAGE_NS, "true", check=False)
    if entered.returncode != 0:
        ip("netns", "del", STAGE_NS, check=False)
        return "a network namespace cannot be entered: " + entered.stderr.strip()
    return None


def make_network():
    ip("netns", "add", FIELD_NS)
    ip("link", "add", "stage0", "netns", STAGE_NS, "type", "veth",
       "peer", "name", "field0", "netns", FIELD_NS)
    for namespace, link, address in ((STAGE_NS, "stage0", STAGE_IP),
                                     (FIELD_NS, "field0", FIELD_IP)):
        ip("-n", namespace, "address", "add", address + "/24", "dev", link)
        ip("-n", namespace, "link", "set", link, "up")
        ip("-n", namespace, "link", "set", "lo", "up")


def drop_network():
    for namespace in STAGE_NS, FIELD_NS:
        ip("netns", "delete", namespace, check=False)


def link(state):
    ip("-n", FIELD_NS, "link", "set", "field0", state)


def restore_network():
    ip("-n", FIELD_NS, "address", "flush", "dev", "field0")
    ip("-n", FIELD_NS, "address", "add", FIELD_IP + "/24", "dev", "field0")
    link("up")


class Stage:
    def __init__(self, program):
        self.process = subprocess.Popen(
            inside(STAGE_NS, program, "--quiet", "--die-with-parent", "--bind", STAGE_IP),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def ask(self, path, body=None):
        words = [self.ready["api"] + path] + ([json.dumps(body)] if body is not None else [])
        return json.loads(subprocess.check_output(
            inside(STAGE_NS, sys.executable, "-c", ASK, *words), text=True))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Publisher:
    """gst-launch-1.0 in the other namespace, and its participant on the stage."""

    def __init__(self, stage, log):
        token = stage.ask("/token", {})["participantToken"]
        self.stage, self.id = stage, token["participantId"]
        self.log = open(log, "w+")
        words = ("gst-launch-1.0 -m videotestsrc is-live=true "
                 "! video/x-raw,width=320,height=240,framerate=30/1 ! ivsstagesink name=s "
                 f"max-retries=-1 whip-endpoint={stage.ready['regional']}/ "
                 "audiotestsrc is-live=true ! s.").split()
        self.process = subprocess.Popen(
            inside(FIELD_NS, *words), stdout=self.log, stderr=subprocess.STDOUT,
            env=dict(os.environ, IVS_STAGE_TOKEN=token["token"]))

    def look(self):
        everyone = self.stage.ask("/state")["participants"]
        return next(one for one in everyone if one["id"] == self.id)

    def wait(self, what, condition, seconds):
        deadline = time.monotonic() + seconds
        while True:
            now = self.look()
            if condition(now):
                return now
            if time.monotonic() > deadline:
                raise AssertionError(f"not after {seconds} s: {what}\n{now}\n{self.read_log()[-4000:]}")
            time.sleep(0.1)

    def wait_media(self, seconds, more=20):
        """Frames that were not there before; the state then."""
        before = self.look()

        def has_more(now):
            old, new = before["session"], now["session"]
            seen = old["video"]["frames"] if old and old["id"] == new["id"] and old["video"] else 0
            return bool(new["video"]) and new["video"]["frames"] >= seen + more
        return self.wait("frames", has_more, seconds) if before["session"] else \
            self.wait("frames", lambda now: now["session"] and has_frames(now, more), seconds)

    def read_log(self):
        self.log.seek(0)
        return self.log.read()

    def count(self, text):
        return self.read_log().count(text)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)


def has_frames(now, more):
    return bool(now["session"]["video"]) and now["session"]["video"]["frames"] >= more


def has_both(now):
    session = now["session"]
    return bool(session and session["video"] and session["audio"])


def lasts(publisher, seconds):
    """The links stay as they are for so long; how long until a loss was told, or None."""
    began, noticed = time.monotonic(), None
    while time.monotonic() - began < seconds:
        if noticed is None and publisher.count("ivs-stage-lost"):
            noticed = time.monotonic() - began
        time.sleep(0.1)
    return noticed


def short_outage(publisher):
    """3 s: nobody notices but the viewers, and the session goes on at once."""
    publisher.wait("sound and picture", has_both, 20)  # late sound is another session
    before = publisher.wait_media(20)
    link("down")
    noticed = lasts(publisher, 3)
    link("up")
    began = time.monotonic()
    after = publisher.wait_media(5, more=5)
    assert noticed is None, noticed
    assert after["sessions"] == before["sessions"], after["sessions"]
    assert after["session"]["id"] == before["session"]["id"]
    return f"media {time.monotonic() - began:.1f} s after the link"


def long_outage(publisher):
    """14 s: noticed, and a new session as soon as a retry finds the network."""
    publisher.wait_media(20)
    link("down")
    noticed = lasts(publisher, 14)
    link("up")
    began = time.monotonic()
    assert noticed is not None and noticed < NOTICE, noticed
    waits = re.findall(r"follows in ([\d.]+) s", publisher.read_log())
    waited = float(waits[-1]) if waits else 0  # at most: it ran already
    after = publisher.wait_media(waited + 2 + SLACK)
    took = time.monotonic() - began
    assert publisher.count("ivs-stage-lost") == 1, publisher.read_log()
    assert after["session"]["video"]["last_packet_age_ms"] < 1000
    return (f"noticed after {noticed:.1f} s, media {took:.1f} s after the link "
            f"(the wait that ran: {waited} s)")


def new_address(publisher):
    """From one network into another: the old address is gone."""
    before = publisher.wait_media(20)
    ip("-n", FIELD_NS, "address", "add", OTHER_IP + "/24", "dev", "field0")
    ip("-n", FIELD_NS, "address", "delete", FIELD_IP + "/24", "dev", "field0")
    # Secondary addresses of a network go with the first one.
    ip("-n", FIELD_NS, "address", "replace", OTHER_IP + "/24", "dev", "field0")
    began = time.monotonic()
    publisher.wait("a new session with frames",
                   lambda now: now["session"]["id"] != before["session"]["id"] and
                   has_frames(now, 20), NOTICE + 6)
    took = time.monotonic() - began
    assert publisher.count("ivs-stage-lost") == 1, publisher.read_log()
    return f"media from the new address after {took:.1f} s"


CASES = {"short-outage": short_outage, "long-outage": long_outage, "new-address": new_address}


def check_deleted(publisher):
    """Every session that was made got its DELETE, wherever it came from."""
    requests = [one for one in publisher.stage.ask("/state")["requests"]
                if one["participant"] == publisher.id]
    made = [one for one in requests if one["method"] == "POST" and one["status"] == 201]
    deleted = {one["path"] for one in requests if one["method"] == "DELETE"}
    assert len(deleted) == len(made), requests


def run(stage, name, log):
    publisher = Publisher(stage, log)
    try:
        told = CASES[name](publisher)
    finally:
        publisher.stop()
        restore_network()
    now = publisher.look()
    assert not now["publishing"], now["session"]
    check_deleted(publisher)
    return told


def main(arguments):
    names = arguments[1:] or list(CASES)
    reason = why_not()
    if reason is not None:
        print("1..0 # SKIP", reason)
        return 0
    failures = 0
    folder = tempfile.TemporaryDirectory()
    log = os.path.join(folder.name, "log")
    try:
        make_network()
        stage = Stage(arguments[0])
        print(f"1..{len(names)}", flush=True)
        for number, name in enumerate(names, 1):
            try:
                print(f"# {name}: {run(stage, name, log)}")
                print(f"ok {number} /netns/{name}", flush=True)
            except Exception as error:  # each case has its own line
                failures += 1
                print("\n".join("# " + line for line in str(error).splitlines()))
                print(f"not ok {number} /netns/{name}", flush=True)
        stage.stop()
    finally:
        drop_network()
        folder.cleanup()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
