"""Random trees of files for tests that compare a view with a checkout: see tests/fuzz/layers."""
import os
import shutil
import subprocess

NAMES = [b"a", b"b", b"c.txt", b"d.crlf", b"e.id", b"f g", b"h\ni", b"j\xff", b"-k", b"l.o.c", b"m'\"n", b"..x"]
ATTRIBUTES = b"*.crlf text eol=crlf\n*.id ident\n*.txt text\n"
IGNORE = b"*.o\n"


def run(*words, cwd, ok=True):
    result = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ok and result.returncode != 0:
        raise RuntimeError(f"{words}: {result.returncode} {result.stderr.decode(errors='replace')}")
    return result.stdout


def random_tree(rng, top, depth=0):
    for name in rng.sample(NAMES, rng.randint(1, 5)):
        path = os.path.join(top, name)
        kind = rng.random()
        if kind < 0.35 and depth < 3:
            os.mkdir(path)
            random_tree(rng, path, depth + 1)
        elif kind < 0.5:
            os.symlink(rng.choice([b"nowhere/at/all", b"nowhere", b"../nothing", b"/etc"]), path)
        else:
            lines = [rng.choice([b"one", b"two", b"$Id$", b""]) for _ in range(rng.randint(0, 4))]
            end = rng.choice([b"\n", b"\r\n"]) if name.endswith(b".crlf") else b"\n"
            with open(path, "wb") as file:
                file.write(end.join(lines) + end)
            os.chmod(path, rng.choice([0o644, 0o755]))


def directories(top):
    found = []
    for directory, names, files in os.walk(top):
        if b".git" in names:
            names.remove(b".git")
        found.append((directory, names, files))
    return found


def changed(rng, top, odds=0.3):
    """Another tree, made of the one that is there."""
    for directory, names, files in directories(top):
        for name in files + names:
            path = os.path.join(directory, name)
            if not os.path.lexists(path) or rng.random() > odds or name in (b".gitattributes", b".gitignore"):
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
    extra = os.path.join(top, b"extra%d" % rng.randint(0, 3))
    if not os.path.lexists(extra):
        os.mkdir(extra)
        random_tree(rng, extra)


def commit(rng, top, first, odds=0.3):
    if first:
        random_tree(rng, top)
    else:
        changed(rng, top, odds)
    for name, content in ((b".gitattributes", ATTRIBUTES), (b".gitignore", IGNORE)):
        with open(os.path.join(top, name), "wb") as file:
            file.write(content)
    run("git", "add", "-A", cwd=top)
    run("git", "commit", "-q", "--allow-empty", "-m", "x", cwd=top)
    # What the index has is what a checkout writes.
    run("git", "rm", "-r", "-q", "--cached", ".", cwd=top)
    run("git", "reset", "-q", "--hard", cwd=top)
    for directory, _, _ in directories(top):
        if rng.random() < 0.3:
            with open(os.path.join(directory, b"ignored.o"), "wb") as file:
                file.write(b"o")
    return run("git", "rev-parse", "HEAD", cwd=top).decode().strip()


LISTING = r"""
import os, sys
out = []
for directory, names, files in os.walk(b"."):
    if b".git" in names: names.remove(b".git")
    for name in names + files:
        path = os.path.join(directory, name)
        if name == b"ignored.o" or path == b"./.git": continue
        if os.path.islink(path): out.append(b"l %s\t%s" % (path, os.readlink(path)))
        elif os.path.isdir(path): continue
        else: out.append(b"f %s\t%o\t%s" % (path, os.stat(path).st_mode & 0o777, open(path, "rb").read()))
sys.stdout.buffer.write(b"\0".join(sorted(out)))
"""
