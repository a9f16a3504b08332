#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way to fail, as gst-launch-1.0 shows it; kept as docs/examples/errors.md.

    errors.py BUILD                  runs all and compares with the document (TAP)
    errors.py BUILD --write          renews the document
    errors.py BUILD --show [NAME]    prints what comes of all, or of one name

BUILD is the build directory. Each case is a gst-launch-1.0 of its own against a local
stage, or against an endpoint that is none (error_endpoints.py). Ports, times, ids and
the lines that tell where in the source a message was made are not compared. A few
cases need root: for them the system trusts another authority, or there is no network.
"""
import base64
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from error_endpoints import Server
from error_cases import CASES, NOT_SHOWN
from stage_process import SECONDS, Stage

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = SOURCE / "docs" / "examples" / "errors.md"
DATA = SOURCE / "tests" / "unit" / "data"
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"
FAULTY, PATIENT = 3, 5  # how many at once: at stages that misbehave, and others
PATIENCE = 5  # s, until gst-launch-1.0 that has told an ERROR is gone
PIECE = 20    # characters of a token that must not be seen

HEAD = """<!--
SPDX-FileCopyrightText: 2026 The ivsstagesink authors
SPDX-License-Identifier: LGPL-2.1-or-later

Made by tests/stage/errors.py, do not edit. A test runs all of it again and compares;
renew it with:
    meson devenv -C build python3 ../tests/stage/errors.py . --write
-->
# Errors, as gst-launch-1.0 shows them

Each was really made, on one computer, against the local stage or an endpoint that is
none. What the names mean is in [errors.md](../errors.md). The participant token is in
`IVS_STAGE_TOKEN`; before a line with `curl` the local stage was told to misbehave.

