//! Sets of classes of one dimension, as ranges.

/// A set of small integers: disjoint half-open ranges in order, none touching the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassSet(Vec<(u32, u32)>);

impl ClassSet {
    /// What lies in `from..to`.
    #[must_use]
    pub(super) fn range(from: u32, to: u32) -> Self {
        Self(if from < to {
            vec![(from, to)]
        } else {
            Vec::new()
        })
    }

    /// The union of ranges in any order.
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|(from, to)| from < to);
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// The ranges, in order.
    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every member, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|&(from, to)| from..to)
    }

    pub(super) fn contains(&self, class: u32) -> bool {
        let after = self.0.partition_point(|&(from, _)| from <= class);
        after > 0 && class < self.0[after - 1].1
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied().collect())
    }

    pub(super) fn intersect(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut out = Vec::new();
        while let (Some(&&(from, to)), Some(&&(start, end))) = (a.peek(), b.peek()) {
            let (low, high) = (from.max(start), to.min(end));
            if low < high {
                out.push((low, high));
            }
            if to < end {
                a.next();
            } else {
                b.next();
            }
        }
        Self(out)
    }

    /// What of `0..count` isn't in it.
    pub(super) fn complement(&self, count: u32) -> Self {
        let mut out = Vec::with_capacity(self.0.len() + 1);
        let mut at = 0;
        for &(from, to) in &self.0 {
            if at < from {
                out.push((at, from));
            }
            at = to;
        }
        if at < count {
            out.push((at, count));
        }
        Self(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sets() -> impl Strategy<Value = ClassSet> {
        prop::collection::vec((0..20_u32, 0..20_u32), 0..5).prop_map(ClassSet::of)
    }

    proptest! {
        #[test]
        fn sets_are_those_of_their_members(a in sets(), b in sets()) {
            let (union, both, not) = (a.union(&b), a.intersect(&b), a.complement(20));
            for class in 0..20 {
                let (in_a, in_b) = (a.contains(class), b.contains(class));
                prop_assert_eq!(union.contains(class), in_a || in_b);
                prop_assert_eq!(both.contains(class), in_a && in_b);
                prop_assert_eq!(not.contains(class), !in_a);
            }
            prop_assert_eq!(ClassSet::of(both.ranges().to_vec()), both);
        }
    }
}
