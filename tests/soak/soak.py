"""Wafers at work in parallel under random kills; see tests/soak/run.

Each wafer has a worker that writes, stages, commits, unmounts, removes and adds again. Some of its
commands get SIGKILL after a random time, and somebody else kills holders and servers of views. What
a command has reported as done must be there afterwards; what a killed one was about may be there.
"""

import argparse
import collections
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

from scene import Scene

BASE_FILES = 200
PATIENCE = 600  # seconds, for one command on a busy machine


class Soak(Scene):
    """What all workers share."""

    def __init__(self, options):
        super().__init__(options, "wafers-soak-")
        self.refusals = collections.Counter()

    def refused(self, command, result):
        """Tells of a failure that a kill at the same moment may excuse."""
        with self.lock:
            self.refusals[f"{command} {result.returncode}: {(result.stderr or result.stdout).strip()[:300]}"] += 1

    def wafers(self, *words, kill_after=None):
        """Runs wafers, with SIGKILL after so many seconds; its returncode is -9 if that came."""
        process = subprocess.Popen([self.options.program, *words], env=self.environment,
                                   cwd=self.repo, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if kill_after is not None:
            try:
                process.wait(kill_after)
            except subprocess.TimeoutExpired:
                process.kill()
                self.count("killed commands")
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"hangs: {' '.join(words)}")
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def listing(self):
        result = self.wafers("ls", "--json")
        if result.returncode != 0:
            self.fail(f"ls: {result.stderr}")
            return {"wafers": [], "invalid_entries": []}
        return json.loads(result.stdout)

    def make_base(self):
        self.repo.mkdir()
        self.git("init", "-q", "-b", "main")
        for key, value in {"user.name": "soak", "user.email": "soak@example.com",
                           "gc.auto": "0"}.items():
            self.git("config", key, value)
        for i in range(BASE_FILES):
            file = self.repo / f"dir{i % 20}" / f"file{i}"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"base {i}\n" * 20)
        self.git("add", "-A")
        self.git("commit", "-qm", "base")


