#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The applications in examples, at a local stage that ends their session once.

    examples.py BUILD

Each says what happens, comes back with another token, and leaves when it is interrupted.
"""
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "repository"))

import tap  # noqa: E402
from stage_process import SECONDS, Stage  # noqa: E402

MINT = ("import json,sys,urllib.request as u;"
        "print(json.load(u.urlopen(sys.argv[1]+'/token',b'{}'))['participantToken']['token'])")
HAS_GI = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst"


class Application:
    def __init__(self, words, stage):
        self.process = subprocess.Popen(
            [*words, sys.executable, "-c", MINT, stage.ready["api"]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        self.limit = threading.Timer(SECONDS, self.process.kill)
        self.limit.start()

    def wait_for(self, beginning):
        """A line that is yet to come, or that was not waited for."""
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith(beginning):
                return
        raise AssertionError(f"'{beginning}' was not said:\n{''.join(self.said)}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        self.said += self.process.stdout
        return self.process.wait(SECONDS)

    def end(self):
        self.limit.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def await_pictures(stage, seen):
    """The id of who publishes now, not one of those."""
    deadline = time.monotonic() + SECONDS
    while True:
        participants = stage.ask("/state")["participants"]
        for one in participants:
            if one["id"] not in seen and stage.is_live(one["id"]):
                return one["id"]
        tap.check(time.monotonic() < deadline, f"no pictures came: {json.dumps(participants)}")
        time.sleep(0.1)


def check_end(stage, application, status, last):
    said = "".join(application.said)
    tap.check(status == 0, f"exit status {status}:\n{said}")
    tap.check("state: closed" in said, f"the end is not said:\n{said}")
    participants = stage.ask("/state")["participants"]
    sessions = {one["id"]: one["sessions"] for one in participants}
    tap.check([one["made"] for one in sessions.values()] == [1, 1],
              f"not one session for each of two tokens: {json.dumps(participants)}")
    tap.check(sessions[last]["deleted"] == 1, f"it was not deleted: {json.dumps(participants)}")


def publish(stage, words):
    application = Application(words, stage)
    try:
        application.wait_for("state: connected")
        first = await_pictures(stage, [])
        stage.ask("/faults", {"rule": "dtls-close"})
        application.wait_for("lost: The stage closed the media connection")
        application.wait_for("state: reconnecting")
        application.wait_for("state: connected")
        last = await_pictures(stage, [first])
        check_end(stage, application, application.interrupt(), last)
    finally:
        application.end()


def test(build, words):
    stage = Stage(build)
    try:
        publish(stage, words)
    finally:
        stage.stop()


def find_python():
    """The one of the system has Debian's python3-gi, the first one may be another."""
    for program in sys.executable, "/usr/bin/python3":
        if subprocess.run([program, "-c", HAS_GI], stderr=subprocess.DEVNULL, check=False) \
                .returncode == 0:
            return program
    raise tap.Skipped("no Python here has GStreamer (python3-gi, gir1.2-gstreamer-1.0)")


def main(build):
    script = SOURCE / "examples" / "python" / "publish.py"
    tap.run([
        ("/examples/publish", lambda: test(build, [build / "examples" / "publish"])),
        ("/examples/publish.py", lambda: test(build, [find_python(), script])),
    ])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
