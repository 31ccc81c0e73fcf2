//! The command line as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{change::ChangeCommand, council::CouncilCommand, policy::PolicyCommand};

/// Reads the command line, or prints what is wrong with it and ends with status 2.
pub fn parse() -> Cli {
    Cli::parse()
}

/// The suite in one process, and what people do by hand.
#[derive(Debug, Parser)]
#[command(name = "bylaw", version, about, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bylaw dev                                    start the suite with the distributor's example
  bylaw demo                                   play the story against it
  bylaw exception list --as order-desk.medical what is stuck in one unit
  bylaw audit lineage SO-6204                  everything recorded of one order
  bylaw audit export > log.jsonl && bylaw audit verify log.jsonl --key .bylaw/audit-log.pub";

/// Options that stand before or after the verb.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Where the suite listens; `SERVICE=HOST:PORT,…` for services in processes of their own
    #[arg(long, global = true, env = "BYLAW_ADDR", value_name = "HOST:PORT")]
    pub addr: Option<String>,
    /// Token to call with; without one, the development suite's issuer makes one
    #[arg(
        long,
        global = true,
        env = "BYLAW_TOKEN",
        hide_env_values = true,
        value_name = "JWT"
    )]
    pub token: Option<String>,
    /// Principal of the development suite to act as, such as `credit-manager.medical`
    #[arg(long = "as", global = true, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// Data directory of the development suite
    #[arg(
        long,
        global = true,
        env = "BYLAW_DATA_DIR",
        default_value = ".bylaw",
        value_name = "DIR"
    )]
    pub data_dir: PathBuf,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs: stable, exact
    Json,
    /// For CI systems: `bylaw policy test` only
    Junit,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the five services in one process on embedded stores
    Dev(Dev),
    /// Play the distributor's story against a running suite
    Demo(Demo),
    /// Turn an event log into CloudEvents and send them
    #[command(
        after_help = "Examples:\n  bylaw replay orders.csv\n  bylaw replay events.jsonl --limit 100\n  zcat orders.csv.gz | bylaw replay - --mapping order-log --output json"
    )]
    Replay(Replay),
    /// Make a token of the development issuer
    #[command(
        after_help = "Example:\n  bylaw token --subject clerk.medical --kind person --grant operator@acme/europe/medical"
    )]
    Token(Token),
    /// Ask whether a step may happen; status 0 ALLOW, 10 REQUIRE_APPROVAL, 11 DENY
    #[command(
        after_help = "Example:\n  bylaw decide credit_hold_release --scope acme/europe/medical \\\n    --facts '{\"order.total\": \"18450.00 EUR\", \"customer.days_overdue\": 12}'"
    )]
    Decide(Decide),
    /// Check, test, evaluate and compare policy files
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Change control: what is governed changes only through it
    #[command(subcommand)]
    Change(ChangeCommand),
    /// What the governance council looks at
    #[command(subcommand)]
    Council(CouncilCommand),
    /// The work queue
    #[command(subcommand)]
    Exception(ExceptionCommand),
    /// The AI gate's review queue
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Master data
    #[command(subcommand)]
    Masterdata(MasterdataCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// `bylaw dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Where gRPC listens
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "HOST:PORT")]
    pub grpc_addr: String,
    /// Where HTTP listens (keys, checkpoint, health, metrics)
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub http_addr: String,
    /// What empty stores are filled with: `distributor`, `none`, or a folder of your own
    #[arg(long, default_value = "distributor", value_name = "NAME|DIR")]
    pub example: String,
    /// Take another free port where one of the two is taken
    #[arg(long)]
    pub any_port: bool,
    /// Play the story and replay the example's events, then go on running
    #[arg(long)]
    pub play: bool,
    /// OTLP collector to send traces and metrics to, such as `http://127.0.0.1:4317`
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// `bylaw demo`.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Business unit the story happens in
    #[arg(long, default_value = "acme/europe/medical", value_name = "SCOPE")]
    pub scope: String,
    /// HTTP listener of the policy service; without one, what the data directory says
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
}

/// `bylaw replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// CSV or JSON lines; `-` for standard input
    pub file: PathBuf,
    /// Mapping by name or file; without one, the mapping whose header fits
    #[arg(long, value_name = "NAME|FILE")]
    pub mapping: Option<String>,
    /// At most this many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// `bylaw token`.
#[derive(Debug, Args)]
pub struct Token {
    /// `sub` of the token
    #[arg(long)]
    pub subject: String,
    /// What kind of principal it is
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// A role at a scope; any number
    #[arg(long = "grant", value_name = "ROLE@SCOPE")]
    pub grants: Vec<String>,
    /// How long it is valid, such as `90s`, `15m`, `1h`
    #[arg(long, default_value = "1h", value_parser = ttl)]
    pub ttl: std::time::Duration,
}

/// Kinds of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A human being
    Person,
    /// A program that acts by fixed rules
    Service,
    /// An AI model or agent
    Model,
}

/// `bylaw decide`.
#[derive(Debug, Args)]
pub struct Decide {
    /// Workflow, such as `credit_hold_release`
    pub workflow: String,
    /// Scope of the transaction, such as `acme/europe/medical`
    #[arg(long)]
    pub scope: String,
    /// What is known, as a JSON object; `@file` reads it from a file, `-` from standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub facts: String,
    /// The business transaction, such as an order's number
    #[arg(long, default_value = "", value_name = "ID")]
    pub correlation_id: String,
    /// Say of each row why it matched or didn't
    #[arg(long)]
    pub explain: bool,
}

