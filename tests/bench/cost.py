#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to be on air.

    cost.py BUILD [--runs 3] [--seconds 10] [--frames 150] [--json FILE]

720p30 of 2500 kbit/s and Opus from a file, so that nothing is encoded, to a local stage.
CPU time is what the system accounts for the process, per second of media, less that of
the same pipeline into fakesink. Instructions are callgrind's for so many frames in the
middle, less fakesink's too; they hardly depend on what else the machine does. Side by
side: this element, a bare webrtcbin (as it comes; "lean": without UPnP and ICE over TCP;
"same": lean, and it retransmits and numbers its packets as the element does), and what
else is installed. --frames 0 leaves callgrind out.
"""
import os
import shutil
import subprocess
import sys
import time

import bench as b

FFMPEG = "ffmpeg -loglevel error -re -i {file} -c copy -f whip -authorization {token} {url}"
SETTLE = 4  # s


def measure_ffmpeg(bench, stage, media, seconds):
    """The same figures, from outside."""
    token, _ = stage.mint()
    child = bench.start(FFMPEG.format(file=media, token=token, url=stage.regional).split(),
                        stderr=subprocess.DEVNULL)
    proc = f"/proc/{child.pid}"

    def look():
        with open(proc + "/stat", encoding="ascii") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), time.monotonic()

    time.sleep(SETTLE)
    (cpu, at), _ = look(), time.sleep(seconds)
    more, later = look()
    with open(proc + "/statm", encoding="ascii") as file:
        rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    result = {"cpu": (more - cpu) / (later - at), "switches": float("nan"), "rss": rss,
              "threads": len(os.listdir(proc + "/task")), "descriptors": len(os.listdir(proc + "/fd"))}
    child.terminate()
    child.wait(10)
    return result


def start(bench, stage, sender, media, *options, wrap=()):
    token, participant = stage.mint()
    tokens = b.write_tokens(bench, [f"{token} {stage.regional}"])
    return b.publish(bench, sender, tokens, "--file", media, *options, wrap=wrap), participant


def measure(bench, stage, sender, media, seconds):
    if sender == "ffmpeg":
        return measure_ffmpeg(bench, stage, media, seconds)
    child, participant = start(bench, stage, sender, media, "--measure", str(seconds))
    if sender != "fakesink" and stage.wait_picture(participant) is None:
        sys.exit(f"{sender}: no picture")
    child.wait(60)
    told = b.finish(child)
    wall = told["wall"]
    return {"cpu": (told["user"] + told["system"]) / wall, "switches": told["switches"] * 1e6 / wall,
            "rss": told["rss_kb"] / 1000, "threads": told["threads"], "descriptors": told["descriptors"]}


def count_instructions(bench, stage, sender, media, frames):
    """Millions, of so many frames."""
    output = os.path.join(bench.folder, f"callgrind.{sender}")
    wrap = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={output}"]
    child, _ = start(bench, stage, sender, media, "--frames", str(frames), wrap=wrap)
    child.wait(300)
    with open(output, encoding="ascii", errors="replace") as file:
        totals = [line for line in file if line.startswith(("totals:", "summary:"))]
    return int(totals[-1].split()[1]) / 1e6


def collect(bench, options, stage, senders, media):
    found = {sender: [] for sender in ["fakesink"] + senders}
    for run in range(options.runs):
        for sender, runs in found.items():
            runs.append(measure(bench, stage, sender, media, options.seconds))
        print(f"run {run + 1} of {options.runs}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    result = {sender: {name: b.median([one[name] for one in runs]) for name in runs[0]}
              for sender, runs in found.items()}
    if options.frames and shutil.which("valgrind"):
        for sender in found:
            if sender != "ffmpeg":
                result[sender]["instructions"] = count_instructions(bench, stage, sender, media, options.frames)
    return result


def print_result(options, result):
    none, bare = result["fakesink"], result.get("bare")
    rows = []
    for sender, one in result.items():
        net = one["cpu"] - none["cpu"]
        base = bare["cpu"] - none["cpu"] if bare else 0
        row = [sender, f"{one['cpu']:.4f}", f"{net:.4f}", f"{net / base:.2f}" if base else "",
               f"{one['switches']:.0f}", f"{one['rss']:.1f}", one["threads"], one["descriptors"]]
        if "instructions" in one:
            net = (one["instructions"] - none["instructions"]) / options.frames
            base = (bare["instructions"] - none["instructions"]) / options.frames if bare else 0
            row += [f"{net:.3f}", f"{net / base:.2f}" if base else ""]
        rows.append(row)
    head = ["sender", "CPU s/s", "net", "of bare", "switches/s", "RSS MB", "threads", "descriptors"]
    if any("instructions" in one for one in result.values()):
        head += ["M instructions/frame, net", "of bare"]
    b.print_table(head, [row + [""] * (len(head) - len(row)) for row in rows])


def main():
    bench = b.Bench(__doc__)
    bench.parser.add_argument("--runs", type=int, default=3)
    bench.parser.add_argument("--seconds", type=int, default=10)
    bench.parser.add_argument("--frames", type=int, default=150)
    options = bench.parse()
    senders = bench.find_senders("bare-same")
    seconds = SETTLE + max(options.seconds, (options.frames + 60) // 30) + 5
    media = b.make_file(bench, seconds)
    result = collect(bench, options, b.Stage(bench), senders, media)
    print_result(options, result)
    bench.write("cost", {"runs": options.runs, "seconds": options.seconds, "frames": options.frames,
                         "results": result})


if __name__ == "__main__":
    main()
