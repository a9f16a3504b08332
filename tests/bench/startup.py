#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long it takes to be on air, from near and from far.

    startup.py BUILD [--runs 5] [--round-trips 0,50,100,200] [--json FILE]

From the start of a process, and from PLAYING, to the moment when the first picture that a
decoder can show has arrived at a local stage, through a delay in user space for TCP and
UDP. Side by side: this element, a bare webrtcbin (as it comes; "lean": without UPnP and
ICE over TCP, and without waiting for candidates), and what else is installed. "warm": in
PAUSED for three round trips and a second before PLAYING. A line through the medians gives
the round trips that a sender needs, and the time that does not depend on the distance.
"""
import os
import sys
import time

import bench as b

# sender, access, warm. A token that names its endpoint spares the redirect.
CASES = [
    ("element", "https", False),
    ("element", "https-redirected", False),
    ("element", "http", False),
    ("element", "http-redirected", False),
    ("element", "https", True),
    ("bare", "https", False),
    ("bare", "https-redirected", False),
    ("bare-lean", "https", False),
]
PEERS = [(name, access, False) for name in b.PEERS for access in ("https", "https-redirected")]
GOALS = {  # round trips, fixed ms
    ("element", "https", False): (7.5, 200, "start"),
    ("element", "https", True): (5.5, None, "playing"),
}
AUDIO = "audiotestsrc is-live=true ! opusenc ! " + b.AUDIO_RTP
VIDEO = ("videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! "
         "x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=60 bitrate=1000 ! "
         "video/x-h264,profile=constrained-baseline ! " + b.VIDEO_RTP)
FFMPEG = ("-re -f lavfi -i testsrc=size=640x360:rate=30 -re -f lavfi -i sine=sample_rate=48000 "
          "-c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -g 60 -pix_fmt yuv420p -profile:v baseline "
          "-c:a libopus -ac 2")


def name_of(case):
    sender, access, warm = case
    return f"{sender}, {access.replace('-', ', ')}{', warm' if warm else ''}"


def start_sender(bench, case, token, url, round_trip):
    sender, _, warm = case
    if sender in b.PROGRAMS:
        return b.start_program(bench, sender, AUDIO, VIDEO, token, url, FFMPEG)
    options = ["--endpoint", url]
    if warm:
        options += ["--paused", str(3 * round_trip + 1000)]
    return b.publish(bench, sender, b.write_tokens(bench, [token]), *options)


def measure(bench, stage, network, case, round_trip):
    token, participant = stage.mint()
    began = time.monotonic_ns() // 1000
    child = start_sender(bench, case, token, network.urls[case[1]], round_trip)
    video = stage.wait_picture(participant)
    if case[0] in b.PROGRAMS:
        child.terminate()
        child.wait(10)
        told = {"playing": began}
    else:
        told = b.finish(child)["sessions"][0]
    if video is None:
        print(f"{name_of(case)}, {round_trip} ms: no picture {told.get('error', '')}", file=sys.stderr)
        return None
    picture = video["first_picture_us"]
    steps = {"playing": told["playing"] - began}
    if "time-to-live" in told:
        begun = told["live"] - told["time-to-live"]
        steps.update({step: told["time-to-" + step] + begun - began for step in ("offer", "answer", "live")})
    elif told.get("posted"):
        steps.update({"offer": told["posted"] - began, "answer": told["answered"] - began,
                      "live": told["live"] - began})
    steps["picture"] = picture - began
    return {"start": (picture - began) / 1000, "playing": (picture - told["playing"]) / 1000,
            "lead": video["arrived_lead_ms"], "steps": {name: us / 1000 for name, us in steps.items()}}


def fit(points):
    """Least squares: round trips, and the ms that remain."""
    points = [(x, y) for x, y in points if y == y]
    n, sum_x, sum_y = len(points), sum(x for x, _ in points), sum(y for _, y in points)
    square = sum(x * x for x, _ in points) * n - sum_x * sum_x
    if not square:
        return float("nan"), sum_y / n if n else float("nan")
    slope = (sum(x * y for x, y in points) * n - sum_x * sum_y) / square
    return slope, (sum_y - slope * sum_x) / n


def summarise(case, found):
    """found: {round trip: [measurements]}."""
    result = {"case": name_of(case)}
    for since in "start", "playing":
        medians = {rtt: b.median([one[since] for one in runs]) for rtt, runs in found.items()}
        slope, fixed = fit(list(medians.items()))
        result[since] = {"ms": medians, "round trips": slope, "fixed ms": fixed}
    result["lead ms"] = max((one["lead"] for runs in found.values() for one in runs), default=float("nan"))
    result["steps ms"] = {rtt: {step: b.median([one["steps"][step] for one in runs if step in one["steps"]])
                                for step in (runs[0]["steps"] if runs else {})} for rtt, runs in found.items()}
    return result


def print_result(cases, results, trips):
    for since, title in ("start", "from the start of the process"), ("playing", "from PLAYING"):
        print(f"\nFirst picture, ms, {title} (medians)")
        b.print_table(["sender"] + [f"RTT {rtt}" for rtt in trips] + ["round trips", "fixed ms", "burst ms"],
                      [[one["case"]] + [f"{one[since]['ms'][rtt]:.0f}" for rtt in trips] +
                       [f"{one[since]['round trips']:.1f}", f"{one[since]['fixed ms']:.0f}", f"{one['lead ms']:.0f}"]
                       for one in results])
    print("Steps, ms from the start of the process (medians)")
    names = ["playing", "offer", "answer", "live", "picture"]
    b.print_table(["sender", "RTT"] + names,
                  [[one["case"], rtt] + [f"{one['steps ms'][rtt].get(name, float('nan')):.0f}" for name in names]
                   for one in results for rtt in trips])
    for case, one in zip(cases, results):
        if case in GOALS:
            most, fixed, since = GOALS[case]
            got = one[since]
            print(f"goal, {one['case']}, from {since}: {got['round trips']:.1f} of {most} round trips" +
                  (f", {got['fixed ms']:.0f} of {fixed} ms" if fixed else ""))


def main():
    bench = b.Bench(__doc__)
    bench.parser.add_argument("--runs", type=int, default=5)
    bench.parser.add_argument("--round-trips", default="0,50,100,200")
    bench.parser.add_argument("--quick", action="store_true", help="one case of each sender")
    options = bench.parse()
    trips = [int(word) for word in options.round_trips.split(",")]
    senders = bench.find_senders()
    cases = [case for case in CASES + PEERS if case[0] in senders]
    if options.quick:
        cases = [next(case for case in cases if case[0] == sender) for sender in senders]
    stage = b.Stage(bench)
    network = b.Network(bench, stage)
    found = {case: {rtt: [] for rtt in trips} for case in cases}
    measure(bench, stage, network, cases[0], 0)  # GStreamer's registry is written
    for run in range(options.runs):
        for rtt in trips:
            network.set_round_trip(rtt)
            for case in cases:
                one = measure(bench, stage, network, case, rtt)
                if one is not None:
                    found[case][rtt].append(one)
        print(f"run {run + 1} of {options.runs}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    results = [summarise(case, found[case]) for case in cases]
    print_result(cases, results, trips)
    bench.write("startup", {"runs": options.runs, "results": results})
    missing = [name_of(case) for case in cases if not all(found[case].values())]
    if missing:
        sys.exit("no picture: " + "; ".join(missing))


if __name__ == "__main__":
    main()
