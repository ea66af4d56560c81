#!/bin/sh
# Sets up what the Makefile needs, on a machine that may have nothing but Python 3.11, as root or not.
#   ./bootstrap.sh runtime   the environment in .venv, with what `make install` and `make demo` need
#   ./bootstrap.sh dev       the same, with what the tests need
#   ./bootstrap.sh browser   Chromium, for the tests that open pages
#   ./bootstrap.sh lock      resolve pyproject.toml into the lock files; `lock --upgrade` takes newer versions
# Done once, it is quiet and leaves the network alone. Without root nothing outside .venv is changed.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-python3.11}
VENV=.venv
APT_STATE=$PWD/$VENV/apt

say() { printf 'set-up: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

has() { command -v "$1" >/dev/null 2>&1; }

# ------------------------------------------------------------------------------------- Debian packages

# As root: install packages the ordinary way. The lists are fetched only when the packages are not found without.
system_install() {
    is_root && has apt-get || return 1
    say "installing $* with apt-get"
    quietly apt_install "$@" 2>/dev/null || { quietly apt-get update -qq && quietly apt_install "$@"; }
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@"; }

# What a command says is of interest only when it fails.
quietly() {
    output=$("$@" 2>&1) && return 0
    printf '%s\n' "$output" >&2
    return 1
}

# apt-get with lists and archives of our own: it needs no root, and uses the machine's sources and keys. Hooks of the
# machine that follow an update would fail without root, so they are left out.
private_apt() {
    apt-get -qq -c "$APT_STATE/apt.conf" -o Dir::State="$APT_STATE" -o Dir::State::lists="$APT_STATE/lists" \
        -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$APT_STATE/cache" -o Dir::Log="$APT_STATE" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User= "$@" >/dev/null
}

# Download packages, with what they depend on as far as the machine lacks it, and unpack them into a folder.
unpack_packages() {
    target=$1
    shift
    has apt-get && has dpkg-deb || return 1
    say "downloading $* for this checkout alone"
    mkdir -p "$APT_STATE/lists/partial" "$APT_STATE/cache/archives/partial" "$target"
    printf '#clear %s;\n' APT::Update::Pre-Invoke APT::Update::Post-Invoke APT::Update::Post-Invoke-Success \
        DPkg::Post-Invoke >"$APT_STATE/apt.conf"
    private_apt update || return 1
    private_apt install --download-only --no-install-recommends --yes "$@" || return 1
    for archive in "$APT_STATE"/cache/archives/*.deb; do
        dpkg-deb -x "$archive" "$target" || return 1
    done
    rm -rf "$APT_STATE"
}

# ------------------------------------------------------------------------------------- the environment

check_python() {
    has "$PYTHON" || fail "$PYTHON is not here. Install Python 3.11 (on Debian 12: apt-get install python3)," \
        "or name another one: make PYTHON=python3 ..."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$PYTHON is older than Python 3.11. Name a newer one: make PYTHON=python3.11 ..."
}

# Scripts of an environment hold its absolute path, so that one that was moved or copied is made anew.
drop_unusable_environment() {
    [ -d "$VENV/bin" ] || return 0
    if [ -e "$VENV/.place" ] && [ "$(cat "$VENV/.place")" != "$PWD" ]; then
        say "the checkout was moved: making the environment anew"
    elif "$VENV/bin/python" -c '' 2>/dev/null; then
        return 0
    else
        say "the environment does not run any more: making it anew"
    fi
    rm -rf "$VENV"
}

make_environment() {
    drop_unusable_environment
    if ! "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        check_python
        has_ensurepip || system_install "$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || :
        if has_ensurepip; then
            say "making the environment $VENV"
            "$PYTHON" -m venv "$VENV"
        else
            make_environment_with_packaged_pip
        fi
    fi
    printf '%s\n' "$PWD" >"$VENV/.place"
}

has_ensurepip() { "$PYTHON" -c 'import ensurepip' 2>/dev/null; }

make_environment_with_packaged_pip() {
    unpack_packages "$VENV/pip-package" python3-pip-whl ||
        fail "pip is needed and cannot be had: $PYTHON has no ensurepip, and the package python3-pip-whl could not be" \
            "downloaded (see above). Let an administrator run: apt-get install python3-venv"
    say "making the environment $VENV"
    "$PYTHON" -m venv --without-pip "$VENV"
    for wheel in "$VENV"/pip-package/usr/share/python-wheels/pip-*.whl; do
        "$VENV/bin/python" "$wheel/pip" install -qq --no-index --disable-pip-version-check "$wheel"
    done
    rm -rf "$VENV/pip-package"
}

# The stamp of a set-up is made of what it was made from.
fingerprint() { cat "$1" pyproject.toml | sha256sum | cut -d ' ' -f 1; }

is_done() { [ -e "$VENV/.$1" ] && [ -e "$VENV/.place" ] && [ "$(cat "$VENV/.$1" "$VENV/.place")" = "$(wanted "$2")" ]; }

wanted() { fingerprint "$1" && printf '%s\n' "$PWD"; }

install_locked() {
    stamp=$1 lock=$2
    make_environment
    say "installing the packages of $lock"
    set -- -qq --disable-pip-version-check --no-input
    # The lock names all that is needed, with what it needs. pip would compile it too, on one core, file by file.
    "$VENV/bin/python" -m pip install "$@" --require-hashes --no-deps --no-compile -r "$lock" ||
        fail "the packages of $lock could not be installed (see above). Check the connection to your package index," \
            "then run the same command again: it goes on where this one ended."
    "$VENV/bin/python" -m pip install "$@" --no-deps --no-build-isolation -e . ||
        fail "StockVerify itself could not be installed (see above)."
    "$VENV/bin/python" -m compileall -qq -j 0 "$VENV/lib" || : # a few packages bring files that are no Python yet
    provide_libraries
    fingerprint "$lock" >"$VENV/.$stamp"
}

# ---------------------------------------------------------------------------------- shared libraries

# The package with the first shared library that the embedded servers lack here; nothing when they run.
lacking_package() {
    "$VENV/bin/python" - <<'PYTHON'
import sys
from stockverify.errors import SetupError
from stockverify.services import binaries

for server in (binaries.mongod, binaries.redis_server):
    try:
        server()
    except binaries.LibraryMissing as error:
        print(error.fields["package"])
        break
    except SetupError as error:
        print("set-up:", error.message, file=sys.stderr)
PYTHON
}

provide_libraries() {
    before=
    while :; do
        package=$(lacking_package) || fail "the embedded servers could not be tried (see above)."
        [ -n "$package" ] || return 0
        [ "$package" != "$before" ] || fail "the embedded servers still lack $package. Install it, or set MONGODB_URI" \
            "and REDIS_URL to servers of your own."
        before=$package
        system_install "$package" || unpack_libraries "$package" ||
            fail "the embedded servers need $package, which could not be had (see above). Let an administrator run:" \
                "apt-get install $package"
    done
}

# Into $VENV/native, where stockverify/services/binaries.py lets the servers look.
unpack_libraries() {
    unpack_packages "$VENV/native-packages" "$1" || return 1
    mkdir -p "$VENV/native"
    find "$VENV/native-packages" -name '*.so.*' -exec cp -P {} "$VENV/native/" \;
    rm -rf "$VENV/native-packages"
}

# ------------------------------------------------------------------------------------------ commands

runtime() {
    if is_done dev requirements-dev.lock; then
        fingerprint requirements.lock >"$VENV/.runtime"
    elif is_done runtime requirements.lock; then
        touch "$VENV/.runtime"
    else
        install_locked runtime requirements.lock
    fi
}

dev() {
    if is_done dev requirements-dev.lock; then
        touch "$VENV/.dev"
    else
        install_locked dev requirements-dev.lock
    fi
}

browser() {
    if has chromium || system_install chromium; then
        return 0
    fi
    [ "${CI:-}" != true ] || fail "Chromium is not installed, and continuous integration may not skip the browser tests." \
        "Install it: apt-get install chromium"
    say "Chromium is not installed and cannot be without root: the browser tests will be skipped, each by name." \
        "To run them: apt-get install chromium"
}

lock() {
    dev
    for target in "requirements.lock" "requirements-dev.lock --extra dev"; do
        # shellcheck disable=SC2086 # the name and its options are words of their own
        "$VENV/bin/uv" pip compile pyproject.toml -q --extra build --extra embedded --python-version 3.11 \
            --generate-hashes --no-header --no-annotate "$@" -o $target ||
            fail "pyproject.toml could not be resolved (see above)."
    done
}

task=${1:-}
[ $# -eq 0 ] || shift
case $task in
runtime | dev | browser | lock) "$task" "$@" ;;
*) fail "usage: ./bootstrap.sh runtime, dev, browser or lock [--upgrade]" ;;
esac
