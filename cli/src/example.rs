//! The examples, embedded in the binary.

use include_dir::{Dir, include_dir};

static DISTRIBUTOR: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/distributor");

/// Every file of the distributor's example with its path in it.
pub fn files() -> Vec<(String, &'static [u8])> {
    let mut found = Vec::new();
    collect(&DISTRIBUTOR, &mut found);
    found.sort();
    found
}

fn collect(dir: &Dir<'static>, found: &mut Vec<(String, &'static [u8])>) {
    for file in dir.files() {
        found.push((file.path().display().to_string(), file.contents()));
    }
    for inner in dir.dirs() {
        collect(inner, found);
    }
}

/// The event mappings with their file names.
pub fn mappings() -> impl Iterator<Item = (String, &'static str)> {
    DISTRIBUTOR
        .get_dir("mappings")
        .into_iter()
        .flat_map(Dir::files)
        .filter_map(|file| Some((file.path().display().to_string(), file.contents_utf8()?)))
        .filter(|(_, text)| {
            text.lines()
                .any(|line| line.trim_end() == "kind: EventMapping")
        })
}
