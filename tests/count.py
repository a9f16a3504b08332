# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the cases of a test run: `count.py BUILD STATUS LOG...`

LOG is meson's testlog*.json, one line per test program with its output, STATUS
what `meson test` returned. The programs speak TAP, and what is counted is their
lines; meson's own numbers are those of programs. A program that ends before its
plan is through, is killed, times out or says nothing has failed, also where all
the lines it did write are `ok`. A case that runs in several setups is one case,
which has failed if it failed in any.
"""

import json
import re
import subprocess
import sys

LINE = re.compile(r"(not )?ok\b *(\d*)[ -]*([^#]*?)\s*(?:#\s*(\w+).*)?$")
PLAN = re.compile(r"1\.\.(\d+)(?:\s*#\s*skip.*)?$", re.IGNORECASE)
PASSED, SKIPPED, FAILED = range(3)


def judge_line(match):
    failed, _, _, directive = match.groups()
    directive = (directive or "").lower()
    if directive.startswith("skip"):
        return SKIPPED
    return FAILED if failed and directive != "todo" else PASSED


def cases_of(test, protocol):
    """Name and outcome of every case of one program."""
    name, result = test["name"], test["result"]
    outcome = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}.get(
        result, FAILED)
    if protocol != "tap":
        return [(name, outcome)]

    cases, plan = [], None
    for line in test.get("stdout", "").splitlines():
        match = LINE.match(line)
        if match:
            cases.append((match.group(3) or match.group(2), judge_line(match)))
        elif PLAN.match(line):
            plan = int(PLAN.match(line).group(1))

    if plan == 0 and not cases:
        return [(name, max(outcome, SKIPPED))]
    if plan is None or plan != len(cases):
        cases.append(("%s after %d of %s cases" % (
            result, len(cases), "unknown" if plan is None else plan), FAILED))
    elif outcome == FAILED and FAILED not in [o for _, o in cases]:
        cases.append(("%s, exit status %s" % (result, test.get("returncode")),
                      FAILED))
    return cases


def show_output(test, log):
    """What a failed program said, without the cases that went well.

    meson prints the standard error of a TAP program, and not these lines."""
    said = [line for line in test.get("stdout", "").splitlines()
            if not line.startswith("ok ")]
    print("\n%s (%s):" % (test["name"], log))
    print("\n".join("  " + line for line in said[-60:]))


def main(build, status, logs):
    listing = subprocess.run(["meson", "introspect", "--tests", build],
                             check=True, capture_output=True, text=True)
    protocols = {t["name"]: t["protocol"] for t in json.loads(listing.stdout)}

    outcomes, seen = {}, set()
    for log in logs:
        try:
            lines = open(log, encoding="utf-8", errors="replace").readlines()
        except FileNotFoundError:
            outcomes[(log, "was not written")] = FAILED
            continue
        for test in map(json.loads, lines):
            program = test["name"].split(" / ")[-1].split(":")[-1]
            cases = cases_of(test, protocols.get(program, "tap"))
            if FAILED in [outcome for _, outcome in cases]:
                show_output(test, log)
            for case, outcome in cases:
                while (log, program, case) in seen:
                    case += "'"
                seen.add((log, program, case))
                key = (program, case)
                outcomes[key] = max(outcome, outcomes.get(key, PASSED))

    counts = [list(outcomes.values()).count(o)
              for o in (PASSED, SKIPPED, FAILED)]
    if int(status) != 0 and counts[FAILED] == 0:
        outcomes[("meson test", "failed by itself, see above")] = FAILED
        counts[FAILED] = 1

    print()
    for label, wanted in (("skipped", SKIPPED), ("FAILED", FAILED)):
        for (program, case), outcome in outcomes.items():
            if outcome == wanted:
                print("%s: %s: %s" % (label, program, case))
    print("%d passed, %d failed, %d skipped"
          % (counts[PASSED], counts[FAILED], counts[SKIPPED]))
    return 1 if counts[FAILED] or sum(counts) == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
