//! `transload as2`, `cert` and `partner`, as somebody at a terminal meets them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cert;
mod open;
mod partner;
mod receipt;
mod seal;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run of the program left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The one JSON object of stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {self}"))
    }

    /// Every word stands in stdout or stderr.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        for word in words {
            assert!(
                self.out.contains(word) || self.err.contains(word),
                "no {word:?} in {self}"
            );
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n{}\n{}", self.code, self.out, self.err)
    }
}

/// Runs `transload ARGS` with nothing on stdin.
pub(crate) fn run(args: &[&dyn AsRef<OsStr>]) -> Ran {
    run_with(args, b"")
}

/// Runs `transload ARGS` with those bytes on stdin.
pub(crate) fn run_with(args: &[&dyn AsRef<OsStr>], stdin: &[u8]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(args.iter().map(|arg| arg.as_ref()));
    command
        .env_remove("TRANSLOAD_PARTNERS")
        .env_remove("TRANSLOAD_MAPPINGS");
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not want it may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What others recorded, where it is there.
pub(crate) fn recorded() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/as2/recorded");
    if !folder.is_dir() {
        say!("skipped: no ../shared");
        return None;
    }
    Some(folder)
}

/// Two partners' keys on disk, `us` and `them`, made by `cert new`.
pub(crate) struct Pair {
    pub(crate) folder: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        let folder = tempfile::tempdir().unwrap();
        for name in ["us", "them"] {
            let made = run(&[&"cert", &"new", &"--name", &name, &"--out", &folder.path()]);
            made.says(0, &[]);
        }
        Pair { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// `transload as2 COMMAND FILE`, with one side's key and the other's certificate.
    pub(crate) fn as2(&self, command: &str, side: &str, file: &Path, more: &[&str]) -> Ran {
        let other = if side == "us" { "them" } else { "us" };
        let (key, password, cert) = (
            self.path(&format!("{side}.p12")),
            self.path(&format!("{side}.password")),
            self.path(&format!("{other}.pem")),
        );
        let mut args: Vec<&dyn AsRef<OsStr>> = vec![&"as2", &command, &file, &"--key", &key];
        args.extend([
            &"--password-file" as &dyn AsRef<OsStr>,
            &password,
            &"--partner-cert",
            &cert,
        ]);
        args.extend(more.iter().map(|more| more as &dyn AsRef<OsStr>));
        run(&args)
    }

    /// Seals `payload` from us to them; the request's path.
    pub(crate) fn seal(&self, payload: &[u8], more: &[&str]) -> PathBuf {
        let (file, request) = (self.write("order.edi", payload), self.path("request"));
        let mut args = vec!["--from", "US", "--to", "THE M", "--out"];
        args.push(request.to_str().unwrap());
        args.extend(more);
        self.as2("seal", "us", &file, &args).says(0, &[]);
        request
    }
}
