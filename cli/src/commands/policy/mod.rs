//! `bylaw policy`: what policy authors do with files, without a suite.

mod check;
mod diff;
mod eval;
mod export;
mod found;
mod import;
mod junit;
pub mod load;
mod lone;
mod printed;
mod source;
mod tables;
mod test;
mod versions;
mod written;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::{args::Common, failure::Failure};

/// `bylaw policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check types, gaps, conflicts, dead and redundant rows, variation; status 3 on an error
    #[command(
        after_help = "Examples:\n  bylaw policy check policies/\n  bylaw policy check policies/credit_hold_release.enterprise.yaml --output json"
    )]
    Check(Check),
    /// Run the tests beside policies, tables and models, with row coverage; status 4 on a failure
    #[command(
        after_help = "Examples:\n  bylaw policy test policies/\n  bylaw policy test policies/ --output junit > report.xml"
    )]
    Test(Test),
    /// Evaluate one table or decision model (YAML or DMN XML) by itself
    #[command(
        after_help = "Examples:\n  bylaw policy eval discount.yaml --facts '{\"order.total\": \"18450.00 EUR\"}'\n  bylaw policy eval loan.dmn --decision 'Approval Status' --facts @applicant.json --trace"
    )]
    Eval(Eval),
    /// Every region where two versions answer differently; status 7 if they differ
    #[command(
        after_help = "Examples:\n  bylaw policy diff old.yaml new.yaml\n  bylaw policy diff main/policies work/policies --output json\n  git show HEAD:discount.yaml | bylaw policy diff - discount.yaml"
    )]
    Diff(Diff),
    /// From DMN XML to the project's own form
    #[command(after_help = "Example:\n  bylaw policy import loan.dmn -o loan.yaml")]
    Import(Import),
    /// To DMN XML, CSV or a table for people
    #[command(
        after_help = "Examples:\n  bylaw policy export discount.yaml --to dmn -o discount.dmn\n  bylaw policy export discount.yaml --to md"
    )]
    Export(Export),
}

/// `bylaw policy check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Files, or folders of files; `-` for a table or model on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// `bylaw policy test`.
#[derive(Debug, Args)]
pub struct Test {
    /// A file of tests, or a folder; `-` for tests of tables and models on standard input
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// `bylaw policy eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// YAML or DMN XML; `-` for standard input
    pub file: PathBuf,
    /// Which decision, where the file holds several
    #[arg(long, value_name = "NAME")]
    pub decision: Option<String>,
    /// What is known, as a JSON object; `@file` reads it from a file, `-` from standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub facts: String,
    /// Say which rows matched, and of each other row which inputs kept it from matching
    #[arg(long)]
    pub trace: bool,
    /// Absent inputs are unknown, as the suite has them, instead of null, as DMN has them
    #[arg(long)]
    pub unknown: bool,
}

/// `bylaw policy diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The version that is in force: a file or a folder; `-` for standard input
    pub old: PathBuf,
    /// The version that is to follow it, likewise
    pub new: PathBuf,
}

/// `bylaw policy import`.
#[derive(Debug, Args)]
pub struct Import {
    /// DMN XML; `-` for standard input
    pub file: PathBuf,
    /// Where to write; without it, to standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `bylaw policy export`.
#[derive(Debug, Args)]
pub struct Export {
    /// YAML or DMN XML; `-` for standard input
    pub file: PathBuf,
    /// The form
    #[arg(long, value_enum)]
    pub to: Form,
    /// Which decision, where the file holds several and the form takes one
    #[arg(long, value_name = "NAME")]
    pub decision: Option<String>,
    /// Where to write; without it, to standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What can be exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// DMN 1.5 XML
    Dmn,
    /// Rows for a spreadsheet
    Csv,
    /// A Markdown table
    Md,
}

pub fn run(common: &Common, command: &PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check(args) => check::run(common.output, args),
        PolicyCommand::Test(args) => test::run(common.output, args),
        PolicyCommand::Eval(args) => eval::run(common.output, args),
        PolicyCommand::Diff(args) => diff::run(common.output, args),
        PolicyCommand::Import(args) => import::run(common.output, args),
        PolicyCommand::Export(args) => export::run(common.output, args),
    }
}
