//! Child processes that end with this one.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// A child process. A watchdog, which sees this process end even by SIGKILL, kills the
/// child then and removes its folder: `PR_SET_PDEATHSIG` would follow the thread that
/// started it, and a test's thread ends early.
pub struct Guarded {
    child: Child,
    watchdog: Child,
}

impl Guarded {
    /// Starts the command, its output in `log`. `remove` goes when this process has ended.
    ///
    /// # Panics
    /// If it can't be started.
    #[must_use]
    pub fn spawn(mut command: Command, log: &Path, remove: Option<&Path>) -> Self {
        let output = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        let program = PathBuf::from(command.get_program());
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let script = "read -r _; kill -9 \"$1\" 2>/dev/null; [ -z \"$2\" ] || \
                      for _ in 1 2 3; do rm -rf \"$2\" 2>/dev/null && break; sleep 0.2; done";
        let watchdog = Command::new("/bin/sh")
            .args(["-c", script, "watchdog"])
            .arg(child.id().to_string())
            .arg(remove.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh starts");
        Self { child, watchdog }
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the process's id is none.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        // It may have ended.
        let _ = kill(pid, signal);
    }

    /// Asks it to stop (SIGTERM) and waits for its end; its exit status, if it had one.
    ///
    /// # Panics
    /// If it can't be waited for.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.wait().code()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it can't be waited for.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}
