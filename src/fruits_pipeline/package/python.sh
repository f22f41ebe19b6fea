#!/bin/sh
# Starts a Python @PYTHON@, the bundled one or the node's, with the packages that lie beside this folder.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
home=$(CDPATH='' cd -- "$here/.." && pwd)
PYTHONPATH="$home/site-packages${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH

if [ -x "$home/python/bin/python@PYTHON@" ]; then
  LD_LIBRARY_PATH="$home/python/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" PYTHONHOME="$home/python" \
    exec "$home/python/bin/python@PYTHON@" "$@"
fi
for python in "${FRUITS_PYTHON:-none}" /usr/bin/python@PYTHON@ /usr/local/bin/python@PYTHON@ \
  /opt/conda/default/bin/python@PYTHON@ /opt/conda/bin/python@PYTHON@ python@PYTHON@ python3; do
  found=$(command -v "$python") || continue
  if [ "$("$found" -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "@PYTHON@" ]; then
    exec "$found" "$@"
  fi
done
echo "error: expected Python @PYTHON@ on this node, found none on PATH nor in /usr/bin and /opt/conda;" \
  "name it in FRUITS_PYTHON, or package with --bundle-python" >&2
exit 86
