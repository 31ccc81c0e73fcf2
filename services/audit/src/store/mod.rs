//! The log in PostgreSQL or SQLite. Nothing above knows the database.

mod append;
mod find;
mod integrate;
mod migrations;
mod rows;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use merkle::{Hash, tile};
use service_kit::{db::Db, error::Result};

pub use migrations::migrations;

use crate::{
    app::{Appended, Bounds, Corruption, Found, Integrated, Pending, Query, Sign, Signed, Store},
    domain::gaps::Sequence,
};

/// The log's database.
pub struct Database {
    db: Db,
}

impl Database {
    /// The log in a migrated database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Store for Database {
    async fn append(&self, batch: &[Pending], now: DateTime<Utc>) -> Result<Appended, Corruption> {
        append::append(&self.db, batch, now).await
    }

    async fn integrate(
        &self,
        sign: Sign<'_>,
        now: DateTime<Utc>,
    ) -> Result<Integrated, Corruption> {
        integrate::integrate(&self.db, sign, now).await
    }

    async fn newest(&self) -> Result<Option<Signed>> {
        find::newest(self.db.read()).await
    }

    async fn signed(&self, size: u64) -> Result<Option<Signed>> {
        find::signed(self.db.read(), size).await
    }

    async fn signed_above(&self, size: u64, limit: u64) -> Result<Vec<Signed>> {
        find::signed_above(self.db.read(), size, limit).await
    }

    async fn size(&self) -> Result<u64> {
        Ok(find::last(self.db.read()).await?.map_or(0, |last| last + 1))
    }

    async fn records(&self, first: u64, bounds: Bounds) -> Result<Found> {
        find::records(self.db.read(), first, bounds).await
    }

    async fn lineage(&self, query: &Query<'_>) -> Result<Found> {
        find::lineage(self.db.read(), query).await
    }

    async fn tiles(&self, ids: &[tile::Id]) -> Result<BTreeMap<tile::Id, Vec<Hash>>> {
        find::tiles(self.db.read(), ids).await
    }

    async fn scopes(&self, below: u64) -> Result<Vec<String>> {
        find::scopes(self.db.read(), below).await
    }

    async fn producers(&self) -> Result<BTreeMap<String, Sequence>> {
        find::producers(self.db.read(), None).await
    }
}
