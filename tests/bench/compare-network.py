#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a bad network, beside a browser: what a viewer of the stage sees of the same clip.

    compare-network.py BUILD [--only steps,loss-3] [--senders element,chromium] [--json FILE]
                       [--plots FOLDER]
    compare-network.py BUILD --from FILE --plots FOLDER    the plots of an older run
    compare-network.py BUILD --quick                       only whether it works

Each sender publishes the same clip (7.6 seconds of a city, 640x360 at 30 pictures per
second, over and over) through the same relay (tests/lib/udp-relay.c) to a local stage, one
after the other: the element as it comes, headless Chromium with at most as many bits
per second, and a bare webrtcbin whose encoder has a fixed bit rate. Each picture has a
number in it. A viewer (tests/bench/watch.c) decodes what the stage passes on and tells
when which picture was there, and how much it is like the source.

Chromium and the clip come with "sh examples/setup.sh tests"; the plots need
python3-matplotlib.
"""
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import bench as b

HERE = os.path.dirname(os.path.abspath(__file__))
FILM = os.path.join(b.SOURCE, ".cache", "city.mpg")
RATE = 30            # pictures per second, as in clip-number.h
PATIENCE = 0.4       # s: in time is what can be seen so long, and half a round trip, after
STAGE_PATIENCE = 400 # ms that the stage waits for a lost packet
FREEZE = 0.2         # s without a new picture
USED = 0.9           # of what was sent before: the uplink is used again
VIDEO_BPS, AUDIO_BPS = 2500000, 64000  # the element's defaults, for the others too
WARM_UP = 8          # s, on the first path, before anything counts
SENDERS = ["element", "chromium", "bare"]
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
            "--autoplay-policy=no-user-gesture-required", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
            "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]


def phase(seconds, kbps, rtt=50, loss=0.0, cross=0):
    return {"seconds": seconds, "kbps": kbps, "rtt": rtt, "loss": loss, "cross": cross}


SCENARIOS = {
    "loss-1": [phase(20, 4000, loss=0.01)],
    "loss-3": [phase(20, 4000, loss=0.03)],
    "loss-10": [phase(20, 4000, loss=0.10)],
    "rtt-50": [phase(20, 1500)],
    "rtt-300": [phase(20, 1500, rtt=300)],
    "steps": [phase(6, 4000), phase(12, 1000), phase(12, 400), phase(20, 4000)],
    "competing": [phase(20, 1000, cross=500)],
}
QUICK = {"steps": [phase(2, 4000), phase(2, 1000)]}


# -- The clip -----------------------------------------------------------------------

def make_clip(bench, is_quick):
    path = os.path.join(bench.folder, "clip.i420")
    source = f"filesrc location={FILM} ! decodebin"
    if is_quick:
        source = "videotestsrc num-buffers=30 pattern=zone-plate kx2=20 ky2=20 kt=3"
    elif not os.path.exists(FILM):
        sys.exit("There is no clip: sh examples/setup.sh tests")
    subprocess.run(
        f"gst-launch-1.0 -q {source} ! videoscale ! videorate ! "
        "video/x-raw,width=640,height=360,framerate=30/1,pixel-aspect-ratio=1/1 ! videoconvert ! "
        f"video/x-raw,format=I420 ! filesink location={path}".split(), check=True)
    return path


# -- Processes ------------------------------------------------------------------------

def list_family(pid):
    """The process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parents[int(name)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    family = [pid]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family


def read_cpu(pid):
    """Seconds, of the process and all below it that live."""
    ticks = 0
    for one in list_family(pid):
        try:
            with open(f"/proc/{one}/stat", encoding="ascii", errors="replace") as file:
                words = file.read().rsplit(")", 1)[1].split()
            ticks += int(words[11]) + int(words[12])
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def read_lines(process, take):
    """Gives each line of its output to take, on a thread."""
    def run():
        for line in process.stdout:
            take(line)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class Link:
    """The bad network between a sender and the stage."""

    def __init__(self, bench, stage):
        self.process = bench.start([bench.program("tests", "bench", "ivs-bench-link"), stage.regional])
        self.url = self.process.stdout.readline().strip()
        self.reports = []
        self.thread = read_lines(self.process, lambda line: self.reports.append([int(w) for w in line.split()]))

    def set_path(self, one):
        self.process.stdin.write(f"{one['kbps'] * 1000} {one['rtt'] // 2} {one['loss']} {one['cross'] * 1000}\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.thread.join(10)


class Viewer:
    def __init__(self, bench, stage, participant, clip, epoch, patience):
        token, _ = stage.mint()
        self.pictures, self.seen = [], []
        self.process = bench.start([
            bench.program("tests", "bench", "ivs-bench-watch"), "--tokens", b.write_tokens(bench, [token]),
            "--endpoint", f"{stage.regional}subscribe/{participant}", "--clip", clip, "--epoch", str(epoch),
            "--patience", str(round(patience * 1000))])
        self.thread = read_lines(self.process, self.take)

    def take(self, line):
        words = line.split()
        if words[0] == "p":
            self.pictures.append([int(words[1]), int(words[2]), float(words[3]), int(words[4])])
        elif words[0] == "s":
            self.seen.append([int(words[1]), float(words[2])])

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.thread.join(10)


class Publisher:
    """The element, or a bare webrtcbin."""

    def __init__(self, bench, sender, url, token, clip, epoch):
        self.told = []
        self.process = bench.start([
            bench.program("tests", "bench", "ivs-bench-clip"), "--sender", sender, "--endpoint", url,
            "--tokens", b.write_tokens(bench, [token]), "--clip", clip, "--epoch", str(epoch)])

    def end(self):
        """How many pictures it captured per second."""
        output, _ = self.process.communicate(timeout=20)
        return json.loads(output)["rate"]


class Page(http.server.BaseHTTPRequestHandler):
    """What the browser asks for. The offer goes on to the relay from here, so that the page and its
    endpoint are of one origin."""

    def log_message(self, *_):
        pass

    def respond(self, body, kind="application/json", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/clock":
            self.respond(str(time.time() * 1000).encode(), "text/plain")
        elif self.path == "/config":
            self.respond(json.dumps(self.server.config).encode())
        elif self.path == "/clip":
            with open(self.server.clip, "rb") as file:
                self.respond(file.read(), "application/octet-stream")
        elif self.path == "/":
            with open(os.path.join(HERE, "clip-page.html"), "rb") as file:
                self.respond(file.read(), "text/html")
        else:
            self.respond(b"", status=404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/told":
            self.server.told.append({"at": time.time(), **json.loads(body)})
            self.respond(b"{}")
            return
        request = urllib.request.Request(self.server.endpoint, body, {
            "Content-Type": "application/sdp", "Authorization": "Bearer " + self.server.token})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.respond(answer.read(), "application/sdp", answer.status)
        except urllib.error.HTTPError as error:
            self.respond(error.read(), "text/plain", error.code)


class Chromium:
    def __init__(self, bench, _sender, url, token, clip, epoch):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.server.daemon_threads = True
        self.server.endpoint, self.server.token, self.server.clip = url, token, clip
        self.server.config = {"epoch_us": epoch, "video_bps": VIDEO_BPS, "audio_bps": AUDIO_BPS}
        self.server.told = self.told = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.profile = tempfile.mkdtemp(dir=bench.folder)
        self.process = bench.start(
            [shutil.which("chromium"), *CHROMIUM, f"--user-data-dir={self.profile}",
             f"http://127.0.0.1:{self.server.server_port}/"], stderr=subprocess.DEVNULL)

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.profile, ignore_errors=True)
        counts = [one for one in self.told if "captured" in one]
        if len(counts) < 2:
            return 0
        return (counts[-1]["captured"] - counts[0]["captured"]) / (counts[-1]["at"] - counts[0]["at"])


# -- A run ----------------------------------------------------------------------------

class Failure(Exception):
    """A run that says nothing about the network."""


def explain(stage, participant, processes):
    """Whose end it was, how far the media came, and how busy the machine is."""
    ended = [f"{name} ended with {process.poll()}" for name, process in processes.items()
             if process.poll() is not None]
    one = next((one for one in stage.ask("/state")["participants"] if one["id"] == participant), {})
    return "; ".join([*ended, f"viewers {one.get('viewers')}", f"video {(one.get('session') or {}).get('video')}",
                      f"load {os.getloadavg()[0]:.1f}"])


def wait_for(what, condition, stage, participant, publisher, viewer=None):
    processes = {"the sender": publisher.process, **({"the viewer": viewer.process} if viewer else {})}
    until = time.monotonic() + b.DEADLINE
    while not condition():
        told = [one["error"] for one in publisher.told if "error" in one]
        is_gone = any(process.poll() is not None for process in processes.values())
        if told or is_gone or time.monotonic() > until:
            told = told or publisher.told[-1:]
            raise Failure(f"{what}: {explain(stage, participant, processes)}"
                          + (f"; the browser's page told {told}" if told else ""))
        time.sleep(0.1)


def go_through(link, phases, warm_up, processes):
    """Returns when each phase began, and the last one ended; and the CPU time of each process per second."""
    link.set_path(phases[0])
    time.sleep(warm_up)
    before = {name: read_cpu(process.pid) for name, process in processes.items()}
    times = []
    for one in phases:
        link.set_path(one)
        times.append(time.time())
        time.sleep(one["seconds"])
    times.append(time.time())
    took = times[-1] - times[0]
    return times, {name: (read_cpu(process.pid) - before[name]) / took for name, process in processes.items()}


def run(bench, stage, clip, sender, phases, warm_up):
    token, participant = stage.mint()
    link = Link(bench, stage)
    link.set_path(phase(0, 0, phases[0]["rtt"]))  # how long a handshake takes is another subject
    epoch = round(time.time() * 1e6)
    publisher = (Chromium if sender == "chromium" else Publisher)(bench, sender, link.url, token, clip, epoch)
    patience = PATIENCE + max(one["rtt"] for one in phases) / 2000
    viewer = None
    try:
        wait_for("nothing reached the stage", lambda: stage.look(participant).get("first_picture_us"),
                 stage, participant, publisher)
        viewer = Viewer(bench, stage, participant, clip, epoch, patience)
        wait_for("the viewer sees nothing", lambda: viewer.pictures, stage, participant, publisher, viewer)
        times, cpu = go_through(link, phases, warm_up, {
            "sender": publisher.process, "link": link.process, "viewer": viewer.process, "stage": stage.process})
        time.sleep(patience + 0.5)
        arrived = stage.look(participant)
    finally:
        if viewer:
            viewer.end()
        captured = publisher.end()
        link.end()
    return {"epoch_us": epoch, "times": times, "cpu": cpu, "patience": patience, "captured": captured,
            "pictures": viewer.pictures, "seen": viewer.seen, "link": link.reports, "told": publisher.told,
            "arrived": arrived, "load": os.getloadavg()[0]}


def run_again(*arguments):
    """A run; once more if it did not even begin."""
    for _ in range(2):
        try:
            return run(*arguments)
        except Failure as failure:
            print(failure, file=sys.stderr)
    sys.exit(1)


# -- Figures --------------------------------------------------------------------------

def find_freezes(times, begin, end):
    """(when, how long) without a new picture, in s."""
    points = [begin] + [at for at in times if begin < at < end] + [end]
    return [(first, second - first) for first, second in zip(points, points[1:]) if second - first > FREEZE]


def get_rates(link, width=10):
    """(time, bits/s) over so many reports, that is a second."""
    return [(new[0] / 1e6, (new[2] - old[2]) * 8e6 / (new[0] - old[0])) for old, new in zip(link, link[width:])]


def mean(values):
    values = list(values)
    return statistics.fmean(values) if values else float("nan")


def judge(result, one, begin, end, before):
    """The figures of a phase. @before: bits/s that the sender sent when it had room."""
    epoch, patience = result["epoch_us"] / 1e6, result["patience"]
    captured = {number: epoch + number / RATE for number, *_ in result["pictures"]}
    wanted = round((end - begin) * RATE)
    mine = [picture for picture in result["pictures"] if begin <= captured[picture[0]] < end]
    delays = [picture[1] / 1e6 - captured[picture[0]] for picture in mine]
    freezes = find_freezes([picture[1] / 1e6 for picture in result["pictures"]], begin, end)
    reports = [report for report in result["link"] if begin <= report[0] / 1e6 <= end]
    sent = (reports[-1][2] - reports[0][2]) * 8e6 / (reports[-1][0] - reports[0][0])
    goal = USED * min(before, one["kbps"] * 1000 - one["cross"] * 1000)
    used = [at - begin for at, rate in get_rates(result["link"]) if begin + 1 <= at < end and rate >= goal]
    return {
        "in_time": sum(delay <= patience for delay in delays) / wanted, "decoded": len(mine) / wanted,
        "freezes": len(freezes), "longest": max((length for _, length in freezes), default=0),
        "delay": mean(delays), "late": sorted(delays)[int(len(delays) * 0.95)] if delays else float("nan"),
        "psnr": mean(picture[2] for picture in mine),
        "seen": mean(psnr for number, psnr in result["seen"] if begin <= epoch + number / RATE < end),
        "width": mean(picture[3] for picture in mine),
        "sent": sent, "use": sent / ((one["kbps"] - one["cross"]) * 1000),
        "overflowed": reports[-1][3] - reports[0][3], "waits": mean(report[5] for report in reports),
        "used_after": min(used, default=None),
    }


def judge_all(result, phases):
    times = result["times"]
    first = [rate for at, rate in get_rates(result["link"]) if times[1] - 3 < at < times[1]]
    judged = [judge(result, one, begin, end, mean(first)) for one, begin, end in zip(phases, times, times[1:])]
    for figures, one, before in zip(judged, phases, [None] + phases):
        figures["is_back"] = before is not None and one["kbps"] > before["kbps"]
    return judged


# What is compared, in which unit, whether more is better, and what is never called worse.
COMPARED = [("in_time", "in time", 100, "%", True, 0), ("longest", "longest freeze", 1, "s", False, FREEZE),
            ("seen", "seen", 1, "dB", True, 0), ("delay", "delay", 1000, "ms", False, 0)]


def is_worse(mine, theirs, is_more_better, free):
    """By more than a tenth; what is not there at all is worse than anything."""
    if mine != mine or theirs != theirs:
        return mine != mine and theirs == theirs
    return mine < 0.9 * theirs if is_more_better else mine > max(1.1 * theirs, free)


def compare(mine, theirs):
    """The words for what is worse than Chromium's."""
    return ", ".join(
        f"{name} {mine[key] * factor:.{2 if unit == 's' else 0}f} {unit} for {theirs[key] * factor:.{2 if unit == 's' else 0}f}"
        for key, name, factor, unit, is_more_better, free in COMPARED
        if is_worse(mine[key], theirs[key], is_more_better, free))


def list_goals(name, judged):
    """(what, what was found, whether it is enough), of the goals that have a number of their own."""
    if name == "loss-3":
        share = judged[0]["in_time"]
        return [("95 % of the pictures in time at 3 % loss", f"{100 * share:.1f} %", share >= 0.95)]
    if name != "steps":
        return []
    after = judged[-1]["used_after"]
    longest = judged[1]["longest"]
    return [("no freeze over 1 s after a drop to 1 Mbit/s", f"{longest:.2f} s", longest <= 1),
            ("the uplink is used again within 10 s", "never" if after is None else f"{after:.1f} s",
             after is not None and after <= 10)]


HEAD = ["Scenario", "Uplink, kbit/s", "Sender", "In time, %", "Decoded, %", "Freezes", "Longest, s", "Delay, ms",
        "95 % within, ms", "PSNR, dB", "Seen, dB", "Width", "Sent, kbit/s", "Overflowed", "Used after, s",
        "Load"]


def print_row(scenario, one, sender, figures, load):
    used = figures["used_after"]
    return [scenario, one["kbps"], sender, f"{100 * figures['in_time']:.1f}", f"{100 * figures['decoded']:.1f}",
            figures["freezes"], f"{figures['longest']:.2f}", f"{1000 * figures['delay']:.0f}",
            f"{1000 * figures['late']:.0f}", f"{figures['psnr']:.1f}", f"{figures['seen']:.1f}",
            f"{figures['width']:.0f}", f"{figures['sent'] / 1000:.0f}", figures["overflowed"],
            "" if not figures["is_back"] else "never" if used is None else f"{used:.1f}",
            f"{load:.0f}"]


def print_result(results, scenarios):
    rows, verdicts, goals = [], [], []
    for scenario, senders in results.items():
        judged = {sender: judge_all(result, scenarios[scenario]) for sender, result in senders.items()}
        for index, one in enumerate(scenarios[scenario]):
            rows += [print_row(scenario, one, sender, phases[index], senders[sender]["load"]) for sender, phases in judged.items()]
            if "element" in judged and "chromium" in judged:
                worse = compare(judged["element"][index], judged["chromium"][index])
                verdicts.append([scenario, one["kbps"], worse or "nothing"])
        if "element" in judged:
            goals += [[what, found, "yes" if is_enough else "**no**"]
                      for what, found, is_enough in list_goals(scenario, judged["element"])]
    b.print_table(HEAD, rows)
    b.print_table(["Scenario", "Uplink, kbit/s", "Worse than Chromium by more than a tenth"], verdicts)
    b.print_table(["Goal", "Element", "Reached"], goals)
    b.print_table(
        ["Scenario", "Sender", "Pictures/s captured", "CPU of the sender", "viewer", "stage", "relay"],
        [[scenario, sender, f"{result['captured']:.1f}",
          *[f"{result['cpu'][name]:.2f}" for name in ("sender", "viewer", "stage", "link")]]
         for scenario, senders in results.items() for sender, result in senders.items()])


def main():
    bench = b.Bench(__doc__)
    bench.parser.add_argument("--only", help="only these scenarios, with commas between")
    bench.parser.add_argument("--plots", help="draw into this folder")
    bench.parser.add_argument("--quick", action="store_true", help="a few seconds, of a test picture")
    bench.parser.add_argument("--from", dest="older", help="no run: the figures of this file")
    options = bench.parse()
    scenarios = QUICK if options.quick else SCENARIOS
    if options.older:
        with open(options.older, encoding="utf-8") as file:
            results = json.load(file)["results"]
    else:
        results = measure(bench, options, scenarios)
    print_result(results, scenarios)
    if options.plots:
        import plots_network
        plots_network.draw(results, scenarios, options.plots)


def measure(bench, options, scenarios):
    names = options.only.split(",") if options.only else scenarios
    senders = options.senders.split(",") if options.senders else SENDERS
    if "chromium" in senders and not shutil.which("chromium"):
        sys.exit("There is no Chromium: apt-get install chromium, or --senders element,bare")
    clip = make_clip(bench, options.quick)
    stage = b.Stage(bench, "--patience", str(STAGE_PATIENCE))
    warm_up = 1 if options.quick else WARM_UP
    results = {}
    for name in names:
        results[name] = {}
        for sender in senders:
            result = run_again(bench, stage, clip, sender, scenarios[name], warm_up)
            results[name][sender] = result
            print(f"{name}, {sender}: load {result['load']:.1f}", file=sys.stderr)
            bench.write("network", {"results": results})
    return results


if __name__ == "__main__":
    main()
