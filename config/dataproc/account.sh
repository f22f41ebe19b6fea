#!/usr/bin/env bash
# The project around fruits-pipeline on Google Cloud: APIs, roles, the job's account, buckets and a budget. It asks nothing,
# sets nothing in gcloud's configuration, and mends what an earlier start left.
#
#   bash config/dataproc/account.sh up      make all, or bring it up to date
#   bash config/dataproc/account.sh down    remove all but buckets of images and results (DELETE_BUCKETS=yes: these too)
#
# Settings are environment variables; README.md beside this file has a table of them.
set -euo pipefail

FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly FOLDER TRIES="${TRIES:-12}" PAUSE_S="${PAUSE_S:-10}"
readonly APIS=(
  serviceusage cloudresourcemanager iam compute storage logging monitoring dataproc cloudbilling billingbudgets
)
# What Google answers until an API or an account that was just made is known everywhere, and to two changes at once.
readonly NOT_YET='SERVICE_DISABLED|has not been used in project|does not exist|NOT_FOUND|not found|concurrent policy changes|ABORTED'
# What it answers about something that is gone already.
readonly MISSING='does not exist|NOT_FOUND|not found|matched no objects'

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

fail() {
  say "$*"
  exit 2
}

# Never asks, and reads nothing: whatever is pasted after the line that started this is left to the shell.
g() { gcloud --quiet --project="$PROJECT" "$@" </dev/null; }

has() { g "$@" >/dev/null 2>&1; }

configured() { gcloud --quiet config get "$1" 2>/dev/null </dev/null || true; }

# Waits until Google knows what an earlier line made; other refusals are final. What was said is in TOLD.
settled() {
  local try
  for ((try = 1; ; try++)); do
    if TOLD=$(g "$@" 2>&1); then
      return
    fi
    if ((try >= TRIES)) || ! grep -qE "$NOT_YET" <<<"$TOLD"; then
      say "gcloud $*: $TOLD"
      return 1
    fi
    ((try > 1)) || say "waiting for gcloud $1 $2 $3: ${TOLD%%$'\n'*}"
    sleep "$PAUSE_S"
  done
}

# Removes, or finds it gone.
gone() {
  local told
  if ! told=$(g "$@" 2>&1) && ! grep -qE "$MISSING" <<<"$told"; then
    say "gcloud $*: $told"
    return 1
  fi
}

settings() {
  command -v gcloud >/dev/null || fail "expected gcloud on PATH, found none; install the Google Cloud CLI"
  PROJECT="${PROJECT:-$(configured core/project)}"
  [[ -n "$PROJECT" ]] || fail "PROJECT: expected the id of a project, found nothing; export PROJECT=my-project"
  REGION="${REGION:-$(configured dataproc/region)}"
  REGION="${REGION:-$(configured compute/region)}"
  REGION="${REGION:-europe-west1}"
  BUCKET="${BUCKET:-$PROJECT-fruits}"
  STAGING_BUCKET="${STAGING_BUCKET:-$BUCKET-staging}"
  DATA_BUCKET="${DATA_BUCKET:-$BUCKET-photos}"
  SUBNETWORK="${SUBNETWORK:-default}"
  SERVICE_ACCOUNT="${SERVICE_ACCOUNT:-fruits-job@$PROJECT.iam.gserviceaccount.com}"
  SUBMITTER="${SUBMITTER:-$(submitter)}"
  BUDGET="${BUDGET:-100}"
  say "project=$PROJECT region=$REGION bucket=$BUCKET staging=$STAGING_BUCKET data=$DATA_BUCKET submitter=$SUBMITTER"
}

submitter() {
  local account
  account=$(configured core/account)
  [[ -n "$account" ]] || fail "SUBMITTER: expected an account, found nobody logged in; gcloud auth login --update-adc"
  case "$account" in
    *.gserviceaccount.com) echo "serviceAccount:$account" ;;
    *) echo "user:$account" ;;
  esac
}

# The file of this folder with its names filled, in a folder of our own.
filled() {
  local name
  local -a names=()
  for name in PROJECT REGION BUCKET SERVICE_ACCOUNT SUBMITTER BILLING_ACCOUNT BUDGET; do
    names+=(-e "s|\${$name}|${!name:-}|g")
  done
  sed "${names[@]}" "$FOLDER/$1" >"$FILLED/$1"
  echo "$FILLED/$1"
}

role() {
  local deleted
  if deleted=$(g iam roles describe "$1" --format='value(deleted)' 2>/dev/null); then
    # For a week a deleted role can be had back, for 30 days more its name is taken: this script deletes none.
    [[ "$deleted" != True ]] || settled iam roles undelete "$1"
    settled iam roles update "$1" --file="$(filled "$2")"
  else
    settled iam roles create "$1" --file="$(filled "$2")"
  fi
}

bucket() {
  if has storage buckets describe "gs://$1"; then
    return
  fi
  settled storage buckets create "gs://$1" --flags-file="$(filled bucket.json)"
}

billing_account() {
  g billing projects describe "$PROJECT" --format='value(billingAccountName.basename())' 2>/dev/null || true
}