/// `bylaw exception`.
#[derive(Debug, Subcommand)]
pub enum ExceptionCommand {
    /// List what is stuck, oldest first
    List(ExceptionList),
    /// Show one with its evidence and actions
    Show {
        /// `exceptions/{id}`, or the id
        name: String,
    },
    /// Take one
    Claim {
        /// `exceptions/{id}`, or the id
        name: String,
    },
    /// Ask for an action on one
    Action {
        /// `exceptions/{id}`, or the id
        name: String,
        /// Operation from the action inventory, such as `release_credit_hold`
        operation: String,
        /// Arguments as a JSON object
        #[arg(long, default_value = "{}", value_name = "JSON|@FILE|-")]
        arguments: String,
    },
    /// Approve an action
    Approve {
        /// `exceptions/{id}/actions/{id}`
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Reject an action
    Reject {
        /// `exceptions/{id}/actions/{id}`
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Resolve one by hand
    Resolve {
        /// `exceptions/{id}`, or the id
        name: String,
        /// How it ended, from the taxonomy
        #[arg(long)]
        resolution: String,
        /// Why it came about, from the taxonomy
        #[arg(long, default_value = "")]
        root_cause: String,
        /// In your words
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Report open exceptions by age
    Report {
        /// Only what is at or below this scope
        #[arg(long, default_value = "")]
        scope: String,
    },
}

/// `bylaw exception list`.
#[derive(Debug, Args)]
pub struct ExceptionList {
    /// Only what is at or below this scope
    #[arg(long, default_value = "")]
    pub scope: String,
    /// Only those of this type
    #[arg(long = "type", default_value = "")]
    pub kind: String,
    /// Only those of this queue
    #[arg(long, default_value = "")]
    pub queue: String,
    /// Only those of this business transaction
    #[arg(long, default_value = "")]
    pub correlation_id: String,
    /// Resolved, closed and cancelled ones too
    #[arg(long)]
    pub all: bool,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = at_least_one())]
    pub limit: usize,
}

/// `bylaw review`.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// List recommendations that wait for a person
    List {
        /// Only what is at or below this scope
        #[arg(long, default_value = "")]
        scope: String,
        /// At most this many
        #[arg(long, default_value_t = 50, value_parser = at_least_one())]
        limit: usize,
    },
    /// Take one
    Claim {
        /// `recommendations/{id}`, or the id
        name: String,
    },
    /// Accept one: you become the requester of its action
    Accept {
        /// `recommendations/{id}`, or the id
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Accept one with other arguments
    Modify {
        /// `recommendations/{id}`, or the id
        name: String,
        /// The arguments instead, as a JSON object
        #[arg(long, value_name = "JSON|@FILE|-")]
        arguments: String,
        /// Why
        #[arg(long)]
        comment: String,
    },
    /// Reject one
    Reject {
        /// `recommendations/{id}`, or the id
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// `bylaw masterdata`.
#[derive(Debug, Subcommand)]
pub enum MasterdataCommand {
    /// Validate records; status 5 if any has an error
    #[command(
        after_help = "Example:\n  bylaw masterdata validate --entity customer --scope acme/europe/medical customers.csv"
    )]
    Validate {
        /// What the records are
        #[arg(long, value_enum)]
        entity: Entity,
        /// Unit whose rules apply; without one, the enterprise's
        #[arg(long)]
        scope: Option<String>,
        /// Mapping by name; without one, the mapping whose header fits
        #[arg(long, value_name = "NAME")]
        mapping: Option<String>,
        /// JSON lines or CSV; `-` for standard input
        file: PathBuf,
    },
}

/// Kinds of master-data records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Entity {
    /// Somebody the company sells to
    Customer,
    /// Something the company sells
    Item,
    /// Somebody the company buys from
    Supplier,
}

/// `bylaw audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show everything recorded of one business transaction
    Lineage {
        /// Correlation id, such as an order's number
        id: String,
        /// Print the lines that `bylaw audit verify` reads instead
        #[arg(long)]
        lines: bool,
        /// With --lines: file with an older checkpoint that verifying will hold them against
        #[arg(long, value_name = "FILE", requires = "lines")]
        checkpoint: Option<PathBuf>,
    },
    /// Write the log to standard output, as `bylaw audit verify` reads it
    Export {
        /// First index
        #[arg(long, default_value_t = 0, value_name = "INDEX")]
        start: i64,
        /// Tree size to export up to; without one, the newest checkpoint's
        #[arg(long, default_value_t = 0, value_name = "SIZE")]
        tree_size: i64,
    },
    /// Print the newest signed checkpoint
    Checkpoint,
    /// Verify an export or a lineage without any service; status 6 if anything is wrong
    Verify {
        /// The export; `-` for standard input
        file: PathBuf,
        /// File with the log's verifier key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File with an older checkpoint that the log must continue
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
}

fn at_least_one() -> impl clap::builder::TypedValueParser<Value = usize> {
    clap::builder::RangedU64ValueParser::<usize>::new().range(1..)
}

/// Reads `90s`, `15m`, `1h` or `2d`.
fn ttl(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("{text:?} is no duration such as 90s, 15m, 1h or 2d");
    let unit = text
        .chars()
        .next_back()
        .map_or("", |last| &text[text.len() - last.len_utf8()..]);
    let digits = &text[..text.len() - unit.len()];
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    match count.checked_mul(seconds) {
        Some(total) if (1..=30 * 86_400).contains(&total) => {
            Ok(std::time::Duration::from_secs(total))
        }
        _ => Err(format!("{text:?} is not between 1s and 30d")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_holds_together() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_strictly() {
        assert_eq!(super::ttl("15m").map(|d| d.as_secs()), Ok(900));
        for wrong in ["", "m", "0s", "1w", "-1h", "31d", "1ä"] {
            assert!(super::ttl(wrong).is_err(), "{wrong}");
        }
    }
}
