"""Measures wafers beside its alternatives. Each figure takes its ways in turn (A B A B), as whole
processes, and reports medians and the ratio of the medians. See tests/bench/run."""

import argparse
import contextlib
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZES = [1_000, 10_000, 100_000, 300_000]
FIGURES = {}


def figure(target, large=False):
    """Registers a function that measures one figure. `target`: what the ratio, or value, should be."""

    def register(function):
        FIGURES[function.__name__] = (function, target, large)
        return function

    return register


def run(*command, cwd=None, **options):
    """Runs a command to its end; returns the seconds it took."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"bench: {command} failed: {done.stderr.decode()}")
    return seconds


def output(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE).stdout


class Bench:
    def __init__(self, arguments):
        self.wafers_program = arguments.wafers
        self.rounds = arguments.rounds
        self.data = Path(arguments.data)
        self.state = self.data / "state"
        self.results = []
        os.environ["WAFERS_STATE_DIR"] = str(self.state)
        for role in ("AUTHOR", "COMMITTER"):
            os.environ[f"GIT_{role}_NAME"] = "bench"
            os.environ[f"GIT_{role}_EMAIL"] = "bench@localhost"
        self.wafers("rm", "--all", "--force", "--no-salvage", "--kill")

    # --- input

    def linux(self):
        """Debian's linux-source-6.1 in git."""
        tree = self.data / "linux-source-6.1"
        if (tree / ".git/refs/heads/main").exists() or (tree / ".git/packed-refs").exists():
            return tree
        work = self.data / "unpack"
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(tree, ignore_errors=True)
        work.mkdir(parents=True)
        run("apt-get", "download", "-q", "linux-source-6.1", cwd=work)
        run("dpkg-deb", "-x", *map(str, work.glob("*.deb")), str(work), cwd=work)
        run("tar", "xf", str(work / "usr/src/linux-source-6.1.tar.xz"), "-C", str(self.data))
        shutil.rmtree(work)
        run("git", "init", "-q", "-b", "main", cwd=tree)
        run("git", "add", "-A", "-f", cwd=tree)
        run("git", "commit", "-q", "-m", "linux 6.1", cwd=tree)
        run("git", "gc", "-q", cwd=tree)
        return tree

    def synthetic(self, count):
        """A base of so many small files, the first directory always of the same shape."""
        tree = self.data / f"base-{count}"
        if (tree / ".git/index").exists():
            return tree
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        run("git", "init", "-q", "-b", "main", cwd=tree)
        stream = bytearray(b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n")
        for i in range(count):
            text = (f"file {i}\n" * 20).encode()
            name = f"d{i // 2000:03}/e{i // 100 % 20:02}/f{i % 100:03}.txt"
            stream += f"M 100644 inline {name}\ndata {len(text)}\n".encode() + text + b"\n"
        run("git", "fast-import", "--quiet", cwd=tree, input=bytes(stream))
        run("git", "reset", "-q", "--hard", cwd=tree)
        return tree

    # --- work

    def wafers(self, *arguments, base=None):
        return run(self.wafers_program, *map(str, arguments), cwd=base)

    def add(self, base, name, *options):
        return self.wafers("add", name, "--backend", "namespace", *options, base=base)

    def remove(self, base, *names):
        seconds = self.wafers("rm", "--force", *names)
        run("git", "branch", "-q", "-D", *(f"wafers/{name}" for name in names), cwd=base)
        return seconds

    def settle(self):
        """Waits for what earlier rounds left to do in the background, and for the disk."""
        while any(self.state.glob(".removing-*")):
            time.sleep(0.01)
        os.sync()

    @contextlib.contextmanager
    def worktree(self, base):
        """A native worktree of `base`, on a branch of its own."""
        tree = self.data / "worktree"
        run("git", "worktree", "add", "-q", "-b", "native", str(tree), cwd=base)
        try:
            yield tree
        finally:
            run("git", "worktree", "remove", "--force", str(tree), cwd=base)
            run("git", "branch", "-q", "-D", "native", cwd=base)

    def inside(self, name, script, *arguments):
        return self.wafers("exec", name, "--", "python3", "-c", script, *arguments)

    def record(self, key, target, ways, note=""):
        """`ways`: name -> seconds of each round; the first is compared with the second."""
        medians = {way: statistics.median(times) for way, times in ways.items()}
        ratio = None
        if len(medians) > 1:
            first, second, *_ = medians.values()
            ratio = first / second
        self.results.append(
            {"figure": key, "target": target, "seconds": ways, "ratio": ratio, "note": note}
        )
        shown = ", ".join(
            f"{way} {medians[way] * 1000:.1f} ms ({min(times) * 1000:.1f}-{max(times) * 1000:.1f})"
            for way, times in ways.items()
        )
        print(f"{key}: {shown}" + (f"; ratio {ratio:.3g}" if ratio else "") + f" [{target}] {note}")
        sys.stdout.flush()

    def in_turn(self, rounds=None, **ways):
        """Runs each way once in every round, which returns its seconds.

        Every other round goes backwards: what a way leaves behind, warm or cold, isn't always for the same one."""
        times = {way: [] for way in ways}
        for number in range(rounds or self.rounds):
            for way in list(ways)[:: -1 if number % 2 else 1]:
                times[way].append(ways[way](number))
        return times


APPEND = "import sys\nfor f in sys.argv[2:]:\n  with open(f,'a') as h: h.write(sys.argv[1])\n"


@figure("<= 0.5")
def first_writes(bench, target):
    """First writes to 1,000 files of 20 KB."""
    base = bench.data / "twenty-kilobytes"
    if not (base / ".git/index").exists():
        base.mkdir(parents=True, exist_ok=True)
        run("git", "init", "-q", "-b", "main", cwd=base)
        for i in range(1000):
            (base / f"f{i}").write_bytes(os.urandom(20_000))
        run("git", "add", "-A", cwd=base)
        run("git", "commit", "-q", "-m", "x", cwd=base)
    script = "for i in range(1000):\n  with open(f'f{i}','r+b') as f: f.write(b'x')\n"

    # First of all figures, and what a round made stays until the end: ext4 without a journal is slow
    # to make new files where many were deleted lately (fs/ext4/ialloc.c, recently_deleted()).
    made = []

    def way(kind, *options):
        def measure(number):
            made.append(f"{kind}{number}")
            bench.add(base, made[-1], "--assume-clean", *options)
            bench.settle()
            return bench.inside(made[-1], script)

        return measure

    def native(number):
        copy = copies / str(number)
        shutil.copytree(base, copy)
        bench.settle()
        return run("python3", "-c", script, cwd=copy)

    copies = bench.data / "copies"
    times = bench.in_turn(default=way("default"), durable=way("durable", "--durable"), native=native)
    shutil.rmtree(copies)
    bench.remove(base, *made)
    bench.record("first writes to 1,000 files, default / --durable", target, times)


@figure("<= 0.5")
def add(bench, target):
    base = bench.linux()

    def with_check(number):
        seconds = bench.add(base, f"a{number}")
        bench.remove(base, f"a{number}")
        return seconds

    status = lambda _: run("git", "--no-optional-locks", "status", "--porcelain", cwd=base)
    status(0)
    bench.record("add / git status", target, bench.in_turn(wafers=with_check, git=status))


@figure("")
def watched(bench, target):
    """The same where git keeps an untracked cache and a program for core.fsmonitor, which has seen nothing."""
    base = bench.linux()
    watcher = base / ".git/bench-watcher"
    watcher.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    watcher.chmod(0o755)
    settings = {"core.untrackedCache": "true", "core.fsmonitor": str(watcher)}

    def status(_=None):
        return run("git", "status", "--porcelain", cwd=base)

    def ours(number):
        seconds = bench.add(base, f"f{number}")
        bench.remove(base, f"f{number}")
        return seconds

    for key, value in settings.items():
        run("git", "config", key, value, cwd=base)
    for _ in range(3):
        status()
    times = bench.in_turn(wafers=ours, git=status)
    for key in settings:
        run("git", "config", "--unset", key, cwd=base)
    run("git", "update-index", "--no-fsmonitor", "--no-untracked-cache", cwd=base)
    watcher.unlink()
    status()
    bench.record("add / git status, both with core.fsmonitor and untracked cache", "", times)


@figure("<= 5 ms more")
def in_place(bench, target):
    base = bench.synthetic(SIZES[0])

    def way(*options):
        def measure(number):
            name = f"p{number}{len(options)}"
            seconds = bench.add(base, name, "--assume-clean", *options)
            bench.remove(base, name)
            return seconds

        return measure

    times = bench.in_turn(in_place=way("--in-place"), add=way())
    bench.record("add --in-place / add, 1000 files, both --assume-clean", target, times)


@figure("<= 1/50")
def worktree(bench, target):
    base = bench.linux()
    tree = bench.data / "copy"

    def native(_):
        start = time.perf_counter()
        with bench.worktree(base):
            return time.perf_counter() - start

    def copy(_):
        seconds = run("cp", "-a", "--reflink=auto", f"{base}/.", str(tree))
        shutil.rmtree(tree)
        return seconds

    def ours(number):
        seconds = bench.add(base, f"a{number}")
        bench.remove(base, f"a{number}")
        return seconds

    times = bench.in_turn(wafers=ours, git_worktree_add=native)
    times |= bench.in_turn(rounds=1, cp_a=copy)
    bench.record("add / git worktree add", target, times)


@figure("<= 20 ms; <= 1.3 from 1k to 300k files")
def assume_clean(bench, target):
    bases = {count: bench.synthetic(count) for count in SIZES}

    def way(count):
        def measure(number):
            seconds = bench.add(bases[count], f"s{number}", "--assume-clean")
            bench.remove(bases[count], f"s{number}")
            return seconds

        return measure

    times = bench.in_turn(**{f"files_{count}": way(count) for count in reversed(SIZES)})
    bench.record("add --assume-clean, 300k files / 1k files", target, ends_first(times))


def ends_first(times):
    """The largest and the smallest base, which are compared, before those between."""
    keys = list(times)
    return {key: times[key] for key in [keys[0], keys[-1], *keys[1:-1]]}


@figure("<= 2.0")
def enter(bench, target):
    base = bench.linux()
    bench.add(base, "e", "--assume-clean")
    listed = json.loads(output(bench.wafers_program, "ls", "--json"))["wafers"]
    holder = str(next(wafer["holder_pid"] for wafer in listed if wafer["name"] == "e"))
    times = bench.in_turn(
        rounds=bench.rounds * 4,
        wafers=lambda _: bench.wafers("exec", "e", "--", "true"),
        nsenter=lambda _: run("nsenter", "-t", holder, "-U", "-m", "--preserve-credentials", "true"),
    )
    bench.remove(base, "e")
    bench.record("exec true / nsenter true", target, times)


@figure("<= 1/10; <= 25 ms")
def commit(bench, target):
    base = bench.linux()
    files = output("git", "ls-files", "kernel/*.c", cwd=base).decode().split()[:10]
    bench.add(base, "c", "--assume-clean")

    def ours(number):
        bench.inside("c", APPEND, f"/* {number} */\n", *files)
        return bench.wafers("git-commit", "c", "-m", "x")

    with bench.worktree(base) as tree:

        def native(number):
            run("python3", "-c", APPEND, f"/* {number} */\n", *files, cwd=tree)
            return run("sh", "-c", "git add -A && git commit -q -m x", cwd=tree)

        times = bench.in_turn(wafers=ours, git=native)
        status = bench.in_turn(
            wafers=lambda _: bench.wafers("git-status", "c"),
            git=lambda _: run("git", "status", "--porcelain", cwd=tree),
        )
    bench.remove(base, "c")
    bench.record("git-commit of 10 files / git add -A && git commit", target, times)
    bench.record("git-status / git status in a worktree", "", status)


@figure("<= 1/500", large=True)
def fuse_pipeline(bench, target):
    """Git plumbing over a fuse-overlayfs mount: what the tool is without reading the upper."""
    base = bench.linux()
    files = output("git", "ls-files", "kernel/*.c", cwd=base).decode().split()[:10]
    top = bench.data / "fuse"
    for part in ("upper", "work", "view"):
        (top / part).mkdir(parents=True, exist_ok=True)
    run("fuse-overlayfs", "-o", f"lowerdir={base},upperdir=upper,workdir=work", "view", cwd=top)
    view = top / "view"
    index = dict(os.environ, GIT_INDEX_FILE=str(top / "index"), GIT_DIR=str(base / ".git"))
    index["GIT_WORK_TREE"] = str(view)
    script = (
        "rm -f $GIT_INDEX_FILE; git read-tree HEAD && git add -A && tree=$(git write-tree) &&"
        " commit=$(git commit-tree -p HEAD -m x $tree) && git update-ref refs/heads/fuse $commit"
    )
    bench.add(base, "p", "--assume-clean")

    def ours(number):
        bench.inside("p", APPEND, f"/* {number} */\n", *files)
        return bench.wafers("git-commit", "p", "-m", "x")

    def pipeline(number):
        run("python3", "-c", APPEND, f"/* {number} */\n", *files, cwd=view)
        return run("sh", "-c", script, cwd=view, env=index)

    times = bench.in_turn(rounds=2, wafers=ours, pipeline=pipeline)
    bench.remove(base, "p")
    run("git", "branch", "-q", "-D", "fuse", cwd=base)
    run("fusermount3", "-u", str(view))
    shutil.rmtree(top)
    bench.record("git-commit / git plumbing over fuse-overlayfs", target, times)


@figure("<= 1.3")
def growth(bench, target):
    """Time over the size of the base, of what should not grow with it and of what does."""
    bases = {count: bench.synthetic(count) for count in SIZES}
    files = [f"d000/e00/f{i:03}.txt" for i in range(10)]
    for count, base in bases.items():
        bench.add(base, f"g{count}")

    def commit_in(count):
        def measure(number):
            bench.inside(f"g{count}", APPEND, f"{number}\n", *files)
            return bench.wafers("git-commit", f"g{count}", "-m", "x")

        return measure

    def add_to(count):
        def measure(number):
            seconds = bench.add(bases[count], f"h{number}")
            bench.remove(bases[count], f"h{number}")
            return seconds

        return measure

    def status_of(count):
        return lambda _: run("git", "--no-optional-locks", "status", "--porcelain", cwd=bases[count])

    sizes = list(reversed(SIZES))
    commits = bench.in_turn(**{f"files_{count}": commit_in(count) for count in sizes})
    adds = bench.in_turn(**{f"files_{count}": add_to(count) for count in sizes})
    statuses = bench.in_turn(**{f"files_{count}": status_of(count) for count in sizes})
    for count, base in bases.items():
        bench.remove(base, f"g{count}")
    bench.record("git-commit of 10 files, 300k files / 1k files", target, ends_first(commits))
    bench.record("add, 300k files / 1k files", "", ends_first(adds))
    bench.record("git status, 300k files / 1k files", "", ends_first(statuses))
    for count in SIZES:
        key = f"files_{count}"
        bench.record(
            f"add / git status, {count} files", "<= 0.5",
            {"wafers": adds[key], "git": statuses[key]},
        )
    bench.growth = {"git-commit": commits, "add": adds, "git status": statuses}


@figure("<= 0.5; the second commit <= 0.1 of the first", large=True)
def large_commit(bench, target):
    base = bench.linux()
    files = output("git", "ls-files", "*.[ch]", cwd=base).decode().split()
    files = files[:: len(files) // 10_000][:10_000]
    bench.add(base, "l", "--assume-clean")
    script = APPEND.replace("sys.argv[2:]", "open(sys.argv[2]).read().split()")
    listing = bench.data / "files"
    listing.write_text("\n".join(files))
    second = []

    def ours(_):
        bench.inside("l", script, f"/* {time.time()} */\n", str(listing))
        seconds = bench.wafers("git-commit", "l", "-m", "x")
        bench.inside("l", APPEND, "x\n", "Makefile")
        second.append(bench.wafers("git-commit", "l", "-m", "x"))
        return seconds

    with bench.worktree(base) as tree:

        def native(_):
            run("python3", "-c", script, f"/* {time.time()} */\n", str(listing), cwd=tree)
            return run("sh", "-c", "git add -A && git commit -q -m x", cwd=tree)

        times = bench.in_turn(wafers=ours, git=native)
    bench.remove(base, "l")
    bench.record("git-commit of 10,000 files / git add -A && git commit", target, times)
    bench.record("commit of 1 file with those in the upper / the first", "<= 0.1",
                 {"second": second, "first": times["wafers"]})


@figure("<= 10 ms more")
def ignored_files(bench, target):
    base = bench.synthetic(10_000)
    make = "import os\nos.makedirs('ignored/d')\nfor i in range(50000): open(f'ignored/d/{i}','w').close()\n"
    for name in ("many", "none"):
        bench.add(base, name, "--assume-clean")
        bench.inside(name, "open('.gitignore','w').write('ignored\\n')")
    bench.inside("many", make)
    times = bench.in_turn(
        many=lambda _: bench.wafers("git-status", "many"),
        none=lambda _: bench.wafers("git-status", "none"),
    )
    bench.remove(base, "many", "none")
    bench.record("git-status with 50,000 ignored files / without", target, times)


@figure("<= 64 MB", large=True)
def large_file(bench, target):
    base = bench.synthetic(1_000)
    bench.add(base, "f", "--assume-clean")
    make = "b=bytes(range(256))*4096\nwith open('big','wb') as f:\n  for i in range(4096): f.write(b)\n"
    bench.inside("f", make)
    start = time.perf_counter()
    commit = subprocess.Popen(
        [bench.wafers_program, "git-commit", "f", "-m", "x"], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(commit.pid, 0)
    if status != 0:
        sys.exit("bench: the commit of a 4 GB file failed")
    bench.record("git-commit of a 4 GB file", target, {"wafers": [time.perf_counter() - start]},
                 f"peak {usage.ru_maxrss // 1024} MB")
    bench.remove(base, "f")


@contextlib.contextmanager
def bare_overlay(base, top):
    """An overlay as a wafer's, mounted by hand for as long as this lasts. Gives what runs a shell command in it."""
    for part in ("upper", "work", "view"):
        (top / part).mkdir(parents=True, exist_ok=True)
    mount = (
        f"mount -t overlay overlay -o userxattr,volatile,lowerdir={base},upperdir={top}/upper,"
        f"workdir={top}/work {top}/view && echo mounted && exec sleep infinity"
    )
    holder = subprocess.Popen(["unshare", "-rm", "sh", "-c", mount], stdout=subprocess.PIPE)
    if holder.stdout.readline() != b"mounted\n":
        sys.exit("bench: cannot mount an overlay by hand")
    enter = ("nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials")
    try:
        yield lambda job: run(*enter, "sh", "-c", f"cd {top}/view && exec sh -c \"$1\"", "sh", job)
    finally:
        holder.kill()
        holder.wait()
        run("unshare", "-rm", "rm", "-rf", str(top))


@figure("as fast as a bare kernel overlay")
def view_io(bench, target):
    base = bench.linux()
    bench.add(base, "v", "--assume-clean")
    bench.wafers("add", "f", "--assume-clean", "--backend", "fuse", base=base)
    listed = json.loads(output(bench.wafers_program, "ls", "--json"))["wafers"]
    fuse = next(wafer["host_path"] for wafer in listed if wafer["name"] == "f")
    bare = bare_overlay(base, bench.data / "bare")
    jobs = {
        "find with stat": "find . -path ./.git -prune -o -size +1M -print",
        "grep -r over *.c": "grep -r --include=*.c --exclude-dir=.git no_such_word . || true",
        "reading all": "find . -path ./.git -prune -o -type f -print0 | xargs -0 cat",
        "1,000 small files": "mkdir s && cd s && for i in $(seq 1000); do echo $i > $i; done && cd .. && rm -r s",
        "a build": "make -s -C tools/lib/subcmd && make -s -C tools/lib/subcmd clean",
    }
    with bench.worktree(base) as tree, bare as in_bare:
        for name, job in jobs.items():
            times = bench.in_turn(
                wafers=lambda _: bench.wafers("exec", "v", "--", "sh", "-c", job),
                bare_overlay=lambda _: in_bare(job),
                native=lambda _: run("sh", "-c", job, cwd=tree),
                fuse=lambda _: run("sh", "-c", job, cwd=fuse),
            )
            bench.record(name, target, times)
    bench.remove(base, "v", "f")


def disk_use(directory):
    return int(output("du", "-s", "-B1", str(directory)).split()[0])


def private_kilobytes(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


@figure("<= 3 ms a wafer; <= 100 KB of memory, <= 20 KB of disk", large=True)
def thousand(bench, target):
    base = bench.synthetic(10_000)
    names = [f"t{i}" for i in range(1000)]
    added, listing, gone = [], [], []
    for _ in range(bench.rounds):
        bench.settle()
        used = disk_use(bench.state)
        alone = bench.add(base, "alone")
        added.append((bench.wafers("add", *names, base=base) - alone) / 999)
        used = disk_use(bench.state) - used
        listed = json.loads(output(bench.wafers_program, "ls", "--json"))["wafers"]
        memory = statistics.median(private_kilobytes(wafer["holder_pid"]) for wafer in listed)
        listing.append(bench.wafers("ls", "--json"))
        gone.append(bench.remove(base, "alone", *names) / 1001)
    note = f"each: {memory:.0f} KB of memory, {used / 1001 / 1024:.1f} KB of disk"
    bench.record("add of 1,000 names, each beyond one", target, {"wafers": added}, note)
    bench.record("ls --json with 1,000 wafers", "<= 60 ms", {"wafers": listing})
    bench.record("rm of 1,001 wafers, each", "", {"wafers": gone})


@figure("grows with the cores")
def parallel_commits(bench, target):
    base = bench.synthetic(10_000)
    names = [f"p{i}" for i in range(16)]
    bench.wafers("add", *names, base=base)
    loop = (
        "for i in 1 2 3 4 5 6 7 8; do echo $i$0 >> d000/e00/f000.txt;"
        ' "$WAFERS" git-commit -m x > /dev/null || exit 1; done'
    )
    os.environ["WAFERS"] = bench.wafers_program

    def commits(chosen):
        start = time.perf_counter()
        children = [
            subprocess.Popen([bench.wafers_program, "exec", name, "--", "sh", "-c", loop, str(time.time())],
                             stdout=subprocess.DEVNULL)
            for name in chosen
        ]
        if any(child.wait() != 0 for child in children):
            sys.exit("bench: a commit failed")
        return (time.perf_counter() - start) / (8 * len(chosen))

    times = bench.in_turn(sixteen=lambda _: commits(names), one=lambda _: commits(names[:1]))
    bench.remove(base, *names)
    bench.record("seconds a commit, 16 wafers at once / one", target, times)


@figure("<= 30 ms")
def remove(bench, target):
    base = bench.synthetic(10_000)
    make = (
        "import os\nfor d in range(100):\n  os.mkdir(f'n{d}')\n"
        "  for i in range(1000): open(f'n{d}/{i}','w').close()\n"
    )

    def ours(_):
        bench.add(base, "r", "--assume-clean")
        bench.inside("r", make)
        # So many new files may have taken the program's own pages out of the page cache.
        bench.add(base, "small", "--assume-clean")
        bench.remove(base, "small")
        return bench.remove(base, "r")

    bench.record("rm with 100,000 files in the upper", target, bench.in_turn(wafers=ours))


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "")
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, {output('git', '--version').decode().strip()}"


def write_markdown(bench, path):
    lines = [f"Measured on {machine()}; {time.strftime('%Y-%m-%d')}; medians, spread in brackets.", "",
             "| figure | ways | ratio of the first two | should be |", "| --- | --- | --- | --- |"]
    for result in bench.results:
        ways = "; ".join(
            f"{way.replace('_', ' ')} {statistics.median(times) * 1000:.1f} ms"
            f" ({min(times) * 1000:.1f}-{max(times) * 1000:.1f})"
            for way, times in result["seconds"].items()
        )
        ratio = f"{result['ratio']:.3g}" if result["ratio"] else ""
        lines.append(f"| {result['figure']} | {ways} {result['note']} | {ratio} | {result['target']} |")
    path.write_text("\n".join(lines) + "\n")


def write_growth(bench, path):
    """Milliseconds over the number of files, both logarithmic."""
    x = lambda count: 60 + 150 * math.log10(count / 1000)
    y = lambda seconds: 300 - 90 * math.log10(max(seconds, 0.001) * 1000)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="620" height="340" font-family="sans-serif" font-size="12">']
    for count in SIZES:
        parts.append(f'<text x="{x(count):.0f}" y="325" text-anchor="middle">{count:,} files</text>')
    for power in range(4):
        parts.append(f'<text x="8" y="{y(10**power / 1000):.0f}">{10**power} ms</text>')
    for colour, (name, times) in zip(("#0a7", "#06c", "#c40"), bench.growth.items()):
        points = [(x(count), y(statistics.median(times[f"files_{count}"]))) for count in SIZES]
        path_data = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path_data}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{points[-1][0] + 6:.0f}" y="{points[-1][1]:.0f}" fill="{colour}">{name}</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wafers", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", default=".")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    arguments = parser.parse_args()
    unknown = set(arguments.figures) - set(FIGURES)
    if unknown:
        parser.error(f"no such figure: {', '.join(unknown)} (there are {', '.join(FIGURES)})")
    bench = Bench(arguments)
    bench.growth = None
    for name, (function, target, large) in FIGURES.items():
        if name in arguments.figures or (not arguments.figures and (arguments.large or not large)):
            function(bench, target)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    write_markdown(bench, out / "results.md")
    (out / "results.json").write_text(json.dumps({"machine": machine(), "results": bench.results}, indent=1))
    if bench.growth:
        write_growth(bench, out / "growth.svg")


main()
