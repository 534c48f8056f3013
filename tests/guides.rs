//! Guides as a product: printed, compared, sampled, begun, bundled, and swapped while we run.

mod amazon;
mod begin;
mod bundle;
mod chinese;
mod demands;
mod manners;
mod reload;
mod sample;
mod show;

use std::path::Path;
use std::process::Command;

/// Runs the program from the project's folder, with nothing of the environment's settings.
#[track_caller]
fn run(exit: i32, arguments: &[&str]) -> (String, String) {
    run_in(Path::new(env!("CARGO_MANIFEST_DIR")), exit, arguments)
}

#[track_caller]
fn run_in(folder: &Path, exit: i32, arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRANSLOAD_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code();
    assert_eq!(code, Some(exit), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

/// Puts files into a folder.
fn put(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
