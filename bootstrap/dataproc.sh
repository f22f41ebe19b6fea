#!/usr/bin/env bash
# Initialization action of Dataproc: puts the environment of a bundle on a node, proves that it works there, and gives
# Jupyter on the first node a kernel that uses it.
#
#   --metadata fruits-environment=gs://BUCKET/PACKAGES/<first 16 digits of its sha256>/environment.tar.gz
#
# `fruits-pipeline bundle --upload` prints that address. Dataproc runs this on every node, as root, once its own
# components are installed.
set -euo pipefail
umask 022

# Tests put a folder of their own before every path.
readonly ROOT="${NODE_ROOT:-}"
readonly PLACE="${ROOT}/opt/fruits-pipeline"
readonly KERNEL="${ROOT}/usr/local/share/jupyter/kernels/fruits-pipeline"
readonly SPARK="${ROOT}/usr/lib/spark"
# Conda's of images 2.x; of 3.0 Pixi's, wherever it keeps its environments.
readonly JUPYTERS=("${ROOT}"/opt/conda/{default,miniconda3,} "${ROOT}"/opt/*/envs/* "${ROOT}"/opt/*/.pixi/envs/*)

# --- the same in emr.sh and dataproc.sh ---
readonly LIMIT_S="${NODE_LIMIT_S:-60}"
readonly ATTEMPTS=3
readonly ATTEMPT_LIMIT_S=20

say() { echo "[$(date -u +%Y-%m-%dT%H:%M:%SZ)] $*"; }

fail() {
  say "error: $*" >&2
  exit 1
}

# Runs this script again under a time limit, and ends as that one ended.
limited() {
  local code=0
  NODE_LIMITED=yes timeout --kill-after=5 "${LIMIT_S}" bash "$0" "$@" || code=$?
  case "${code}" in
    124 | 137) fail "expected to be ready within ${LIMIT_S} s, found that it takes longer; see the last line before" ;;
    *) exit "${code}" ;;
  esac
}

# Runs a command up to ATTEMPTS times.
retry() {
  local attempt
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    if timeout "${ATTEMPT_LIMIT_S}" "$@"; then return 0; fi
    say "attempt ${attempt} of ${ATTEMPTS} failed: $*"
    ((attempt == ATTEMPTS)) || sleep "${attempt}"
  done
  return 1
}

# Fetches the archive at an address with the words before it, verifies, unpacks and checks it, and only then puts it
# in the place of an earlier one.
install_environment() {
  local address="${*: -1}" new sum
  if [[ ! "${address}" =~ /([0-9a-f]{16})/environment\.tar\.gz$ ]]; then
    fail "expected the environment's address as 'bundle --upload' prints it, found '${address}'"
  fi
  local digits="${BASH_REMATCH[1]}"
  new="$(mktemp -d "${PLACE}/new.XXXXXX")"
  # shellcheck disable=SC2064 # because the folder's name is known now, and gone later
  trap "rm -rf -- '${new}'" EXIT
  say "fetching ${address}"
  retry "$@" "${new}/archive" ||
    fail "expected to read ${address}, found that all ${ATTEMPTS} attempts failed; look at what they said above, and give the" \
      "nodes' role the right to read it"
  sum="$(sha256sum "${new}/archive")"
  if [[ "${sum}" != "${digits}"* ]]; then
    fail "expected a sha256 of ${digits}..., found ${sum%% *}; upload the bundle again"
  fi
  say "unpacking"
  mkdir "${new}/environment"
  tar --extract --gzip --no-same-owner --file "${new}/archive" --directory "${new}/environment" ||
    fail "expected room for the environment in ${PLACE}, found the fault above; take larger disks"
  say "checking"
  "${new}/environment/bin/python" "${new}/environment/check_node.py" ||
    fail "expected the environment to work on this node, found the fault above"
  rm -rf -- "${PLACE}/environment"
  mv -- "${new}/environment" "${PLACE}/environment"
}
# --- end of what is the same ---

metadata() { "${ROOT}/usr/share/google/get_metadata_value" "attributes/$1"; }

# The Python that Jupyter runs by, which has the kernel's own packages and the version of ours.
jupyter_python() {
  local folder python
  for folder in "${JUPYTERS[@]}"; do
    python="${folder%/}/bin/python"
    if NODE_PYTHON="${python}" "${PLACE}/environment/bin/python" -c "import ipykernel" 2>/dev/null; then
      echo "${python}"
      return 0
    fi
  done
  return 1
}

register_kernel() {
  local python py4j=("${SPARK}"/python/lib/py4j-*-src.zip)
  python="$(jupyter_python)" ||
    fail "expected Jupyter with the bundle's Python below /opt, found none; make the cluster with the" \
      "component JUPYTER, of the release that the bundle is for"
  [[ -f "${py4j[0]}" ]] || fail "expected py4j in ${SPARK}/python/lib, found none; take a release of config/releases.json"
  mkdir -p "${KERNEL}"
  cat >"${KERNEL}/kernel.json" <<JSON
{
  "display_name": "Fruits (PySpark)",
  "language": "python",
  "argv": ["${PLACE}/environment/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
  "env": {
    "NODE_PYTHON": "${python}",
    "PYSPARK_PYTHON": "${PLACE}/environment/bin/python",
    "PYTHONPATH": "${SPARK}/python:${py4j[0]}",
    "SPARK_HOME": "${SPARK}"
  }
}
JSON
  say "kernel: ${KERNEL}"
}

main() {
  local address
  [[ -n "${NODE_LIMITED:-}" ]] || limited "$@"
  address="$(metadata fruits-environment)" ||
    fail "expected the environment's address in the cluster's metadata 'fruits-environment', found none"
  mkdir -p "${PLACE}"
  install_environment gcloud storage cp "${address}"
  if [[ "$(metadata dataproc-role)" == Master ]]; then register_kernel; fi
  say "ready: ${PLACE}/environment/bin/python"
}

main "$@"
