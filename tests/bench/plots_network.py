# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws what compare-network.py measured: rate, delay and freezes over time.

Two pictures: network-steps.svg, how each sender goes with an uplink that changes; and
network-delay.svg, when which picture was there in every scenario.
"""
import io
import os
import re

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  the backend must be chosen before

RATE = 30
FREEZE = 0.2
COLOURS = {"element": "#0b6e4f", "chromium": "#c2571a", "bare": "#7a7a7a"}
NAMES = {"element": "ivsstagesink", "chromium": "Chromium", "bare": "bare webrtcbin"}


def get_rates(result, width=5):
    """(s since the first phase, Mbit/s) over half a second."""
    link, begin = result["link"], result["times"][0]
    return zip(*[(new[0] / 1e6 - begin, (new[2] - old[2]) * 8 / (new[0] - old[0]))
                 for old, new in zip(link, link[width:])
                 if begin <= new[0] / 1e6 <= result["times"][-1]][::2])


def get_pictures(result):
    """(s since the first phase that it was decoded, delay in s)."""
    begin, end, epoch = result["times"][0], result["times"][-1], result["epoch_us"] / 1e6
    return [(at / 1e6 - begin, at / 1e6 - epoch - number / RATE) for number, at, *_ in result["pictures"]
            if begin <= at / 1e6 <= end]


def get_freezes(result):
    length = result["times"][-1] - result["times"][0]
    points = [0] + [at for at, _ in get_pictures(result)] + [length]
    return [(first, second - first) for first, second in zip(points, points[1:]) if second - first > FREEZE]


def draw_uplink(axes, phases):
    at, times, rates = 0, [], []
    for one in phases:
        times += [at, at + one["seconds"]]
        rates += [(one["kbps"] - one["cross"]) / 1000] * 2
        at += one["seconds"]
    axes.fill_between(times, rates, color="#dfe7ef", label="uplink", linewidth=0)


def get_worst(result):
    """The longest delay of each tenth of a second: more points make a large file and the same picture."""
    worst = {}
    for at, delay in get_pictures(result):
        worst[int(at * 10)] = max(delay, worst.get(int(at * 10), 0))
    return [((tenth + 0.5) / 10, delay) for tenth, delay in worst.items()]


def draw_delay(axes, result, sender):
    """A line through the pictures, with bars where there was none."""
    freezes = get_freezes(result)
    points = sorted([(at, delay * 1000) for at, delay in get_worst(result)] +
                    [(at + length / 2, float("nan")) for at, length in freezes])
    axes.plot(*zip(*points), color=COLOURS[sender], linewidth=0.8)
    for at, length in freezes:
        axes.axvspan(at, at + length, color="#d33", alpha=0.35, linewidth=0)
    axes.axhline(result["patience"] * 1000, color="#333", linewidth=0.6, linestyle=":")
    axes.set_ylim(0, 1000)
    axes.set_xlim(0, result["times"][-1] - result["times"][0])


def draw_steps(senders, phases, path):
    figure, grid = pyplot.subplots(len(senders), 2, figsize=(10, 1.9 * len(senders) + 0.6), sharex=True, squeeze=False)
    for (sender, result), (left, right) in zip(senders.items(), grid):
        draw_uplink(left, phases)
        left.plot(*get_rates(result), color=COLOURS[sender], linewidth=1.2)
        left.set_ylim(0, 4.2)
        left.set_ylabel(f"{NAMES[sender]}\nMbit/s")
        draw_delay(right, result, sender)
        right.set_ylabel("delay, ms")
    grid[0][0].set_title("Sent (line) and uplink (grey)", fontsize=10)
    grid[0][1].set_title("Capture to decoded; red: no picture for over 200 ms", fontsize=10)
    for axes in grid[-1]:
        axes.set_xlabel("s")
    save(figure, path)


def draw_delays(results, path):
    senders = [sender for sender in COLOURS if any(sender in result for result in results.values())]
    figure, grid = pyplot.subplots(len(results), len(senders), figsize=(10, 1.15 * len(results) + 0.8),
                                   sharey=True, squeeze=False)
    for (scenario, result), row in zip(results.items(), grid):
        row[0].set_ylabel(f"{scenario}\nms")
        for sender, axes in zip(senders, row):
            if sender in result:
                draw_delay(axes, result[sender], sender)
    for sender, axes in zip(senders, grid[0]):
        axes.set_title(NAMES[sender], fontsize=10)
    for axes in grid[-1]:
        axes.set_xlabel("s")
    save(figure, path)


def save(figure, path):
    figure.tight_layout()
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    # A tenth of a point is seen by nobody, more digits are half of the file.
    text = re.sub(r"(\d\.\d)\d+", r"\1", text.getvalue())
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def draw(results, scenarios, folder):
    matplotlib.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False,
                                "svg.hashsalt": "ivs", "svg.fonttype": "none", "path.simplify_threshold": 1.0})
    os.makedirs(folder, exist_ok=True)
    if "steps" in results:
        draw_steps(results["steps"], scenarios["steps"], os.path.join(folder, "network-steps.svg"))
    others = {name: result for name, result in results.items() if name != "steps"}
    if others:
        draw_delays(others, os.path.join(folder, "network-delay.svg"))
