//! `bylaw policy import`.

use super::{
    Import,
    source::{Content, Read},
};
use crate::{failure::Failure, output};

pub fn run(args: &Import) -> Result<(), Failure> {
    let read = Read::open(&args.file)?;
    read.say_notes();
    let yaml = match &read.content {
        Content::Model(model) => model.to_yaml(),
        Content::Table(table) | Content::Policy(table, _) => table.to_yaml(),
    };
    match &args.out {
        Some(path) => std::fs::write(path, yaml)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display()))),
        None => output::raw(&yaml),
    }
}
