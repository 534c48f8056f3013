# Recipes are named for what they prove. None is needed: `.ci/run` uses none of them.

# What can be proved here.
default:
    @just --list

# Everything, as CI runs it.
ci:
    bash .ci/run

# The code has one form.
formatted:
    cargo fmt --check

# The compiler and clippy have nothing to say.
warning-free:
    cargo clippy --all-targets -- -D warnings

# It does what it should.
test:
    cargo test

# The house is as ARCHITECTURE.md says.
tidy:
    cargo test --test main tidy

# The documentation builds, and its links lead somewhere.
documented:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# A newcomer's first command works.
demo:
    cargo run --release -- demo

# Nothing is lost and nothing done twice: so many minutes of kills and power cuts, added to what the folder holds.
unbroken FOLDER MINUTES="60":
    TRANSLOAD_FAULTS_STATE={{FOLDER}} TRANSLOAD_FAULTS_MINUTES={{MINUTES}} cargo test --release --features planted --test main -- faults::run

# Another AS2 product understands us.
interop:
    tests/interop/setup.sh
    cargo test --test main interop

# It is as fast as README says.
fast:
    cargo bench

# We may ship what we depend on, and nothing of it is known to be broken.
licensed:
    cargo deny check

# What is built in, for who asks (CycloneDX).
listed:
    python3 .ci/sbom.py > transload.cdx.json

# No bytes break a parser or a law: each target of fuzz/ for so many minutes. It wants a nightly compiler
# and cargo-fuzz: `rustup toolchain install nightly`, `cargo install cargo-fuzz --locked`.
fuzz minutes:
    for target in $(cd fuzz && cargo +nightly fuzz list); do cargo +nightly fuzz run $target -- -max_total_time=$(( {{minutes}} * 60 )); done

# Every fault of docs/faults.md that one machine can do, as often as it says there, with its figures.
faults:
    TRANSLOAD_FAULTS=full TRANSLOAD_FAULTS_FIGURES=tests/faults/figures.toml cargo test --test main -- faults:: --test-threads=1
    UPDATE=1 cargo test --test main -- faults::table
