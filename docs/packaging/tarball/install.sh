#!/bin/sh
# Installs wafers for whoever runs this, from its tarball; needs no root.
#
#   usage: install.sh [--prefix DIRECTORY] [--sha256 SUM] [TARBALL]
#          install.sh [--prefix DIRECTORY] --uninstall
#     TARBALL    wafers-VERSION-linux-ARCH.tar.gz; without it, what lies around this script
#     --prefix   where to install, or what to remove; ~/.local if not given, or where this script was
#                installed to
#     --sha256   the tarball's sum; else it is taken from TARBALL.sha256
#
# It replaces nothing but what an earlier run installed, by the list that this left in
# share/wafers/installed; --uninstall removes what is on that list.
set -eu

say() { echo "install.sh: $*" >&2; }
refuse() { # STATUS WORDS...
  status=$1
  shift
  say "$*"
  exit "$status"
}

tab=$(printf '\t')
sum_of() { sha256sum < "$1" | sed 's/ .*//'; }

# --- what is there ------------------------------------------------------------------------------

# Whether an earlier run installed the file of this name.
is_ours() { [ -f "$list" ] && cut -f 2- "$list" | grep -qxF -- "$1"; }

# Directories that were ours alone are empty then.
remove_empty() { # NAME of a file that is gone
  directory=$(dirname "$1")
  while [ "$directory" != . ] && rmdir "$prefix/$directory" 2> /dev/null; do
    directory=$(dirname "$directory")
  done
}

# What was changed since stays: it is somebody's work.
remove() { # NAME SUM, or - where a run was stopped before it was known
  if [ ! -e "$prefix/$1" ]; then
    return 0
  elif [ "$2" = - ] || [ "$(sum_of "$prefix/$1")" = "$2" ]; then
    rm -f "$prefix/$1"
    remove_empty "$1"
  else
    say "left, since it was changed: $prefix/$1"
  fi
}

# --- what is new --------------------------------------------------------------------------------

# Leaves the directory of what is to be installed in $from.
unpack() { # TARBALL SUM
  if [ -z "$2" ]; then
    [ -f "$1.sha256" ] || refuse 1 "there is no $1.sha256 beside it: give its sum with --sha256"
    set -- "$1" "$(sed 's/ .*//' "$1.sha256")"
  fi
  [ "$(sum_of "$1")" = "$2" ] || refuse 1 "$1 is damaged, or not what its SHA-256 is of"
  tar -xzf "$1" -C "$scratch" --no-same-owner 2> /dev/null || tar -xzf "$1" -C "$scratch"
  from=$(echo "$scratch"/wafers-*)
}

check() {
  [ -f "$from/SHA256SUMS" ] || refuse 1 "nothing to install: $from is no unpacked tarball; name one"
  (cd "$from" && sha256sum -c SHA256SUMS > "$scratch/checked" 2>&1) || {
    grep -v ': OK$' "$scratch/checked" >&2
    refuse 1 "some of it is damaged or missing: unpack the tarball anew"
  }
  "$from/bin/wafers" --version > /dev/null || refuse 1 "it doesn't run here ($(uname -sm))"
}

# Names of all files, one a line.
names() { sed 's/^[0-9a-f]*  //' "$from/SHA256SUMS"; }

refuse_others() {
  names | while IFS= read -r name; do
    if [ -e "$prefix/$name" ] || [ -L "$prefix/$name" ]; then
      is_ours "$name" || echo "$prefix/$name"
    fi
  done > "$scratch/others"
  [ ! -s "$scratch/others" ] || {
    say "these are there, and not from an earlier install.sh; remove them, or take another --prefix:"
    cat "$scratch/others" >&2
    exit 3
  }
}

# At once, by a rename: programs may be running.
install_file() { # NAME
  mkdir -p "$prefix/$(dirname "$1")"
  new=$prefix/$1.new-$$
  if [ "$1" = lib/systemd/user/wafers.service ]; then
    sed "s|@PREFIX@|$prefix|" "$from/$1" > "$new"
  else
    cp "$from/$1" "$new"
  fi
  mv -f "$new" "$prefix/$1"
  printf '%s\t%s\n' "$(sum_of "$prefix/$1")" "$1" >> "$scratch/list"
}

install_all() {
  refuse_others
  mkdir -p "$prefix/share/wafers"
  : > "$scratch/list"
  # Known as ours before they are there, so that a run that was stopped can be made again.
  names | sed "s/^/-$tab/" >> "$list"
  names | while IFS= read -r name; do install_file "$name"; done
  sort -u "$list" > "$scratch/before"
  cp "$scratch/list" "$list.new-$$"
  mv -f "$list.new-$$" "$list"
  # Of another version there may be more.
  while IFS="$tab" read -r sum name; do
    is_ours "$name" || remove "$name" "$sum"
  done < "$scratch/before"
  say "installed $("$prefix/bin/wafers" --version) in $prefix ($(names | wc -l | tr -d ' ') files)"
  case :$PATH: in
    *":$prefix/bin:"*) say "see what this host can do: wafers doctor" ;;
    *) say "have $prefix/bin in your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  say "to remove it again: $prefix/share/wafers/install.sh --uninstall"
}

uninstall_all() {
  [ -f "$list" ] || refuse 1 "nothing of wafers was installed in $prefix by install.sh"
  wafers=$("$prefix/bin/wafers" ls --all -q 2> /dev/null | tr '\n' ' ') || true
  cp "$list" "$scratch/list"
  while IFS="$tab" read -r sum name; do remove "$name" "$sum"; done < "$scratch/list"
  rm "$list"
  remove_empty share/wafers/installed
  say "removed wafers from $prefix"
  [ -z "$wafers" ] || say "what is in these stays, for when wafers is installed again: $wafers"
}

# ------------------------------------------------------------------------------------------------

here=$(cd "$(dirname "$0")" && pwd -P)
prefix=${HOME:-}/.local
if [ -f "$here/installed" ]; then prefix=${here%/share/wafers}; fi
sum='' tarball='' action=install
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --sha256)
      [ $# -gt 1 ] || refuse 2 "$1 needs an argument"
      if [ "$1" = --prefix ]; then prefix=$2; else sum=$2; fi
      shift
      ;;
    --uninstall) action=uninstall ;;
    -h | --help)
      sed -n '2,12s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    -*) refuse 2 "unknown option '$1' (install.sh --help)" ;;
    *)
      [ -z "$tarball" ] || refuse 2 "more than one tarball: '$tarball' and '$1'"
      tarball=$1
      ;;
  esac
  shift
done
case $prefix in
  *[!-A-Za-z0-9/._+@,=~]*) refuse 2 "the prefix has characters that a systemd unit can't: $prefix" ;;
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
list=$prefix/share/wafers/installed

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ "$action" = uninstall ]; then
  uninstall_all
else
  from=$here
  if [ -n "$tarball" ]; then unpack "$tarball" "$sum"; fi
  check
  install_all
fi
