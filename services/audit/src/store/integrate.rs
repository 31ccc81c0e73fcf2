//! Integration: stored records become leaves of the signed tree.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use merkle::{Frontier, Hash, Range, tile};
use sea_orm::{ConnectionTrait, Value};
use service_kit::{
    db::{Db, Tx},
    error::{Error, Result},
};

use super::{
    append::lock,
    find,
    rows::{column, sql, tile_bytes},
};
use crate::{
    app::{Bounds, Corruption, Found, Integrated, Sign, Signed, Tiles, checked},
    domain::stored::{Corrupt, micros},
};

/// Key of the lock that makes integration one at a time over all replicas; another than
/// the sequencer's, so that appends don't wait for it.
const INTEGRATOR: i64 = 0x6279_6c61_7773_6967;
/// How much a step takes. On SQLite appends wait for a step.
const STEP: Bounds = Bounds {
    records: 4_096,
    bytes: 8 * 1024 * 1024,
    each: 0,
};

/// Takes one step.
pub async fn integrate(
    db: &Db,
    sign: Sign<'_>,
    now: DateTime<Utc>,
) -> Result<Integrated, Corruption> {
    db.write(|tx| async move {
        lock(&tx, INTEGRATOR).await?;
        match step(&tx, sign, now).await {
            Ok(integrated) => Ok(Ok(integrated)),
            Err(Corruption::Corrupt(corrupt)) => Ok(Err(corrupt)),
            Err(Corruption::Failed(error)) => Err(error),
        }
    })
    .await?
    .map_err(Corruption::Corrupt)
}

async fn step(tx: &Tx, sign: Sign<'_>, now: DateTime<Utc>) -> Result<Integrated, Corruption> {
    let newest = find::newest(tx).await?;
    let first = newest.as_ref().map_or(0, |signed| signed.size);
    let Found { records, more } = find::records(tx, first, STEP).await?;
    if records.is_empty()
        && let Some(signed) = newest
    {
        return Ok(Integrated {
            signed,
            more: false,
        });
    }
    let mut edge = edge(tx, newest.as_ref()).await?;
    // a record is signed over only as it was recorded: from its stored bytes, in its place
    let (records, corrupt) = checked(records, edge.tree.size()).await?;
    if let Some(corrupt) = corrupt {
        return Err(corrupt.into());
    }
    for stored in &records {
        edge.push(stored.leaf_hash);
    }
    let (size, root) = (edge.tree.size(), edge.tree.root());
    let signed = Signed {
        size,
        root,
        note: sign(size, root)?,
    };
    edge.store(tx).await?;
    store_checkpoint(tx, &signed, now).await?;
    Ok(Integrated { signed, more })
}

/// The right edge of the tree: what grows.
struct Edge {
    tree: Frontier,
    tiles: BTreeMap<tile::Id, Vec<Hash>>,
}

impl Edge {
    fn push(&mut self, leaf: Hash) {
        let tiles = &mut self.tiles;
        self.tree.push_with(leaf, |node, hash| {
            if node.level.is_multiple_of(tile::HEIGHT) {
                tiles.entry(tile::Id::of(node)).or_default().push(hash);
            }
        });
    }

    async fn store(&self, tx: &Tx) -> Result<()> {
        for (id, hashes) in &self.tiles {
            let text = "INSERT INTO log_tiles (level, idx, hashes) VALUES ($1, $2, $3) \
                        ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes";
            let values: [Value; 3] = [
                i16::from(id.level).into(),
                column(id.index)?.into(),
                tile_bytes(hashes).into(),
            ];
            tx.execute_raw(sql(tx.get_database_backend(), text, values))
                .await?;
        }
        Ok(())
    }
}

/// Loads the right edge, which must be what was signed.
async fn edge(tx: &Tx, newest: Option<&Signed>) -> Result<Edge, Corruption> {
    let Some(signed) = newest else {
        return Ok(Edge {
            tree: Frontier::new(),
            tiles: BTreeMap::new(),
        });
    };
    let ids: Vec<_> = Range::tree(signed.size)
        .nodes()
        .map(tile::Id::of)
        .chain((0..8).filter_map(|level| partial(level, signed.size)))
        .collect();
    let tiles = find::tiles(tx, &ids).await?;
    let gone = || Corrupt::new(signed.size, "the tree doesn't have the signed root");
    let nodes = Tiles::new(tiles.clone());
    let tree = Frontier::load(&nodes, signed.size).map_err(|_: Error| gone())?;
    if tree.root() != signed.root {
        return Err(gone().into());
    }
    // full tiles never change again
    let growing = tiles
        .into_iter()
        .filter(|(id, _)| partial(id.level, signed.size) == Some(*id))
        .collect::<BTreeMap<_, _>>();
    let whole = growing
        .iter()
        .all(|(id, hashes)| u64::try_from(hashes.len()) == Ok(id.width(signed.size)));
    if !whole {
        return Err(gone().into());
    }
    Ok(Edge {
        tree,
        tiles: growing,
    })
}

/// The tile of a level that isn't full yet.
fn partial(level: u8, size: u64) -> Option<tile::Id> {
    let nodes = size.checked_shr(u32::from(level) * u32::from(tile::HEIGHT))?;
    let id = tile::Id {
        level,
        index: nodes / tile::WIDTH,
    };
    (id.width(size) > 0).then_some(id)
}

async fn store_checkpoint(tx: &Tx, signed: &Signed, now: DateTime<Utc>) -> Result<()> {
    let text = "INSERT INTO log_checkpoints (size, root, note, signed) VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        column(signed.size)?.into(),
        signed.root.0.to_vec().into(),
        signed.note.as_str().into(),
        micros(now).into(),
    ];
    tx.execute_raw(sql(tx.get_database_backend(), text, values))
        .await?;
    Ok(())
}
