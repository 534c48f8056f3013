//! `verify.sh`: sh, openssl and coreutils, and nothing of ours.

use super::Proof;
use crate::as2::{Digest, Mic};

/// What the script checks of this folder, in order.
#[derive(Default)]
pub(super) struct Steps {
    lines: Vec<String>,
}

impl Steps {
    /// A detached signature, by the key of one certificate and of no other.
    pub(super) fn signature(&mut self, what: &str, proof: &Proof) {
        let Proof {
            signed,
            signature,
            signer,
        } = proof;
        self.lines.push(format!(
            "check \"{what}\" signed {signature} {signed} {signer}"
        ));
    }

    /// A MIC over a file is the one that the receipt names; `noted` is the one that we kept.
    pub(super) fn mic(&mut self, noted: Option<&str>, file: &str) {
        let Some(mic) = noted.and_then(Mic::parse) else {
            return;
        };
        let name = openssl_name(mic.digest);
        let value = mic.to_string();
        let value = value.split(',').next().unwrap_or_default();
        self.lines.push(format!(
            "own=$(mic {name} {file})\ncheck \"the MIC of {file} is the one that was noted\" \
             test \"$own\" = '{value}'"
        ));
    }

    /// A file stands in another, at its end.
    pub(super) fn tail(&mut self, part: &str, from: usize, file: &str) {
        self.lines.push(format!(
            "check \"{part} ends with {file}\" tail_is {part} {} {file}",
            from + 1
        ));
    }

    /// A file stands in another.
    pub(super) fn within(&mut self, whole: &str, from: usize, len: usize, file: &str) {
        self.lines.push(format!(
            "check \"{file} stands in {whole}\" part_is {whole} {} {len} {file}",
            from + 1
        ));
    }

    /// What the receipt says: of which message, what became of it, and its MIC. What it says in an
    /// encoding is left to people.
    pub(super) fn receipt(&mut self, report: &str, body: &[u8], message_id: &str) {
        let plain = |name: &[u8]| {
            let lower = body.to_ascii_lowercase();
            lower.windows(name.len()).any(|at| at == name)
        };
        if !plain(b"original-message-id:") {
            self.lines.push(format!(
                "note \"the receipt is encoded; read {report} with a MIME tool\""
            ));
            return;
        }
        // An id of theirs may hold what a shell reads.
        let id = message_id.replace('\'', "'\\''");
        self.lines.push(format!(
            "id=$(field original-message-id {report} | tr -d '<> ')\n\
             check \"the receipt is for this message\" test \"$id\" = '{id}'"
        ));
        self.lines.push(format!(
            "note \"the receipt says: $(field disposition {report})\""
        ));
        if plain(b"received-content-mic:") {
            self.lines.push(format!(
                "said=$(field received-content-mic {report} | cut -d, -f1 | tr -d ' ')\n\
                 check \"the receipt names the MIC that was computed here\" test \"$said\" = \"${{own:-none}}\""
            ));
        } else {
            self.lines
                .push("note \"the receipt names no MIC\"".to_owned());
        }
    }
}

fn openssl_name(digest: Digest) -> String {
    digest.name().replace('-', "")
}

/// The script for a folder of so many files, itself counted.
pub(super) fn text(steps: &Steps, files: usize) -> String {
    format!(
        "{HEAD}\ncheck \"every file is as it was written\" sums {files}\n{}\n{TAIL}",
        steps.lines.join("\n")
    )
}

const HEAD: &str = r##"#!/bin/sh
# Verifies this folder with sh, openssl and coreutils. Exit code 0: everything holds.
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")" || exit 2
failed=0

check() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        failed=1
    fi
}

note() {
    echo "note    $1"
}

# Every line of SHA256SUMS holds, and there are so many.
sums() {
    count=0
    while read -r sum name || [ -n "$sum" ]; do
        found=$(openssl dgst -sha256 -r "$name" | cut -d' ' -f1)
        [ "$found" = "$sum" ] || return 1
        count=$((count + 1))
    done <SHA256SUMS
    [ "$count" -eq "$1" ] && [ "$(wc -l <SHA256SUMS)" -eq "$1" ]
}

# A detached signature, its bytes, and the certificate that it has to be by.
signed() {
    openssl cms -verify -binary -inform DER -in "$1" -content "$2" \
        -nointern -certfile "$3" -noverify -out /dev/null
}

# A MIC as a receipt says it.
mic() {
    openssl dgst "-$1" -binary "$2" | openssl base64 -A
}

# The value of a header field, its name in lower case.
field() {
    tr -d '\r' <"$2" | while IFS= read -r line; do
        name=${line%%:*}
        [ "${#name}" -eq "${#1}" ] || continue
        if [ "$(echo "$name" | tr 'A-Z' 'a-z')" = "$1" ]; then
            echo "${line#*:}"
            break
        fi
    done
}

tail_is() {
    tail -c "+$2" "$1" | cmp - "$3"
}

part_is() {
    tail -c "+$2" "$1" | head -c "$3" | cmp - "$4"
}
"##;

const TAIL: &str = r#"
if [ "$failed" -eq 0 ]; then
    echo "everything holds"
else
    echo "NOT everything holds"
fi
exit "$failed"
"#;
