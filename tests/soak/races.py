"""An agent that swaps what wafers looks at; see tests/soak/races.

A swapper exchanges names as fast as it can (rename(2) with RENAME_EXCHANGE), either inside the view
or in the wafer's upper itself: a directory and a link to one outside, a file and a link, a fifo or a
directory. Beside it the commands run one after the other. What is outside has contents and names
that nothing else has, so that any object with one of them tells of a way out.
"""

import argparse
import functools
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from scene import Scene

PATIENCE = 120  # seconds, for one command on a busy machine
CONTENT = b"content-of-the-outside"
NAME = "name-of-the-outside"
ALLOWED = {0, 1, 2, 3, 4}  # as the contract has them; a signal is none of them
AGENT = 59999  # the user who swaps where root mounts

# argv: a directory, a link's target, "seed". Ends with its directory, or by SIGKILL.
SWAPPER = r"""
import ctypes, os, random, sys
top, outside, seed = sys.argv[1:4]
choose = random.Random(seed)
libc = ctypes.CDLL(None, use_errno=True)
def exchange(a, b):
    return libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2)
def attempt(function, *arguments):
    try: function(*arguments)
    except OSError: pass
def write(path, text):
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    try: os.write(fd := os.open(path, flags), text.encode())
    except OSError: return
    os.close(fd)
def make(top):
    pairs = []
    top = os.path.realpath(top)
    for d in ("dir0", "new0", "new1", "new1/deep", "new1/deep/er"):
        path = os.path.join(top, d)
        # Where a name on the way is swapped, what is made would be outside.
        if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path): continue
        attempt(os.mkdir, path)
        if os.path.realpath(path) != path: continue
        for i in range(4):
            write(f"{path}/file{i}", f"inside {i} {choose.random()}\n")
        attempt(os.symlink, outside + "/sub/file0", f"{path}/link-to-file")
        attempt(os.mkfifo, f"{path}/fifo")
        attempt(os.mkdir, f"{path}/directory")
        write(f"{path}/.gitignore", "*.o\n")
        write(f"{path}/.gitattributes", "*.txt text\n")
        attempt(os.symlink, outside + "/sub", path + "-link")
        attempt(os.symlink, outside + "/.gitignore", f"{path}/ignore-link")
        pairs += [(path, path + "-link"), (f"{path}/file0", f"{path}/link-to-file"),
                  (f"{path}/file1", f"{path}/fifo"), (f"{path}/file2", f"{path}/directory"),
                  (f"{path}/.gitignore", f"{path}/ignore-link"),
                  (f"{path}/.gitattributes", f"{path}/ignore-link"),
                  (f"{path}/.gitignore", f"{path}/fifo")]
    return pairs
pairs = make(top)
print("swapping", flush=True)
while os.path.isdir(top):
    if choose.random() < 0.2: make(top)
    for _ in range(20):
        a, b = choose.choice(pairs)
        for _ in range(choose.choice((1, 2, 50))): exchange(a, b)
"""

MOUNTPOINT_SWAPPER = r"""
import ctypes, os, random, sys
top, outside, seed = sys.argv[1:4]
choose = random.Random(seed)
libc = ctypes.CDLL(None, use_errno=True)
def attempt(function, *arguments):
    try: function(*arguments)
    except OSError: pass
attempt(os.makedirs, top + "/parent/view")
attempt(os.symlink, outside, top + "/link")
attempt(os.symlink, outside, top + "/parent/link")
print("swapping", flush=True)
while True:
    for _ in range(100):
        a, b = choose.choice((("parent", "link"), ("parent/view", "parent/link")))
        libc.renameat2(-100, os.fsencode(f"{top}/{a}"), -100, os.fsencode(f"{top}/{b}"), 2)
    attempt(os.makedirs, top + "/parent/view")
    for name in ("/parent", "/parent/view"):
        for _ in range(10):
            attempt(os.rmdir, top + "/parent/view")
            attempt(os.rmdir, top + name)
            attempt(os.symlink, outside, top + name)
            attempt(os.unlink, top + name)
"""


