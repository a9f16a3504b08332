# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the programs that measure share: the stage, the senders, tables and JSON."""
import argparse
import atexit
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(SOURCE, "tests", "unit", "data")
CERTIFICATE, CA = os.path.join(DATA, "whip-server.pem"), os.path.join(DATA, "whip-ca.pem")
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"
DEADLINE = 30  # s, for a first picture
FILE_SECONDS = 40

# simple-whip-client leaves the loopback interface out, as libnice does by itself, and
# FFmpeg trusts whom the system trusts and nobody else. So where one of them is installed
# everything is measured where 127.0.0.1 is another interface's address and our CA is the
# system's.
PLACE = f"""
mount --bind {CA} {SYSTEM_CA} && ip link set lo up && ip address del 127.0.0.1/8 dev lo &&
ip link add bench type veth peer name other && ip link set other up && ip link set bench up &&
ip address add 127.0.0.1/8 dev bench && exec "$@"
"""
PLACE_ENTERED = "IVS_BENCH_PLACE"


# What the bench's own program has before a webrtcbin.
AUDIO_RTP = ("opusparse ! rtpopuspay pt=96 ! "
             "application/x-rtp,media=audio,encoding-name=OPUS,payload=96,clock-rate=48000")
VIDEO_RTP = ("h264parse config-interval=-1 ! rtph264pay pt=97 config-interval=-1 aggregate-mode=zero-latency ! "
             "application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000")


class Bench:
    """A build directory and a folder that is gone at the end."""

    def __init__(self, description):
        self.parser = argparse.ArgumentParser(description=description,
                                              formatter_class=argparse.RawDescriptionHelpFormatter)
        self.parser.add_argument("build", help="a build directory of this source")
        self.parser.add_argument("--json", help="write the figures to this file")
        self.parser.add_argument("--senders", help="only these, with commas between")
        self.children = []
        atexit.register(self.end)

    def parse(self):
        self.options = self.parser.parse_args()
        wanted = self.options.senders.split(",") if self.options.senders else PROGRAMS
        if any(name in wanted and PEERS[name](name) for name in PROGRAMS):
            enter_place()
        self.build = os.path.abspath(self.options.build)
        self.folder = tempfile.mkdtemp(prefix="ivs-bench-")
        plugin = os.path.join(self.build, "gst", "ivs")
        os.environ["GST_PLUGIN_PATH_1_0"] = os.pathsep.join(
            [plugin] + os.environ.get("GST_PLUGIN_PATH_1_0", "").split(os.pathsep))
        # Rust and OpenSSL peers have no property for it.
        os.environ["SSL_CERT_FILE"] = CA
        subprocess.run(["gst-inspect-1.0", "ivsstagesink"], stdout=subprocess.DEVNULL, check=True)
        return self.options

    def program(self, *path):
        return os.path.join(self.build, *path)

    def start(self, words, **more):
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
        self.children.append(child)
        return child

    def end(self):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
                child.wait(10)
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def find_senders(self, *more):
        """The names of those that are here, and @more; prints which are not."""
        found = ["element", "bare", "bare-lean", *more]
        for name, is_here in PEERS.items():
            if not is_here(name):
                print(f"absent: {name}")
            elif name in PROGRAMS and PLACE_ENTERED not in os.environ:
                print(f"left out: {name}, which needs a network of its own, and that needs root")
            else:
                found.append(name)
        wanted = self.options.senders.split(",") if self.options.senders else found
        return [name for name in found if name in wanted]

    def write(self, name, result):
        if self.options.json:
            machine = {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                       "processors": os.cpu_count(), "system": platform.platform(),
                       "load": os.getloadavg()[0]}
            with open(self.options.json, "w", encoding="utf-8") as file:
                json.dump({"bench": name, "machine": machine, **result}, file, indent=1)
                file.write("\n")


