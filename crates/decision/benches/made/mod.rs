//! Tables and facts made for measuring, the same on every run.

use decision::{Facts, Schema, Table, Value};

pub const REGION: &str = "order.region";
pub const KIND: &str = "customer.kind";
pub const AMOUNT: &str = "order.total";
pub const FLAG: &str = "item.regulated";

/// How the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each case in one row, in order.
    Partition,
    /// Each case in one row, shuffled.
    Scattered,
    /// One range for each row, nothing else.
    Bands,
    /// Rows over each other, 30% of the cells open.
    Overlap,
}

/// A row: region, kind, amounts in cents above and up to, flag.
pub struct Row {
    pub region: Option<String>,
    pub kind: Option<String>,
    pub amount: Option<(u64, u64)>,
    pub flag: Option<bool>,
}

pub struct Made {
    pub rows: Vec<Row>,
    pub facts: Vec<Facts>,
    shape: Shape,
}

/// Steele, Lea and Flood's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

impl Made {
    pub fn new(rows: usize, shape: Shape) -> Self {
        let mut random = Random(42);
        // Regions, kinds and bands of the amount; the flag doubles them.
        let (regions, kinds, bands) = match (rows, shape) {
            (_, Shape::Bands) => (1, 1, rows),
            (..=10, _) => (1, 1, rows / 2),
            (..=100, _) => (5, 2, rows / 20),
            (..=1_000, _) => (10, 5, rows / 100),
            _ => (20, 5, rows / 200),
        };
        let cents = 100_000_000_u64;
        let band = |at: usize| cents * at as u64 / bands as u64;
        let made = |row: usize, random: &mut Random| {
            if shape == Shape::Overlap {
                let mut open = |value| (random.below(10) >= 3).then_some(value);
                let (a, b, c, d) = (open(0), open(1), open(2), open(3));
                let low = random.next() % cents;
                let width = cents / 20 + random.next() % (cents / 2);
                return Row {
                    region: a.map(|_| format!("region-{}", random.below(regions))),
                    kind: b.map(|_| format!("kind-{}", random.below(kinds))),
                    amount: c.map(|_| (low, low + width)),
                    flag: d.map(|_| random.below(2) == 0),
                };
            }
            let whole = shape == Shape::Bands;
            let (rest, flag) = if whole { (row, 0) } else { (row / 2, row % 2) };
            let (rest, at) = (rest / bands, rest % bands);
            Row {
                region: (!whole).then(|| format!("region-{}", rest / kinds)),
                kind: (!whole).then(|| format!("kind-{}", rest % kinds)),
                amount: Some((band(at), band(at + 1))),
                flag: (!whole).then_some(flag == 1),
            }
        };
        let mut all: Vec<Row> = (0..rows).map(|row| made(row, &mut random)).collect();
        if shape == Shape::Scattered {
            for at in (1..all.len()).rev() {
                all.swap(at, random.below(at + 1));
            }
        }
        let facts = (0..10_000).map(|_| {
            let amount = random.next() % cents + 1;
            [
                (
                    REGION,
                    Value::from(format!("region-{}", random.below(regions))),
                ),
                (KIND, Value::from(format!("kind-{}", random.below(kinds)))),
                (AMOUNT, money(amount)),
                (FLAG, Value::from(random.below(2) == 0)),
            ]
            .into_iter()
            .collect()
        });
        Self {
            facts: facts.collect(),
            rows: all,
            shape,
        }
    }

    /// The hit policy, as DMN names it.
    pub fn hit_policy(&self) -> &'static str {
        match self.shape {
            Shape::Overlap => "FIRST",
            _ => "UNIQUE",
        }
    }

    pub fn table(&self) -> Table {
        let yaml = format!(
            "name: made\nfacts:\n  {REGION}: {{type: string}}\n  {KIND}: {{type: string}}\n  \
             {AMOUNT}: {{type: money, currency: EUR}}\n  {FLAG}: {{type: boolean}}\n\
             inputs: [{REGION}, {KIND}, {AMOUNT}, {FLAG}]\nhit_policy: {}\nrows_csv: r.csv\n",
            self.hit_policy()
        );
        let mut csv = format!("id,{REGION},{KIND},{AMOUNT},{FLAG},effect\n");
        for (id, row) in self.rows.iter().enumerate() {
            let text = |text: &Option<String>| match text {
                Some(text) => format!("\"\"\"{text}\"\"\""),
                None => String::new(),
            };
            let amount = row.amount.map_or_else(String::new, |(low, high)| {
                format!("]{}..{}]", decimal(low), decimal(high))
            });
            let flag = row.flag.map_or_else(String::new, |flag| flag.to_string());
            let (region, kind) = (text(&row.region), text(&row.kind));
            csv += &format!("r{id},{region},{kind},{amount},{flag},ALLOW\n");
        }
        Table::from_yaml(&yaml, &Schema::open(), &|_| Ok(csv.clone())).unwrap()
    }

    /// The first row that matches, by trying one after the other.
    pub fn scan(&self, facts: &Facts) -> Option<usize> {
        let region = facts.get(REGION)?.as_str()?;
        let kind = facts.get(KIND)?.as_str()?;
        let Value::Money { amount, currency } = facts.get(AMOUNT)? else {
            return None;
        };
        let flag = facts.get(FLAG)?.as_bool()?;
        let cents = amount.checked_mul(100.into()).ok()?.to_i64()? as u64;
        self.rows.iter().position(|row| {
            currency == "EUR"
                && row.region.as_deref().is_none_or(|wanted| wanted == region)
                && row.kind.as_deref().is_none_or(|wanted| wanted == kind)
                && row
                    .amount
                    .is_none_or(|(low, high)| low < cents && cents <= high)
                && row.flag.is_none_or(|wanted| wanted == flag)
        })
    }
}

/// Cents as a decimal.
pub fn decimal(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn money(cents: u64) -> Value {
    Value::Money {
        amount: decimal(cents).parse().unwrap(),
        currency: "EUR".to_owned(),
    }
}
