# What the scripts of this directory share: their usage, who runs them, and where.
# shellcheck shell=bash disable=SC2034  # used by those
set -euo pipefail
projects=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
here=${projects%/tests/projects}
script=$projects/$(basename "$0")
program=${WAFERS:-$here/build/dev/src/wafers}

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$script"; }

# As root: once more as an ordinary user, or for backend host in a mount namespace.
leave_root() { # ARGUMENT...
  [[ $EUID -eq 0 && -z ${WAFERS_PROJECTS_COVERED-} ]] || return 0
  local as=("$here/tests/support/as_user" 59999 59999)
  if [[ " $* " == *" --backend host "* ]]; then as=(unshare --mount --propagation private); fi
  exec "${as[@]}" env WAFERS_PROJECTS_COVERED=yes "$script" "$@"
}

# $work, with a HOME and a state of its own in it; both go with the script.
make_work() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/wafers-projects-XXXXXX")
  export HOME=$work/home WAFERS_STATE_DIR=$work/state
  mkdir "$HOME"
  git config --global user.name A
  git config --global user.email a@example.com
  trap clean_up EXIT
}

clean_up() {
  "$program" rm --all --force --no-salvage > /dev/null 2>&1 || true
  rm -rf "$work"
}
