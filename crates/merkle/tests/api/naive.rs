//! RFC 6962 section 2.1 word for word, over all leaves at once.

use merkle::{Hash, Node, Nodes};

pub fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| Hash::leaf(&i.to_be_bytes())).collect()
}

/// Largest power of two smaller than n.
fn k(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

pub fn mth(d: &[Hash]) -> Hash {
    match d.len() {
        0 => Hash::empty(),
        1 => d[0],
        n => Hash::node(&mth(&d[..k(n)]), &mth(&d[k(n)..])),
    }
}

pub fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    let n = d.len();
    if n <= 1 {
        return Vec::new();
    }
    let k = k(n);
    if m < k {
        let mut p = path(m, &d[..k]);
        p.push(mth(&d[k..]));
        p
    } else {
        let mut p = path(m - k, &d[k..]);
        p.push(mth(&d[..k]));
        p
    }
}

pub fn proof(m: usize, d: &[Hash]) -> Vec<Hash> {
    if m == 0 || m == d.len() {
        return Vec::new();
    }
    subproof(m, d, true)
}

fn subproof(m: usize, d: &[Hash], b: bool) -> Vec<Hash> {
    let n = d.len();
    if m == n {
        return if b { Vec::new() } else { vec![mth(d)] };
    }
    let k = k(n);
    if m <= k {
        let mut p = subproof(m, &d[..k], b);
        p.push(mth(&d[k..]));
        p
    } else {
        let mut p = subproof(m - k, &d[k..], false);
        p.push(mth(&d[..k]));
        p
    }
}

/// Nodes computed from all leaves whenever they are asked for.
pub struct Naive(pub Vec<Hash>);

impl Nodes for Naive {
    type Error = Node;
    fn node(&self, node: Node) -> Result<Hash, Node> {
        let first = usize::try_from(node.index << node.level).unwrap();
        self.0
            .get(first..first + (1 << node.level))
            .map(mth)
            .ok_or(node)
    }
}
