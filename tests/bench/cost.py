#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to be on air.

    cost.py BUILD [--runs 3] [--seconds 10] [--frames 150] [--json FILE]

720p30 of 2500 kbit/s and Opus from a file, so that nothing is encoded, to a local stage.
CPU time is what the system accounts for the process, per second of media, less that of
the same pipeline into fakesink. Instructions are callgrind's for so many frames in the
middle, less fakesink's too: a machine under load makes them more, for packets come late
and are sent again. "own" is what of them is the element's own code and what that calls,
without what it hands its packets to; "gates, monitor" is the part of it that packets pass,
for which the build needs debug symbols, and "added" that without what it frees of the
payloader's, which otherwise whoever has the packet last does. None of them depends much on
the load. Side by side: this
element, a bare webrtcbin (as it comes; "lean": without UPnP and ICE over TCP; "same":
lean, and it retransmits, numbers and cuts its packets as the element does), and what else
is installed. --frames 0 leaves callgrind out.
"""
import collections
import os
import shutil
import sys
import time

import bench as b

FFMPEG = "-re -i {file} -c copy"
VIDEO = "filesrc location={file} ! matroskademux name=demux demux.video_0 ! queue ! " + b.VIDEO_RTP
AUDIO = "demux.audio_0 ! queue ! " + b.AUDIO_RTP
SETTLE = 4  # s


def look(child):
    """CPU time and switches of a process so far, and when."""
    with open(f"/proc/{child.pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    switches = 0
    for task in os.listdir(f"/proc/{child.pid}/task"):
        with open(f"/proc/{child.pid}/task/{task}/status", encoding="ascii") as file:
            switches += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), switches, time.monotonic()


def measure_program(bench, stage, sender, media, seconds):
    """The same figures, from outside."""
    token, participant = stage.mint()
    child = b.start_program(bench, sender, AUDIO, VIDEO.format(file=media), token, stage.regional,
                            FFMPEG.format(file=media))
    if stage.wait_picture(participant) is None:
        sys.exit(f"{sender}: no picture")
    time.sleep(SETTLE)
    cpu, switches, at = look(child)
    time.sleep(seconds)
    more_cpu, more_switches, later = look(child)
    proc = f"/proc/{child.pid}"
    with open(proc + "/statm", encoding="ascii") as file:
        rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    result = {"cpu": (more_cpu - cpu) / (later - at), "switches": (more_switches - switches) / (later - at),
              "rss": rss, "threads": len(os.listdir(proc + "/task")), "descriptors": len(os.listdir(proc + "/fd"))}
    child.terminate()
    child.wait(10)
    return result


def start(bench, stage, sender, media, *options, wrap=()):
    token, participant = stage.mint()
    tokens = b.write_tokens(bench, [f"{token} {stage.regional}"])
    return b.publish(bench, sender, tokens, "--file", media, *options, wrap=wrap), participant


def measure(bench, stage, sender, media, seconds):
    if sender in b.PROGRAMS:
        return measure_program(bench, stage, sender, media, seconds)
    child, participant = start(bench, stage, sender, media, "--measure", str(seconds))
    if sender != "fakesink" and stage.wait_picture(participant) is None:
        sys.exit(f"{sender}: no picture")
    child.wait(60)
    told = b.finish(child)
    wall = told["wall"]
    return {"cpu": (told["user"] + told["system"]) / wall, "switches": told["switches"] * 1e6 / wall,
            "rss": told["rss_kb"] / 1000, "threads": told["threads"], "descriptors": told["descriptors"]}


OURS = "libgstivs.so"
WAYS_OUT = ("gst_pad_push", "gst_pad_push_list")
# Only the gate replaces memories, the payloader's by its own.
FREES = ("gst_buffer_replace_memory_range", "gst_memory_unref")
MEDIA_PATH = ["gstivs" + name + ".c" for name in (
    "gate", "passage", "departure", "packet", "stream", "headers", "budget", "pacer", "monitor", "h264", "metadata")]


class Names:
    """Callgrind writes a name once, with a number, and then the number."""

    def __init__(self):
        self.known = {}

    def read(self, text):
        number, _, name = text.strip().partition(" ")
        if name:
            self.known[number] = name
        return self.known[number]


def count_own(path):
    """By file of our sources: instructions of it and of what it calls, without our other
    code and without what it hands its packets to. And what of them frees what came."""
    objects, functions, files = Names(), Names(), Names()
    counts = collections.Counter()
    ours = called_ours = is_cost_of_call = False
    name = caller = called = ""
    freed = 0
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, rest = line.partition("=")
            if key == "ob":
                ours = called_ours = OURS in objects.read(rest)
            elif key == "cob":
                called_ours = OURS in objects.read(rest)
            elif key == "fl":
                name = os.path.basename(files.read(rest))
            elif key in ("fi", "fe", "cfi", "cfl"):
                files.read(rest)
            elif key == "fn":
                caller = functions.read(rest)
            elif key == "cfn":
                called = functions.read(rest).partition("'")[0]  # '2: called by itself
            elif key == "calls":
                is_cost_of_call = True
            elif is_cost_of_call:
                if ours and not called_ours and called not in WAYS_OUT:
                    counts[name] += int(line.split()[1])
                if (caller, called) == FREES:
                    freed += int(line.split()[1])
                is_cost_of_call, called_ours = False, ours
            elif ours and line[0] in "0123456789+-*":
                counts[name] += int(line.split()[1])
    return counts, freed


def count_instructions(bench, stage, sender, media, frames):
    """Millions, of so many frames: all, the element's own, and of these its gates and monitor."""
    output = os.path.join(bench.folder, f"callgrind.{sender}")
    wrap = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={output}"]
    child, _ = start(bench, stage, sender, media, "--frames", str(frames), wrap=wrap)
    child.wait(300)
    with open(output, encoding="ascii", errors="replace") as file:
        totals = [line for line in file if line.startswith(("totals:", "summary:"))]
    own, freed = count_own(output)
    media_path = sum(own[name] for name in MEDIA_PATH)
    return {"instructions": int(totals[-1].split()[1]) / 1e6, "own": sum(own.values()) / 1e6,
            "media_path": media_path / 1e6, "added": max(media_path - freed, 0) / 1e6}


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
            if sender not in b.PROGRAMS:
                result[sender].update(count_instructions(bench, stage, sender, media, options.frames))
    return result


