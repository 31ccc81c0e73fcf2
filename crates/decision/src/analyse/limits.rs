//! Limits on what one analysis takes. They bound time and memory for tables that nobody has
//! vouched for; what lies beyond is reported as undecided, with how much that is.

/// Most work on one question (gaps, dead rows, a difference), in steps of a few
/// nanoseconds: rows listed while subspaces are split.
pub const WORK: u64 = 100_000_000;
/// Most row numbers remembered of subspaces already seen: 4 bytes each.
pub const MEMORY: usize = 48_000_000;
/// Most columns that the tables of one analysis test, those over the same fact counted once.
pub const DIMENSIONS: usize = 4_096;
/// Most tests of a cell on a class of values, where constants alone don't say the answer.
pub const TESTS: usize = 20_000_000;
/// Most findings of one kind that are listed; more are counted.
pub const FINDINGS: usize = 1_000;
/// Most regions taken out of a diagram before they are merged.
pub const REGIONS: usize = 20_000;
/// Most tests of regions looked at while regions are merged.
pub const MERGES: usize = 4_000_000;
/// Most cells tried while witnesses are replayed, for all findings together.
pub const REPLAY: usize = 40_000_000;
/// Most fact sets tried for one witness.
pub const ATTEMPTS: usize = 256;
/// Most values tried for the expressions that a box compares with each other, and most of
/// one of them.
pub const MODELS: usize = 20_000;
/// See [`MODELS`].
pub const CANDIDATES: usize = 256;
/// Most work on pairs of rows, in words of 64 rows looked at: enough for 200,000 rows that
/// all have to be compared in twenty columns.
pub const PAIRS: u64 = 12_000_000_000;
/// Most bytes of sets of rows for columns with many classes whose cells have several ranges.
pub const PAIRS_MEMORY: usize = 128 << 20;
