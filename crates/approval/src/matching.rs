//! Maximum matching of people to required places (augmenting paths, Kuhn 1955).

/// Requirements with their places, and who sits in them.
pub(crate) struct Seating<'a> {
    /// `fits[person][requirement]`.
    fits: &'a [Vec<bool>],
    /// How many people each requirement still takes at most.
    capacity: Vec<usize>,
    /// People in each requirement.
    seated: Vec<Vec<usize>>,
}

impl<'a> Seating<'a> {
    /// Empty seats; `counts` are the numbers required.
    pub(crate) fn new(fits: &'a [Vec<bool>], counts: &[u32]) -> Self {
        // More seats than people can't be filled: that bounds the work whatever a
        // requirement's count is.
        let capacity = counts
            .iter()
            .map(|&count| usize::try_from(count).unwrap_or(usize::MAX).min(fits.len()))
            .collect::<Vec<_>>();
        let seated = vec![Vec::new(); capacity.len()];
        Self {
            fits,
            capacity,
            seated,
        }
    }

    /// Finds a place for a person, moving others if that helps; false if there is none.
    /// Nobody who has a place loses it.
    pub(crate) fn seat(&mut self, person: usize) -> bool {
        let mut visited = vec![false; self.capacity.len()];
        self.augment(person, &mut visited)
    }

    fn augment(&mut self, person: usize, visited: &mut [bool]) -> bool {
        for place in 0..self.capacity.len() {
            if !self.fits[person][place] || std::mem::replace(&mut visited[place], true) {
                continue;
            }
            if self.seated[place].len() < self.capacity[place] {
                self.seated[place].push(person);
                return true;
            }
            for index in 0..self.seated[place].len() {
                let other = self.seated[place][index];
                if self.augment(other, visited) {
                    self.seated[place][index] = person;
                    return true;
                }
            }
        }
        false
    }

    /// How many people each requirement has.
    pub(crate) fn filled(&self) -> Vec<usize> {
        self.seated.iter().map(Vec::len).collect()
    }
}