# Finds the account and the name of the budget, which are empty where there is none; fails where Google refuses to tell.
find_budget() {
  BUDGET_NAME=""
  BILLING_ACCOUNT="${BILLING_ACCOUNT:-$(billing_account)}"
  [[ -n "$BILLING_ACCOUNT" ]] || return 0
  # Commands of billing name no quota project by themselves.
  settled billing budgets list --billing-account="$BILLING_ACCOUNT" --billing-project="$PROJECT" \
    --filter="displayName='fruits-pipeline $PROJECT'" --format='value(name)' || return 1
  BUDGET_NAME=$(grep -oE 'billingAccounts/[^/]+/budgets/[^[:space:]]+' <<<"$TOLD" || true)
}

# An amount without a currency is one of the billing account's own.
make_budget() {
  find_budget || return 1
  if [[ -z "$BILLING_ACCOUNT" ]]; then
    say "$PROJECT has no billing account that you may see; link one, or export BILLING_ACCOUNT"
    return 1
  elif [[ -n "$BUDGET_NAME" ]]; then
    settled billing budgets update "$BUDGET_NAME" --budget-amount="$BUDGET" --billing-project="$PROJECT"
  else
    settled billing budgets create --flags-file="$(filled budget.json)" --billing-project="$PROJECT"
  fi
}

up() {
  settled services enable "${APIS[@]/%/.googleapis.com}"
  has iam service-accounts describe "$SERVICE_ACCOUNT" ||
    settled iam service-accounts create "${SERVICE_ACCOUNT%%@*}" --display-name='fruits-pipeline job'
  role fruitsNode node-role.json
  role fruitsSubmitter submitter-role.json
  settled projects add-iam-policy-binding "$PROJECT" --member="serviceAccount:$SERVICE_ACCOUNT" \
    --role="projects/$PROJECT/roles/fruitsNode" --condition=None
  settled projects add-iam-policy-binding "$PROJECT" --member="$SUBMITTER" \
    --role="projects/$PROJECT/roles/fruitsSubmitter" --condition=None
  settled iam service-accounts add-iam-policy-binding "$SERVICE_ACCOUNT" --member="$SUBMITTER" \
    --role=roles/iam.serviceAccountUser
  # Machines have no public addresses.
  settled compute networks subnets update "$SUBNETWORK" --region="$REGION" --enable-private-ip-google-access
  bucket "$BUCKET"
  settled storage buckets update "gs://$BUCKET" --lifecycle-file="$(filled lifecycle.json)"
  settled storage buckets set-iam-policy "gs://$BUCKET" "$(filled bucket-policy.json)"
  bucket "$STAGING_BUCKET"
  settled storage buckets update "gs://$STAGING_BUCKET" --lifecycle-file="$(filled staging-lifecycle.json)"
  settled storage buckets set-iam-policy "gs://$STAGING_BUCKET" "$(filled staging-policy.json)"
  bucket "$DATA_BUCKET"
  settled storage buckets add-iam-policy-binding "gs://$DATA_BUCKET" --member="serviceAccount:$SERVICE_ACCOUNT" \
    --role=roles/storage.objectViewer
  # Somebody may own the project and not its bills.
  make_budget || say "no budget, as said above; all else is made"
  say "done: --gcp-project $PROJECT --region $REGION --service-account $SERVICE_ACCOUNT --subnetwork $SUBNETWORK" \
    "--staging-bucket $STAGING_BUCKET"
}

# Removes a bucket; one that holds something only where that was asked for.
without_bucket() {
  local told
  if [[ "$2" == yes ]]; then
    gone storage rm --recursive "gs://$1"
  elif ! told=$(g storage buckets delete "gs://$1" 2>&1) && ! grep -qE "$MISSING" <<<"$told"; then
    say "left: gs://$1 (${told##*$'\n'}); DELETE_BUCKETS=yes bash $0 down deletes it, and all in it, for good"
  fi
}

down() {
  settled projects describe "$PROJECT"
  if ! find_budget; then
    say "left: the budget, as said above"
  elif [[ -n "$BUDGET_NAME" ]]; then
    gone billing budgets delete "$BUDGET_NAME" --billing-project="$PROJECT"
  fi
  gone projects remove-iam-policy-binding "$PROJECT" --member="serviceAccount:$SERVICE_ACCOUNT" \
    --role="projects/$PROJECT/roles/fruitsNode" --condition=None
  gone projects remove-iam-policy-binding "$PROJECT" --member="$SUBMITTER" \
    --role="projects/$PROJECT/roles/fruitsSubmitter" --condition=None
  gone iam service-accounts delete "$SERVICE_ACCOUNT"
  # What the service itself keeps there is temporary.
  without_bucket "$STAGING_BUCKET" yes
  without_bucket "$BUCKET" "${DELETE_BUCKETS:-no}"
  without_bucket "$DATA_BUCKET" "${DELETE_BUCKETS:-no}"
  say "left: the APIs of $PROJECT, roles that nobody holds, Private Google Access of $SUBNETWORK, policies of autoscaling;" \
    "none costs anything"
}

main() {
  case "${1:-}" in
    up | down) ;;
    *) fail "expected up or down, found ${1:-nothing}; bash $0 up" ;;
  esac
  settings
  FILLED=$(mktemp -d)
  trap 'rm -rf "$FILLED"' EXIT
  "$1"
}

main "$@"