def describe_instructions(options, result, one):
    none = result["fakesink"]["instructions"]

    def of(sender, count):
        if sender not in result:
            return ""
        return f"{count / (result[sender]['instructions'] - none):.3f}"

    net = one["instructions"] - none
    return [f"{net / options.frames:.3f}", of("bare", net), of("bare-same", net),
            f"{one['own'] / options.frames:.3f}", of("bare-same", one["own"]),
            f"{one['media_path'] / options.frames:.3f}", of("bare-same", one["media_path"]),
            f"{one['added'] / options.frames:.3f}", of("bare-same", one["added"])]


def print_result(options, result):
    none, bare = result["fakesink"], result.get("bare")
    rows = []
    for sender, one in result.items():
        net = one["cpu"] - none["cpu"]
        base = bare["cpu"] - none["cpu"] if bare else 0
        row = [sender, f"{one['cpu']:.4f}", f"{net:.4f}", f"{net / base:.2f}" if base else "",
               f"{one['switches']:.0f}", f"{one['rss']:.1f}", one["threads"], one["descriptors"]]
        if "instructions" in one:
            row += describe_instructions(options, result, one)
        rows.append(row)
    head = ["sender", "CPU s/s", "net", "of bare", "switches/s", "RSS MB", "threads", "descriptors"]
    if any("instructions" in one for one in result.values()):
        head += ["M instructions/frame, net", "of bare", "of bare-same", "own", "of bare-same",
                 "gates, monitor", "of bare-same", "added", "of bare-same"]
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
