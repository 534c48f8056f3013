//! The gateway under test: a folder, and the real program that runs in it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::image::run;
use super::order::{Relation, Sealed, partner};
use super::wire::Line;
use crate::exchange::pair::identities;
use crate::houses::free_port;

/// How long what never happens is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The most that counts between two looks: where more has passed, nobody was running.
const LOOK: Duration = Duration::from_secs(1);
/// A wait, counted by its looks: to be stopped for an hour, as a process may be, is no waiting.
pub(super) struct Waiting {
    last: Instant,
    waited: Duration,
}

impl Waiting {
    pub(super) fn new() -> Waiting {
        Waiting {
            last: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    /// Whether it takes longer than that by now.
    pub(super) fn over(&mut self, most: Duration) -> bool {
        self.waited += self.last.elapsed().min(LOOK);
        self.last = Instant::now();
        self.waited > most
    }
}

/// A gateway's folder; its data may lie on a disk that fails.
pub(super) struct House {
    pub(super) folder: TempDir,
    /// What the faults are done to: the store, and what is delivered.
    pub(super) data: PathBuf,
    pub(super) port: u16,
    /// Given to every process that is started in it.
    pub(super) env: Vec<(String, String)>,
    /// Where it logs to.
    pub(super) log: PathBuf,
    /// Runs the program: nothing, or `strace …`.
    pub(super) wrapper: Vec<String>,
}

/// A process of the gateway, killed with this value.
pub(super) struct Process {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    started: Instant,
}

impl House {
    /// Data lie in `data`, or in the folder itself.
    pub(super) fn new(partners_url: &str, data: Option<&Path>) -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let data = data.unwrap_or(path).to_path_buf();
        let pem = path.join("partner.pem");
        std::fs::write(&pem, partner().certificate.to_pem().unwrap()).unwrap();
        let pem = pem.to_string_lossy().into_owned();
        std::fs::create_dir(path.join("partners")).unwrap();
        for relation in Relation::ALL {
            let file = path.join(format!("partners/{}.toml", relation.name()));
            std::fs::write(file, relation.file(&pem, partners_url)).unwrap();
        }
        let p12 = identities()[1].to_pkcs12("seller", "secret").unwrap();
        std::fs::write(path.join("own.p12"), p12).unwrap();
        std::fs::write(path.join("password"), "secret\n").unwrap();
        let port = free_port();
        // Every body goes to a file first, so that there is something to fail.
        let settings = format!(
            "data = {:?}\n[identity]\np12 = \"own.p12\"\npassword_file = \"password\"\n\
             [as2]\nlisten = \"127.0.0.1:{port}\"\nreceipt_url = \"http://127.0.0.1:{port}/as2\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[bridge]\nfolder = {:?}\n\
             [limits]\nbody_memory = 2048\n",
            data.join("data"),
            data.join("bridge"),
        );
        std::fs::write(path.join("transload.toml"), settings).unwrap();
        House {
            log: path.join("log"),
            folder,
            data,
            port,
            env: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// Changes the settings, before it starts.
    pub(super) fn set(&self, from: &str, to: &str) {
        let path = self.folder.path().join("transload.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Where documents of a partner are delivered.
    pub(super) fn sink(&self, relation: Relation) -> PathBuf {
        self.data.join(format!("bridge/{}/out", relation.name()))
    }

    pub(super) fn start(&self, env: &[(&str, String)]) -> Process {
        let program = env!("CARGO_BIN_EXE_transload");
        let mut command = match self.wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["serve", "--json", "--config"])
            .arg(self.folder.path().join("transload.toml"))
            .env("TRANSLOAD_HURRY", "1")
            .env("TRANSLOAD_LOG", "transload=warn")
            .envs(self.env.iter().cloned())
            .envs(env.iter().map(|(name, value)| (name, value)));
        let log = File::options()
            .append(true)
            .create(true)
            .open(&self.log)
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Process {
            child,
            lines,
            started,
        }
    }

    /// The end of what it said.
    pub(super) fn said(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub(super) fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.data.join("data/transload.db");
        let database = Connection::open_with_flags(path, flags).unwrap();
        database.busy_timeout(PATIENCE).unwrap();
        database
    }

    /// A count in the store, now.
    pub(super) fn count(&self, sql: &str) -> u64 {
        let count = self
            .database()
            .query_row(sql, [], |row| row.get::<_, i64>(0));
        let count = count.unwrap_or_else(|why| panic!("{sql}: {why}"));
        u64::try_from(count).unwrap()
    }

    /// Keeps its folders for who wants to know what went wrong, where a long run has a folder.
    pub(super) fn keep(&self, seed: u64) -> String {
        let Some(state) = std::env::var_os("TRANSLOAD_FAULTS_STATE") else {
            return String::new();
        };
        let kept = Path::new(&state).join(format!("seed-{seed}"));
        std::fs::create_dir_all(kept.join("data")).unwrap();
        for (from, to) in [(self.folder.path(), ""), (&self.data, "data")] {
            let (from, to) = (from.join("."), kept.join(to));
            let copied = run(
                "cp",
                &["-a", &from.to_string_lossy(), &to.to_string_lossy()],
            );
            copied.unwrap();
        }
        format!("kept in {}", kept.display())
    }

    /// The status that a message gets; none where nobody answers.
    pub(super) fn ask(&self, sealed: &Sealed) -> Option<u16> {
        let answer = Line::new(self.port).ask(&sealed.bytes);
        answer.ok().map(|answer| answer.status)
    }

    /// Waits until nothing is left to do.
    pub(super) fn idle(&self) {
        let start = Instant::now();
        while self.count("SELECT count(*) FROM work") > 0 {
            assert!(start.elapsed() < PATIENCE, "{}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every file below one of its data folders.
    pub(super) fn files(&self, inside: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.data.join(inside)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path),
                }
            }
        }
        found
    }
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers requests, and says how long that took; nothing where it ended first.
    pub(super) fn ready(&mut self) -> Option<Duration> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| self.started.elapsed())
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success(), "kill {name} {id}");
    }

    pub(super) fn kill(&mut self) -> ExitStatus {
        // Where something traces it, it is that one's child.
        let id = self.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", child]).status();
        }
        let _ = self.child.kill();
        self.child.wait().unwrap()
    }

    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end by itself.
    pub(super) fn end(&mut self, within: Duration) -> Option<ExitStatus> {
        let mut waiting = Waiting::new();
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if waiting.over(within) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends it as a supervisor does.
    pub(super) fn terminate(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.end(PATIENCE).and_then(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
