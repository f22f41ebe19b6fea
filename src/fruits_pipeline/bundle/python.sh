#!/bin/sh
# Starts Python @PYTHON@ with the packages in site-packages beside this folder: the interpreter named in NODE_PYTHON, or
# the bundle's own, or the node's. NODE_PYTHON lacks the prefix FRUITS_, under which only settings are accepted.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
home=$(CDPATH='' cd -- "$here/.." && pwd)
PYTHONPATH="$home/site-packages${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH

# Spark's settings may name this script, which must not ask itself.
[ -z "${NODE_SEARCHES:-}" ] || exit 86
fits() { [ "$(NODE_SEARCHES=yes "$1" -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "@PYTHON@" ]; }

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
# The interpreter that Spark's own files name, where they do.
configured() {
  for file in "$root/etc/spark/conf/spark-env.sh" "$root/etc/spark/conf/spark-defaults.conf"; do
    [ -r "$file" ] || continue
    sed -n -e 's/^ *\(export \)\{0,1\}PYSPARK_PYTHON=["'\'']\{0,1\}\([^"'\'' ]*\).*/\2/p' \
      -e 's/^ *spark\.pyspark\.python[ =]\{1,\}\([^ ]*\).*/\1/p' "$file"
  done
}

# Tests put a folder of their own before every path. Images have Conda or Pixi, each with environments of its own layout.
root=${NODE_ROOT:-}
for python in "$root"/usr/bin/python@PYTHON@ "$root"/usr/local/bin/python@PYTHON@ \
  "$root"/opt/conda/default/bin/python@PYTHON@ "$root"/opt/conda/bin/python@PYTHON@ python@PYTHON@ python3 \
  $(configured) "$root"/opt/*/bin/python@PYTHON@ "$root"/opt/*/*/bin/python@PYTHON@ \
  "$root"/opt/*/envs/*/bin/python@PYTHON@ "$root"/opt/*/.pixi/envs/*/bin/python@PYTHON@; do
  if fits "$python"; then exec "$python" "$@"; fi
done
echo "error: expected Python @PYTHON@ on this node, found none on PATH, in /usr/bin and /usr/local/bin, below /opt, nor in" \
  "Spark's own settings; name it in NODE_PYTHON, or make the bundle with --bundle-python" >&2
exit 86
