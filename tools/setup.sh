#!/bin/sh
# Makes .venv ready: creates it when it is missing, installs into it when it is stale, does nothing when it is fresh.
# Fresh means: made for this folder and from this pyproject.toml. PYTHON=... picks the interpreter.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/sketchbook-ready
want="$(pwd) $(cksum < pyproject.toml)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

say() { echo "sketchbook: $*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }
can_make() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

pick_python() {  # the first interpreter that is new enough and can make an environment
    old= bare=
    for p in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.10 python3 python; do
        "$p" -c '' >/dev/null 2>&1 || continue
        if ! new_enough "$p"; then old="$p"; continue; fi
        if can_make "$p"; then echo "$p"; return 0; fi
        bare="$p"
    done
    if [ -n "$bare" ]; then
        v="$("$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        say "$bare is Python $v but its venv and pip modules are missing; install them" \
            "(Debian and Ubuntu: apt-get install python$v-venv) and try again."
    elif [ -n "$old" ]; then
        v="$("$old" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')"
        say "Python 3.10 or newer is needed, and $old is only $v; install a newer one," \
            "or name it with PYTHON=/path/to/python3."
    else
        say "Python 3.10 or newer is needed and no Python was found; install it," \
            "or name it with PYTHON=/path/to/python3."
    fi
    return 1
}

works() { [ -x "$1" ] && new_enough "$1" && "$1" -m pip --version >/dev/null 2>&1; }
if ! works .venv/bin/python; then
    python="$(pick_python)" || exit 1
    "$python" -m venv --clear .venv ||
        { say "$python could not make the environment .venv; the lines above say why."; exit 1; }
fi

say 'installing into .venv (once; some minutes and 7 GB, most of it PyTorch)'
quiet=; [ -t 1 ] || quiet=-q
.venv/bin/python -m pip install $quiet --no-compile --disable-pip-version-check -e '.[dev]' ||
    { say 'the installation stopped; the lines above say why, and the same command goes on from here.'; exit 1; }
starts() { why="$(.venv/bin/python -c 'import cv2; cv2.resize' 2>&1)"; }
# opencv-python links to the desktop's libGL; where there is none, its twin without windows is the same library
if ! starts; then
    .venv/bin/python -m pip uninstall -q -y opencv-python
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --force-reinstall \
        'opencv-python-headless>=4.10' || true
fi
starts ||
    { say "OpenCV was installed but does not start ($(echo "$why" | tail -n 1)); remove .venv and try again."; exit 1; }
echo "$want" > "$stamp"
