//! What policies do together: where a change makes the answer tighter or looser at which
//! scope, and where a default is looser than a guardrail above it.
//!
//! Exact, by [`decision::analyse`] over the tables of all layers at once; every witness is
//! replayed through the evaluation of all layers before it is given. The facts of a region
//! are known, or known to be null; unknown ones are no region of their own, since a decision
//! about them is the join over all that they could be.

mod effective;
mod outcome;
mod sides;
#[cfg(test)]
mod tests;
mod variation;

pub use decision::analyse::{Change, Region, Undecided};
pub use effective::{Affected, BundleDifference, Layers, ScopeDifference, affected, difference};
pub use outcome::Answered;
pub use sides::{Changed, Difference};
pub use variation::{Masked, Variation, variation};
