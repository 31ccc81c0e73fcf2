//! The processes that are measured, on free ports and in a temporary folder.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;
use tempfile::TempDir;

/// `bylaw dev` with the generator's own workflow.
pub struct Suite {
    child: Child,
    data: TempDir,
    bylaw: PathBuf,
    /// Where gRPC listens.
    pub addr: String,
}

impl Suite {
    /// Starts it with a collector for its traces, and waits until it says where it listens.
    pub fn start(bylaw: &Path, collector: &str) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut child = Command::new(bylaw)
            .args([
                "dev",
                "--grpc-addr",
                "127.0.0.1:0",
                "--http-addr",
                "127.0.0.1:0",
            ])
            .args(["--output", "json", "--example"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("load/bootstrap"))
            .arg("--data-dir")
            .arg(data.path())
            .env("BYLAW_TELEMETRY__LOG", "warn")
            .env(
                "BYLAW_TELEMETRY__OTLP_ENDPOINT",
                format!("http://{collector}"),
            )
            .env("BYLAW_TELEMETRY__SAMPLE", "0.01")
            // The measured caller is one service; its rate isn't what is measured.
            .env("BYLAW_LIMITS__SERVICE_CALLS_PER_SECOND", "0")
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", bylaw.display()))?;
        let said = child.stdout.take().context("no output")?;
        let mut text = String::new();
        for line in BufReader::new(said).lines() {
            text.push_str(&line?);
            if let Ok(greeting) = serde_json::from_str::<serde_json::Value>(&text) {
                let addr = greeting["grpc_addr"]
                    .as_str()
                    .context("no grpc_addr")?
                    .to_owned();
                return Ok(Self {
                    child,
                    data,
                    bylaw: bylaw.to_owned(),
                    addr,
                });
            }
        }
        anyhow::bail!("the suite ended before it said where it listens: {text}")
    }

    /// A token of who asks.
    pub fn token(&self) -> anyhow::Result<String> {
        self.minted("bench", "service", "event-source@bench")
    }

    /// A token of somebody who proposes changes.
    pub fn editor(&self) -> anyhow::Result<String> {
        self.minted("editor", "person", "policy-editor@bench")
    }

    fn minted(&self, subject: &str, kind: &str, grant: &str) -> anyhow::Result<String> {
        let output = Command::new(&self.bylaw)
            .args(["token", "--subject", subject, "--kind", kind])
            .args(["--grant", grant])
            .arg("--data-dir")
            .arg(self.data.path())
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Resident memory.
    pub fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .context("no VmRSS")?;
        Ok(line
            .split_whitespace()
            .nth(1)
            .context("no number")?
            .parse()?)
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A process of this program's own that says where it listens.
pub struct Helper {
    child: Child,
    /// What it reads, for as long as it runs.
    files: Vec<tempfile::NamedTempFile>,
    /// Where it listens.
    pub addr: String,
}

impl Helper {
    /// Starts it with a subcommand.
    pub fn start(args: &[OsString]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut addr = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut addr)?;
        Ok(Self {
            child,
            files: Vec::new(),
            addr: addr.trim().to_owned(),
        })
    }
}

/// The baseline, with the answers to give.
pub fn echo(one: &[u8], batch: &[u8]) -> anyhow::Result<Helper> {
    let mut files = Vec::new();
    for answer in [one, batch] {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), answer)?;
        files.push(file);
    }
    let mut args: Vec<OsString> = vec!["echo".into()];
    args.extend(files.iter().map(|file| file.path().into()));
    let mut helper = Helper::start(&args)?;
    helper.files = files;
    Ok(helper)
}

impl Drop for Helper {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Gone already is as good.
    let _gone = child.kill();
    let _reaped = child.wait();
}
