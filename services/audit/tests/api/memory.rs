//! A log in memory, which writes exports and lineages as the service does.

use audit::{
    domain::{
        Actor, ActorKind, Grant, Leaf, Outcome, Record,
        line::{self, Proof, ProofKind},
        record::canonical_payload,
        statement::Statement,
    },
    verify::{Problem, Verified, verify},
};
use chrono::{DateTime, TimeDelta, Utc};
use merkle::{Checkpoint, Hash, Node, Nodes, chain, consistency, inclusion, note::Signer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A log in memory.
pub struct Log {
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
    pub hashes: Vec<Hash>,
    key: Signer,
}

impl Nodes for Log {
    type Error = Node;
    fn node(&self, node: Node) -> Result<Hash, Node> {
        if node.level == 0 {
            return self.hashes.get(to_usize(node.index)).copied().ok_or(node);
        }
        let child = |index| Node {
            level: node.level - 1,
            index,
        };
        let left = self.node(child(node.index * 2))?;
        Ok(Hash::node(&left, &self.node(child(node.index * 2 + 1))?))
    }
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

pub fn start() -> DateTime<Utc> {
    "2026-11-24T08:00:00.5Z".parse().unwrap()
}

pub fn record(i: u64) -> Record {
    Record {
        producer: "exceptions".into(),
        producer_sequence: i + 1,
        event_id: Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000 + u128::from(i)),
        r#type: "bylaw.exceptions.exception.raised.v1".into(),
        occurred: start() + TimeDelta::milliseconds(i64::try_from(i).unwrap()),
        actor: Actor {
            issuer: "https://issuer.example".into(),
            subject: "credit-manager.medical".into(),
            kind: ActorKind::Person,
            grants: vec![
                Grant {
                    role: "credit-manager".into(),
                    scope: "acme/europe/medical".into(),
                },
                Grant {
                    role: "odd role@1".into(),
                    scope: "*".into(),
                },
            ],
            via: if i.is_multiple_of(3) { String::new() } else { "bylaw-exceptions".into() },
        },
        action: "exceptions.exception.raise".into(),
        resource: format!("exceptions/{i}"),
        scope: "acme/europe/medical".into(),
        correlation_id: "SO-4711".into(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        span_id: String::new(),
        outcome: if i.is_multiple_of(5) { Outcome::Refused } else { Outcome::Done },
        payload: canonical_payload(
            format!(r#"{{"total":"18450.00 EUR", "n": {i}, "text":"ä\n\"{i}\" €😀", "list":[1.50,null,true]}}"#)
                .as_bytes(),
        )
        .unwrap(),
    }
}

impl Log {
    pub fn new(size: u64) -> Self {
        Self::of((0..size).map(record))
    }

    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let key = Signer::from_seed("example.com/audit", &[7; 32]).unwrap();
        let mut log = Self {
            entries: Vec::new(),
            hashes: Vec::new(),
            key,
        };
        for (i, record) in (0..).zip(records) {
            let payload = record.payload.clone();
            let entry = Leaf::new(i, start(), record).entry();
            log.hashes.push(Hash::leaf(&entry));
            log.entries.push((entry, payload));
        }
        log
    }

    pub fn key(&self) -> String {
        self.key.verifier().to_string()
    }

    fn len(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    pub fn checkpoint(&self, size: u64) -> String {
        let root = merkle::root(self, size).unwrap();
        Checkpoint::new("example.com/audit", size, root)
            .sign(&self.key)
            .unwrap()
    }

    pub fn export(&self, first: u64, size: u64) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        if first > 0 {
            let (left, right) = chain::opening(first, size).unwrap();
            let left = chain::hashes(self, &left).unwrap();
            let right = chain::hashes(self, &right).unwrap();
            lines.push(line::range(first, size, &left, &right));
        }
        for index in first..size {
            let siblings = chain::siblings(index, size).unwrap();
            let hashes = chain::hashes(self, &siblings).unwrap();
            let (entry, payload) = &self.entries[to_usize(index)];
            let proof = Proof { size, hashes };
            lines.push(line::record(entry, payload, ProofKind::Tree, &proof));
        }
        lines.push(line::checkpoint(size, &self.checkpoint(size)));
        lines
    }

    pub fn lineage(&self, indices: &[u64], pages: usize, held: Option<u64>) -> Vec<Vec<u8>> {
        let (size, mut lines, mut first) = (self.len(), Vec::new(), 0);
        let per_page = indices.len().div_ceil(pages).max(1);
        let chunks: Vec<_> = if indices.is_empty() {
            vec![indices]
        } else {
            indices.chunks(per_page).collect()
        };
        for (page, chunk) in chunks.iter().enumerate() {
            let mut digest = Sha256::new();
            for index in *chunk {
                let hashes = inclusion::prove(self, *index, size).unwrap().unwrap();
                let (entry, payload) = &self.entries[to_usize(*index)];
                let proof = Proof { size, hashes };
                let line = line::record(entry, payload, ProofKind::Inclusion, &proof);
                digest.update(&line);
                lines.push(line);
            }
            let count = u64::try_from(chunk.len()).unwrap();
            let statement = Statement {
                origin: "example.com/audit".into(),
                correlation_id: "SO-4711".into(),
                size,
                scopes: Some(vec!["acme/europe".into(), "acme/us".into()]),
                first,
                count,
                more: page + 1 < chunks.len(),
                digest: Hash(digest.finalize().into()),
            };
            first += count;
            let proof = held.map(|from| Proof {
                size: from,
                hashes: consistency::prove(self, from, size).unwrap().unwrap(),
            });
            let statement = statement.sign(&self.key).unwrap();
            lines.push(line::lineage(
                &self.checkpoint(size),
                proof.as_ref(),
                &statement,
            ));
        }
        lines
    }

    pub fn check(&self, lines: &[Vec<u8>]) -> Result<Verified, Problem> {
        self.check_held(lines, None)
    }

    pub fn check_held(&self, lines: &[Vec<u8>], held: Option<&str>) -> Result<Verified, Problem> {
        verify(lines.concat().as_slice(), &self.key(), held, &mut |_| {})
    }
}
