# What demo/run and demo/fleet have in common: how it looks, the build, and a repository to work on.
# shellcheck shell=bash disable=SC2034  # used by those
set -euo pipefail
demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$demo")
me=demo/$(basename "$0")

# --- how it looks: 80 columns ---------------------------------------------------------------------

is_terminal=no
if [[ -t 1 ]]; then is_terminal=yes; fi
if [[ $is_terminal == yes && -z ${NO_COLOR-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' dim='' plain=''
fi
step_number=0

step() { # TITLE EXPLANATION
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step_number" "$1" "$plain"
  printf '%s\n' "$2" | fold -s -w 76 | sed 's/^/   /'
}

milliseconds() { # since the epoch
  echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

seconds() { # MILLISECONDS: "1.234 s"
  printf '%d.%03d s' $(($1 / 1000)) $(($1 % 1000))
}

took() { # START
  printf 'took %s' "$(seconds $(($(milliseconds) - $1)))"
}

# A line that the next one replaces; only for who watches.
passing() {
  if [[ $is_terminal == yes ]]; then printf '\r\e[K   %s' "$1"; fi
}
passed() { passing ''; if [[ $is_terminal == yes ]]; then printf '\r'; fi; }

# The command as a person would type it.
typed() {
  local word line='' plain_word='^[-A-Za-z0-9_./=:%@+,{}*&]+$'
  for word in "$@"; do
    if [[ $word =~ $plain_word ]]; then line+=" $word"; else line+=" '$word'"; fi
  done
  printf '   %s$%s%s\n' "$bold" "$line" "$plain"
}

# Prints the command, what is in FILTER's output of its output, indented, and its time, which it
# leaves in $last (milliseconds).
show_through() { # FILTER COMMAND...
  local filter=$1 start status=0
  shift
  typed "$@"
  start=$(milliseconds)
  "$@" > "$scratch/output" 2>&1 || status=$?
  last=$(($(milliseconds) - start))
  if [[ $status -ne 0 ]]; then filter='cat'; fi
  $filter "$scratch/output" | cut -c 1-74 | sed 's/^/     /'
  printf '     %stook %s%s\n' "$dim" "$(seconds "$last")" "$plain"
  if [[ $status -ne 0 ]]; then
    printf '   failed with exit status %d\n' "$status"
    exit "$status"
  fi
}

show() { show_through cat "$@"; }

refuse() { # STATUS MESSAGE...
  local status=$1
  shift
  printf "$me: %s\n" "$@" >&2
  exit "$status"
}

# --- the build --------------------------------------------------------------------------------------

# Says how far a build by Ninja is, and how long the rest may take; what it prints goes to FILE.
follow_build() { # FILE
  local line last_line=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >> "$1"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\ ([0-9]+) ]] || continue
    local built=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]} spent=${BASH_REMATCH[3]}
    ((built > 0)) || continue
    local text="compiled $built of $all files, about $((spent * (all - built) / built)) s to go"
    if [[ $is_terminal == yes ]]; then
      passing "$text"
    elif ((spent >= last_line + 15)); then
      last_line=$spent
      printf '   %s\n' "$text"
    fi
  done
  passed
}

build() {
  local launcher=()
  if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  "$root/docs/packaging/install-packages" xz-utils # for the sources that are imported
  cd "$root"
  cmake --preset release -DWAFERS_TESTS=OFF "${launcher[@]}" > "$scratch/build.log"
  if ! NINJA_STATUS='[%f/%t %e] ' cmake --build --preset release -j "$(nproc)" 2>&1 |
    follow_build "$scratch/build.log"; then
    cat "$scratch/build.log"
    exit 1
  fi
}

# --- a repository -------------------------------------------------------------------------------------

# The root of the repository that DIRECTORY is in; refused now, and not after minutes of building.
repository_of() { # DIRECTORY
  local top
  command -v git > /dev/null || "$root/docs/packaging/install-packages"
  [[ -d $1 ]] || refuse 2 "'$1' is not a directory"
  top=$(git -C "$1" rev-parse --show-toplevel 2> /dev/null || git -C "$1" rev-parse --absolute-git-dir) ||
    refuse 2 "'$1' is not in a Git repository that you can use"
  git -C "$top" rev-parse -q --verify HEAD > /dev/null || refuse 2 "'$top' has no commit yet"
  printf '%s\n' "$top"
}