class Worker:
    """One agent: a name, and one wafer after the other under it."""

    def __init__(self, soak, number):
        self.soak = soak
        self.name = f"agent{number}"
        self.random = random.Random(f"{soak.options.seed}-{number}")
        self.life = 0
        self.branch = ""
        self.files = {}  # path: the contents that it may have, the latest last
        self.commits = []
        self.token = 0

    def run(self, *words, may_kill=True):
        kill = may_kill and self.random.random() < self.soak.options.kill
        result = self.soak.wafers(*words, kill_after=self.random.random() ** 3 * 0.3 if kill else None)
        self.soak.count(words[0])
        return result

    def add(self):
        """A new wafer; whatever a killed attempt left is removed first, as anybody would."""
        while True:
            self.life += 1
            self.branch = f"soak/{self.name}-{self.life}"
            self.files = {}
            self.commits = []
            result = self.run("add", self.name, "--branch", self.branch, "--backend",
                              self.soak.options.backend)
            if result.returncode == 0:
                return
            if result.returncode != -signal.SIGKILL:
                self.soak.refused("add", result)
            if self.is_listed():
                if self.status() in ("mounted", "unmounted"):
                    return  # it was all done when the kill came
                self.remove_rest()

    def entry(self):
        for wafer in self.soak.listing()["wafers"]:
            if wafer["name"] == self.name:
                return wafer
        return None

    def is_listed(self):
        return (self.soak.state / self.name).exists()

    def status(self):
        entry = self.entry()
        return entry["status"] if entry else None

    def remove_rest(self):
        result = self.run("rm", self.name, may_kill=False)
        if result.returncode != 0 and self.is_listed():
            self.soak.fail(f"{self.name}: what a kill left needs a hand: {result.stderr}")
            self.run("rm", "--force", "--kill", self.name, may_kill=False)

    def write(self):
        self.token += 1
        path = (f"dir{self.random.randrange(20)}/file{self.random.randrange(BASE_FILES)}"
                if self.random.random() < 0.3 else f"new{self.random.randrange(30)}")
        text = f"{self.name} {self.life} {self.token}\n"
        old = self.files.get(path, [None])
        script = f"mkdir -p \"$(dirname {path})\" && printf '%s' '{text}' > {path}.tmp && mv {path}.tmp {path}"
        result = self.run("exec", self.name, "--", "sh", "-c", script)
        if result.returncode == 0:
            self.files[path] = [text]
            return
        self.files[path] = old + [text]
        if result.returncode != -signal.SIGKILL:
            self.soak.refused("exec", result)

    def commit(self):
        words = ["git-commit", self.name, "-m", f"{self.name} {self.token}", "--json"]
        if self.files and self.random.random() < 0.3:
            words += ["--", self.random.choice(list(self.files))]
        result = self.run(*words)
        if result.returncode == 0:
            self.commits.append(json.loads(result.stdout)["commit"])
        elif result.returncode != -signal.SIGKILL and "nothing to commit" not in result.stdout \
                and "did not match any files" not in result.stdout:
            self.soak.refused("git-commit", result)

    def stage(self):
        if not self.files:
            return
        result = self.run("git-add", self.name, "--", self.random.choice(list(self.files)))
        if result.returncode not in (0, -signal.SIGKILL):
            self.soak.refused("git-add", result)

    def look(self):
        result = self.run(*self.random.choice(
            [("git-status", self.name), ("git-diff", self.name, "--uncommitted", "--stat"),
             ("ls",), ("ls", "--json")]))
        if result.returncode not in (0, -signal.SIGKILL):
            self.soak.refused(result.args[0], result)

    def remount(self):
        for command in ("umount", "mount"):
            result = self.run(command, self.name)
            if result.returncode not in (0, 4, -signal.SIGKILL):
                self.soak.refused(command, result)

    def renew(self):
        """rm without force, which refuses while there is work, and a new wafer under the name."""
        result = self.run("rm", self.name)
        if result.returncode not in (0, 3, 4, -signal.SIGKILL):
            self.soak.refused("rm", result)
        if self.is_listed() and self.status() == "broken":
            self.remove_rest()
        if not self.is_listed():
            self.check_branch()
            self.add()

    def work(self, until):
        self.add()
        actions = [(self.write, 45), (self.commit, 20), (self.stage, 8), (self.look, 12),
                   (self.remount, 7), (self.renew, 8)]
        while time.monotonic() < until:
            self.random.choices([a for a, _ in actions], [w for _, w in actions])[0]()

    # What must hold afterwards.

    def in_branch(self, path):
        result = self.soak.git("show", f"{self.branch}:{path}", check=False)
        return result.stdout if result.returncode == 0 else None

    def check_branch(self):
        """Of a wafer that is gone: all that was written is committed, all commits are there."""
        for commit in self.commits:
            inside = self.soak.git("merge-base", "--is-ancestor", commit, self.branch, check=False)
            if inside.returncode != 0:
                self.soak.fail(f"{self.branch}: commit {commit} is not on it")
        for path, allowed in self.files.items():
            self.check(path, self.in_branch(path), allowed, "branch")

    def check(self, path, found, allowed, where):
        if None in allowed and not path.startswith("new"):
            return  # never written for sure: as in the base
        if found not in allowed:
            self.soak.fail(f"{self.branch}: {path} in its {where} is {found!r}, not {allowed}")

    def check_all(self):
        if self.is_listed() and self.status() == "broken":
            self.remove_rest()
        if not self.is_listed():
            return self.check_branch()
        for command in (("exec", self.name, "--", "true"), ("git-status", self.name),
                        ("umount", self.name), ("mount", self.name)):
            result = self.run(*command, may_kill=False)
            if result.returncode != 0:
                self.soak.fail(f"{' '.join(command)} needs a hand: {result.stderr}")
        for path, allowed in self.files.items():
            result = self.run("exec", self.name, "--", "cat", path, may_kill=False)
            self.check(path, result.stdout if result.returncode == 0 else None, allowed, "view")
        for words in (("--", "."), ()):
            result = self.run("git-commit", self.name, "-m", "last", *words, may_kill=False)
            if result.returncode not in (0, 1):
                self.soak.fail(f"git-commit {self.name} needs a hand: {result.stderr}")
        self.check_branch()
        result = self.run("rm", self.name, may_kill=False)
        if result.returncode != 0:
            self.soak.fail(f"rm {self.name} needs a hand: {result.stderr}")
            self.run("rm", "--force", "--kill", self.name, may_kill=False)
        return None


