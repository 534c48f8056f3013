#!/usr/bin/env bash
# Installs the programs that others wrote: Bouncy Castle with a Java compiler, and Node, from Debian's
# packages; target/interop/prism with Prism, which serves an API's models; and target/interop/venv with
# pyas2lib, the live AS2 peer, and x12-doctor, which reads what we write. Does nothing where they are
# already there. Needs root for the packages, python3 with venv, PyPI by pip and npm's registry.
set -euo pipefail

cd "$(dirname "$0")/../.."

missing=()
command -v javac >/dev/null || missing+=(default-jdk-headless)
[ -e /usr/share/java/bcmail.jar ] || missing+=(libbcmail-java)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "no Bouncy Castle or Node: install ${missing[*]} (Debian), or run this as root" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
echo "Bouncy Castle is ready: $(basename "$(realpath /usr/share/java/bcmail.jar)")"

prism=target/interop/prism
prism_version=5.14.2
if [ "$(node -p "require('./$prism/node_modules/@stoplight/prism-cli/package.json').version" 2>/dev/null)" != "$prism_version" ]; then
    rm -rf "$prism"
    mkdir -p "$prism"
    npm install --silent --no-audit --no-fund --prefix "$prism" "@stoplight/prism-cli@$prism_version"
fi
echo "Prism $prism_version is ready in $prism"

venv=target/interop/venv
pyas2lib=1.4.4
doctor=0.1.0

works() {
    [ -x "$venv/bin/python" ] &&
        "$venv/bin/python" -c "import pyas2lib, sys; sys.exit(pyas2lib.__version__ != '$pyas2lib')" 2>/dev/null &&
        [ "$("$venv/bin/x12doctor" --version 2>/dev/null)" = "x12-doctor $doctor" ]
}

if works; then
    echo "pyas2lib $pyas2lib and x12-doctor $doctor are ready in $venv"
    exit 0
fi

rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-input "pyas2lib==$pyas2lib" "x12-doctor==$doctor"

# oscrypto 1.3.0 reads one digit for each part of OpenSSL's version number, and so does not
# load beside 3.0.10 and later. Its pattern is widened here, in this environment alone.
"$venv/bin/python" - "$venv"/lib/python3*/site-packages/oscrypto/_openssl/_libcrypto_c{ffi,types}.py <<'EOF'
import pathlib, sys

narrow, wide = r"\\d\\.\\d\\.\\d[a-z]*", r"\\d+\\.\\d+\\.\\d+[a-z]*"
for path in map(pathlib.Path, sys.argv[1:]):
    path.write_text(path.read_text().replace(narrow, wide))
EOF

if ! works; then
    echo "pyas2lib $pyas2lib and x12-doctor $doctor were installed in $venv but do not run:" >&2
    "$venv/bin/python" -c "import pyas2lib" >&2 || true
    "$venv/bin/x12doctor" --version >&2 || true
    exit 1
fi
echo "pyas2lib $pyas2lib and x12-doctor $doctor are ready in $venv"
