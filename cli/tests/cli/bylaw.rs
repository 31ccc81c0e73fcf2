//! The binary, and suites that `bylaw dev` runs.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::guard::Guarded;

/// Longest start of a suite.
const START: Duration = Duration::from_secs(60);

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The command ended with this status.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The one document that it printed.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The documents that it printed, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let line = |line| serde_json::from_str(line);
        self.stdout
            .lines()
            .map(line)
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard error is one line that holds each of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        assert_eq!(
            self.stderr.trim_end().lines().count(),
            1,
            "one line: {self:?}"
        );
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} isn't said: {self:?}");
        }
        self
    }
}

/// A folder to work in, with a data directory that may be there or not.
pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("bylaw-cli-")
            .tempdir()
            .expect("a folder");
        Self { dir }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// The command line, with nothing of this process's surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bylaw"));
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("BYLAW_")) {
            command.env_remove(name);
        }
        command.env("BYLAW_DATA_DIR", self.data_dir());
        command
            .current_dir(self.dir.path())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// Runs a command to its end, with this as standard input.
    pub fn feed(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that refuses its arguments doesn't read.
        let _ = child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(input.as_bytes());
        of(child.wait_with_output().expect("the command ends"))
    }
}

/// Runs a command to its end.
pub fn ran(command: &mut Command) -> Ran {
    of(command.output().expect("the binary starts"))
}

fn of(output: std::process::Output) -> Ran {
    Ran {
        status: output.status.code().expect("an exit status"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A suite that `bylaw dev` runs; killed when this goes.
pub struct Suite {
    pub home: Home,
    pub process: Guarded,
}

impl Suite {
    /// Starts a suite on a new data directory.
    pub fn start() -> Self {
        Self::on(Home::new(), &[])
    }

    /// Starts a suite on this data directory, with more arguments.
    pub fn on(home: Home, more: &[&str]) -> Self {
        let mut args = vec![
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--http-addr",
            "127.0.0.1:0",
        ];
        args.extend(more);
        let log = home.path("dev.log");
        let process = Guarded::spawn(home.command(&args), &log, Some(home.dir.path()));
        let mut suite = Self { home, process };
        suite.wait();
        suite
    }

    /// Waits until it listens: the file that says where is written then.
    fn wait(&mut self) {
        let end = Instant::now() + START;
        while self.written().is_none() {
            assert!(self.process.runs(), "the suite ended: {}", self.log());
            assert!(
                Instant::now() < end,
                "the suite doesn't start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What this process, and no earlier one, wrote about itself.
    pub fn written(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.home.data_dir().join("suite.json")).ok()?;
        let written: Value = serde_json::from_str(&text).ok()?;
        (written["pid"] == self.process.id()).then_some(written)
    }

    /// What it printed and logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path("dev.log")).unwrap_or_default()
    }

    /// Stops it as Ctrl-C does, and keeps its folder.
    pub fn stop(self) -> Home {
        let Self { home, mut process } = self;
        let log = std::fs::read_to_string(home.path("dev.log")).unwrap_or_default();
        assert_eq!(process.stop(), Some(0), "{log}");
        home
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.home.run(args)
    }

    /// Runs a command for its JSON, which ends well.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--output", "json"]);
        self.run(&all).exits(0).json()
    }
}

/// A file of the real data that tests use where it is there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} isn't there", path.display());
    None
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
