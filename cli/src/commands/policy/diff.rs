//! `bylaw policy diff`.

use super::Diff;
use crate::{args::Output, failure::Failure};

pub fn run(_form: Output, _args: &Diff) -> Result<(), Failure> {
    Err(Failure::failed("not there yet"))
}