def kill_views(soak, until):
    """Ends holders and servers: by SIGKILL, or as a shutdown asks them to."""
    chance = random.Random(f"{soak.options.seed}-views")
    while time.monotonic() < until:
        time.sleep(chance.random() * 0.5)
        records = list(soak.state.glob("*/metadata"))
        try:
            record = json.loads(chance.choice(records).read_text()) if records else {}
        except (OSError, ValueError):
            continue  # it is being removed
        process = (record.get("mount") or {}).get("process")
        if not process:
            continue
        try:
            os.kill(process["pid"], chance.choice([signal.SIGKILL, signal.SIGTERM]))
            soak.count("killed views")
        except OSError:
            pass


def processes(soak):
    """Command lines that name this run's directory, and mounts below it anywhere."""
    found = []
    top = str(soak.top)
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mounts = (entry / "mountinfo").read_text()
        except OSError:
            continue
        if top in line or top in mounts:
            found.append(f"process {entry.name} {line}")
    if top in pathlib.Path("/proc/self/mountinfo").read_text():
        found.append("a mount here")
    return found


def leftovers(soak):
    found = [str(path) for path in soak.state.iterdir() if path.name not in (".lock", ".taken", ".verified")]
    for path in (soak.repo / ".git").rglob("*"):
        if path.name.endswith(".lock") or path.name.startswith(("tmp_", ".tmp")):
            found.append(str(path))
    return found + processes(soak)


def check_leftovers(soak):
    # Whatever comes next sweeps, and what it removes in the background takes its time.
    for command in (("add", "last"), ("rm", "last")):
        result = soak.wafers(*command)
        if result.returncode != 0:
            soak.fail(f"{command}: {result.stderr}")
    # An object that a kill left half written is git's to sweep, as one of its own: `git gc` does
    # this after two weeks, and must know ours.
    soak.counts["half-written objects"] = len(list((soak.repo / ".git/objects").rglob("tmp_*")))
    soak.git("prune", "--expire=now")
    deadline = time.monotonic() + 60
    while (found := leftovers(soak)) and time.monotonic() < deadline:
        time.sleep(0.5)
    for path in found:
        soak.fail(f"left over: {path}")
    if (result := soak.git("fsck", "--strict", "--connectivity-only", check=False)).returncode != 0:
        soak.fail(f"fsck: {result.stderr}")
    if (result := soak.git("status", "--porcelain")).stdout:
        soak.fail(f"the base is changed: {result.stdout}")


def main():
    parser = argparse.ArgumentParser(usage="tests/soak/run [BACKEND] [OPTION...]")
    parser.add_argument("--program", required=True)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--wafers", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--kill", type=float, default=0.2, help="the part of commands to kill")
    parser.add_argument("--keep", action="store_true", help="keep the files")
    options = parser.parse_args()

    soak = Soak(options)
    print(f"seed {options.seed}, backend {options.backend}, below {soak.top}", flush=True)
    soak.make_base()
    workers = [Worker(soak, number) for number in range(options.wafers)]
    until = time.monotonic() + options.seconds

    soak.in_threads([functools.partial(worker.work, until) for worker in workers] +
                    [functools.partial(kill_views, soak, until)])
    print("checking", flush=True)
    soak.in_threads([worker.check_all for worker in workers])
    check_leftovers(soak)

    print("done:", dict(sorted(soak.counts.items())),
          "commits:", sum(len(worker.commits) for worker in workers), "in the last lives")
    for text, times in soak.refusals.most_common():
        print(f"  {times} times under kills: {text}")
    print(f"{len(soak.failures)} failures")
    if not options.keep and not soak.failures:
        shutil.rmtree(soak.top, ignore_errors=True)
    sys.exit(1 if soak.failures else 0)


main()
