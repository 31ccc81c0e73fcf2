//! What the README says to type works as it stands, beside a suite that has played.

use std::{os::unix::fs::symlink, path::Path};

use crate::bylaw::{Suite, ran};

/// The commands below "Use it", continued lines put together, comments left to the shell.
fn commands(readme: &str) -> Vec<String> {
    let block = readme
        .split("## Use it")
        .nth(1)
        .and_then(|rest| rest.split("```sh\n").nth(1))
        .and_then(|rest| rest.split("```").next())
        .expect("a block of commands");
    let mut found: Vec<String> = Vec::new();
    for line in block.lines() {
        let begins = line.starts_with("bylaw ");
        match found.last_mut() {
            Some(last) if !begins => {
                last.push('\n');
                last.push_str(line);
            }
            _ => found.push(line.to_owned()),
        }
    }
    found
}

#[test]
fn what_the_readme_says_to_type_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let suite = Suite::start();
    suite.run(&["demo"]).exits(0);
    symlink(root.join("examples"), suite.home.path("examples")).unwrap();
    symlink(suite.home.data_dir(), suite.home.path(".bylaw")).unwrap();
    let day = "examples/distributor/events/working-day.jsonl";
    suite.run(&["replay", day]).exits(0);

    let commands = commands(&readme);
    assert!(commands.len() >= 7, "{commands:?}");
    let binary = Path::new(env!("CARGO_BIN_EXE_bylaw")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    for command in commands {
        // Statuses that say what came out, rather than that something went wrong.
        let wanted = match command.split(' ').nth(1) {
            Some("decide") => 10,
            Some("masterdata") => 5,
            _ => 0,
        };
        let mut shell = std::process::Command::new("bash");
        shell
            .args(["-c", &command])
            .env("PATH", &path)
            .env_remove("BYLAW_ADDR")
            .env_remove("BYLAW_TOKEN")
            .env_remove("BYLAW_DATA_DIR")
            .current_dir(suite.home.path("."));
        let ran = ran(&mut shell);
        assert_eq!(ran.status, wanted, "{command}: {ran:?}");
        assert!(ran.stderr.is_empty(), "{command}: {ran:?}");
    }
}
