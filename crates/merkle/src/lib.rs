//! Transparency logs without storage or network: the RFC 6962 Merkle tree and its
//! proofs, tiles, signed notes and checkpoints.
//!
//! - [`Hash`], [`Hash::leaf`], [`Hash::node`]: the hash functions of RFC 6962.
//! - [`Frontier`]: appends leaves in `O(log n)` memory and gives the root.
//! - [`inclusion`], [`consistency`]: RFC 6962 proofs, made from any store of node
//!   hashes ([`Nodes`]) and verified with RFC 9162's algorithms.
//! - [`chain`]: what a stream of consecutive leaves needs so that each is verified as
//!   it is read, at one hash a leaf.
//! - [`tile`]: node hashes in rows of 256, as C2SP tlog-tiles cuts the tree.
//! - [`note`], [`checkpoint`]: C2SP signed-note (Ed25519) and tlog-checkpoint.

pub mod chain;
pub mod checkpoint;
pub mod consistency;
mod hash;
pub mod inclusion;
pub mod note;
mod range;
pub mod tile;
mod tree;

pub use checkpoint::Checkpoint;
pub use hash::{Hash, ParseHashError};
pub use range::{Node, Range};
pub use tree::{Frontier, Nodes, hash_range, root};
