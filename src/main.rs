//! `transload`: see `transload help`.

fn main() -> std::process::ExitCode {
    transload::cli::run()
}
