//! zen-engine: a policy of one table, compiled.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use decision::{Facts, Value};
use serde_json::{Value as Json, json};
use zen_engine::{
    DecisionEngine, EvaluationOptions, Variable,
    loader::MemoryLoader,
    model::{DecisionContent, PolicyContent},
    policy::PolicyDocument,
};

use crate::{
    ROUND, ROUNDS,
    made::{AMOUNT, FLAG, KIND, Made, REGION, decimal},
    middle,
};

pub struct Peer {
    engine: DecisionEngine,
    runtime: tokio::runtime::Runtime,
}

impl Peer {
    pub fn new(made: &Made) -> Self {
        let loader = Arc::new(MemoryLoader::default());
        let document: PolicyDocument = serde_json::from_value(policy(made)).expect("policy");
        let content = DecisionContent::Policy(PolicyContent(Arc::new(document)));
        loader.add("table", content);
        let engine = DecisionEngine::default().with_loader(loader);
        let failures = engine.compile();
        assert!(failures.is_empty(), "{failures:?}");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            engine,
            runtime: runtime.expect("runtime"),
        }
    }

    /// The facts as zen-engine takes them; amounts as bare numbers.
    pub fn input(&self, facts: &Facts) -> Variable {
        let text = |name| facts.get(name).unwrap().as_str().unwrap();
        let amount = match facts.get(AMOUNT).unwrap() {
            Value::Money { amount, .. } => amount.to_string(),
            other => other.to_string(),
        };
        let amount: Json = serde_json::from_str(&amount).expect("number");
        json!({"order": {
            "region": text(REGION),
            "kind": text(KIND),
            "total": amount,
            "flag": facts.get(FLAG).unwrap().as_bool().unwrap(),
        }})
        .into()
    }

    fn run(&self, input: Variable, trace: bool) -> Variable {
        let options = EvaluationOptions {
            trace,
            ..EvaluationOptions::default()
        };
        let answer = self.engine.evaluate_with_opts("table", input, options);
        let answer = self.runtime.block_on(answer).expect("evaluates");
        black_box(&answer.trace);
        answer.result
    }

    /// The row that answers.
    pub fn evaluate(&self, input: &Variable, trace: bool) -> Option<usize> {
        let result: Json = self.run(input.deep_clone(), trace).into();
        let id = result.pointer("/order/row")?.as_str()?;
        id.strip_prefix('r')?.parse().ok()
    }

    pub fn median(&self, inputs: &[Variable], trace: bool) -> f64 {
        let mut inputs = inputs.iter().cycle();
        let mut round = |_| {
            let (start, mut done, mut spent) = (Instant::now(), 0, Duration::ZERO);
            while done == 0 || start.elapsed() < ROUND {
                let input = inputs.next().expect("inputs").deep_clone();
                let begin = Instant::now();
                black_box(self.run(input, trace));
                spent += begin.elapsed();
                done += 1;
            }
            spent.as_nanos() as f64 / f64::from(done)
        };
        middle((0..ROUNDS).map(&mut round).collect())
    }
}

fn policy(made: &Made) -> Json {
    let property = |name: &str, ty: &str, optional: bool| json!({"id": name, "name": name, "type": ty, "array": false, "optional": optional});
    let input = |name: &str| json!({"id": name, "name": name, "field": format!("order.{name}")});
    let rules: Vec<Json> = made
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let text = |text: &Option<String>| {
                text.as_ref()
                    .map_or_else(String::new, |t| format!("\"{t}\""))
            };
            let amount = row.amount.map_or_else(String::new, |(low, high)| {
                format!("({}..{}]", decimal(low), decimal(high))
            });
            json!({
                "_id": format!("r{at}"),
                "region": text(&row.region),
                "kind": text(&row.kind),
                "total": amount,
                "flag": row.flag.map_or_else(String::new, |flag| flag.to_string()),
                "row": format!("\"r{at}\""),
            })
        })
        .collect();
    json!({"blocks": [
        {"id": "model", "type": "dataModel", "children": [], "props": {"data": {
            "name": "order",
            "properties": [
                property("region", "string", false),
                property("kind", "string", false),
                property("total", "number", false),
                property("flag", "boolean", false),
            ],
        }}},
        {"id": "table", "type": "decisionTable", "children": [], "props": {"data": {
            "hitPolicy": "first",
            "inputs": [input("region"), input("kind"), input("total"), input("flag")],
            "outputs": [{"id": "row", "name": "", "field": "order.row"}],
            "rules": rules,
        }}},
    ]})
}
