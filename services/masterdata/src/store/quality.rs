//! Quality figures: counted as validations are written, read by day, unit and entity.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use service_kit::{
    db::within,
    error::{Error, Result},
    identity::Scopes,
};

use super::schema::{quality_record, quality_rule};
use crate::app::{Figure, FigureCursor, FigureQuery, RuleFigure, Validation};

/// Rows of one INSERT: six parameters each, of the 32,766 that SQLite takes.
const INSERT_ROWS: usize = 1_000;

/// What a batch of validations adds. In the order of keys, so that two batches never wait
/// for each other's rows.
#[derive(Default)]
pub(super) struct Counts {
    records: BTreeMap<FigureCursor, (i64, i64)>,
    rules: BTreeMap<(FigureCursor, String, &'static str), i64>,
}

impl Counts {
    pub(super) fn of(validations: &[Validation]) -> Self {
        let mut counts = Self::default();
        for validation in validations {
            let at = FigureCursor {
                day: validation.validate_time.date_naive().to_string(),
                scope: validation.scope.to_string(),
                entity: validation.entity.name().to_owned(),
            };
            for violation in &validation.judgement.violations {
                let key = (
                    at.clone(),
                    violation.rule.clone(),
                    violation.severity.name(),
                );
                *counts.rules.entry(key).or_default() += 1;
            }
            let (records, invalid) = counts.records.entry(at).or_default();
            *records += 1;
            *invalid += i64::from(!validation.judgement.is_valid());
        }
        counts
    }

    /// Adds to what is counted already.
    pub(super) async fn add(&self, tx: &impl ConnectionTrait) -> Result<()> {
        use quality_record::Column as Record;
        use quality_rule::Column as Rule;
        let records =
            self.records
                .iter()
                .map(|(at, (records, invalid))| quality_record::ActiveModel {
                    day: Set(at.day.clone()),
                    scope: Set(at.scope.clone()),
                    entity: Set(at.entity.clone()),
                    records: Set(*records),
                    invalid: Set(*invalid),
                });
        let sum =
            |column: Expr, name: &'static str| column.add(Expr::cust(format!("excluded.{name}")));
        quality_record::Entity::insert_many(records)
            .on_conflict(
                OnConflict::columns([Record::Day, Record::Scope, Record::Entity])
                    .value(
                        Record::Records,
                        sum(
                            Expr::col((quality_record::Entity, Record::Records)),
                            "records",
                        ),
                    )
                    .value(
                        Record::Invalid,
                        sum(
                            Expr::col((quality_record::Entity, Record::Invalid)),
                            "invalid",
                        ),
                    )
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
        let rules: Vec<_> = self
            .rules
            .iter()
            .map(|((at, rule, severity), count)| quality_rule::ActiveModel {
                day: Set(at.day.clone()),
                scope: Set(at.scope.clone()),
                entity: Set(at.entity.clone()),
                rule: Set(rule.clone()),
                severity: Set((*severity).to_owned()),
                violations: Set(*count),
            })
            .collect();
        for chunk in rules.chunks(INSERT_ROWS) {
            quality_rule::Entity::insert_many(chunk.to_vec())
                .on_conflict(
                    OnConflict::columns([
                        Rule::Day,
                        Rule::Scope,
                        Rule::Entity,
                        Rule::Rule,
                        Rule::Severity,
                    ])
                    .value(
                        Rule::Violations,
                        sum(
                            Expr::col((quality_rule::Entity, Rule::Violations)),
                            "violations",
                        ),
                    )
                    .to_owned(),
                )
                .exec_without_returning(tx)
                .await?;
        }
        Ok(())
    }
}

/// At most the query's limit and one more.
pub(super) async fn figures(db: &impl ConnectionTrait, query: &FigureQuery) -> Result<Vec<Figure>> {
    use quality_record::Column::{Day, Entity, Scope};
    let scopes = Scopes::All.within(&query.scope);
    let mut found = quality_record::Entity::find().filter(within(Scope, &scopes));
    if let Some(entity) = query.entity {
        found = found.filter(Entity.eq(entity.name()));
    }
    if let Some(start) = query.start {
        found = found.filter(Day.gte(start.to_string()));
    }
    if let Some(end) = query.end {
        found = found.filter(Day.lte(end.to_string()));
    }
    if let Some(after) = &query.after {
        let same_day = Condition::all().add(Day.eq(&after.day));
        let same_scope = same_day.clone().add(Scope.eq(&after.scope));
        found = found.filter(
            Condition::any()
                .add(Day.gt(&after.day))
                .add(same_day.add(Scope.gt(&after.scope)))
                .add(same_scope.add(Entity.gt(&after.entity))),
        );
    }
    let rows = found
        .order_by_asc(Day)
        .order_by_asc(Scope)
        .order_by_asc(Entity)
        .limit(query.limit + 1)
        .all(db)
        .await?;
    let mut figures = Vec::with_capacity(rows.len());
    for row in rows {
        figures.push(figure(db, row).await?);
    }
    Ok(figures)
}

async fn figure(db: &impl ConnectionTrait, row: quality_record::Model) -> Result<Figure> {
    use quality_rule::Column;
    let rules = quality_rule::Entity::find()
        .filter(Column::Day.eq(&row.day))
        .filter(Column::Scope.eq(&row.scope))
        .filter(Column::Entity.eq(&row.entity))
        .order_by_asc(Column::Rule)
        .order_by_asc(Column::Severity)
        .all(db)
        .await?;
    let rules = rules.into_iter().map(|rule| {
        Ok(RuleFigure {
            severity: rule.severity.parse().map_err(Error::internal)?,
            rule: rule.rule,
            count: rule.violations,
        })
    });
    Ok(Figure {
        records: row.records,
        invalid: row.invalid,
        rules: rules.collect::<Result<_>>()?,
        at: FigureCursor {
            day: row.day,
            scope: row.scope,
            entity: row.entity,
        },
    })
}
