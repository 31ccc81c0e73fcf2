//! `bylaw policy check`.

use super::Check;
use crate::{args::Output, failure::Failure};

pub fn run(_form: Output, _args: &Check) -> Result<(), Failure> {
    Err(Failure::failed("not there yet"))
}