class Races(Scene):
    """What all threads share."""

    def __init__(self, options):
        super().__init__(options, "wafers-races-")
        self.top.chmod(0o755)
        self.outside = self.top / "outside"

    def wafers(self, *words):
        try:
            result = subprocess.run([self.options.program, *words], env=self.environment,
                                    cwd=self.repo, stdin=subprocess.DEVNULL, capture_output=True,
                                    timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail(f"hangs: {' '.join(words)}")
            return subprocess.CompletedProcess(words, 1, b"", b"")
        self.count(f"{words[0]} {result.returncode}")
        if result.returncode not in ALLOWED:
            self.fail(f"{words}: {result.returncode}: {result.stderr!r}")
        if CONTENT in result.stdout + result.stderr:
            self.fail(f"{words} prints the content of the outside")
        return result

    def make(self):
        self.repo.mkdir()
        self.git("init", "-q", "-b", "main")
        for key, value in {"user.name": "races", "user.email": "races@example.com"}.items():
            self.git("config", key, value)
        for i in range(40):
            file = self.repo / f"dir{i % 4}" / f"file{i // 4}"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"base {i}\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "base")
        for directory in (self.outside, self.outside / "sub", self.outside / "sub" / "deep"):
            directory.mkdir()
            for name in ("file0", "file1", ".gitignore", ".gitattributes", NAME):
                (directory / name).write_bytes(CONTENT + b" " + name.encode() + b"\n")
        for directory in (self.outside / "sub" / "deep", self.outside / "sub", self.outside):
            directory.chmod(0o750)

    def everything_outside(self):
        """Names, types, modes, owners, times and contents."""
        found = []
        for path in sorted([self.outside, *self.outside.rglob("*")]):
            st = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found.append((str(path), st.st_mode, st.st_uid, st.st_mtime_ns, st.st_ino,
                          tuple(os.listxattr(path, follow_symlinks=False)), content))
        return found

    def objects_are_clean(self):
        objects = self.git("cat-file", "--batch-all-objects", "--batch", "--unordered", text=False)
        for bad in (CONTENT, NAME.encode()):
            if bad in objects.stdout:
                self.fail(f"an object holds {bad!r}")

    def swapper(self, command, seed, directory, link, text=SWAPPER, **options):
        process = subprocess.Popen(
            [*command, "/usr/bin/python3", "-c", text, str(directory), str(link), seed],
            env=self.environment, cwd=self.repo, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, **options)
        process.stdout.readline()
        return process


def end(process):
    process.kill()
    process.wait()


COMMANDS = [
    ["git-status"], ["git-status"], ["git-diff", "--uncommitted"], ["git-diff", "--all", "--stat"],
    ["git-add", "--", "."], ["git-add", "--", "new1", "dir0"], ["git-commit", "-m", "all"],
    ["git-commit", "-m", "all"], ["git-commit", "-m", "some", "--", "new1"],
    ["git-commit", "-m", "some", "--", "dir0/file0"], ["umount"], ["mount"],
]


def one_wafer(races, name, choose):
    if races.wafers("add", name, "--backend", races.options.what).returncode != 0:
        return races.fail(f"{name} can't be added")
    listed = json.loads(races.wafers("ls", "--json").stdout)["wafers"]
    wafer = next(entry for entry in listed if entry["name"] == name)
    in_view = choose.random() < 0.5
    if in_view:
        # exec becomes the command: what is killed is the swapper.
        enter = [races.options.program, "exec", name, "--"]
        swapper = races.swapper(enter, name, wafer["mountpoint"], races.outside)
    else:
        swapper = races.swapper([], name, wafer["upperdir"], races.outside)
    try:
        for _ in range(choose.randrange(4, 12)):
            command, *words = choose.choice(COMMANDS)
            if not (in_view and command == "umount"):
                races.wafers(command, name, *words)
        if in_view:
            end(swapper)
        races.wafers("rm", name, "--force", "--no-salvage", "--kill")  # with the swapper in the upper still at it
    finally:
        end(swapper)
    races.wafers("rm", name, "--force", "--no-salvage", "--kill")


def walk(races, number, until):
    choose = random.Random(f"{races.options.seed}-{number}")
    life = 0
    while time.monotonic() < until:
        life += 1
        one_wafer(races, f"w{number}-{life}", choose)


def mountpoint(races, number, until):
    """Root mounts where a user swaps. What is refused is right, and what is mounted elsewhere."""
    place = races.top / f"place{number}"
    place.mkdir()
    if number % 2:  # where root may be first
        place.chmod(0o1777)
    else:
        os.chown(place, AGENT, AGENT)
    drop = ["setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--clear-groups"]
    swapper = races.swapper(drop, str(number), place, races.outside, MOUNTPOINT_SWAPPER)
    backends = ("host", "namespace", "fuse")
    life = 0
    while time.monotonic() < until:
        life += 1
        name = f"m{number}-{life}"
        races.wafers("add", name, "--at", str(place / "parent" / "view"), "--backend",
                     backends[life % len(backends)])
        if str(races.outside) in pathlib.Path("/proc/self/mountinfo").read_text():
            races.fail(f"{name} is mounted on the outside")
        races.wafers("umount", name)
        races.wafers("mount", name)
        races.wafers("rm", name, "--force", "--no-salvage", "--kill")
    end(swapper)


def main():
    parser = argparse.ArgumentParser(usage="tests/soak/races [WHAT] [OPTION...]")
    parser.add_argument("--program", required=True)
    parser.add_argument("--what", required=True)
    parser.add_argument("--wafers", type=int, default=4, help="at the same time")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", action="store_true", help="keep the files")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)

    races = Races(options)
    print(f"seed {options.seed}, {options.what}, below {races.top}", flush=True)
    races.make()
    before = races.everything_outside()
    index = (races.repo / ".git/index").read_bytes()
    function = mountpoint if options.what == "mountpoint" else walk
    until = time.monotonic() + options.seconds
    races.in_threads([functools.partial(function, races, number, until)
                      for number in range(options.wafers)])

    if changed := set(races.everything_outside()) ^ set(before):
        races.fail(f"the outside is changed: {changed}")
    races.objects_are_clean()
    if (races.repo / ".git/index").read_bytes() != index or races.git("status", "--porcelain").stdout:
        races.fail("the base is changed")
    if (result := races.git("fsck", "--strict", check=False)).returncode != 0:
        races.fail(f"fsck: {result.stderr}")
    if left := json.loads(races.wafers("ls", "--json").stdout)["wafers"]:
        races.fail(f"wafers that can't be removed: {[wafer['name'] for wafer in left]}")
    print("done:", dict(sorted(races.counts.items())))
    print(f"{len(races.failures)} failures")
    if not options.keep and not races.failures:
        shutil.rmtree(races.top, ignore_errors=True)
    sys.exit(1 if races.failures else 0)


main()
