#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many sinks in one process, and many sessions one after the other.

    scale.py BUILD [--sinks 1,10,50,100] [--cycles 200] [--json FILE]

All sinks of a process publish at once a small picture and sound from a file, to as many
local stages as that takes; then the stage throws one of them out, and at the end all stop
at once. Told are when the first and the last were live after their PLAYING, what the
process held, how long the stop took, and whether the others felt anything of the one. The
cycles start and stop one sink in one process: what it holds after a quarter, at the end.
"""
import json
import os
import subprocess
import sys
import time

import bench as b

PER_STAGE = 12  # publishers that a stage takes
DESCRIPTORS = 1024
LIVE = 60  # s


def make_small_file(bench, seconds):
    path = os.path.join(bench.folder, "small.mkv")
    subprocess.run(
        f"gst-launch-1.0 -q matroskamux name=mux ! filesink location={path} "
        f"videotestsrc num-buffers={seconds * 10} ! video/x-raw,width=160,height=120,framerate=10/1 "
        "! x264enc speed-preset=ultrafast tune=zerolatency bitrate=50 key-int-max=20 "
        "! video/x-h264,profile=constrained-baseline ! h264parse ! mux. "
        f"audiotestsrc num-buffers={seconds * 50 // 3} samplesperbuffer=2880 "
        "! audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=60 bitrate=24000 ! mux.".split(), check=True)
    return path


def look(stages):
    """Participant: (sessions made, pictures arrived)."""
    return {one["id"]: (one["sessions"]["made"], ((one["session"] or {}).get("video") or {}).get("packets", 0))
            for stage in stages for one in stage.ask("/state")["participants"]}


def wait_live(stages, wanted):
    until = time.monotonic() + LIVE
    while time.monotonic() < until:
        seen = look(stages)
        if all(seen.get(one, (0, 0))[1] for one in wanted):
            return True
        time.sleep(0.5)
    return False


def measure(bench, sender, sinks, small):
    stages = [b.Stage(bench) for _ in range(0, sinks, PER_STAGE)]
    lines, wanted = [], []
    for i in range(sinks):
        token, participant = stages[i // PER_STAGE].mint()
        lines.append(f"{token} {stages[i // PER_STAGE].regional}")
        wanted.append(participant)
    child = b.publish(bench, sender, b.write_tokens(bench, lines), "--file", small)
    is_live = wait_live(stages, wanted)
    proc = f"/proc/{child.pid}"
    with open(proc + "/statm", encoding="ascii") as file:
        rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    result = {"all live": is_live, "rss": rss, "threads": len(os.listdir(proc + "/task")),
              "descriptors": len(os.listdir(proc + "/fd"))}
    before = look(stages)
    stages[0].ask("/faults", {"rule": "kill", "participant": wanted[0]})
    time.sleep(4)
    after = look(stages)
    result["felt by others"] = sum(after.get(one, (0, 0))[0] != 1 or after[one][1] <= before[one][1]
                                   for one in wanted[1:])
    told = b.finish(child)
    starts = [(one["live"] - one["playing"]) / 1000 if one["live"] else float("nan") for one in told["sessions"]]
    result.update({"first": starts[0], "last": starts[-1], "slowest": max(starts), "stop": told["stop"] / 1000})
    for stage in stages:
        stage.process.terminate()
        stage.process.wait(20)
    return result


def run_cycles(bench, cycles):
    stage = b.Stage(bench)
    token, _ = stage.mint()
    child = b.publish(bench, "element", b.write_tokens(bench, [f"{token} {stage.regional}"]), "--audio-only",
                      "--cycles", str(cycles))
    child.wait(60 + 3 * cycles)
    return b.finish(child)


def main():
    bench = b.Bench(__doc__)
    bench.parser.add_argument("--sinks", default="1,10,50,100")
    bench.parser.add_argument("--cycles", type=int, default=200)
    options = bench.parse()
    senders = [name for name in bench.find_senders() if name in ("element", "bare", "bare-lean")]
    small = make_small_file(bench, 120)
    results, rows = [], []
    for sinks in [int(word) for word in options.sinks.split(",")]:
        for sender in senders:
            one = {"sender": sender, "sinks": sinks, **measure(bench, sender, sinks, small)}
            results.append(one)
            rows.append([sender, sinks, one["all live"], f"{one['first']:.0f}", f"{one['last']:.0f}",
                         f"{one['slowest']:.0f}", f"{one['stop']:.0f}", one["threads"], one["descriptors"],
                         f"{one['rss']:.0f}", one["felt by others"]])
            print(json.dumps(one), file=sys.stderr)
    b.print_table(["sender", "sinks", "all live", "first ms", "last ms", "slowest ms", "stop ms", "threads",
                   "descriptors", "RSS MB", "others that felt it"], rows)
    cycles = run_cycles(bench, options.cycles) if options.cycles else None
    if cycles:
        print(f"{options.cycles} sessions: RSS {cycles['settled_rss_kb'] / 1000:.1f} MB after a quarter, "
              f"{cycles['rss_kb'] / 1000:.1f} MB at the end; {cycles['threads']} threads, "
              f"{cycles['descriptors']} descriptors")
    bench.write("scale", {"results": results, "cycles": cycles and
                          {"n": options.cycles, **{name: cycles[name] for name in
                           ("settled_rss_kb", "rss_kb", "threads", "descriptors")}}})
    if not all(one["all live"] and one["descriptors"] < DESCRIPTORS and not one["felt by others"]
               for one in results if one["sender"] == "element"):
        sys.exit("the element did not hold what it should")


if __name__ == "__main__":
    main()
