#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An application that publishes: shows state and errors, hands out fresh tokens.

    publish.py [--seconds N] COMMAND...

COMMAND prints a participant token. It is run at every attempt: at the start, when a
session was lost, shortly before one ends by its age. With AWS's command line:

    publish.py aws ivs-realtime create-participant-token --stage-arn ARN \\
        --query participantToken.token --output text

It needs python3-gi and gir1.2-gstreamer-1.0 (Debian).
"""
import argparse
import signal
import subprocess
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402  (the version comes first)

PIPELINE = """
    videotestsrc is-live=true ! video/x-raw,width=1280,height=720,framerate=30/1
        ! timeoverlay ! ivsstagesink name=stage renew-session=true max-retries=-1
    audiotestsrc is-live=true wave=ticks ! stage."""


class App:
    def __init__(self, command):
        self.command = command
        self.loop = GLib.MainLoop()
        self.failed = False
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.pipeline.get_by_name("stage").connect("request-token", self.token_requested)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.message_came)

    def token_requested(self, stage):
        """On a thread of the element, which waits. None: it looks for another token."""
        try:
            return subprocess.run(self.command, check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.strip()
        except (OSError, subprocess.CalledProcessError) as error:
            print("No token:", error, file=sys.stderr)
            return None

    def message_came(self, bus, message):
        if message.type == Gst.MessageType.ELEMENT:
            self.told(message.get_structure())
        elif message.type == Gst.MessageType.WARNING:
            show("warning", message.parse_warning()[0], message.parse_warning_details())
        elif message.type == Gst.MessageType.ERROR:  # it does not come back by itself
            show("error", message.parse_error()[0], message.parse_error_details())
            self.failed = True
            self.loop.quit()
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()

    @staticmethod
    def told(structure):
        name = structure.get_name()
        if name == "ivs-stage-state":
            print("state:", structure.get_value("state"), flush=True)
        elif name == "ivs-stage-lost":  # no error: the element comes back
            print("lost:", structure.get_value("sentence"))
            print("  Look it up:", structure.get_value("look-up"), flush=True)
        elif name in ("ivs-stage-token-expiring", "ivs-stage-session-ending"):
            print(name, "in", structure.get_value("seconds-left"), "s", flush=True)

    def end(self):
        """The session is deleted at the stage before EOS comes."""
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def run(self, seconds):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.end)
        if seconds:
            GLib.timeout_add_seconds(seconds, self.end)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        return 1 if self.failed else 0


def show(severity, error, details):
    """The sentence says what happened, the hint what to do; "name" is for programs."""
    print(f"{severity}: {error.message}", file=sys.stderr)
    if details is not None and details.has_field("hint"):
        print(f"  ({details.get_value('name')}) {details.get_value('hint')}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("say which command prints a participant token")
    Gst.init(None)
    return App(options.command).run(options.seconds)


if __name__ == "__main__":
    sys.exit(main())