Left out is what gst-launch-1.0 says of itself, and the line that tells where in the
source a message was made. Ports, times and ids are other ones each time.
"""


class World:
    """What the cases share: endpoints, folders and stages."""

    def __init__(self, build):
        self.build = build.resolve()
        self.folder = tempfile.TemporaryDirectory(prefix="ivs-errors-")
        self.shared = Stage(self.build)
        self.stages = {}  # of the threads whose stages misbehave
        self.lock = threading.Lock()
        plain = Server()
        certificates = {name: DATA / f"whip-{file}.pem" for name, file in
                        (("https", "server"), ("other", "other-host"), ("expired", "expired"))}
        self.urls = {"http": plain.url, "plain_as_tls": plain.url.replace("http:", "https:")}
        for name, path in certificates.items():
            self.urls[name] = Server(path, plain.url).url

    def stage(self, case):
        worker = threading.get_ident()
        if not is_faulty(case):
            return self.shared
        with self.lock:
            if worker not in self.stages:
                self.stages[worker] = Stage(self.build)
            return self.stages[worker]

    def close(self):
        for stage in [self.shared, *self.stages.values()]:
            stage.stop()
        self.folder.cleanup()


def is_faulty(case):
    return case.fault is not None or case.once_live is not None


# -- Running one ---------------------------------------------------------------------

def encode(claims):
    """A token in shape; its signature is none."""
    parts = [json.dumps({"alg": "ES384", "typ": "JWT"}), json.dumps(claims), "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
                    for part in parts)


def make_token(case, world):
    """The credential, and the participant that it is of."""
    if callable(case.token):
        good = world.stage(case).mint({})
        return case.token(good["token"]), None
    if isinstance(case.token, dict) and "claims" in case.token:
        return encode(case.token["claims"]), None
    if isinstance(case.token, dict):
        made = world.stage(case).mint(case.token)
        return made["token"], made["participantId"]
    return case.token, None


def plugin_folders():
    listed = os.environ.get("GST_PLUGIN_PATH_1_0", os.environ.get("GST_PLUGIN_PATH", ""))
    folders = [folder for folder in listed.split(":") if folder]
    if os.environ.get("GST_PLUGIN_SYSTEM_PATH_1_0") != "":
        folders.append(subprocess.check_output(
            ["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"], text=True).strip())
    return folders


def hide_plugins(names, folder):
    """The environment of a computer where these plugins are not installed."""
    hidden = {f"libgst{name}.so" for name in names}
    kept = folder / "plugins"
    kept.mkdir()
    for place in plugin_folders():
        for path in pathlib.Path(place).glob("libgst*.so"):
            if path.name not in hidden and not (kept / path.name).exists():
                (kept / path.name).symlink_to(path.resolve())
    return {"GST_PLUGIN_PATH_1_0": str(kept), "GST_PLUGIN_SYSTEM_PATH_1_0": "",
            "GST_REGISTRY": str(folder / "registry")}


WRAPS = {
    "trusting": ["unshare", "--mount", "sh", "-c",
                 f'mount --bind {DATA}/whip-ca.pem {SYSTEM_CA} && exec "$@"', "sh"],
    "offline": ["unshare", "--net"],
    "loopback": ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"],
    "without-rights": ["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
}


def why_not(wrap):
    """None where it can be done."""
    if wrap == "without-rights" and os.geteuid() != 0:
        return None
    if os.geteuid() != 0:
        return "it needs root"
    tried = subprocess.run([*WRAPS[wrap], "true"], capture_output=True, text=True)
    return tried.stderr.strip() or "it failed" if tried.returncode else None


def prefix_of(wrap):
    return [] if wrap is None or (wrap == "without-rights" and os.geteuid() != 0) else WRAPS[wrap]


def make_environment(case, token, folder):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("GST_TRACERS", "G_DEBUG", "IVS_STAGE_TOKEN")}
    environment.update(LC_ALL="C.UTF-8", GST_DEBUG_NO_COLOR="1",
                       RES_OPTIONS="timeout:1 attempts:1", **case.environment)
    if token is not None:
        environment["IVS_STAGE_TOKEN"] = token
    if case.without:
        environment.update(hide_plugins(case.without, folder))
    return environment


def make_files(case, token, folder):
    for name, content in case.files.items():
        path = folder / name
        if content == "a folder":
            path.mkdir()
        else:
            path.write_text(content)
        if content == "unreadable":
            path.chmod(0)


Result = collections.namedtuple("Result", "warnings errors status token")


def wait_for(process, condition, what, said):
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"{what}: not after {SECONDS} s\n"
                                 + "".join(path.read_text() for path in said))
        time.sleep(0.05)


def end(process, said):
    """An ERROR ends it, but gst-launch-1.0 1.22 hangs when it comes just before its main
    loop runs, as on a computer that is very busy; Ctrl-C ends it then."""
    wait_for(process, lambda: process.poll() is not None
             or "\n(" in said[1].read_text(), "the end", said)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    wait_for(process, lambda: process.poll() is not None, "the end", said)


def attend(case, process, said, participant, world):
    """Until it has ended, by itself or because what was to be seen was."""
    if case.once_live:
        wait_for(process, lambda: process.poll() is not None
                 or world.stage(case).is_live(participant), "live", said)
        world.stage(case).ask("/faults", {**case.once_live, "participant": participant})
    if case.until:
        wait_for(process, lambda: process.poll() is not None
                 or any(case.until in path.read_text() for path in said), case.until, said)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    end(process, said)


def run(case, world):
    folder = pathlib.Path(tempfile.mkdtemp(dir=world.folder.name))
    token, participant = make_token(case, world)
    make_files(case, token, folder)
    if case.fault:
        world.stage(case).ask("/faults", case.fault)
    urls = dict(world.urls)
    if "{stage}" in case.pipeline:
        urls["stage"] = world.stage(case).ready["whip"].rstrip("/")
    words = shlex.split(re.sub(r"\{(\w+)\}", lambda m: urls[m[1]], case.pipeline))
    # Warnings go to the one and errors to the other; in one file they would mix.
    said, errors = folder / "stdout", folder / "stderr"
    with open(said, "w") as stdout, open(errors, "w") as stderr:
        process = subprocess.Popen(
            [*prefix_of(case.wrap), "gst-launch-1.0", *words], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
            env=make_environment(case, token, folder))
        attend(case, process, [said, errors], participant, world)
    if case.fault:
        world.stage(case).ask("/faults", {"clear": True})
    return Result(said.read_text(), errors.read_text(), process.returncode, token)


def run_elsewhere(case, world):
    """With its stage where there is no network but the loopback interface."""
    said = subprocess.check_output(
        [*WRAPS[case.wrap], sys.executable, __file__, str(world.build), "--one",
         str(CASES.index(case))], text=True)
    return Result(**json.loads(said))


# -- What it said --------------------------------------------------------------------

OWN_WORDS = re.compile(r"Additional debug info:|.*\w\.c\(\d+\): \w+ \(\): ")
CHANGING = [
    (r"127\.0\.0\.1:(\d{2,5})", lambda m: m[0] if int(m[1]) < 1024 else "127.0.0.1:8080"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "2026-01-02T03:04:05Z"),
    (r"(publish/|[Pp]articipant |--participant-id )[A-Za-z0-9]{12}\b", r"\1aBcDeFgHiJkL"),
    (r"follows in \d+\.\d s", "follows in 2.0 s"),
    (r"(heard of the stage for|none for|over|for) \d+(\.\d)? (s\b|seconds)", r"\1 8 \3"),
    (r"\d+(\.\d)? (Mbit/s over|frames/s,|% of the)", r"9 \2"),
    (r"The pad sink_\d", "The pad sink_1"),
    (r"[\w/]*/ivs-errors-\w+/tmp\w+/", "/srv/publisher/"),
    (r"(media server [\d.]+):\d+/udp", r"\1:8080/udp"),
    (r"Temporary failure in name resolution", "Name or service not known"),
]


def normalise(text):
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text


def messages(said):
    """Each message as gst-launch-1.0 prints it, up to the name in brackets."""
    found, is_inside = [], False
    for line in said.splitlines():
        if re.match(r"(ERROR|WARNING): from element", line):
            found.append([line])
            is_inside = True
        elif re.match(r"(ERROR|WARNING): (erroneous pipeline|pipeline could not)", line):
            found.append([line])
        elif is_inside and not OWN_WORDS.match(line):
            found[-1].append(line)
        is_inside = is_inside and not line.startswith("(")
    return ["\n".join(lines) for lines in found]


def show(case, result):
    """As the document has it."""
    errors = messages(result.errors)
    # Of two that come together and say the same, gst-launch-1.0 may leave one out.
    told = {text.partition(": ")[2] for text in errors}
    shown = [text for text in messages(result.warnings)
             if text.partition(": ")[2] not in told] + errors
    if case.until:
        shown = [text for text in shown if case.until in text][:1]
    if case.or_else:
        shown = [re.sub(case.or_else[0], case.or_else[1], text) for text in shown]
    before = [f"$ curl -d '{json.dumps(fault)}' http://127.0.0.1:8080/api/faults"
              for fault in (case.fault,) if fault]
    env = "".join(f"{name}={value} " for name, value in case.environment.items())
    pipeline = re.sub(r"\{(\w+)\}", lambda m: "https://127.0.0.1:8080"
                      if m[1] in ("https", "other", "expired", "plain_as_tls")
                      else "http://127.0.0.1:8080", case.pipeline)
    lines = [*before, f"$ {env}gst-launch-1.0 {pipeline}",
             *normalise("\n".join(shown)).split("\n")]
    return f"{case.title}:\n\n" + "\n".join("    " + line for line in lines) + "\n"


def check(case, result):
    """What must hold whatever the document says."""
    text = result.warnings + result.errors
    if result.token:
        for at in range(len(result.token) - PIECE + 1):
            assert result.token[at:at + PIECE] not in text, f"a secret is told:\n{text}"
    if case.until is None:
        assert result.status != 0, f"it ended as if all were well:\n{text}"
        assert f"({case.name}" in text or case.own_words, (
            f"it does not say {case.name}:\n{text}")


# -- All of them ---------------------------------------------------------------------

def attempt(case, world):
    """The text, or the exception."""
    try:
        reason = why_not(case.wrap) if case.wrap else None
        if reason:
            return None, f"{case.title}: {reason}"
        result = run_elsewhere(case, world) if case.wrap == "loopback" else run(case, world)
        check(case, result)
        return show(case, result), None
    except Exception as error:  # each case has its own line
        return error, None


def run_all(cases, build):
    """Yields (case, text, reason to skip), in the order of the table."""
    world = World(build)
    subprocess.run(["gst-inspect-1.0", "ivsstagesink"], check=True, stdout=subprocess.DEVNULL)
    # The long ones first, so that nobody waits for them in the end.
    order = sorted(range(len(cases)), key=lambda i: -cases[i].seconds)
    try:
        with concurrent.futures.ThreadPoolExecutor(FAULTY) as faulty, \
                concurrent.futures.ThreadPoolExecutor(PATIENT) as patient:
            futures = {i: (faulty if is_faulty(cases[i]) else patient).submit(
                attempt, cases[i], world) for i in order}
            for i, case in enumerate(cases):
                yield (case, *futures[i].result())
    finally:
        world.close()


def names_in(path):
    """What is in the first columns of tables that are about names."""
    names, is_inside = set(), False
    for line in path.read_text().splitlines():
        if line.startswith(("| Name |", "| `name` | When", "| `name` | Measured")):
            is_inside = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside:
            names.update(re.findall(r"`([a-z0-9-]+)`", line.split("|")[1]))
    return names


def make_document(results):
    text, last = HEAD, None
    for case, shown, skipped in results:
        if skipped or isinstance(shown, Exception):
            sys.exit(f"{case.title}: {skipped or shown}")
        if case.name != last:
            text += f"\n## {case.name}\n"
        text += "\n" + shown
        last = case.name
    text += "\n## Not shown\n\n"
    return text + "".join(f"- `{name}`: {why}\n" for name, why in NOT_SHOWN.items())


def slug(text):
    return re.sub(r"\W+", "-", text.lower()).strip("-")


def check_names():
    """Each name of the documents is shown, or it is said why not."""
    names = names_in(SOURCE / "docs" / "errors.md") | names_in(SOURCE / "docs" / "reference.md")
    told = {case.name for case in CASES} | set(NOT_SHOWN)
    assert names <= told, f"neither shown nor said why not: {sorted(names - told)}"
    assert told - names == {"caps", "property"}, f"nobody knows {sorted(told - names)}"


def compare(results, count):
    document = DOCUMENT.read_text()
    failures = 0
    print(f"1..{count + 1}", flush=True)
    try:
        check_names()
        print("ok 1 /errors/every-name")
    except AssertionError as error:
        failures += 1
        print(f"# {error}\nnot ok 1 /errors/every-name")
    for number, (case, shown, skipped) in enumerate(results, 2):
        name = f"/errors/{case.name}/{slug(case.title)}"
        if skipped:
            print(f"ok {number} {name} # SKIP {skipped}", flush=True)
            continue
        if not isinstance(shown, Exception) and f"\n{shown}" in document:
            print(f"ok {number} {name}", flush=True)
            continue
        failures += 1
        told = shown if isinstance(shown, Exception) else f"docs/examples/errors.md lacks:\n{shown}"
        print("\n".join("# " + line for line in str(told).splitlines()))
        print(f"not ok {number} {name}", flush=True)
    return failures


def main(arguments):
    build, options = pathlib.Path(arguments[0]), arguments[1:]
    chosen = [case for case in CASES if len(options) < 2 or case.name == options[1]]
    if "--write" in options:
        DOCUMENT.write_text(make_document(run_all(chosen, build)))
        return 0
    if "--one" in options:
        world = World(build)
        case = dataclasses.replace(CASES[int(options[1])], wrap=None)
        print(json.dumps(run(case, world)._asdict()))
        world.close()
        return 0
    if "--show" in options:
        for case, shown, skipped in run_all(chosen, build):
            print(f"[{case.name}] {skipped or shown}")
        return 0
    return 1 if compare(run_all(chosen, build), len(chosen)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
