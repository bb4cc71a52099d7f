"""What the soak test and the races share: a base, a state directory, failures, threads."""

import collections
import os
import pathlib
import subprocess
import tempfile
import threading


class Scene:
    """A directory of its own with a repository `base`, and what went wrong in it."""

    def __init__(self, options, prefix):
        self.options = options
        self.top = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.repo = self.top / "base"
        self.state = self.top / "state"
        self.lock = threading.Lock()
        self.failures = []
        self.counts = collections.Counter()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WAFERS", "GIT_"))},
            "HOME": str(self.top),
            "WAFERS_STATE_DIR": str(self.state),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def fail(self, text):
        with self.lock:
            self.failures.append(text)
            print("FAILED:", text, flush=True)

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def git(self, *words, text=True, check=True):
        return subprocess.run(["git", "-C", str(self.repo), *words], env=self.environment,
                              check=check, capture_output=True, text=text)

    def in_threads(self, functions):
        """Runs them at the same time, to the end of all. One that ends early must be seen."""

        def safely(function):
            try:
                function()
            except Exception as error:
                self.fail(f"{function}: {error!r}")

        threads = [threading.Thread(target=safely, args=(function,)) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
