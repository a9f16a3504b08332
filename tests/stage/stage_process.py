# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A local stage as a process of its own, asked over its API."""
import json
import os
import subprocess
import urllib.request

SECONDS = 150  # that one program may take


class Stage:
    """A local stage that nobody else uses meanwhile."""

    def __init__(self, build, prefix=()):
        self.process = subprocess.Popen(
            [*prefix, str(build / "examples/stage/ivs-local-stage"), "--quiet",
             "--die-with-parent", "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={name: value for name, value in os.environ.items() if name != "G_DEBUG"})
        self.ready = json.loads(self.process.stdout.readline())

    def ask(self, path, body=None):
        request = urllib.request.Request(
            self.ready["api"] + path, data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)

    def mint(self, request):
        return self.ask("/token", request)["participantToken"]

    def is_live(self, participant):
        """Pictures of it have come."""
        return any(one["id"] == participant and one["publishing"]
                   and one["session"]["video"] and one["session"]["video"]["frames"] > 0
                   for one in self.ask("/state")["participants"])

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
