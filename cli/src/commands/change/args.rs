//! The command line of `bylaw change`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use contracts::policy::ChangeState;

/// `bylaw change`.
#[derive(Debug, Subcommand)]
pub enum ChangeCommand {
    /// Say what files would change, and keep nothing
    #[command(
        after_help = "Example:\n  bylaw change plan policies/ --as process-owner.order-to-cash"
    )]
    Plan(Files),
    /// Propose files as a change; check, test and try it on stored decisions
    ///
    /// Status 3 where it isn't sound, 4 where a test fails: it stays, to be edited. The same
    /// files under the same title are one change, however often they are proposed.
    #[command(
        after_help = "Example:\n  bylaw change propose policies/credit_hold_release.enterprise.yaml \\\n    --title 'higher threshold' --reason 'small orders wait too long' --as process-owner.order-to-cash"
    )]
    Propose(Propose),
    /// Put other files into a change: it starts over
    Edit(Edit),
    /// List changes, the newest first
    List {
        /// Only those in this state, such as `backtested` or `rolled-back`; any number
        #[arg(long = "state", value_parser = state, value_name = "STATE")]
        states: Vec<ChangeState>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show what a change does, what it lacks, and what happened to it
    Show {
        /// `changes/{id}`, or the id
        name: String,
    },
    /// Check, test and backtest a change again
    Review {
        /// `changes/{id}`, or the id
        name: String,
        #[command(flatten)]
        backtest: Backtest,
    },
    /// Approve exactly what a change is now
    Approve {
        /// `changes/{id}`, or the id
        name: String,
        /// Digest of what you reviewed; without it, that of the change as it is now
        #[arg(long, default_value = "", value_name = "SHA256")]
        digest: String,
        /// Why
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Reject a change for good
    Reject {
        /// `changes/{id}`, or the id
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Have an approved change come into force at its time
    Schedule {
        /// `changes/{id}`, or the id
        name: String,
    },
    /// Put an approved change into force
    Activate {
        /// `changes/{id}`, or the id
        name: String,
    },
    /// Give a change up
    Withdraw {
        /// `changes/{id}`, or the id
        name: String,
    },
    /// Take back a change that is in force; two people do it where that loosens
    Rollback {
        /// `changes/{id}`, or the id
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List waivers, with how often they were used
    Waivers,
    /// Write what is in force as the files it could have come from
    Export {
        /// Folder to write into; it must be empty or not there
        dir: PathBuf,
    },
}

/// Files of governed documents.
#[derive(Debug, Args)]
pub struct Files {
    /// Files, or folders of files
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The files are all there is: what is in force beside them is taken away
    #[arg(long)]
    pub(super) complete: bool,
}

/// `bylaw change propose`.
#[derive(Debug, Args)]
pub struct Propose {
    #[command(flatten)]
    pub(super) files: Files,
    /// What it is, in a line
    #[arg(long)]
    pub(super) title: String,
    /// Why
    #[arg(long)]
    pub(super) reason: String,
    /// When it is to come into force, such as `2026-12-01T06:00:00Z`; without it, when
    /// somebody activates it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) activate_at: Option<prost_types::Timestamp>,
    #[command(flatten)]
    pub(super) backtest: Backtest,
}

/// `bylaw change edit`.
#[derive(Debug, Args)]
pub struct Edit {
    /// `changes/{id}`, or the id
    pub(super) name: String,
    /// Files, or folders of files, that it then has
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// What it is, in a line
    #[arg(long, default_value = "")]
    pub(super) title: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(super) reason: String,
    /// When it is to come into force; without it, when somebody activates it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) activate_at: Option<prost_types::Timestamp>,
    #[command(flatten)]
    pub(super) backtest: Backtest,
}

/// Which decisions are decided again.
#[derive(Debug, Clone, Args)]
pub struct Backtest {
    /// Decisions from here on; without it, of the last 30 days
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) backtest_from: Option<prost_types::Timestamp>,
    /// At most this many of them, the newest
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(super) backtest_limit: i64,
}

/// States as the contracts have them, told without their prefix.
const STATE: &str = "CHANGE_STATE_";

/// A state by its name, such as `approved` or `rolled-back`.
fn state(text: &str) -> Result<ChangeState, String> {
    let name = text.to_uppercase().replace('-', "_");
    let found = ChangeState::from_str_name(&format!("{STATE}{name}"));
    found
        .filter(|state| *state != ChangeState::Unspecified)
        .ok_or_else(|| {
            let known = (1..).map_while(|number| ChangeState::try_from(number).ok());
            let known = known.map(|state| state.as_str_name().trim_start_matches(STATE));
            let known: Vec<_> = known
                .map(|name| name.to_lowercase().replace('_', "-"))
                .collect();
            format!("expected one of {}", known.join(", "))
        })
}

fn instant(text: &str) -> Result<prost_types::Timestamp, String> {
    let time: chrono::DateTime<chrono::Utc> = text
        .parse()
        .map_err(|_| format!("{text:?} is no time such as 2026-12-01T06:00:00Z"))?;
    Ok(contracts::time::timestamp(time))
}
