#!/bin/sh
# Starts Python @PYTHON@ with the packages in site-packages beside this folder: the interpreter named in NODE_PYTHON, or
# the bundle's own, or the node's. NODE_PYTHON lacks the prefix FRUITS_, under which only settings are accepted.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
home=$(CDPATH='' cd -- "$here/.." && pwd)
PYTHONPATH="$home/site-packages${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH

fits() { [ "$("$1" -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "@PYTHON@" ]; }

if [ -n "${NODE_PYTHON:-}" ]; then
  if fits "$NODE_PYTHON"; then exec "$NODE_PYTHON" "$@"; fi
  echo "error: expected Python @PYTHON@ in NODE_PYTHON, found $NODE_PYTHON that is none; name another, or none" >&2
  exit 86
fi
if [ -x "$home/python/bin/python@PYTHON@" ]; then
  LD_LIBRARY_PATH="$home/python/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
  exec "$home/python/bin/python@PYTHON@" "$@"
fi
for python in /usr/bin/python@PYTHON@ /usr/local/bin/python@PYTHON@ /opt/conda/default/bin/python@PYTHON@ \
  /opt/conda/bin/python@PYTHON@ python@PYTHON@ python3; do
  if fits "$python"; then exec "$python" "$@"; fi
done
echo "error: expected Python @PYTHON@ on this node, found none on PATH nor in /usr/bin, /usr/local/bin and /opt/conda;" \
  "name it in NODE_PYTHON, or make the bundle with --bundle-python" >&2
exit 86
