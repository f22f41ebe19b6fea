#!/usr/bin/env bash
# Bootstrap action of EMR: puts the environment of a bundle on a node, for notebooks, and proves that it works there.
#
#   emr.sh s3://BUCKET/PACKAGES/<first 16 digits of its sha256>/environment.tar.gz
#
# `fruits-pipeline bundle --upload` prints that address. EMR runs this on every node, as the user hadoop, before it
# installs Spark, Livy or Jupyter. Notebooks find the environment by config/emr/notebook-configurations.json: their
# Python runs where Spark runs, so that there is no kernel to register.
set -euo pipefail
umask 022

# Tests put a folder of their own before every path.
readonly ROOT="${NODE_ROOT:-}"
readonly PLACE="${ROOT}/opt/fruits-pipeline"

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

main() {
  [[ $# -eq 1 ]] || fail "expected one argument, the environment's address, found $#"
  [[ -n "${NODE_LIMITED:-}" ]] || limited "$@"
  mkdir -p "${PLACE}" 2>/dev/null || sudo install -d -o "$(id -un)" "${PLACE}"
  install_environment aws s3 cp --only-show-errors "$1"
  say "ready: ${PLACE}/environment/bin/python"
}

main "$@"