# Of the C library's sources, which Debian has as a package, a repository; kept for the next time.
import_glibc() { # DIRECTORY
  mkdir "$scratch/package" "$scratch/import"
  cd "$scratch/package"
  passing "downloading Debian's package glibc-source"
  if ! apt-get download -q glibc-source > "$scratch/download.log" 2>&1; then
    local as_root=()
    [[ $EUID -eq 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q > "$scratch/download.log" 2>&1
    apt-get download -q glibc-source > "$scratch/download.log" 2>&1 || {
      cat "$scratch/download.log"
      exit 1
    }
  fi
  passing "unpacking it"
  dpkg-deb -x ./*.deb .
  tar -xf usr/src/glibc/glibc-*.tar.xz -C "$scratch/import" --strip-components=1 --no-same-owner
  passing "committing its files"
  cd "$scratch/import"
  git init -q -b main
  git config gc.auto 0 # it is packed below, and not in the background
  git add -A
  git -c user.name=Demo -c user.email=demo@example.com -c commit.gpgSign=false commit -q \
    -m "Import $(basename "$scratch"/package/*.deb .deb)"
  git gc -q
  mkdir -p "$(dirname "$1")"
  git clone -q --bare . "$1.new"
  mv "$1.new" "$1"
  cd /
  rm -rf "$scratch/import" "$scratch/package"
  passed
}

# Makes $repo, a checkout of the demo's own, of REPOSITORY or of the imported sources, by git: as a
# worktree of a clone. That is what one more agent costs by git: left in $worktree_time and
# $worktree_size (KiB). What is in the user's configuration and could ask for something, or run
# something, is switched off.
make_checkout() { # [REPOSITORY]
  local from=${1-} start
  if [[ -z $from ]]; then
    from=${XDG_CACHE_HOME:-$HOME/.cache}/wafers-demo/glibc.git
    if [[ ! -d $from ]]; then
      start=$(milliseconds)
      (import_glibc "$from")
      printf '     %simporting it %s; it is kept in\n     %s%s\n' "$dim" "$(took "$start")" "$from" "$plain"
    fi
  fi
  repo=$scratch/repo
  git clone -q --no-checkout "$from" "$scratch/clone"
  cd "$scratch/clone"
  git update-ref refs/heads/main HEAD
  git symbolic-ref HEAD refs/heads/none # so that main can be checked out beside it
  git config commit.gpgSign false
  git config core.hooksPath /dev/null
  git config gc.auto 0 # in the background it would still be writing when the demo cleans up
  git config user.name > /dev/null || git config user.name Demo
  git config user.email > /dev/null || git config user.email demo@example.com
  GIT_LFS_SKIP_SMUDGE=1 show git worktree add -q ../repo main
  worktree_time=$last
  cd "$repo"
  worktree_size=$(du -sk . | cut -f 1)
  git ls-files -z > "$scratch/files"
  printf '   %s files, %s, in %s on %s\n' "$(tr -dc '\0' < "$scratch/files" | wc -c)" \
    "$(megabytes "$worktree_size")" "$(dirname "$scratch")" "$(stat -f -c %T "$scratch" | sed 's|ext2/ext3|ext4|')"
}

megabytes() { # KIB
  printf '%d.%d MB' $(($1 / 1024)) $(($1 % 1024 * 10 / 1024))
}

# --- beginning and end --------------------------------------------------------------------------------

# Runs at every end, also of a demo that failed or was interrupted.
clean_up() {
  trap - EXIT INT TERM
  cd /
  if [[ -d ${WAFERS_STATE_DIR-} ]]; then
    wafers rm --all --force --no-salvage --kill > /dev/null 2>&1 || true
    wafers prune > /dev/null 2>&1 || true
  fi
  if [[ ${keep-no} == yes && -d ${repo-} ]]; then
    printf '\n   kept: %s\n' "$repo"
  else
    chmod -R u+w "$scratch" 2> /dev/null || true
    rm -rf "$scratch"
  fi
}

# Where the demo's files go: below TMPDIR; else into memory where there is much of it, and a kernel
# whose tmpfs can hold the views of an ordinary user; else on the disk. How large a REPO is nobody
# knows, and what is kept should outlive a reboot.
place_for() { # REPO
  local memory free
  memory=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
  free=$(df -k --output=avail /dev/shm 2> /dev/null | tail -n 1) || free=0
  if [[ -n ${TMPDIR-} ]]; then
    printf '%s\n' "$TMPDIR"
  elif [[ -z $1 && ${keep-no} == no && -w /dev/shm && $(stat -f -c %T /dev/shm) == tmpfs ]] &&
    ((${memory:-0} > enough && free > enough)) && printf '%s\n' 6.6 "$(uname -r)" | sort -VC; then
    echo /dev/shm
  else
    echo /var/tmp
  fi
}
enough=$((3 * 1024 * 1024)) # KiB: of the C library five times what the demo takes

begin() { # [REPO]
  scratch=$(mktemp -d "$(place_for "${1-}")/wafers-demo.XXXXXX")
  export WAFERS_STATE_DIR=$scratch/state
  export PATH=$root/build/release/src:$PATH
  # Also where git is not installed yet.
  export GIT_TERMINAL_PROMPT=0 GIT_EDITOR=: GIT_PAGER=cat
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  demo_start=$(milliseconds)
  step "Build" "Installs the packages that are missing, and builds wafers (preset release)."
  (build)
  printf '     %s%s%s\n' "$dim" "$(took "$demo_start")" "$plain"
}
