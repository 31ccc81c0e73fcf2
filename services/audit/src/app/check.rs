//! Checking many stored records: hashing megabytes, so off the runtime's threads.

use service_kit::error::{Error, Result};

use crate::domain::stored::{Corrupt, Stored};

/// The records, of those that must follow from `due` on without a gap, up to the first
/// that isn't what was recorded, and what is wrong with that one.
pub async fn checked(records: Vec<Stored>, due: u64) -> Result<(Vec<Stored>, Option<Corrupt>)> {
    tokio::task::spawn_blocking(move || {
        let mut records = records;
        let wrong = (due..)
            .zip(&records)
            .enumerate()
            .find_map(|(place, (due, stored))| Some((place, stored.check_at(due).err()?)));
        match wrong {
            None => (records, None),
            Some((place, corrupt)) => {
                records.truncate(place);
                (records, Some(corrupt))
            }
        }
    })
    .await
    .map_err(Error::internal)
}