class Stage:
    def __init__(self, bench, *options):
        self.process = bench.start([bench.program("examples", "stage", "ivs-local-stage"), "--port", "0",
                                    "--quiet", "--die-with-parent", *options])
        self.ready = json.loads(self.process.stdout.readline())
        self.regional = self.ready["regional"] + "/"

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.ready["api"] + path, data, timeout=30) as answer:
            return json.load(answer)

    def mint(self):
        token = self.ask("/token", {})["participantToken"]
        return token["token"], token["participantId"]

    def look(self, participant):
        """What arrives of this one's picture, or nothing yet."""
        for one in self.ask("/state")["participants"]:
            if one["id"] == participant:
                return (one["session"] or {}).get("video") or {}
        return {}

    def wait_picture(self, participant):
        """The state when the first picture has been there for a moment."""
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if self.look(participant).get("first_picture_us"):
                time.sleep(0.5)
                return self.look(participant)
            time.sleep(0.1)
        return None


class Network:
    """The stage behind a delay."""

    def __init__(self, bench, stage):
        self.process = bench.start([bench.program("tests", "bench", "ivs-bench-network"), stage.regional,
                                    CERTIFICATE])
        self.urls = json.loads(self.process.stdout.readline())

    def set_round_trip(self, milliseconds):
        self.process.stdin.write(f"{milliseconds}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == str(milliseconds)


def has_element(name):
    return subprocess.run(["gst-inspect-1.0", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def has_ffmpeg(_):
    """With its WHIP muxer: FFmpeg 8.0 or later."""
    if not shutil.which("ffmpeg"):
        return False
    muxers = subprocess.run(["ffmpeg", "-hide_banner", "-muxers"], capture_output=True, text=True, check=False)
    return " whip " in muxers.stdout


def has_whip_client(_):
    return shutil.which("whip-client") is not None


# What is compared with where it is installed. Those that are no elements are programs of
# their own, which tell nothing: they are looked at from outside.
PEERS = {"whipsink": has_element, "whipclientsink": has_element, "ffmpeg": has_ffmpeg,
         "simple-whip-client": has_whip_client}
PROGRAMS = ("ffmpeg", "simple-whip-client")


def enter_place():
    """This program once more, in PLACE, if that can be had: it takes root."""
    words = ["unshare", "--net", "--mount", "sh", "-c", PLACE, "sh"]
    if PLACE_ENTERED not in os.environ and subprocess.run([*words, "true"], check=False).returncode == 0:
        os.environ[PLACE_ENTERED] = "yes"
        os.execvp(words[0], [*words, sys.executable, *sys.argv])


def start_program(bench, name, audio, video, token, url, ffmpeg_input):
    """A sender that is no element. audio, video: what goes before webrtcbin."""
    if name == "ffmpeg":
        words = ["ffmpeg", "-loglevel", "error", *ffmpeg_input.split(), "-f", "whip", "-authorization", token, url]
    else:
        words = ["whip-client", "-u", url, "-t", token, "-A", audio, "-V", video, "-l", "1"]
    return bench.start(words, stderr=subprocess.DEVNULL)


def write_tokens(bench, lines):
    path = os.path.join(bench.folder, "tokens")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def publish(bench, sender, tokens, *options, wrap=()):
    """The bench's own program, publishing."""
    return bench.start([*wrap, bench.program("tests", "bench", "ivs-bench-publish"), "--sender", sender,
                        "--tokens", tokens, "--ca", CA, *options])


def finish(child):
    """Ends it and returns what it tells."""
    output, _ = child.communicate(timeout=60)
    if child.returncode != 0:
        sys.exit(f"{child.args[0]} ended with {child.returncode}")
    return json.loads(output.splitlines()[-1])


def make_file(bench, seconds=FILE_SECONDS):
    """720p30, about 2500 kbit/s, and Opus: noise, so that the encoder needs all bits."""
    path = os.path.join(bench.folder, "media.mkv")
    subprocess.run(
        f"gst-launch-1.0 -q matroskamux name=mux ! filesink location={path} "
        f"videotestsrc pattern=snow num-buffers={seconds * 30} ! video/x-raw,width=1280,height=720,framerate=30/1 "
        "! x264enc speed-preset=ultrafast tune=zerolatency bitrate=2500 vbv-buf-capacity=300 key-int-max=60 "
        "! video/x-h264,profile=constrained-baseline ! h264parse ! mux. "
        f"audiotestsrc num-buffers={seconds * 50} samplesperbuffer=960 wave=pink-noise "
        "! audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=128000 ! mux.".split(), check=True)
    return path


def median(values):
    return statistics.median(values) if values else float("nan")


def print_table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
